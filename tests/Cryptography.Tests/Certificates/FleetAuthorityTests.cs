using Muster.Cryptography.Certificates;
using Muster.Cryptography.Est;
using Muster.Domain;
using Muster.Domain.Devices;
using Muster.Domain.Identity;
using static Muster.Cryptography.Tests.TestClock;

namespace Muster.Cryptography.Tests.Certificates;

public sealed class FleetAuthorityTests : IDisposable
{
    private const string Extensions = """
        [req]
        distinguished_name=dn
        prompt=no
        req_extensions=ext
        [dn]
        serialNumber=B8A44F000001
        CN=B8A44F000001
        [ext]
        subjectAltName=URI:urn:muster:default:axis:B8A44F000001
        """;

    private static readonly CertificateSubject Camera = new(TenantId.Default, "axis", Id("B8A44F000001"));

    private readonly FleetAuthority _fleet = new(
        CertificateAuthority.Create("Muster fleet CA 1", Now.AddDays(-1), TimeSpan.FromDays(3650)), 1);

    private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    [Theory]
    [InlineData("-newkey ec -pkeyopt ec_paramgen_curve:P-256")]
    [InlineData("-newkey ec -pkeyopt ec_paramgen_curve:P-521")]
    [InlineData("-newkey rsa:2048")]
    [InlineData("-newkey rsa:4096")]
    public void Read_OfARequestByOpenSsl_GivesItsKey(string key)
    {
        using var openssl = new OpenSsl();
        openssl.Write("request.cnf", Extensions);
        openssl.Run($"req -new -nodes {key} -config request.cnf -keyout key.pem -outform DER -out request.der");
        openssl.Run("pkey -in key.pem -pubout -outform DER -out public.der");

        var (request, error) = FleetAuthority.Read(openssl.Read("request.der"), Camera, isNameOptional: false);

        Assert.Null(error);
        Assert.Equal(openssl.Read("public.der"), request!.PublicKey);
        Assert.Equal(Sha256Hash.Of(SHA256.HashData(openssl.Read("public.der"))), request.Key);
    }

    [Fact]
    public void Read_OfARequestWithoutNames_IsTakenForAFirstCertificateOnly()
    {
        var nameless = Request("", null);

        Assert.Null(FleetAuthority.Read(nameless, Camera, isNameOptional: true).Error);
        Assert.Equal("subject", FieldOf(FleetAuthority.Read(nameless, Camera, isNameOptional: false).Error));
        var named = Request("CN=B8A44F000001, SERIALNUMBER=B8A44F000001", null);
        Assert.Equal("subject alternative name", FieldOf(FleetAuthority.Read(named, Camera, isNameOptional: false).Error));
    }

    [Theory]
    [InlineData("CN=B8A44F000002", null, "subject")]
    [InlineData("CN=B8A44F000001", null, "subject")]
    [InlineData("SERIALNUMBER=B8A44F000001, CN=B8A44F000001, O=More", null, "subject")]
    [InlineData("SERIALNUMBER=B8A44F000001, CN=B8A44F000001", null, "subject")]
    [InlineData("", "urn:muster:default:axis:B8A44F000002", "subject alternative name")]
    [InlineData("", "urn:muster:other:axis:B8A44F000001", "subject alternative name")]
    [InlineData("", "https://example.org/", "subject alternative name")]
    public void Read_OfAForeignName_IsRefused(string subject, string? uri, string field)
    {
        var (request, error) = FleetAuthority.Read(Request(subject, uri), Camera, isNameOptional: true);

        Assert.Null(request);
        Assert.Equal(("SIGNING_REQUEST_OF_ANOTHER", field), (error!.Reason, FieldOf(error)));
    }

