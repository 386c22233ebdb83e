using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Muster.Cryptography.Certificates;
using Muster.Domain;
using Muster.Domain.Devices;
using Muster.Domain.Identity;
using Muster.Gateway.Identity;

namespace Muster.Gateway.Tests.Edge;

/// <summary>The certificates of a test: server, trusted device roots, and bad ones.</summary>
internal sealed class TestPki : IServerCertificate, IDisposable
{
    private static readonly DateTimeOffset Now = TimeProvider.System.GetUtcNow();

    private readonly X509Certificate2 _root;
    private readonly X509Certificate2 _server;

    public TestPki()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        _root = CreateRoot(key, "Test device root");
        var authority = CertificateAuthority.Create("Test server CA", Now, TimeSpan.FromDays(2));
        var issued = authority.IssueServer(["localhost", "127.0.0.1"], Now, TimeSpan.FromDays(1));
        ServerCaPem = authority.CertificatePem;
        (ServerPem, ServerKeyPem) = (issued.CertificatePem, issued.KeyPem);
        _server = X509Certificate2.CreateFromPem(issued.CertificatePem, issued.KeyPem);
        Context = SslStreamCertificateContext.Create(_server, null, offline: true);
        authority.Dispose();
    }

    public SslStreamCertificateContext Context { get; }

    public string ServerCaPem { get; }

    public string ServerPem { get; }

    public string ServerKeyPem { get; }

    /// <summary>The edge's clock.</summary>
    public ShiftedClock Clock { get; } = new();

    /// <summary>False for an installation without a fleet CA.</summary>
    public bool HasFleet { get; init; } = true;

    /// <summary>Signs operational certificates.</summary>
    public FleetAuthority Fleet { get; } = new(
        CertificateAuthority.Create("Muster fleet CA 1", Now.AddDays(-40), TimeSpan.FromDays(400)), 1);

    public FleetTrust FleetTrust => new([X509Certificate2.CreateFromPem(Fleet.CertificatePem)]);

    /// <summary>What the fleet CA signs for a device of the test's maker, with its key.</summary>
    public X509Certificate2 IssueOperational(string serial, TenantId? tenant = null, TimeSpan? ago = null)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var subject = new CertificateSubject(
            tenant ?? TenantId.Default, "ieee8021ar", DeviceId.TryFromSerial(serial, out var id) ? id : throw new FormatException(serial));
        var spki = key.ExportSubjectPublicKeyInfo();
        var from = Now - (ago ?? TimeSpan.FromHours(1));
        var signed = Fleet.Sign(new CertificateOrder(
            subject, [.. spki], Sha256Hash.Of(SHA256.HashData(spki)), Fleet.NewSerial(), 1, from, from.AddDays(30)));
        using var certificate = X509CertificateLoader.LoadCertificate(signed.Der.AsSpan());
        return Portable(certificate.CopyWithPrivateKey(key));
    }

    /// <summary>The root of the test's maker.</summary>
    public string RootPem => _root.ExportCertificatePem();

    public DeviceIdentityVerifier CreateVerifier() => new(new TrustStore([X509CertificateLoader.LoadCertificate(_root.RawData)]));

    public bool IsServer(X509Certificate? certificate) => certificate?.GetRawCertData().AsSpan().SequenceEqual(_server.RawData) == true;

    public X509Certificate2 Issue(string serial) => Issue(_root, serial, Now.AddDays(-1), Now.AddDays(1));

    public X509Certificate2 IssueExpired(string serial) => Issue(_root, serial, Now.AddHours(-12), Now.AddHours(-6));

    /// <summary>Under a root that nobody trusts.</summary>
    public static X509Certificate2 IssueUntrusted(string serial)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var root = CreateRoot(key, "Somebody else's root");
        return Issue(root, serial, Now.AddDays(-1), Now.AddDays(1));
    }

    /// <summary>A device's, under the trusted root, with this many bytes of an extension that nobody knows.</summary>
    public X509Certificate2 IssueHuge(string serial, int bytes)
    {
        var extension = new X509Extension("1.3.6.1.4.1.55555.2", RandomNumberGenerator.GetBytes(bytes), critical: false);
        return Issue(_root, serial, Now.AddDays(-1), Now.AddDays(1), extension);
    }

    public static X509Certificate2 CreateSelfSigned(string serial)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        return Portable(Request(serial, key).CreateSelfSigned(Now.AddDays(-1), Now.AddDays(1)));
    }

    public void Dispose()
    {
        _root.Dispose();
        _server.Dispose();
        Fleet.Dispose();
    }

    private static X509Certificate2 CreateRoot(ECDsa key, string name)
    {
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, true, 1, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign, critical: true));
        return Portable(request.CreateSelfSigned(Now.AddDays(-2), Now.AddDays(2)));
    }

    private static X509Certificate2 Issue(
        X509Certificate2 root, string serial, DateTimeOffset from, DateTimeOffset to, params X509Extension[] extensions)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = Request(serial, key);
        Array.ForEach(extensions, request.CertificateExtensions.Add);
        using var certificate = request.Create(root, from, to, RandomNumberGenerator.GetBytes(8));
        return Portable(certificate.CopyWithPrivateKey(key));
    }

    private static CertificateRequest Request(string serial, ECDsa key)
    {
        var name = new X500DistinguishedNameBuilder();
        name.AddCommonName($"device {serial}");
        name.Add("2.5.4.5", serial);
        return new CertificateRequest(name.Build(), key, HashAlgorithmName.SHA256);
    }

    private static X509Certificate2 Portable(X509Certificate2 certificate) =>
        X509CertificateLoader.LoadPkcs12(certificate.Export(X509ContentType.Pfx), null, X509KeyStorageFlags.Exportable);
}
