using System.Globalization;
using Muster.Cryptography.Est;
using Muster.Domain;
using Muster.Domain.Identity;

namespace Muster.Cryptography.Certificates;

/// <summary>
/// The certificates of the fleet's CAs, all of their generations, and what they prove of a device: it is the one that the certificate
/// names. Whether that certificate is still its own is the device's grain to say.
/// </summary>
public sealed class FleetTrust
{
    /// <summary>Files in the folder of certificates: <c>fleet-ca-1.pem</c> and so on.</summary>
    public const string FilePrefix = "fleet-ca-";

    /// <summary>A CA is replaced every few years, and the one before stays until its last certificate ended.</summary>
    public const int GenerationsMax = 16;

    private static readonly Oid ClientAuthentication = new(CertificateFacts.ClientAuthentication);

    private readonly ImmutableArray<byte[]> _names;
    private readonly TrustStore _trust;

    /// <param name="authorities">Newest first.</param>
    public FleetTrust(IReadOnlyCollection<X509Certificate2> authorities)
    {
        ArgumentNullException.ThrowIfNull(authorities);
        if (authorities.Count > GenerationsMax)
        {
            throw new InvalidOperationException($"A fleet has at most {GenerationsMax} CAs.");
        }

        _names = [.. authorities.Select(authority => authority.SubjectName.RawData)];
        _trust = new TrustStore(authorities);
        AuthoritiesPkcs7 = [.. CertsOnly.Encode(authorities)];
    }

    /// <summary>False when there is no fleet CA.</summary>
    public bool IsPresent => !_names.IsEmpty;

    /// <summary>All of them, newest first, as <c>cacerts</c> gives them (DER).</summary>
    public ImmutableArray<byte> AuthoritiesPkcs7 { get; }

    /// <summary>The certificates <c>fleet-ca-N.pem</c> of a folder, newest first; without one the fleet has no CA.</summary>
    public static FleetTrust Load(string folder)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        var files = Directory.Exists(folder) ? Directory.EnumerateFiles(folder, $"{FilePrefix}*.pem") : [];
        return new FleetTrust([.. files.OrderByDescending(GenerationOf).Select(X509CertificateLoader.LoadCertificateFromFile)]);
    }

    /// <summary>True when the certificate says that a fleet CA issued it: then only a fleet CA can vouch for it.</summary>
    public bool IsIssuerOf(X509Certificate2 certificate)
    {
        ArgumentNullException.ThrowIfNull(certificate);
        return _names.Any(name => name.AsSpan().SequenceEqual(certificate.IssuerName.RawData));
    }

    /// <summary>The device that the certificate names, if a fleet CA signed it, it is valid now and of this tenant.</summary>
    public DeviceIdentityResult Verify(X509Certificate2 certificate, TenantId tenant, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(certificate);
        var state = _trust.Follow(certificate, null, now, ClientAuthentication).State;
        if (state == ChainState.Expired)
        {
            return new DeviceIdentityResult(null, CertificateErrors.Expired(certificate.Subject));
        }

        if (state != ChainState.Trusted)
        {
            return new DeviceIdentityResult(null, CertificateErrors.Untrusted(certificate.Subject));
        }

        var subject = OperationalName.Read(certificate);
        var fault = subject is null || CertificateFacts.IsAuthority(certificate)
                || !CertificateFacts.AllowsUsage(certificate, CertificateFacts.ClientAuthentication, isRequired: true)
            ? "the fleet CA's certificates of devices have another form"
            : subject.Tenant != tenant ? "it is of another tenant" : null;
        return fault is not null
            ? new DeviceIdentityResult(null, CertificateErrors.NotADeviceIdentity(certificate.Subject, fault))
            : new DeviceIdentityResult(
                DeviceIdentityVerifier.Describe(certificate, subject!.Profile, subject.Device) with { Kind = IdentityKind.Operational },
                null);
    }

    /// <summary>The number in the name of a file.</summary>
    public static int GenerationOf(string path) => int.TryParse(
        Path.GetFileNameWithoutExtension(path)[FilePrefix.Length..], NumberStyles.None, CultureInfo.InvariantCulture, out var generation)
            ? generation
            : throw new InvalidOperationException($"The name of '{path}' has no number: {FilePrefix}1.pem is the first CA's.");
}
