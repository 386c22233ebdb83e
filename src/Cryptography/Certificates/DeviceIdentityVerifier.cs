using Muster.Domain;
using Muster.Domain.Anchors;
using Muster.Domain.Devices;
using Muster.Domain.Identity;

namespace Muster.Cryptography.Certificates;

/// <summary>A device identity, or why the certificate is none.</summary>
public sealed record DeviceIdentityResult(DeviceIdentity? Identity, FleetError? Error)
{
    /// <summary>The certificates of anchors that the identity rests on; empty for one of the fleet CA.</summary>
    public ImmutableArray<Sha256Hash> Anchors { get; init; } = [];
}

/// <summary>
/// Decides who a TLS client certificate proves a device to be. TLS has proved that the peer has the key; here the chain must end
/// in a trusted device-identity root, and the profile that this root speaks for reads the serial number.
/// </summary>
public sealed class DeviceIdentityVerifier(DeviceAnchors anchors)
{
    /// <summary>
    /// Real device identities have 0.6 to 2 kB; what is larger carries something else and is read by nobody here.
    /// </summary>
    public const int CertificateBytesMax = 16 * 1024;

    private readonly DeviceAnchors _anchors = anchors;

    /// <summary>Believes the certificates of a folder and nothing else.</summary>
    public DeviceIdentityVerifier(TrustStore trust)
        : this(new DeviceAnchors((trust ?? throw new ArgumentNullException(nameof(trust))).Certificates, AnchorSet.Empty))
    {
    }

    /// <summary>Whom it believes.</summary>
    public DeviceAnchors Anchors => _anchors;

    /// <param name="certificate">The peer's certificate; null when it presented none.</param>
    /// <param name="presented">Intermediates that the peer sent along; null for none.</param>
    /// <param name="now">The instant that decides about validity.</param>
    public DeviceIdentityResult Verify(X509Certificate2? certificate, X509Certificate2Collection? presented, DateTimeOffset now)
    {
        if (certificate is null)
        {
            return Refuse(CertificateErrors.Missing());
        }

        if (certificate.RawDataMemory.Length > CertificateBytesMax)
        {
            return Refuse(CertificateErrors.TooLarge(certificate.RawDataMemory.Length, CertificateBytesMax));
        }

        var chain = _anchors.Store.Follow(certificate, presented, now);
        if (chain.State is ChainState.Untrusted or ChainState.WrongUsage || chain.Root is null)
        {
            return Refuse(CertificateErrors.Untrusted(certificate.Subject));
        }

        if (chain.State == ChainState.Expired)
        {
            return Refuse(CertificateErrors.Expired(certificate.Subject));
        }

        if (FaultOf(certificate) is { } fault)
        {
            return Refuse(CertificateErrors.NotADeviceIdentity(certificate.Subject, fault));
        }

        return ReadIdentity(certificate, chain);
    }

    private DeviceIdentityResult ReadIdentity(X509Certificate2 certificate, ChainVerdict chain)
    {
        // A folder may name a single device by its self-signed certificate.
        var root = chain.Above.IsEmpty ? TrustStore.HashOf(certificate) : chain.Above[^1];
        var profile = _anchors.ProfileOf(chain.Root!, root);
        var (serial, wrong) = profile.ReadSerial(certificate);
        if (serial is null || !DeviceId.TryFromSerial(serial, out var device))
        {
            return Refuse(CertificateErrors.NotADeviceIdentity(certificate.Subject, wrong ?? "its serial number is too long"));
        }

        if (profile.HasSerialPrefixes && _anchors.FaultOfSerial(root, serial) is { } foreign)
        {
            return Refuse(CertificateErrors.NotADeviceIdentity(certificate.Subject, foreign));
        }

        return profile.NeedsKnownIssuer && !_anchors.Store.Holds(certificate.IssuerName, chain.IssuerKey.Span)
            ? Refuse(CertificateErrors.UnknownIssuer(certificate.Subject, certificate.Issuer))
            : new DeviceIdentityResult(Describe(certificate, profile.Name, device), null) { Anchors = _anchors.HeldOf(chain.Above) };
    }

    /// <summary>What speaks against a device identity of any profile; null for nothing. An absent extension is no fault.</summary>
    private static string? FaultOf(X509Certificate2 certificate)
    {
        if (CertificateFacts.IsAuthority(certificate))
        {
            return "it is a certificate authority's";
        }

        if (!CertificateFacts.AllowsUsage(certificate, CertificateFacts.ClientAuthentication, isRequired: false))
        {
            return "its extended key usage does not contain client authentication";
        }

        if (!CertificateFacts.AllowsSignatures(certificate))
        {
            return "its key usage does not contain digital signature";
        }

        return CertificateFacts.HasStrongKey(certificate.PublicKey) ? null : "its key is neither RSA 2048 to 4096 nor P-256, P-384, P-521";
    }

    /// <summary>What a certificate that was found in order says of its device.</summary>
    internal static DeviceIdentity Describe(X509Certificate2 certificate, string profile, DeviceId device)
    {
        // One key has one hash, however its certificate encodes it: a tombstone's key does not come back in another encoding.
        var key = CertificateFacts.Canonical(certificate.PublicKey);
        var module = CertificateFacts.HardwareModule(certificate);
        return new DeviceIdentity(
            profile,
            device,
            Convert.ToHexStringLower(SHA256.HashData(certificate.RawDataMemory.Span)),
            Convert.ToHexStringLower(SHA256.HashData(key)),
            [.. key])
        {
            NotAfter = CertificateFacts.EndOf(certificate),
            HardwareSerial = module.Serial,
            HardwareType = module.Type,
            Kind = IdentityKind.Maker,
        };
    }

    private static DeviceIdentityResult Refuse(FleetError error) => new(null, error);
}
