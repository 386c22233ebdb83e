using System.Formats.Asn1;
using Muster.Cryptography.Certificates;
using static Muster.Cryptography.Tests.TestClock;

namespace Muster.Cryptography.Tests.Certificates;

/// <summary>
/// Certificates that somebody made to be let in: each is refused with its reason, and none that openssl refuses is taken. What
/// proves possession of the key is the handshake; a copied certificate fails there and never comes here.
/// </summary>
public sealed class AdversarialCertificateTests : IDisposable
{
    private const string Untrusted = "CERTIFICATE_UNTRUSTED";
    private const string Expired = "CERTIFICATE_EXPIRED";
    private const string NoIdentity = "CERTIFICATE_NOT_A_DEVICE_IDENTITY";
    private const string Taken = "";

    private readonly ForgedPki _pki = new();

    public void Dispose() => _pki.Dispose();

    [Theory]
    [InlineData("the real one", Taken)]
    [InlineData("signed by itself", Untrusted)]
    [InlineData("under a root of the same name", Untrusted)]
    [InlineData("under an intermediate of the same name without the root", Untrusted)]
    [InlineData("under an intermediate of the same name by the real root", Untrusted)]
    [InlineData("under an intermediate that nobody knows by the real root", Untrusted)]
    [InlineData("under a device's own certificate", Untrusted)]
    [InlineData("under an authority that may have none below", Untrusted)]
    [InlineData("under an intermediate that is no authority", Untrusted)]
    [InlineData("under an intermediate that may not sign certificates", Untrusted)]
    [InlineData("under an intermediate with a weak key", Untrusted)]
    [InlineData("under an expired intermediate", Expired)]
    [InlineData("with a bit of its signature changed", Untrusted)]
    [InlineData("outside the name constraints of its authority", Untrusted)]
    [InlineData("with a critical extension that nobody knows", Untrusted)]
    public void Verify_ChainOfAForger_IsRefusedWithItsReason(string which, string reason)
    {
        var (certificate, presented) = Chain(which);

        AssertRefused(certificate, presented, reason);
    }

    [Theory]
    [InlineData("under the root itself", NoIdentity)]
    [InlineData("expired", Expired)]
    [InlineData("not yet valid", Expired)]
    [InlineData("of an authority", NoIdentity)]
    [InlineData("for servers only", NoIdentity)]
    [InlineData("for signing code only", NoIdentity)]
    [InlineData("for key encipherment only", NoIdentity)]
    [InlineData("RSA 1024", NoIdentity)]
    [InlineData("secp256k1", NoIdentity)]
    [InlineData("brainpool", NoIdentity)]
    [InlineData("of 100 kB", NoIdentity)]
    [InlineData("with 50 alternative names, one of another device", Taken)]
    [InlineData("with a hardware module name that ends too early", Untrusted)]
    public void Verify_LeafOfAForger_IsRefusedWithItsReason(string which, string reason) =>
        AssertRefused(Leaf(which), [], reason);

