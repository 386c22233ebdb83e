using Muster.Domain.Devices;

namespace Muster.Domain.Identity;

/// <summary>
/// Who a TLS client certificate proves a device to be: its maker's (IEEE 802.1AR IDevID under a trusted device-identity root), or one
/// that the fleet CA issued to it (LDevID).
/// </summary>
[GenerateSerializer, Immutable, Alias("muster.device-identity")]
public sealed record DeviceIdentity
{
    private const string VouchedProfile = "broker";

    private static readonly string NoHash = new('0', 64);

    // As texts the two take five times as much in every device of a fleet, and an instant with an offset twice its ticks of UTC. Not
    // read-only, because the serializer sets them as they are stored.
    private Sha256Hash _certificate;
    private Sha256Hash _key;
    private long _notAfter;

    /// <param name="profile">See <see cref="Profile"/>.</param>
    /// <param name="device">See <see cref="Device"/>.</param>
    /// <param name="certificateSha256">See <see cref="CertificateSha256"/>.</param>
    /// <param name="keySha256">See <see cref="KeySha256"/>.</param>
    /// <param name="publicKey">See <see cref="PublicKey"/>.</param>
    public DeviceIdentity(string profile, DeviceId device, string certificateSha256, string keySha256, ImmutableArray<byte> publicKey)
    {
        (Profile, Device, PublicKey) = (profile, device, publicKey);
        (Certificate, Key) = (Sha256Hash.Parse(certificateSha256), Sha256Hash.Parse(keySha256));
    }

    /// <summary>The anchor profile that the certificate was read by, for example <c>axis</c> or <c>ieee8021ar</c>.</summary>
    [Id(0)] public string Profile { get; init; }

    /// <summary>The device id: the serial in the profile's canonical form.</summary>
    [Id(1)] public DeviceId Device { get; init; }

    /// <summary>Fingerprint of the DER form, 64 lower-case hex digits, as it is stored and sent. Set by the serializer alone.</summary>
    [Id(2)] public string CertificateSha256
    {
        get => Certificate.ToString();
        internal set => _certificate = Sha256Hash.Parse(value);
    }

    /// <summary>Hash of the SubjectPublicKeyInfo (RFC 5280), 64 lower-case hex digits, as it is stored and sent. As above.</summary>
    [Id(3)] public string KeySha256
    {
        get => Key.ToString();
        internal set => _key = Sha256Hash.Parse(value);
    }

    /// <summary>The SubjectPublicKeyInfo itself, DER: proofs are verified with it.</summary>
    [Id(4)] public ImmutableArray<byte> PublicKey { get; init; }

    /// <summary><see cref="CertificateSha256"/> as it is held and compared.</summary>
    public Sha256Hash Certificate
    {
        get => _certificate;
        init => _certificate = value;
    }

    /// <summary><see cref="KeySha256"/> as it is held and compared.</summary>
    public Sha256Hash Key
    {
        get => _key;
        init => _key = value;
    }

    /// <summary>When the certificate stops being valid; null for never (IEEE 802.1AR: year 9999).</summary>
    public DateTimeOffset? NotAfter
    {
        get => _notAfter == 0 ? null : new DateTimeOffset(_notAfter, TimeSpan.Zero);
        init => StoredNotAfter = value;
    }

    /// <summary><see cref="NotAfter"/> as it is stored and sent. As above.</summary>
    [Id(5)] internal DateTimeOffset? StoredNotAfter
    {
        get => NotAfter;
        set => _notAfter = value?.UtcTicks ?? 0;
    }

    /// <summary>Serial of the module that holds the key (RFC 4108), upper-case hex; empty when the certificate names none.</summary>
    [Id(6)] public string HardwareSerial { get; init; } = "";

    /// <summary>
    /// The type of that module, its maker's object identifier (RFC 4108 hwType), such as "1.3.6.1.4.1.9999.1"; empty as
    /// <see cref="HardwareSerial"/>, and of an identity that a silo of an earlier version wrote down.
    /// </summary>
    [Id(165)] public string HardwareType { get => field ?? ""; init; } = "";

    /// <summary>Who signed it.</summary>
    [Id(7)] public IdentityKind Kind { get; init; }

    /// <summary>True for a certificate of the fleet CA.</summary>
    public bool IsOperational => Kind == IdentityKind.Operational;

    /// <summary>True for a serial that a broker vouches for: it has no certificate and no key.</summary>
    public bool IsVouched => Kind == IdentityKind.Vouched;

    /// <summary>What a broker's word is worth: the serial, and nothing that could be compared with a record or proved later.</summary>
    public static DeviceIdentity Vouched(DeviceId device) =>
        new(VouchedProfile, device, NoHash, NoHash, []) { Kind = IdentityKind.Vouched };
}
