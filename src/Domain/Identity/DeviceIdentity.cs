using Muster.Domain.Devices;

namespace Muster.Domain.Identity;

/// <summary>
/// Who a TLS client certificate proves a device to be: its maker's (IEEE 802.1AR IDevID under a trusted device-identity root), or one
/// that the fleet CA issued to it (LDevID).
/// </summary>
/// <param name="Profile">The anchor profile that the certificate was read by, for example <c>axis</c> or <c>ieee8021ar</c>.</param>
/// <param name="Device">The device id: the serial in the profile's canonical form.</param>
/// <param name="CertificateSha256">Fingerprint of the certificate's DER form, 64 lower-case hex digits.</param>
/// <param name="KeySha256">Hash of the SubjectPublicKeyInfo (RFC 5280), 64 lower-case hex digits.</param>
/// <param name="PublicKey">The SubjectPublicKeyInfo itself, DER: proofs are verified with it.</param>
[GenerateSerializer, Immutable, Alias("muster.device-identity")]
public sealed record DeviceIdentity(
    [property: Id(0)] string Profile,
    [property: Id(1)] DeviceId Device,
    [property: Id(2)] string CertificateSha256,
    [property: Id(3)] string KeySha256,
    [property: Id(4)] ImmutableArray<byte> PublicKey)
{
    /// <summary>When the certificate stops being valid; null for never (IEEE 802.1AR: year 9999).</summary>
    [Id(5)] public DateTimeOffset? NotAfter { get; init; }

    /// <summary>Serial of the module that holds the key (RFC 4108), upper-case hex; empty when the certificate names none.</summary>
    [Id(6)] public string HardwareSerial { get; init; } = "";

    /// <summary>Who signed it.</summary>
    [Id(7)] public IdentityKind Kind { get; init; }

    /// <summary>True for a certificate of the fleet CA; everything else is the maker's.</summary>
    public bool IsOperational => Kind == IdentityKind.Operational;
}