    [Theory]
    [InlineData("/O=Axis Communications AB/CN=axis-b8a44f000002-eccp256-1/serialNumber=b8a44f000001", NoIdentity)]
    [InlineData("/O=Axis Communications AB/CN=axis-b8a44f000001-eccp256-1/serialNumber=b8a44f000002", NoIdentity)]
    [InlineData("/O=Axis Communications AB/CN=axis-b8a44f000001-eccp256-1", NoIdentity)]
    [InlineData("/CN=axis-b8a44f000001-eccp256-1/serialNumber=b8a44f000001/serialNumber=b8a44f000002", NoIdentity)]
    [InlineData("/CN=axis-b8a44f000001-eccp256-1/serialNumber=b8a44f000001+serialNumber=b8a44f000002", NoIdentity)]
    [InlineData("/CN=axis-b8a44f000001-eccp256-1+serialNumber=b8a44f000001", NoIdentity)]
    [InlineData("/CN=axis-b8a44f000001-eccp256-1/CN=axis-b8a44f000002-eccp256-1/serialNumber=b8a44f000001", NoIdentity)]
    [InlineData("/CN=axis-b8a44f000001-eccp256-1/serialNumber=b8a44f000001\0", NoIdentity)]
    [InlineData("/CN=axis-b8a44f000001-eccp256-1/serialNumber= b8a44f000001", NoIdentity)]
    [InlineData("/CN=axis-b8a44f000001-eccp256-1/serialNumber=b8:a4:4f:00:00:01", NoIdentity)]
    [InlineData("/CN=axis-b8\u0430" + "44f000001-eccp256-1/serialNumber=b8\u0430" + "44f000001", NoIdentity)]
    [InlineData("/CN=axis-00005e000001-eccp256-1/serialNumber=00005e000001", NoIdentity)]
    [InlineData("/CN=axis-b8a44f000001-p256x-1/serialNumber=b8a44f000001", NoIdentity)]
    [InlineData("/CN=AXIS-b8a44f000001-eccp256-1/serialNumber=b8a44f000001", NoIdentity)]
    [InlineData("/CN=axis-b8a44f000001-eccp256-1\n/serialNumber=b8a44f000001", NoIdentity)]
    [InlineData("/CN=axis-b8a44f000001-rsa4096-1/serialNumber=B8A44F000001", Taken)]
    [InlineData("/CN=axis-b8a44f000001-eccp256-1/serialNumberBmp=b8a44f000001", Taken)]
    public void Verify_SubjectOfAForger_SpeaksForNoOtherDevice(string subject, string reason) =>
        AssertRefused(new Forgery { Subject = subject }.Sign(_pki.AxisIssuing), [], reason);

    [Theory]
    [InlineData("/CN=x/serialNumber=b8a44f000001", NoIdentity)]
    [InlineData("/CN=x/serialNumber=B8A44F000001", NoIdentity)]
    [InlineData("/CN=x/serialNumber=  ", NoIdentity)]
    [InlineData("/CN=SN-1", NoIdentity)]
    [InlineData("/CN=x/serialNumber=SN-1/serialNumber=SN-2", NoIdentity)]
    public void Verify_SubjectUnderAnotherVendor_SpeaksForNoAxisDevice(string subject, string reason) =>
        AssertRefused(new Forgery { Subject = subject }.Sign(_pki.AcmeIssuing), [], reason);

    [Theory]
    [InlineData("-sha1", "rsa:2048", "-pkeyopt rsa_keygen_pubexp:65537", Untrusted)]
    [InlineData("-sha256", "ed25519", "", NoIdentity)]
    [InlineData("-sha256", "ec", "-pkeyopt ec_paramgen_curve:prime192v1", NoIdentity)]
    [InlineData("-sha256", "ec", "-pkeyopt ec_paramgen_curve:P-256 -pkeyopt ec_param_enc:explicit", Untrusted)]
    [InlineData("-sha256", "ec", "-pkeyopt ec_paramgen_curve:P-256", Taken)]
    public void Verify_KeyOrHashByOpenSsl_IsStrongOrRefused(string hash, string key, string options, string reason)
    {
        using var openssl = new OpenSsl();
        openssl.Write("issuing.pem", _pki.AxisIssuing.ExportCertificatePem());
        openssl.Write("issuing.key", _pki.AxisIssuing.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem());
        openssl.Write(
            "leaf.cnf",
            $"[req]\nprompt=no\ndistinguished_name=dn\n[dn]\nCN=axis-{Forgery.Mac}-eccp256-1\nserialNumber={Forgery.Mac}\n");
        openssl.Run($"req -new -newkey {key} {options} -nodes -config leaf.cnf -keyout leaf.key -out leaf.csr");
        openssl.Run($"x509 -req -in leaf.csr -CA issuing.pem -CAkey issuing.key -set_serial 7 -days 20000 {hash} -out leaf.pem");
        using var certificate = X509Certificate2.CreateFromPem(openssl.ReadText("leaf.pem"));

        var verifier = new DeviceIdentityVerifier(TrustStore.FromPem(_pki.TrustPem));
        var error = verifier.Verify(certificate, null, new DateTimeOffset(certificate.NotBefore).AddHours(1)).Error;

        Assert.Equal(reason, error?.Reason ?? Taken);
    }

