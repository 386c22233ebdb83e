using Muster.Cryptography.Certificates;
using static Muster.Cryptography.Tests.TestClock;

namespace Muster.Cryptography.Tests.Certificates;

public sealed class CertificateAuthorityTests : IDisposable
{
    private static readonly TimeSpan Lifetime = TimeSpan.FromDays(3650);

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("muster-ca-");

    [Fact]
    public void LoadOrCreate_FirstTime_WritesAKeyThatOnlyItsOwnerReads()
    {
        using var ca = Load("pki");

        var key = Path.Combine(_folder.FullName, "pki", "operators-ca.key");
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(key));
        Assert.Equal(
            ["operators-ca.key", "operators-ca.pem"],
            Directory.EnumerateFiles(Path.Combine(_folder.FullName, "pki")).Select(Path.GetFileName).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void LoadOrCreate_SecondTime_IsTheSameAuthority()
    {
        using var first = Load("pki");
        using var second = Load("pki");

        Assert.Equal(first.CertificatePem, second.CertificatePem);
        using var server = X509Certificate2.CreateFromPem(second.IssueServer(["localhost"], Now, Lifetime).CertificatePem);
        Assert.Equal(ChainState.Trusted, TrustStore.FromPem(first.CertificatePem).Follow(server, null, Now).State);
    }

    [Fact]
    public void LoadOrCreate_AfterACrashBetweenKeyAndCertificate_KeepsTheKey()
    {
        using var first = Load("pki");
        var key = Path.Combine(_folder.FullName, "pki", "operators-ca.key");
        var before = File.ReadAllText(key);
        File.Delete(Path.Combine(_folder.FullName, "pki", "operators-ca.pem"));

        using var second = Load("pki");

        Assert.Equal(before, File.ReadAllText(key));
        using var server = X509Certificate2.CreateFromPem(first.IssueServer(["localhost"], Now, Lifetime).CertificatePem);
        Assert.Equal(ChainState.Trusted, TrustStore.FromPem(second.CertificatePem).Follow(server, null, Now).State);
    }

    [Fact]
    public void LoadOrCreate_KeyThatEverybodyReads_Stops()
    {
        using var first = Load("pki");
        var key = Path.Combine(_folder.FullName, "pki", "operators-ca.key");
        File.SetUnixFileMode(key, UnixFileMode.UserRead | UnixFileMode.OtherRead);

        Assert.Throws<KeyFileExposedException>(() => Load("pki"));
    }

    [Fact]
    public void IssueServer_NamesAndAddresses_AreAlternativeNames()
    {
        using var ca = CertificateAuthority.Create("server CA", Now, Lifetime);
        var issued = ca.IssueServer(["localhost", "127.0.0.1", "::1"], Now, TimeSpan.FromDays(90));

        using var certificate = X509Certificate2.CreateFromPem(issued.CertificatePem, issued.KeyPem);
        Assert.True(certificate.HasPrivateKey);
        Assert.True(certificate.MatchesHostname("localhost"));
        Assert.True(certificate.MatchesHostname("127.0.0.1"));
        Assert.False(certificate.MatchesHostname("example.org"));
    }

    [Fact]
    public void IssueServer_VerifiesWithOpenSsl()
    {
        using var ca = CertificateAuthority.Create("server CA", Now, Lifetime);
        using var openssl = new OpenSsl();
        openssl.Write("ca.pem", ca.CertificatePem);
        openssl.Write("server.pem", ca.IssueServer(["localhost"], Now, TimeSpan.FromDays(90)).CertificatePem);

        openssl.Run($"verify -x509_strict -purpose sslserver -attime {Now.ToUnixTimeSeconds()} -CAfile ca.pem server.pem");
    }

    public void Dispose() => _folder.Delete(recursive: true);

    private CertificateAuthority Load(string folder) => CertificateAuthority.LoadOrCreate(
        Path.Combine(_folder.FullName, folder), "operators-ca", "Muster operators' CA", Now, Lifetime);
}
