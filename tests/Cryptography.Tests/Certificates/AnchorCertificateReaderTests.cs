using Muster.Cryptography.Certificates;
using Muster.Domain.Anchors;
using static Muster.Cryptography.Tests.TestClock;

namespace Muster.Cryptography.Tests.Certificates;

public sealed class AnchorCertificateReaderTests : IDisposable
{
    private readonly DeviceIdentityIssuer _axis = DeviceIdentityIssuer.CreateAxis(Now);
    private readonly DeviceIdentityIssuer _acme = DeviceIdentityIssuer.Create("Acme", Now);
    private readonly AnchorCertificateReader _reader = new();

    [Fact]
    public void Read_OfABundle_GivesRootsAndIntermediatesOnce()
    {
        var (certificates, error) = _reader.Read(
            "Subject: something that tools write\n" + _acme.TrustPem + _acme.TrustPem, AnchorProfile.Ieee8021Ar, Now);

        Assert.Null(error);
        Assert.Equal([true, false], certificates.Select(one => one.IsRoot));
        Assert.Contains("Acme", certificates[0].Subject, StringComparison.Ordinal);
        Assert.Null(_reader.FindLoose(certificates));
        Assert.Equal(certificates[1], _reader.FindLoose(certificates[1..]));
    }

    [Fact]
    public void Read_ByTheWrongProfile_IsRefused()
    {
        Assert.Null(_reader.Read(_axis.TrustPem, AnchorProfile.Axis, Now).Error);
        AssertInvalid("whose profile is axis", _axis.TrustPem, AnchorProfile.Ieee8021Ar);
        AssertInvalid("the profile axis has authorities of", _acme.TrustPem, AnchorProfile.Axis);
    }

    [Fact]
    public void Read_OfAPrivateKey_IsRefusedWhereverItStands()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var pem = key.ExportPkcs8PrivateKeyPem();