    private static X509Extension CriticalUnknown => new("1.3.6.1.4.1.55555.1", [0x05, 0x00], critical: true);

    /// <summary>RFC 5280 4.2.1.10: only names under one organization.</summary>
    private static X509Extension OnlyNamesOf(string organization)
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence())
        using (writer.PushSequence(new Asn1Tag(TagClass.ContextSpecific, 0)))
        using (writer.PushSequence())
        using (writer.PushSequence(new Asn1Tag(TagClass.ContextSpecific, 4)))
        {
            writer.WriteEncodedValue(new X500DistinguishedName($"O={organization}").RawData);
        }

        return new X509Extension("2.5.29.30", writer.Encode(), critical: true);
    }

    private (X509Certificate2 Certificate, X509Certificate2[] Presented) Chain(string which)
    {
        var axisRootName = $"/O={Forgery.Axis}/CN=Axis device ID Root CA ECC";
        var issuing = Forgery.Authority(ForgedPki.AxisIssuingName);
        var ownRoot = Forgery.Authority(axisRootName, 1).Sign();
        var ownIssuing = issuing.Sign(ownRoot);
        switch (which)
        {
            case "the real one":
                return (new Forgery().Sign(_pki.AxisIssuing), []);
            case "signed by itself":
                return (new Forgery().Sign(), []);
            case "under a root of the same name":
                return (new Forgery().Sign(ownIssuing), [ownIssuing, ownRoot]);
            case "under an intermediate of the same name without the root":
                return (new Forgery().Sign(ownIssuing), [ownIssuing]);
            case "under an intermediate of the same name by the real root":
                return Under(issuing);
            case "under an intermediate that nobody knows by the real root":
                return Under(Forgery.Authority($"/O={Forgery.Axis}/CN=Axis device ID Intermediate CA ECC 9"));
            case "under an intermediate that is no authority":
                return Under(issuing with { Extensions = [new X509BasicConstraintsExtension(false, false, 0, critical: true)] });
            case "under an intermediate that may not sign certificates":
                var signsNothing = new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, critical: true);
                return Under(issuing with { Extensions = [issuing.Extensions[0], signsNothing] });
            case "under a device's own certificate":
                var device = new Forgery().Sign(_pki.AxisIssuing);
                return (new Forgery().Sign(device), [device]);
            case "under an authority that may have none below":
                var below = Forgery.Authority("/O=Acme/CN=Acme second issuing").Sign(_pki.AcmeIssuing);
                return (new Forgery { Subject = "/CN=x/serialNumber=SN-1" }.Sign(below), [below]);
            case "with a bit of its signature changed":
                return (Forgery.Tamper(new Forgery().Sign(_pki.AxisIssuing), fromEnd: 3), []);
            case "with a critical extension that nobody knows":
                return (new Forgery { Extensions = [CriticalUnknown] }.Sign(_pki.AxisIssuing), []);
            default:
                return AcmeChain(which);
        }
    }

    private (X509Certificate2 Certificate, X509Certificate2[] Presented) AcmeChain(string which)
    {
        var named = Forgery.Authority("/O=Acme/CN=Acme other issuing");
        var issuing = which switch
        {
            "under an intermediate with a weak key" => named with { Key = RSA.Create(1024) },
            "under an expired intermediate" => named with { To = Now.AddHours(-1) },
            "outside the name constraints of its authority" => named with { Extensions = [.. named.Extensions, OnlyNamesOf("Acme")] },
            _ => throw new ArgumentException($"No forgery {which}.", nameof(which)),
        };
        var signed = issuing.Sign(_pki.AcmeRoot);
        return (new Forgery { Subject = "/O=Other/serialNumber=SN-1" }.Sign(signed), [signed]);
    }

    private (X509Certificate2 Certificate, X509Certificate2[] Presented) Under(Forgery issuing)
    {
        var signed = issuing.Sign(_pki.AxisRoot);
        return (new Forgery().Sign(signed), [signed]);
    }

    private X509Certificate2 Leaf(string which)
    {
        var forgery = which switch
        {
            "under the root itself" => new Forgery(),
            "expired" => new Forgery { To = Now.AddHours(-1) },
            "not yet valid" => new Forgery { From = Now.AddHours(1) },
            "of an authority" => new Forgery { Extensions = [new X509BasicConstraintsExtension(true, false, 0, critical: true)] },
            "for servers only" => new Forgery { Extensions = [Usage("1.3.6.1.5.5.7.3.1")] },
            "for signing code only" => new Forgery { Extensions = [Usage("1.3.6.1.5.5.7.3.3")] },
            "for key encipherment only" =>
                new Forgery { Extensions = [new X509KeyUsageExtension(X509KeyUsageFlags.KeyEncipherment, critical: true)] },
            "RSA 1024" => new Forgery { Key = RSA.Create(1024) },
            "secp256k1" => new Forgery { Key = ECDsa.Create(ECCurve.CreateFromFriendlyName("secp256k1")) },
            "brainpool" => new Forgery { Key = ECDsa.Create(ECCurve.NamedCurves.brainpoolP256r1) },
            "of 100 kB" => new Forgery { Extensions = [new X509Extension("1.3.6.1.4.1.55555.2", Octets(100_000), critical: false)] },
            "with 50 alternative names, one of another device" => new Forgery { Extensions = [FiftyNames()] },
            "with a hardware module name that ends too early" =>
                new Forgery { Extensions = [new X509Extension("2.5.29.17", Convert.FromHexString("30053003A00106"), critical: false)] },
            _ => throw new ArgumentException($"No forgery {which}.", nameof(which)),
        };
        return forgery.Sign(which == "under the root itself" ? _pki.AxisRoot : _pki.AxisIssuing);
    }

    private static X509EnhancedKeyUsageExtension Usage(string oid) => new([new Oid(oid)], critical: true);

    private static byte[] Octets(int length)
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        writer.WriteOctetString(new byte[length]);
        return writer.Encode();
    }

    private static X509Extension FiftyNames()
    {
        var builder = new SubjectAlternativeNameBuilder();
        for (var i = 0; i < 49; i++)
        {
            builder.AddDnsName($"name{i}.example");
        }

        builder.AddDnsName("axis-b8a44f000002");
        return builder.Build();
    }

    private void AssertRefused(X509Certificate2 certificate, X509Certificate2[] presented, string reason)
    {
        var result = _pki.Verify(certificate, presented);

        Assert.Equal(reason, result.Error?.Reason ?? Taken);
        Assert.Equal(reason == Taken ? "B8A44F000001" : null, result.Identity?.Device.Value);
        Assert.True(reason != Taken || IsTakenByOpenSsl(certificate, presented), "openssl refuses what was taken.");
    }

    private bool IsTakenByOpenSsl(X509Certificate2 certificate, X509Certificate2[] presented)
    {
        using var openssl = new OpenSsl();
        openssl.Write("trusted.pem", _pki.TrustPem);
        openssl.Write("presented.pem", string.Concat(presented.Append(_pki.AxisIssuing).Select(c => c.ExportCertificatePem() + "\n")));
        openssl.Write("leaf.pem", certificate.ExportCertificatePem());
        openssl.Run($"verify -attime {Now.ToUnixTimeSeconds()} -CAfile trusted.pem -untrusted presented.pem leaf.pem");
        return true;
    }
}
