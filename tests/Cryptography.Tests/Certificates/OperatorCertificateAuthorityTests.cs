using Muster.Cryptography.Certificates;
using Muster.Domain;
using static Muster.Cryptography.Tests.TestClock;

namespace Muster.Cryptography.Tests.Certificates;

public sealed class OperatorCertificateAuthorityTests : IDisposable
{
    private static readonly TimeSpan Lifetime = TimeSpan.FromDays(365);

    private readonly CertificateAuthority _ca = CertificateAuthority.Create("Operators' CA", Now, TimeSpan.FromDays(3650));
    private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    [Fact]
    public void Sign_GoodRequest_CertifiesTheKeyUnderTheOperatorsName()
    {
        var (signed, error) = Authority().Sign(Request("CN=administrator,O=Evil", _key), TenantId.Default, Name("anna"), Now);

        Assert.Null(error);
        using var certificate = X509Certificate2.CreateFromPem(signed!.Pem);
        Assert.Equal("CN=anna", certificate.Subject);
        Assert.Equal(_key.ExportSubjectPublicKeyInfo(), certificate.PublicKey.ExportSubjectPublicKeyInfo());
        Assert.Equal(Now + Lifetime, signed.NotAfter);
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(certificate.RawData)), signed.CertificateSha256);
        var usage = certificate.Extensions.OfType<X509EnhancedKeyUsageExtension>().Single();
        Assert.Equal("1.3.6.1.5.5.7.3.2", usage.EnhancedKeyUsages.Cast<Oid>().Single().Value);
        Assert.False(certificate.Extensions.OfType<X509BasicConstraintsExtension>().Single().CertificateAuthority);
    }

    [Fact]
    public void Sign_RequestWithExtensions_TakesNoneOfThem()
    {
        var request = new CertificateRequest("CN=x", _key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign, critical: true));

        var (signed, _) = Authority().Sign(request.CreateSigningRequestPem(), TenantId.Default, Name("anna"), Now);

        using var certificate = X509Certificate2.CreateFromPem(signed!.Pem);
        Assert.False(certificate.Extensions.OfType<X509BasicConstraintsExtension>().Single().CertificateAuthority);
        Assert.Equal(X509KeyUsageFlags.DigitalSignature, certificate.Extensions.OfType<X509KeyUsageExtension>().Single().KeyUsages);
    }

    [Fact]
    public void Sign_MadeByOpenSsl_IsSigned()
    {
        using var openssl = new OpenSsl();
        openssl.Run("req -new -newkey rsa:2048 -nodes -subj /CN=whoever -keyout key.pem -out request.pem");

        var (signed, error) = Authority().Sign(openssl.ReadText("request.pem"), TenantId.Default, Name("anna"), Now);

        Assert.Null(error);
        Assert.NotNull(signed);
    }

    [Fact]
    public void Sign_LongerThanTheAuthority_EndsWithIt()
    {
        using var ca = CertificateAuthority.Create("short", Now, TimeSpan.FromDays(10));

        var (signed, _) = new OperatorCertificateAuthority(ca, Lifetime).Sign(Request("CN=x", _key), TenantId.Default, Name("anna"), Now);

        Assert.Equal(Now.AddDays(10), signed!.NotAfter);
    }

    [Fact]
    public void Sign_SomebodyElsesSignature_IsRefused()
    {
        var der = new CertificateRequest("CN=x", _key, HashAlgorithmName.SHA256).CreateSigningRequest();
        der[^1] ^= 1;

        Assert.Equal("SIGNING_REQUEST_INVALID", Refusal(PemEncoding.WriteString("CERTIFICATE REQUEST", der)));
    }

    [Theory]
    [InlineData("")]
    [InlineData("hello")]
    [InlineData("-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----")]
    public void Sign_NoRequest_IsRefused(string text) => Assert.Equal("SIGNING_REQUEST_INVALID", Refusal(text));

    [Fact]
    public void Sign_WeakKey_IsRefused()
    {
        using var rsa = RSA.Create(1024);
        var request = new CertificateRequest("CN=x", rsa, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);

        Assert.Equal("SIGNING_REQUEST_INVALID", Refusal(request.CreateSigningRequestPem()));
    }

    [Fact]
    public void Sign_TooLong_IsRefused() => Assert.Equal("SIGNING_REQUEST_INVALID", Refusal(new string('x', 20_000)));

    [Fact]
    public void Verify_SignedCertificate_NamesTheOperatorUntilItEnds()
    {
        var (signed, _) = Authority().Sign(Request("CN=x", _key), TenantId.Default, Name("anna"), Now);
        using var certificate = X509Certificate2.CreateFromPem(signed!.Pem);
        var verifier = new OperatorCertificateVerifier(TrustStore.FromPem(_ca.CertificatePem));

        var (operatorCertificate, error) = verifier.Verify(certificate, Now.AddDays(1));

        Assert.Null(error);
        Assert.Equal("anna", operatorCertificate!.Operator.Value);
        Assert.Equal(signed.CertificateSha256, operatorCertificate.CertificateSha256);
        Assert.Equal("OPERATOR_UNKNOWN", verifier.Verify(certificate, Now.AddDays(366)).Error!.Reason);
        Assert.Equal("OPERATOR_UNKNOWN", verifier.Verify(null, Now).Error!.Reason);
    }

    [Fact]
    public void Verify_ServerCertificateOfTheSameAuthority_IsNoOperator()
    {
        using var certificate = X509Certificate2.CreateFromPem(_ca.IssueServer(["anna"], Now, Lifetime).CertificatePem);

        var (_, error) = new OperatorCertificateVerifier(TrustStore.FromPem(_ca.CertificatePem)).Verify(certificate, Now);

        Assert.Equal("OPERATOR_UNKNOWN", error!.Reason);
    }

    [Fact]
    public void Verify_DeviceIdentity_IsNoOperator()
    {
        using var devices = DeviceIdentityIssuer.Create("Acme", Now);
        using var certificate = X509Certificate2.CreateFromPem(devices.Issue("anna", Now).CertificatePem);

        var (_, error) = new OperatorCertificateVerifier(TrustStore.FromPem(_ca.CertificatePem)).Verify(certificate, Now);

        Assert.Equal("OPERATOR_UNKNOWN", error!.Reason);
    }

    public void Dispose()
    {
        _ca.Dispose();
        _key.Dispose();
    }

    private static string Request(string subject, ECDsa key) =>
        new CertificateRequest(subject, key, HashAlgorithmName.SHA256).CreateSigningRequestPem();

    private static ResourceId Name(string text) => ResourceId.TryParse(text, out var id) ? id : throw new FormatException(text);

    private OperatorCertificateAuthority Authority() => new(_ca, Lifetime);

    private string? Refusal(string csr)
    {
        var (certificate, error) = Authority().Sign(csr, TenantId.Default, Name("anna"), Now);
        Assert.Null(certificate);
        return error?.Reason;
    }
}