    [Fact]
    public void Read_OfWhatIsNoRequest_IsRefused()
    {
        var good = Request("", null);
        using var weak = RSA.Create(1024);
        using var odd = ECDsa.Create(ECCurve.NamedCurves.brainpoolP256r1);

        Assert.All(
            new[]
            {
                [],
                "hello"u8.ToArray(),
                [.. good[..^1], (byte)(good[^1] ^ 1)],
                [.. good, 0],
                new byte[FleetAuthority.RequestBytesMax + 1],
                new CertificateRequest("", weak, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1).CreateSigningRequest(),
                new CertificateRequest("", odd, HashAlgorithmName.SHA256).CreateSigningRequest(),
            },
            bytes => Assert.Equal("SIGNING_REQUEST_INVALID", FleetAuthority.Read(bytes, Camera, isNameOptional: true).Error!.Reason));
    }

    [Theory]
    [InlineData("rsa:2048 -pkeyopt rsa_keygen_pubexp:3")]
    [InlineData("rsa:8192")]
    [InlineData("ec -pkeyopt ec_paramgen_curve:P-256 -pkeyopt ec_param_enc:explicit")]
    [InlineData("ed25519")]
    public void Read_OfAKeyThatNobodyShouldHave_IsRefused(string key)
    {
        using var openssl = new OpenSsl();
        openssl.Run($"req -new -newkey {key} -nodes -subj / -keyout leaf.key -outform DER -out leaf.csr");

        var (request, error) = FleetAuthority.Read(openssl.Read("leaf.csr"), Camera, isNameOptional: true);

        Assert.Null(request);
        Assert.Equal("SIGNING_REQUEST_INVALID", error!.Reason);
    }

    [Fact]
    public void Sign_TheSameOrderTwice_GivesTheSameBytes()
    {
        var order = Order(Camera);

        var (first, second) = (_fleet.Sign(order), _fleet.Sign(order));

        Assert.Equal(first.Der, second.Der);
        Assert.Equal(Sha256Hash.Of(SHA256.HashData(first.Der.AsSpan())), first.Certificate);
        Assert.NotEqual(first.Der, _fleet.Sign(order with { Serial = _fleet.NewSerial() }).Der);
    }

    [Fact]
    public void Sign_AnOrderOfAnotherGeneration_Throws() =>
        Assert.Throws<ArgumentException>(() => _fleet.Sign(Order(Camera) with { Generation = 2 }));

    [Fact]
    public void Sign_ForADevice_IsWhatOpenSslVerifiesAsAClient()
    {
        using var openssl = new OpenSsl();
        var order = Order(Camera);
        using var certificate = X509CertificateLoader.LoadCertificate(_fleet.Sign(order).Der.AsSpan());
        openssl.Write("ca.pem", _fleet.CertificatePem);
        openssl.Write("device.pem", certificate.ExportCertificatePem());
        var at = Now.AddMinutes(1).ToUnixTimeSeconds();

        openssl.Run($"verify -x509_strict -purpose sslclient -attime {at} -CAfile ca.pem device.pem");
        Assert.ThrowsAny<InvalidOperationException>(
            () => openssl.Run($"verify -purpose sslserver -attime {at} -CAfile ca.pem device.pem"));
        openssl.Run("x509 -in device.pem -noout -serial -subject -nameopt RFC2253,sname -ext subjectAltName -out facts.txt");

        Assert.Equal(order.Serial.ToString(), certificate.SerialNumber);
        Assert.Equal((order.NotBefore, order.NotAfter), (Utc(certificate.NotBefore), Utc(certificate.NotAfter)));
        Assert.Equal("CN=B8A44F000001, SERIALNUMBER=B8A44F000001", certificate.Subject);
        Assert.Equal(_key.ExportSubjectPublicKeyInfo(), certificate.PublicKey.ExportSubjectPublicKeyInfo());
        Assert.False(certificate.Extensions.OfType<X509BasicConstraintsExtension>().Single().CertificateAuthority);
    }

