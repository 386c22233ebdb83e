using System.Security.Cryptography;
using System.Text;
using Muster.Domain.Devices;
using Muster.Domain.Identity;

namespace Muster.Domain.Trust;

/// <summary>
/// A serial and the key that was presented under it, as one SHA-256: the record of the key's owner does not name the serial, which may be
/// another tenant's.
/// </summary>
public static class SuspectedPair
{
    /// <summary>
    /// Dismissed pairs that a device remembers. Units on one desk are a few; of more the oldest is forgotten, and is a suspicion again when
    /// it comes again.
    /// </summary>
    public const int DismissedMax = 16;

    /// <summary>The pair of a serial of this tenant and a key.</summary>
    public static Sha256Hash Of(TenantId tenant, DeviceId serial, Sha256Hash key) =>
        Sha256Hash.Of(SHA256.HashData(Encoding.UTF8.GetBytes($"{tenant}/{serial}/{key}")));

    /// <summary>The device without its suspicion, which an operator judged to be unfounded: its pair raises none any more.</summary>
    internal static Device Dismiss(Device device)
    {
        var known = device.DismissedPairs.IsDefault ? [] : device.DismissedPairs;
        return device with
        {
            Suspicion = null,
            DismissedPairs = device.Suspicion?.Pair is { } pair && !known.Contains(pair)
                ? [.. known.TakeLast(DismissedMax - 1), pair]
                : known,
        };
    }

    internal static bool IsDismissed(Device device, Sha256Hash? pair) =>
        pair is { } presented && !device.DismissedPairs.IsDefault && device.DismissedPairs.Contains(presented);
}
