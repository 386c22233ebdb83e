using System.Globalization;
using System.Security.Cryptography;
using System.Text.Unicode;
using Muster.Domain.Devices;

namespace Muster.Domain.Images;

/// <summary>A device's way to the bytes of one image, for a short time. Whoever has it may use it: it names what it is bound to.</summary>
/// <param name="Tenant">The device's tenant.</param>
/// <param name="Device">The only device that may use it.</param>
/// <param name="Image">The only image that it leads to.</param>
/// <param name="ExpiresAt">Seconds since 1970; not accepted from then on.</param>
public readonly record struct ImageLink(TenantId Tenant, DeviceId Device, ImageDigest Image, long ExpiresAt)
{
    /// <summary>HMAC-SHA-256 (RFC 2104), whole.</summary>
    public const int SignatureBytes = HMACSHA256.HashSizeInBytes;

    /// <summary>Twice what tenant (63), device (64), digest (64) and two words take.</summary>
    private const int TextBytesMax = 512;

    /// <summary>Writes the signature of this link; none of its parts can contain the line feed between them.</summary>
    public void Sign(LinkKey key, Span<byte> signature)
    {
        ArgumentNullException.ThrowIfNull(key);
        Span<byte> text = stackalloc byte[TextBytesMax];
        var isWritten = Utf8.TryWrite(
            text,
            CultureInfo.InvariantCulture,
            $"muster image link 1\n{Tenant.Value}\n{Device.Value}\n{Image.Value}\n{ExpiresAt}",
            out var length);
        if (!isWritten)
        {
            throw new UnreachableException("A link's parts are bounded by their types.");
        }

        HMACSHA256.HashData(key.Secret.AsSpan(), text[..length], signature);
    }

    /// <summary>Whether the signature is this link's, compared in constant time.</summary>
    public bool IsSigned(LinkKey key, ReadOnlySpan<byte> signature)
    {
        Span<byte> own = stackalloc byte[SignatureBytes];
        Sign(key, own);
        return CryptographicOperations.FixedTimeEquals(own, signature);
    }

    /// <summary>Whether it is over at this time.</summary>
    public bool IsExpired(DateTimeOffset now) => now.ToUnixTimeSeconds() >= ExpiresAt;
}