    [Fact]
    public void Sign_WhatOpenSslMakesARequestOf_IsRenewed()
    {
        using var openssl = new OpenSsl();
        using var certificate = X509CertificateLoader.LoadCertificate(_fleet.Sign(Order(Camera)).Der.AsSpan());
        openssl.Write("device.pem", certificate.ExportCertificatePem());
        openssl.Run("genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out next.key");
        openssl.Run("x509 -x509toreq -copy_extensions copyall -in device.pem -signkey next.key -out request.pem");
        openssl.Run("req -in request.pem -outform DER -out request.der");

        Assert.Null(FleetAuthority.Read(openssl.Read("request.der"), Camera, isNameOptional: false).Error);
    }

    [Theory]
    [InlineData("B8A44F000001")]
    [InlineData("SN_0042.%78")]
    [InlineData("A%3AB%C3%A4")]
    public void Verify_OfASignedCertificate_NamesTheDevice(string id)
    {
        var signed = _fleet.Sign(Order(new CertificateSubject(TenantId.Default, "ieee8021ar", Id(id))));
        using var certificate = X509CertificateLoader.LoadCertificate(signed.Der.AsSpan());

        var (identity, error) = Trust().Verify(certificate, TenantId.Default, Now);

        Assert.Null(error);
        Assert.Equal(("ieee8021ar", id, true), (identity!.Profile, identity.Device.Value, identity.IsOperational));
        Assert.Equal(signed.Certificate.ToString(), identity.CertificateSha256);
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(_key.ExportSubjectPublicKeyInfo())), identity.KeySha256);
        Assert.True(Trust().IsIssuerOf(certificate));
    }

    [Fact]
    public void Verify_OutOfItsTimeOrTenant_IsRefused()
    {
        using var certificate = X509CertificateLoader.LoadCertificate(_fleet.Sign(Order(Camera)).Der.AsSpan());
        var other = TenantId.TryParse("other", out var tenant) ? tenant : throw new FormatException();

        Assert.Equal("CERTIFICATE_EXPIRED", Trust().Verify(certificate, TenantId.Default, Now.AddDays(31)).Error!.Reason);
        Assert.Equal("CERTIFICATE_EXPIRED", Trust().Verify(certificate, TenantId.Default, Now.AddHours(-1)).Error!.Reason);
        Assert.Equal("CERTIFICATE_NOT_A_DEVICE_IDENTITY", Trust().Verify(certificate, other, Now).Error!.Reason);
    }

    [Fact]
    public void Verify_UnderAnotherAuthorityOfTheSameName_IsRefused()
    {
        using var another = new FleetAuthority(
            CertificateAuthority.Create("Muster fleet CA 1", Now.AddDays(-1), TimeSpan.FromDays(3650)), 1);
        using var certificate = X509CertificateLoader.LoadCertificate(another.Sign(Order(Camera)).Der.AsSpan());

        Assert.True(Trust().IsIssuerOf(certificate));
        Assert.Equal("CERTIFICATE_UNTRUSTED", Trust().Verify(certificate, TenantId.Default, Now).Error!.Reason);
    }

    [Fact]
    public void Verify_OfAServerCertificateOfTheSameAuthority_IsRefused()
    {
        using var authority = CertificateAuthority.Create("Muster fleet CA 1", Now, TimeSpan.FromDays(3650));
        using var root = authority.CopyCertificate();
        using var server = X509Certificate2.CreateFromPem(authority.IssueServer(["device"], Now, TimeSpan.FromDays(1)).CertificatePem);

        Assert.NotNull(new FleetTrust([root]).Verify(server, TenantId.Default, Now).Error);
        Assert.NotNull(new FleetTrust([root]).Verify(root, TenantId.Default, Now).Error);
    }

    [Fact]
    public void Maker_DoesNotSpeakForTheFleet()
    {
        using var maker = DeviceIdentityIssuer.CreateAxis(Now);
        using var identity = X509Certificate2.CreateFromPem(maker.Issue("B8A44F000001", Now).CertificatePem);
        using var operational = X509CertificateLoader.LoadCertificate(_fleet.Sign(Order(Camera)).Der.AsSpan());

        Assert.False(Trust().IsIssuerOf(identity));
        Assert.NotNull(Trust().Verify(identity, TenantId.Default, Now).Error);
        Assert.Equal(
            "CERTIFICATE_UNTRUSTED",
            new DeviceIdentityVerifier(TrustStore.FromPem(maker.TrustPem)).Verify(operational, null, Now).Error!.Reason);
    }

    [Fact]
    public void Load_OfAFolder_TakesEveryGenerationNewestFirst()
    {
        using var openssl = new OpenSsl();
        using var second = CertificateAuthority.Create("Muster fleet CA 2", Now, TimeSpan.FromDays(3650));
        openssl.Write("fleet-ca-1.pem", _fleet.CertificatePem);
        openssl.Write("fleet-ca-2.pem", second.CertificatePem);
        openssl.Write("server-ca.pem", "not read");

        var trust = FleetTrust.Load(openssl.PathOf(""));
        openssl.Write("cas.p7", [.. trust.AuthoritiesPkcs7]);
        openssl.Run("pkcs7 -inform DER -in cas.p7 -print_certs -out cas.pem");

        var read = openssl.ReadText("cas.pem");
        Assert.True(read.IndexOf("fleet CA 2", StringComparison.Ordinal) < read.IndexOf("fleet CA 1", StringComparison.Ordinal), read);
        Assert.True(trust.IsPresent);
        Assert.False(FleetTrust.Load(openssl.PathOf("nowhere")).IsPresent);
        openssl.Write("fleet-ca-old.pem", _fleet.CertificatePem);
        Assert.Throws<InvalidOperationException>(() => FleetTrust.Load(openssl.PathOf("")));
    }

    [Fact]
    public void CertsOnly_OfACertificate_IsReadByOpenSsl()
    {
        using var openssl = new OpenSsl();
        var der = _fleet.Sign(Order(Camera)).Der.ToArray();
        openssl.Write("answer.p7", CertsOnly.Encode([der]));
        openssl.Run("pkcs7 -inform DER -in answer.p7 -print_certs -out answer.pem");
        openssl.Run("x509 -in answer.pem -outform DER -out answer.der");

        Assert.Equal(der, openssl.Read("answer.der"));
    }

    [Fact]
    public void CsrAttributes_AskForAKeyOnP256()
    {
        // SEQUENCE { SEQUENCE { ecPublicKey, SET { prime256v1 } }, ecdsa-with-SHA256 }
        const string Expected = "3021" + "3015" + "06072A8648CE3D0201" + "310A" + "06082A8648CE3D030107" + "06082A8648CE3D040302";

        Assert.Equal(Expected, Convert.ToHexString(CsrAttributes.Der.AsSpan()));
    }

    public void Dispose()
    {
        _fleet.Dispose();
        _key.Dispose();
    }

    private static DeviceId Id(string text) => DeviceId.TryParse(text, out var id) ? id : throw new FormatException(text);

    private static DateTimeOffset Utc(DateTime time) => new DateTimeOffset(time).ToUniversalTime();

    private static string? FieldOf(FleetError? error) => error?.Metadata.SingleOrDefault(detail => detail.Key == "field")?.Value;

    private FleetTrust Trust() => new([X509Certificate2.CreateFromPem(_fleet.CertificatePem)]);

    private CertificateOrder Order(CertificateSubject subject)
    {
        var key = _key.ExportSubjectPublicKeyInfo();
        return new CertificateOrder(
            subject, [.. key], Sha256Hash.Of(SHA256.HashData(key)), _fleet.NewSerial(), 1, Now.AddMinutes(-5), Now.AddDays(30));
    }

    private byte[] Request(string subject, string? uri)
    {
        var request = new CertificateRequest(subject, _key, HashAlgorithmName.SHA256);
        if (uri is not null)
        {
            var names = new SubjectAlternativeNameBuilder();
            names.AddUri(new Uri(uri));
            request.CertificateExtensions.Add(names.Build());
        }

        return request.CreateSigningRequest();
    }
}
