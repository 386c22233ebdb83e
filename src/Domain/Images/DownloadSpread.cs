using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using System.Text.Unicode;
using Muster.Domain.Devices;

namespace Muster.Domain.Images;

/// <summary>How long a device waits before it fetches what it is offered, so that a wave does not arrive at once.</summary>
public static class DownloadSpread
{
    /// <summary>Twice a device id and a number.</summary>
    private const int TextBytesMax = 256;

    /// <summary>
    /// Even over zero to <paramref name="spread"/>, in whole seconds, and always the same for a device and a generation: a repeated offer
    /// does not move it. Another generation moves it, so that no device is always the last.
    /// </summary>
    public static TimeSpan DelayOf(DeviceId device, long generation, TimeSpan spread)
    {
        Span<byte> text = stackalloc byte[TextBytesMax];
        if (!Utf8.TryWrite(text, CultureInfo.InvariantCulture, $"{device.Value}/{generation}", out var length))
        {
            throw new UnreachableException("A device's id has 64 characters at most.");
        }

        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(text[..length], hash);
        var part = BinaryPrimitives.ReadUInt32LittleEndian(hash) / (double)(1L << 32);
        return TimeSpan.FromSeconds((long)(part * ((long)spread.TotalSeconds + 1)));
    }
}
