using System.Formats.Asn1;

namespace Muster.Cryptography.Certificates;

/// <summary>
/// A make-believe device vendor: a root, an intermediate and device identities of the profiles' real form. For simulated fleets
/// and tests; nobody trusts its root unless it is put into a trust folder.
/// </summary>
public sealed class DeviceIdentityIssuer : IDisposable
{
    private const string AxisOrganization = "Axis Communications AB";

    /// <summary>IEEE 802.1AR: a device identity does not end.</summary>
    private static readonly DateTimeOffset Never = new(9999, 12, 31, 23, 59, 59, TimeSpan.Zero);

    private readonly X509Certificate2 _root;
    private readonly X509Certificate2 _intermediate;
    private readonly bool _isAxis;

    private DeviceIdentityIssuer(X509Certificate2 root, X509Certificate2 intermediate, bool isAxis)
    {
        _root = root;
        _intermediate = intermediate;
        _isAxis = isAxis;
    }

    /// <summary>Root and intermediate, PEM: the contents of a trust file.</summary>
    public string TrustPem => _root.ExportCertificatePem() + "\n" + _intermediate.ExportCertificatePem() + "\n";

    /// <summary>The intermediate alone, PEM: what a device may send along.</summary>
    public string IntermediatePem => _intermediate.ExportCertificatePem();

    /// <summary>Identities as Axis makes them: serials are MAC addresses.</summary>
    public static DeviceIdentityIssuer CreateAxis(DateTimeOffset now) => Create(
        Name("Axis device ID Root CA ECC", AxisOrganization),
        Name("Axis device ID Intermediate CA ECC 1", AxisOrganization),
        now,
        isAxis: true);

    /// <summary>Identities of another vendor: serials are whatever is not an Axis serial.</summary>
    public static DeviceIdentityIssuer Create(string organization, DateTimeOffset now)
    {
        ArgumentException.ThrowIfNullOrEmpty(organization);
        return Create(
            Name($"{organization} device root CA", organization),
            Name($"{organization} device issuing CA", organization),
            now,
            isAxis: false);
    }

    /// <summary>The issuer that was saved with <see cref="Save"/> in a folder, or null.</summary>
    public static DeviceIdentityIssuer? Load(string folder)
    {
        var (rootPath, intermediatePath, keyPath) = Paths(folder);
        if (!File.Exists(rootPath) || !File.Exists(intermediatePath) || !File.Exists(keyPath))
        {
            return null;
        }

        PrivateFile.RequirePrivate(keyPath);
        var root = X509Certificate2.CreateFromPem(File.ReadAllText(rootPath));
        var intermediate = X509Certificate2.CreateFromPemFile(intermediatePath, keyPath);
        var isAxis = CertificateFacts.Single(root.SubjectName, CertificateFacts.Organization) == AxisOrganization;
        return new DeviceIdentityIssuer(root, intermediate, isAxis);
    }

    /// <summary>Writes the certificates and the issuing key (mode 0600); the root's key was never kept.</summary>
    public void Save(string folder)
    {
        PrivateFile.CreateFolder(folder);
        var (rootPath, intermediatePath, keyPath) = Paths(folder);
        using var key = _intermediate.GetECDsaPrivateKey()!;
        PrivateFile.Write(keyPath, key.ExportPkcs8PrivateKeyPem());
        PrivateFile.Write(rootPath, _root.ExportCertificatePem());
        PrivateFile.Write(intermediatePath, _intermediate.ExportCertificatePem());
    }

