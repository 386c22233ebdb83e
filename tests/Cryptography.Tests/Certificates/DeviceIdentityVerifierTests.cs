using System.Diagnostics;
using Muster.Cryptography.Certificates;
using static Muster.Cryptography.Tests.TestClock;

namespace Muster.Cryptography.Tests.Certificates;

public sealed class DeviceIdentityVerifierTests : IDisposable
{
    private const string Mac = "b8a44f000001";

    private readonly DeviceIdentityIssuer _axis = DeviceIdentityIssuer.CreateAxis(Now);
    private readonly DeviceIdentityIssuer _acme = DeviceIdentityIssuer.Create("Acme", Now);
    private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    [Fact]
    public void Verify_AxisIdentityThatNeverEnds_GivesTheUpperCaseSerial()
    {
        using var certificate = Parse(_axis.Issue(Mac, Now));

        var (identity, error) = Verify(certificate, Now.AddYears(20));

        Assert.Null(error);
        Assert.Equal("axis", identity!.Profile);
        Assert.Equal("B8A44F000001", identity.Device.Value);
        Assert.Null(identity.NotAfter);
        Assert.StartsWith("04005001", identity.HardwareSerial, StringComparison.Ordinal);
        Assert.Equal(36, identity.HardwareSerial.Length);
        Assert.Equal("1.3.6.1.4.1.28137.637093.8.2", identity.HardwareType);
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(certificate.RawData)), identity.CertificateSha256);
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(identity.PublicKey.AsSpan())), identity.KeySha256);
    }

    /// <summary>East of Greenwich the framework's local time of year 9999 saturates: run again in a process that is there.</summary>
    [Fact]
    public void Verify_AxisIdentityThatNeverEnds_IsReadTheSameEastOfGreenwich()
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!)
        {
            ArgumentList = { "-method", $"*{nameof(Verify_AxisIdentityThatNeverEnds_GivesTheUpperCaseSerial)}" },
            Environment = { ["TZ"] = "Asia/Tokyo" },
            RedirectStandardOutput = true,
        };
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();

        Assert.Equal(0, process.ExitCode);
        Assert.Contains("Total: 1", output, StringComparison.Ordinal);
    }

    [Fact]
    public void Verify_GenericIdentity_KeepsTheSerialAsItIs()
    {
        using var certificate = Parse(_acme.Issue("SN-0042.x", Now));

        var (identity, error) = Verify(certificate, Now);

        Assert.Null(error);
        Assert.Equal("ieee8021ar", identity!.Profile);
        Assert.Equal("SN-0042.%78", identity.Device.Value);
    }

    [Fact]
    public void Verify_NoCertificate_IsMissing() => Assert.Equal("CERTIFICATE_MISSING", Verify(null, Now).Error!.Reason);

    [Fact]
    public void Verify_SelfSigned_IsUntrusted()
    {
        using var certificate = new CertificateRequest("CN=x,SERIALNUMBER=SN-1", _key, HashAlgorithmName.SHA256)
            .CreateSelfSigned(Now.AddDays(-1), Now.AddDays(1));

        Assert.Equal("CERTIFICATE_UNTRUSTED", Verify(certificate, Now).Error!.Reason);
    }

    [Fact]
    public void Verify_LookAlikeRootOfSomebodyElse_IsUntrusted()
    {
        using var other = DeviceIdentityIssuer.CreateAxis(Now);
        using var certificate = Parse(other.Issue(Mac, Now));

        Assert.Equal("CERTIFICATE_UNTRUSTED", Verify(certificate, Now).Error!.Reason);
    }

    [Fact]
    public void Verify_IntermediateUnknownUnlessPresented_IsUntrusted()
    {
        using var certificate = Parse(_acme.Issue("SN-1", Now));
        var rootOnly = X509Certificate2.CreateFromPem(_acme.TrustPem);
        var verifier = new DeviceIdentityVerifier(new TrustStore([rootOnly]));
        var presented = new X509Certificate2Collection(X509Certificate2.CreateFromPem(_acme.IntermediatePem));

        Assert.Equal("CERTIFICATE_UNTRUSTED", verifier.Verify(certificate, null, Now).Error!.Reason);
        Assert.Null(verifier.Verify(certificate, presented, Now).Error);
    }

    [Fact]
    public void Verify_EmptyTrustStore_TrustsNobody()
    {
        using var certificate = Parse(_axis.Issue(Mac, Now));

        Assert.Equal("CERTIFICATE_UNTRUSTED", new DeviceIdentityVerifier(new TrustStore([])).Verify(certificate, null, Now).Error!.Reason);
    }

    [Theory]
    [InlineData(-10, -1)]
    [InlineData(1, 10)]
    public void Verify_OutsideItsPeriod_IsExpired(int fromDays, int toDays)
    {
        using var certificate = _axis.Issue(Mac, _key, Now.AddDays(fromDays), Now.AddDays(toDays));

        Assert.Equal("CERTIFICATE_EXPIRED", Verify(certificate, Now).Error!.Reason);
    }

    [Fact]
    public void Verify_ExpiredUnderAnUnknownRoot_IsUntrusted()
    {
        using var other = DeviceIdentityIssuer.CreateAxis(Now);
        using var certificate = other.Issue(Mac, _key, Now.AddDays(-10), Now.AddDays(-1));

        Assert.Equal("CERTIFICATE_UNTRUSTED", Verify(certificate, Now).Error!.Reason);
    }

    [Fact]
    public void Verify_FiniteIdentity_TellsItsEndToTheSecond()
    {
        using var certificate = _axis.Issue(Mac, _key, Now.AddDays(-1), Now.AddDays(30));

        Assert.Equal(Now.AddDays(30), Verify(certificate, Now).Identity!.NotAfter);
        Assert.Null(Verify(certificate, Now.AddDays(30).AddSeconds(-1)).Error);
        Assert.Equal("CERTIFICATE_EXPIRED", Verify(certificate, Now.AddDays(30).AddSeconds(1)).Error!.Reason);
    }

    [Theory]
    [InlineData("1.3.6.1.5.5.7.3.1", false)]
    [InlineData("1.3.6.1.5.5.7.3.2", true)]
    [InlineData("2.5.29.37.0", true)]
    public void Verify_ExtendedKeyUsage_MustAllowClients(string usage, bool isAccepted)
    {
        using var certificate = Issue(_acme, "SN-1", new X509EnhancedKeyUsageExtension([new Oid(usage)], critical: false));

        Assert.Equal(isAccepted ? null : "CERTIFICATE_NOT_A_DEVICE_IDENTITY", Verify(certificate, Now).Error?.Reason);
    }

    [Fact]
    public void Verify_KeyUsageWithoutSignature_IsNoDeviceIdentity()
    {
        using var certificate = Issue(_acme, "SN-1", new X509KeyUsageExtension(X509KeyUsageFlags.KeyEncipherment, critical: true));

        Assert.Equal("CERTIFICATE_NOT_A_DEVICE_IDENTITY", Verify(certificate, Now).Error!.Reason);
    }

    [Fact]
    public void Verify_CertificateOfAnAuthority_IsNoDeviceIdentity()
    {
        using var certificate = X509Certificate2.CreateFromPem(_acme.IntermediatePem);

        Assert.Equal("CERTIFICATE_NOT_A_DEVICE_IDENTITY", Verify(certificate, Now).Error!.Reason);
    }

    [Theory]
    [InlineData("b8a44f000001")]
    [InlineData("00408C123456")]
    public void Verify_OtherVendorSpeaksForAnAxisSerial_IsNoDeviceIdentity(string serial)
    {
        using var certificate = Parse(_acme.Issue(serial, Now));

        Assert.Equal("CERTIFICATE_NOT_A_DEVICE_IDENTITY", Verify(certificate, Now).Error!.Reason);
    }

    [Fact]
    public void Verify_AxisRootSpeaksForAnotherSerial_IsNoDeviceIdentity()
    {
        using var certificate = Parse(_axis.Issue("sn-1", Now));

        Assert.Equal("CERTIFICATE_NOT_A_DEVICE_IDENTITY", Verify(certificate, Now).Error!.Reason);
    }

    [Theory]
    [InlineData("/C=SE/O=Axis Communications AB/CN=axis-b8a44f000002-eccp256-1/serialNumber=b8a44f000001", false)]
    [InlineData("/C=SE/O=Axis Communications AB/CN=axis-b8a44f000001-rsa2048-1", false)]
    [InlineData("/C=SE/O=Axis Communications AB/CN=axis-b8a44f000001-rsa2048-1/serialNumber=b8a44f000001", true)]
    [InlineData("/O=Axis Communications AB/CN=axis-b8a44f000001-rsa2048-1/serialNumber=b8a44f000001/serialNumber=b8a44f000003", false)]
    public void Verify_MadeByOpenSsl_NameAndSerialMustAgree(string subject, bool isAccepted)
    {
        using var openssl = new OpenSsl();
        openssl.Write(
            "ca.cnf",
            "[ca]\nbasicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\n[leaf]\nauthorityKeyIdentifier=keyid\n");
        Request(openssl, "root", "/O=Axis Communications AB/CN=Axis device ID Root CA RSA", "rsa:2048");
        openssl.Run("x509 -req -in root.csr -signkey root.key -days 20000 -extfile ca.cnf -extensions ca -out root.pem");
        Request(openssl, "mid", "/O=Axis Communications AB/CN=Axis device ID Intermediate CA RSA 2", "rsa:2048");
        openssl.Run("x509 -req -in mid.csr -CA root.pem -CAkey root.key -CAcreateserial -days 15000 "
            + "-extfile ca.cnf -extensions ca -out mid.pem");
        Request(openssl, "leaf", subject, "rsa:2048");
        openssl.Run("x509 -req -in leaf.csr -CA mid.pem -CAkey mid.key -CAcreateserial -days 10000 "
            + "-extfile ca.cnf -extensions leaf -out leaf.pem");
        using var certificate = X509Certificate2.CreateFromPem(openssl.ReadText("leaf.pem"));
        var verifier = new DeviceIdentityVerifier(TrustStore.FromPem(openssl.ReadText("root.pem") + openssl.ReadText("mid.pem")));

        var (identity, error) = verifier.Verify(certificate, null, new DateTimeOffset(certificate.NotBefore).AddDays(1));

        Assert.Equal(isAccepted ? null : "CERTIFICATE_NOT_A_DEVICE_IDENTITY", error?.Reason);
        Assert.Equal(isAccepted ? "B8A44F000001" : null, identity?.Device.Value);
    }

    [Fact]
    public void Verify_LeafDirectlyUnderTheAxisRoot_IsNoDeviceIdentity()
    {
        using var rootKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=Axis device ID Root CA ECC,O=Axis Communications AB", rootKey, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, critical: true));
        using var root = request.CreateSelfSigned(Now.AddDays(-1), Now.AddDays(9));
        var leaf = new CertificateRequest(
            "SERIALNUMBER=b8a44f000001,CN=axis-b8a44f000001-eccp256-1,O=Axis Communications AB", _key, HashAlgorithmName.SHA256);
        using var certificate = leaf.Create(root, Now.AddDays(-1), Now.AddDays(1), [1, 2, 3]);

        var (_, error) = new DeviceIdentityVerifier(new TrustStore([root])).Verify(certificate, null, Now);

        Assert.Equal("CERTIFICATE_NOT_A_DEVICE_IDENTITY", error!.Reason);
    }

    [Fact]
    public void Load_FolderOfPemFiles_TrustsAllOfThem()
    {
        var folder = Directory.CreateTempSubdirectory("muster-trust-");
        try
        {
            File.WriteAllText(Path.Combine(folder.FullName, "axis.pem"), _axis.TrustPem);
            File.WriteAllText(Path.Combine(folder.FullName, "acme.pem"), _acme.TrustPem);
            File.WriteAllText(Path.Combine(folder.FullName, "notes.txt"), "not a certificate");

            Assert.Equal(2, TrustStore.Load(folder.FullName).RootCount);
            Assert.Equal(0, TrustStore.Load(Path.Combine(folder.FullName, "missing")).RootCount);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public void SaveAndLoad_Issuer_IssuesUnderTheSameRoot()
    {
        var folder = Directory.CreateTempSubdirectory("muster-issuer-");
        try
        {
            _axis.Save(folder.FullName);
            using var loaded = DeviceIdentityIssuer.Load(folder.FullName)!;
            using var certificate = Parse(loaded.Issue(Mac, Now));

            Assert.Null(Verify(certificate, Now).Error);
            Assert.Equal(
                UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(folder.FullName, "device-issuing.key")));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    public void Dispose()
    {
        _axis.Dispose();
        _acme.Dispose();
        _key.Dispose();
    }

    private static void Request(OpenSsl openssl, string name, string subject, string key)
    {
        var fields = subject.Split('/', StringSplitOptions.RemoveEmptyEntries);
        var lines = string.Join('\n', fields.Select((field, index) => $"{index}.{field}"));
        openssl.Write($"{name}.cnf", $"[req]\nprompt=no\ndistinguished_name=dn\n[dn]\n{lines}\n");
        openssl.Run($"req -new -newkey {key} -nodes -config {name}.cnf -keyout {name}.key -out {name}.csr");
    }

    private X509Certificate2 Issue(DeviceIdentityIssuer issuer, string serial, X509Extension extension) =>
        issuer.Issue(serial, _key, Now.AddDays(-1), Now.AddDays(1), extension);

    private static X509Certificate2 Parse(IssuedCertificate issued) => X509Certificate2.CreateFromPem(issued.CertificatePem);

    private DeviceIdentityResult Verify(X509Certificate2? certificate, DateTimeOffset now) =>
        new DeviceIdentityVerifier(TrustStore.FromPem(_axis.TrustPem + _acme.TrustPem)).Verify(certificate, null, now);
}