        Assert.Equal("ANCHOR_PRIVATE_KEY", ReasonOf(pem + "\n" + _acme.TrustPem));
        Assert.Equal("ANCHOR_PRIVATE_KEY", ReasonOf(_acme.TrustPem + pem[..^20]));
        Assert.Equal("ANCHOR_PRIVATE_KEY", ReasonOf(_acme.TrustPem + "-----BEGIN RSA PRIVATE KEY-----\nbroken"));
    }

    [Fact]
    public void Read_OfSomethingElse_IsRefused()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);

        Assert.Equal("ANCHOR_INVALID", ReasonOf("nothing"));
        Assert.Equal("ANCHOR_INVALID", ReasonOf(_acme.TrustPem + key.ExportSubjectPublicKeyInfoPem()));
        Assert.Equal("ANCHOR_INVALID", ReasonOf(_acme.TrustPem + "\n-----BEGIN CERTIFICATE-----\nMIIB"));
        Assert.Equal("ANCHOR_INVALID", ReasonOf(new string('x', AnchorRules.PemLengthMax + 1)));
        var many = Enumerable.Repeat(_acme.IntermediatePem + "\n", AnchorRules.CertificatesMax + 1);
        Assert.Equal("ANCHOR_INVALID", ReasonOf(string.Concat(many)));
        Assert.Equal("ANCHOR_CERTIFICATE_INVALID", ReasonOf("-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----"));
    }

    [Fact]
    public void Read_OfACertificateThatTrustMustNotRestOn_SaysWhy()
    {
        using var good = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var weak = RSA.Create(1024);
        using var openssl = new OpenSsl();
        using var koblitz = ECDsa.Create(ECCurve.CreateFromFriendlyName("secp256k1"));

        AssertInvalid("basic constraints", SelfSign(new CertificateRequest("CN=x", good, HashAlgorithmName.SHA256), isAuthority: null));
        AssertInvalid("basic constraints", SelfSign(new CertificateRequest("CN=x", good, HashAlgorithmName.SHA256), isAuthority: false));
        AssertInvalid("certificate signing", SelfSign(
            new CertificateRequest("CN=x", good, HashAlgorithmName.SHA256), usage: X509KeyUsageFlags.DigitalSignature));
        AssertInvalid("its key", SelfSign(new CertificateRequest("CN=x", weak, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1)));
        AssertInvalid("its key", SelfSign(new CertificateRequest("CN=x", koblitz, HashAlgorithmName.SHA256)));
        openssl.Run("req -x509 -newkey rsa:2048 -nodes -sha1 -days 20000 -subj /CN=x -keyout x.key -out x.pem");
        AssertInvalid("SHA-2", openssl.ReadText("x.pem"));
        AssertInvalid("it ended on", SelfSign(new CertificateRequest("CN=x", good, HashAlgorithmName.SHA256), days: -1));
        AssertInvalid("more than", SelfSign(new CertificateRequest("CN=x", good, HashAlgorithmName.SHA256), ballast: 9_000));
        Assert.Null(_reader.Read(
            SelfSign(new CertificateRequest("CN=x", good, HashAlgorithmName.SHA256)), AnchorProfile.Ieee8021Ar, Now).Error);
    }

    [Fact]
    public void Verify_UnderAnchors_BelievesEachForItsOwnSerialsOnly()
    {
        using var beta = DeviceIdentityIssuer.Create("Beta", Now);
        using var foreign = DeviceIdentityIssuer.Create("Folder", Now);
        var folder = TrustStore.FromPem(foreign.TrustPem + _axis.TrustPem);
        var verifier = new DeviceIdentityVerifier(new DeviceAnchors(
            folder.Certificates, SetOf((_acme, "acme", ["ACME-"]), (beta, "beta", ["ACME-B", "BETA-"]))));

        Assert.Null(ReasonOf(verifier, _acme, "ACME-1"));
        Assert.Null(ReasonOf(verifier, beta, "ACME-B1"));
        Assert.Null(ReasonOf(verifier, beta, "BETA-1"));
        Assert.Null(ReasonOf(verifier, foreign, "X-1"));
        Assert.Null(ReasonOf(verifier, _axis, "b8a44f000001"));
        Assert.Equal("CERTIFICATE_NOT_A_DEVICE_IDENTITY", ReasonOf(verifier, _acme, "ACME-B1"));
        Assert.Equal("CERTIFICATE_NOT_A_DEVICE_IDENTITY", ReasonOf(verifier, _acme, "X-1"));
        Assert.Equal("CERTIFICATE_NOT_A_DEVICE_IDENTITY", ReasonOf(verifier, foreign, "ACME-1"));
        Assert.Equal("CERTIFICATE_NOT_A_DEVICE_IDENTITY", ReasonOf(verifier, _acme, "b8a44f000001"));
        Assert.Equal("CERTIFICATE_UNTRUSTED", ReasonOf(new DeviceIdentityVerifier(new DeviceAnchors([], SetOf())), _acme, "ACME-1"));
    }

    [Fact]
    public void Verify_UnderAnAnchorForAxis_KeepsItsRules()
    {
        using var other = DeviceIdentityIssuer.CreateAxis(Now);
        var verifier = new DeviceIdentityVerifier(new DeviceAnchors([], SetOf((_axis, "axis", []))));
        using var certificate = Parse(_axis.Issue("b8a44f000001", Now));

        var (identity, error) = verifier.Verify(certificate, null, Now);

        Assert.Null(error);
        Assert.Equal(("axis", "B8A44F000001"), (identity!.Profile, identity.Device.Value));
        Assert.Equal("CERTIFICATE_UNTRUSTED", ReasonOf(verifier, other, "b8a44f000001"));
        Assert.Equal("CERTIFICATE_NOT_A_DEVICE_IDENTITY", ReasonOf(verifier, _axis, "ACME-1"));
    }

    [Fact]
    public void Anchors_OfAnIdentity_AreThoseItRestsOn()
    {
        var set = SetOf((_acme, "acme", ["ACME-"]), (_axis, "axis", []));
        var anchors = new DeviceAnchors([], set);
        using var certificate = Parse(_acme.Issue("ACME-1", Now));

        var result = new DeviceIdentityVerifier(anchors).Verify(certificate, null, Now);

        Assert.Equal(2, result.Anchors.Length);
        Assert.True(anchors.Hold(result.Anchors));
        Assert.False(new DeviceAnchors([], set with { Anchors = [set.Anchors[1]] }).Hold(result.Anchors));
    }

    public void Dispose()
    {
        _axis.Dispose();
        _acme.Dispose();
    }

    private AnchorSet SetOf(params (DeviceIdentityIssuer Maker, string Id, string[] Prefixes)[] makers) => makers.Aggregate(
        AnchorSet.Empty,
        (set, one) =>
        {
            var profile = one.Id == "axis" ? AnchorProfile.Axis : AnchorProfile.Ieee8021Ar;
            var id = Domain.ResourceId.TryParse(one.Id, out var parsed) ? parsed : throw new FormatException(one.Id);
            var (certificates, error) = _reader.Read(one.Maker.TrustPem, profile, Now);
            Assert.Null(error);
            var decision = AnchorRules.Add(set, new AnchorSpec(id, profile, [.. one.Prefixes]), certificates, _reader, Now);
            Assert.Null(decision.Error);
            return decision.Next;
        });

    private static string? ReasonOf(DeviceIdentityVerifier verifier, DeviceIdentityIssuer maker, string serial)
    {
        using var certificate = Parse(maker.Issue(serial, Now));
        return verifier.Verify(certificate, null, Now).Error?.Reason;
    }

    private string? ReasonOf(string pem) => _reader.Read(pem, AnchorProfile.Ieee8021Ar, Now).Error?.Reason;

    private void AssertInvalid(string cause, string pem, AnchorProfile profile = AnchorProfile.Ieee8021Ar)
    {
        var error = _reader.Read(pem, profile, Now).Error;
        Assert.Equal("ANCHOR_CERTIFICATE_INVALID", error?.Reason);
        Assert.Contains(cause, error?.Message, StringComparison.Ordinal);
    }

    private static X509Certificate2 Parse(IssuedCertificate issued) => X509Certificate2.CreateFromPem(issued.CertificatePem);

    private static string SelfSign(
        CertificateRequest request,
        bool? isAuthority = true,
        X509KeyUsageFlags usage = X509KeyUsageFlags.KeyCertSign,
        int days = 10,
        int ballast = 0)
    {
        if (isAuthority is { } authority)
        {
            request.CertificateExtensions.Add(new X509BasicConstraintsExtension(authority, false, 0, critical: true));
        }

        request.CertificateExtensions.Add(new X509KeyUsageExtension(usage, critical: true));
        if (ballast > 0)
        {
            request.CertificateExtensions.Add(new X509Extension("1.2.3.4", new byte[ballast], critical: false));
        }

        using var certificate = request.CreateSelfSigned(Now.AddDays(-20), Now.AddDays(days));
        return certificate.ExportCertificatePem();
    }
}