    /// <summary>A new P-256 key with the identity of one device; ends in 9999, has neither key usage nor extended key usage.</summary>
    public IssuedCertificate Issue(string serial, DateTimeOffset now)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var certificate = Issue(serial, key, now - TimeSpan.FromMinutes(5), Never);
        return new IssuedCertificate(certificate.ExportCertificatePem(), key.ExportPkcs8PrivateKeyPem());
    }

    /// <summary>The identity of one device for a key and a period, with further extensions; the bad ones are made with it too.</summary>
    public X509Certificate2 Issue(
        string serial, ECDsa key, DateTimeOffset notBefore, DateTimeOffset notAfter, params ReadOnlySpan<X509Extension> extensions)
    {
        ArgumentException.ThrowIfNullOrEmpty(serial);
        var request = new CertificateRequest(Subject(serial), key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509Extension("2.5.29.17", HardwareModuleName(key), critical: false));
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(_intermediate, true, false));
        foreach (var extension in extensions)
        {
            request.CertificateExtensions.Add(extension);
        }

        using var issuerKey = _intermediate.GetECDsaPrivateKey()!;
        return request.Create(
            _intermediate.SubjectName,
            X509SignatureGenerator.CreateForECDsa(issuerKey),
            notBefore,
            notAfter,
            CertificateAuthority.NewSerialNumber());
    }

    public void Dispose()
    {
        _root.Dispose();
        _intermediate.Dispose();
    }

    private static DeviceIdentityIssuer Create(
        X500DistinguishedName root, X500DistinguishedName intermediate, DateTimeOffset now, bool isAxis)
    {
        var from = now - TimeSpan.FromDays(1);
        using var rootKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var signedRoot = Authority(root, rootKey, pathLength: 1).CreateSelfSigned(from, now.AddYears(40));
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = Authority(intermediate, key, pathLength: 0);
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(signedRoot, true, false));
        using var signed = request.Create(signedRoot, from, now.AddYears(35), CertificateAuthority.NewSerialNumber());
        return new DeviceIdentityIssuer(
            X509CertificateLoader.LoadCertificate(signedRoot.RawData), signed.CopyWithPrivateKey(key), isAxis);
    }

    private static CertificateRequest Authority(X500DistinguishedName name, ECDsa key, int pathLength)
    {
        var request = new CertificateRequest(name, key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, true, pathLength, critical: true));
        request.CertificateExtensions.Add(
            new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, critical: true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        return request;
    }

    private X500DistinguishedName Subject(string serial)
    {
        var builder = new X500DistinguishedNameBuilder();
        if (_isAxis)
        {
            serial = serial.ToLowerInvariant();
            builder.AddCountryOrRegion("SE");
            builder.AddLocalityName("Lund");
            builder.AddOrganizationName(AxisOrganization);
            builder.AddCommonName($"axis-{serial}-eccp256-1");
        }
        else
        {
            builder.AddCommonName(serial);
        }

        builder.Add(CertificateFacts.SerialNumber, serial, UniversalTagNumber.PrintableString);
        return builder.Build();
    }

    private static X500DistinguishedName Name(string commonName, string organization)
    {
        var builder = new X500DistinguishedNameBuilder();
        builder.AddOrganizationName(organization);
        builder.AddCommonName(commonName);
        return builder.Build();
    }

    /// <summary>RFC 4108 hardwareModuleName as seen in real identities: an 18-byte chip id, here drawn from the key.</summary>
    private static byte[] HardwareModuleName(ECDsa key)
    {
        var chip = SHA256.HashData(key.ExportSubjectPublicKeyInfo()).AsSpan(0, 18).ToArray();
        Convert.FromHexString("04005001").CopyTo(chip, 0);
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence())
        using (writer.PushSequence(new Asn1Tag(TagClass.ContextSpecific, 0)))
        {
            writer.WriteObjectIdentifier("1.3.6.1.5.5.7.8.4");
            using (writer.PushSequence(new Asn1Tag(TagClass.ContextSpecific, 0)))
            using (writer.PushSequence())
            {
                writer.WriteObjectIdentifier("1.3.6.1.4.1.28137.637093.8.2");
                writer.WriteOctetString(chip);
            }
        }

        return writer.Encode();
    }

    private static (string Root, string Intermediate, string Key) Paths(string folder) => (
        Path.Combine(folder, "device-root.pem"), Path.Combine(folder, "device-issuing.pem"), Path.Combine(folder, "device-issuing.key"));
}
