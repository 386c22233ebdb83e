using Muster.Cryptography.Certificates;
using Muster.Cryptography.CertificateStatus;
using Muster.Domain;
using Muster.Domain.CertificateStatus;
using Muster.Domain.Devices;
using Muster.Domain.Identity;
using Org.BouncyCastle.Asn1;
using Org.BouncyCastle.Asn1.Ocsp;
using Org.BouncyCastle.Asn1.X509;
using Org.BouncyCastle.Ocsp;
using static Muster.Cryptography.Tests.TestClock;

namespace Muster.Cryptography.Tests.CertificateStatus;

/// <summary>Revocation lists and OCSP answers, read by openssl.</summary>
public sealed class FleetStatusTests : IDisposable
{
    private static readonly StatusAddresses Addresses = StatusAddresses.Parse("http://pki.example.com:8880/fleet/").Addresses!;

    private readonly OpenSsl _openssl = new();
    private readonly FleetAuthorities _fleet;
    private readonly FleetAuthority _first = Authority(1, Now.AddDays(-1));
    private readonly FleetAuthority _second = Authority(2, Now.AddDays(7));
    private readonly CertificateOrder _good;
    private readonly CertificateOrder _revoked;

    public FleetStatusTests()
    {
        _fleet = new FleetAuthorities([_first, _second]);
        (_good, _revoked) = (Order(1), Order(1));
        _openssl.Write("ca.pem", _first.CertificatePem);
        WriteCertificate("good", _good);
        WriteCertificate("revoked", _revoked);
        WriteCertificate("unknown", Order(1) with { Serial = new CertificateSerial(0x4142434445464748, 1) });
    }

    private static long At => Now.AddMinutes(1).ToUnixTimeSeconds();

    [Fact]
    public void SignList_WithARevokedCertificate_IsWhatOpenSslChecksBy()
    {
        _openssl.Write("list.crl", [.. _first.SignList(List(1, Revocation(_revoked, RevocationCause.Decommissioned)))]);
        _openssl.Run("crl -inform DER -in list.crl -CAfile ca.pem -out list.pem");

        _openssl.Run($"verify -crl_check -attime {At} -CAfile ca.pem -CRLfile list.pem good.pem");
        var refused = Assert.Throws<InvalidOperationException>(
            () => _openssl.Run($"verify -crl_check -attime {At} -CAfile ca.pem -CRLfile list.pem revoked.pem"));
        Assert.Contains("certificate revoked", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void SignList_SaysNumberTimesAndReasons()
    {
        var list = List(
            1, Revocation(_revoked, RevocationCause.Decommissioned), Revocation(_good, RevocationCause.Superseded));
        _openssl.Write("list.crl", [.. _fleet.Of(list.Generation).SignList(list)]);
        _openssl.Run("crl -inform DER -in list.crl -noout -text -out list.txt");

        var text = _openssl.ReadText("list.txt");
        Assert.Contains("Cessation Of Operation", text, StringComparison.Ordinal);
        Assert.Contains("Superseded", text, StringComparison.Ordinal);
        Assert.Contains("X509v3 Authority Key Identifier", text, StringComparison.Ordinal);
        Assert.Contains(_revoked.Serial.ToString(), text, StringComparison.Ordinal);
        Assert.Contains("Last Update: Sep  1 12:00:00 2026 GMT", text, StringComparison.Ordinal);
        Assert.Contains("Next Update: Sep  2 12:00:00 2026 GMT", text, StringComparison.Ordinal);
        CertificateRevocationListBuilder.Load(_openssl.Read("list.crl"), out var number);
        Assert.Equal(list.Number, (long)number);
    }

    [Theory]
    [InlineData("good", "-nonce", "good")]
    [InlineData("good", "-no_nonce", "good")]
    [InlineData("revoked", "-nonce", "revoked")]
    [InlineData("unknown", "-nonce", "unknown")]
    [InlineData("good", "-sha256", "good")]
    public void Answer_ToOpenSsl_IsVerifiedAndSaysTheState(string certificate, string option, string state)
    {
        _openssl.Run($"ocsp -issuer ca.pem {option} -cert {certificate}.pem -reqout request.der");

        var answer = Answer(_openssl.Read("request.der"));
        _openssl.Write("answer.der", [.. answer.Der]);

        // What is read from a file has its nonce already; without the option another one would be added.
        var digest = option == "-sha256" ? option : "";
        _openssl.Run($"ocsp -issuer ca.pem {digest} -cert {certificate}.pem -reqin request.der -no_nonce -respin answer.der -out said.txt "
            + $"-CAfile ca.pem -attime {At} -validity_period 2000000000 -resp_text");

        var said = _openssl.ReadText("said.txt");
        Assert.Contains($"{certificate}.pem: {state}", said, StringComparison.Ordinal);
        Assert.Contains("OCSP No Check", said, StringComparison.Ordinal);
        var hasNonce = option != "-no_nonce";
        Assert.Equal(hasNonce, said.Contains("OCSP Nonce", StringComparison.Ordinal));
        Assert.Equal(hasNonce, answer.NextUpdate is null);
        if (state == "revoked")
        {
            Assert.Contains("cessationOfOperation", said, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Answer_ByAnotherCasResponder_IsNotBelieved()
    {
        using var stranger = new FleetAuthorities([Authority(1, Now.AddDays(-1))]);
        _openssl.Run("ocsp -issuer ca.pem -cert good.pem -reqout request.der");

        // The stranger has the name, and not the key, of the CA that is asked for.
        Assert.Equal(
            OcspErrors.Unauthorized.Der,
            stranger.Answer(_openssl.Read("request.der"), (_, _) => null, Now, Now).Der);
    }

    [Fact]
    public void Answer_ToWhatIsNoRequest_IsMalformed()
    {
        _openssl.Run("ocsp -issuer ca.pem -cert good.pem -reqout request.der");
        var good = _openssl.Read("request.der");
        _openssl.Run($"ocsp -issuer ca.pem {string.Concat(Enumerable.Repeat("-cert good.pem ", 9))}-reqout many.der");

        Assert.All(
            new[] { [], "hello"u8.ToArray(), good[..^3], new byte[OcspQuestion.BytesMax + 1], _openssl.Read("many.der") },
            bytes => Assert.Equal(OcspErrors.MalformedRequest.Der, Answer(bytes).Der));
        var random = new Random(4);
        foreach (var _ in Enumerable.Range(0, 2_000))
        {
            var mutated = good.ToArray();
            mutated[random.Next(mutated.Length)] = (byte)random.Next(256);
            Assert.NotEmpty(Answer(mutated).Der);
        }
    }

    /// <summary>RFC 9654 2.1: one to 128 octets.</summary>
    [Theory]
    [InlineData(0, false)]
    [InlineData(1, true)]
    [InlineData(32, true)]
    [InlineData(127, true)]
    [InlineData(128, true)]
    [InlineData(129, false)]
    public void Answer_ToANonceOfAnyLength_RepeatsItOrIsMalformed(int length, bool isTaken)
    {
        var nonce = new DerOctetString(RandomNumberGenerator.GetBytes(length)).GetEncoded();

        var answer = Answer(RequestWithNonce(nonce));

        if (!isTaken)
        {
            Assert.Equal(OcspErrors.MalformedRequest.Der, answer.Der);
            return;
        }

        var told = (BasicOcspResp)new OcspResp([.. answer.Der]).GetResponseObject();
        Assert.Equal(nonce, told.GetExtensionValue(OcspObjectIdentifiers.PkixOcspNonce).GetOctets());
    }

    [Fact]
    public void Answer_ToANonceThatIsNoOctetString_IsMalformed() =>
        Assert.Equal(OcspErrors.MalformedRequest.Der, Answer(RequestWithNonce([0x02, 0x01, 0x05])).Der);

    [Fact]
    public void Sign_WithAddresses_NamesListAndResponder()
    {
        _openssl.Run("x509 -in good.pem -noout -ext crlDistributionPoints,authorityInfoAccess -out facts.txt");

        var facts = _openssl.ReadText("facts.txt");
        Assert.Contains("URI:http://pki.example.com:8880/fleet/crl/fleet-ca-1.crl", facts, StringComparison.Ordinal);
        Assert.Contains("http://pki.example.com:8880/fleet/ocsp", facts, StringComparison.Ordinal);
    }

    [Fact]
    public void At_TheInstantOfTheSecondAuthority_ChangesGenerations()
    {
        Assert.Equal([2, 1], _fleet.Generations);
        Assert.Equal(1, _fleet.At(Now)!.Value.Generation);
        Assert.Equal(1, _fleet.At(Now.AddDays(7).AddSeconds(-1))!.Value.Generation);
        Assert.Equal(new IssuingAuthority(2, _second.NotAfter), _fleet.At(Now.AddDays(7)));
        Assert.Null(_fleet.At(Now.AddDays(10_000)));
        Assert.Null(_fleet.At(Now.AddDays(-2)));
    }

    [Fact]
    public void FleetTrust_OfTwoGenerations_TakesTheCertificatesOfBoth()
    {
        var later = Now.AddDays(8);
        var trust = new FleetTrust(
            [X509Certificate2.CreateFromPem(_second.CertificatePem), X509Certificate2.CreateFromPem(_first.CertificatePem)]);
        var next = Order(2) with { NotBefore = later.AddMinutes(-5), NotAfter = later.AddDays(20) };
        using var old = X509CertificateLoader.LoadCertificate(_fleet.Of(_good.Generation).Sign(_good).Der.AsSpan());
        using var renewed = X509CertificateLoader.LoadCertificate(_fleet.Of(next.Generation).Sign(next).Der.AsSpan());

        Assert.Null(trust.Verify(old, TenantId.Default, later).Error);
        Assert.Null(trust.Verify(renewed, TenantId.Default, later).Error);
    }

    [Theory]
    [InlineData("ftp://pki.example.com")]
    [InlineData("pki.example.com")]
    [InlineData("http://user@pki.example.com")]
    [InlineData("http://pki.example.com/?a=b")]
    [InlineData("http://pki.example.com/#a")]
    [InlineData("")]
    public void Parse_OfWhatIsNoAddress_SaysWhatItHasToBe(string address) =>
        Assert.Contains("http://HOST", StatusAddresses.Parse(address).Fault, StringComparison.Ordinal);

    [Theory]
    [InlineData("640")]
    [InlineData("660")]
    [InlineData("604")]
    [InlineData("610")]
    public void LoadOrCreate_OfAKeyThatOthersGetAt_SaysChmod(string mode)
    {
        var folder = _openssl.PathOf("pki");
        CertificateAuthority.LoadOrCreate(folder, "fleet-ca-1", "Muster fleet CA 1", Now, TimeSpan.FromDays(9)).Dispose();
        var key = Path.Combine(folder, "fleet-ca-1.key");
        CertificateAuthority.LoadOrCreate(folder, "fleet-ca-1", "Muster fleet CA 1", Now, TimeSpan.FromDays(9)).Dispose();
        File.SetUnixFileMode(key, (UnixFileMode)Convert.ToInt32(mode, 8));

        var refused = Assert.Throws<KeyFileExposedException>(
            () => CertificateAuthority.LoadOrCreate(folder, "fleet-ca-1", "Muster fleet CA 1", Now, TimeSpan.FromDays(9)));

        Assert.Contains($"mode 0{mode}", refused.Message, StringComparison.Ordinal);
        Assert.Contains($"chmod 600 '{key}'", refused.Message, StringComparison.Ordinal);
        if (mode == "640")
        {
            CertificateAuthority.LoadOrCreate(
                folder, "fleet-ca-1", "Muster fleet CA 1", Now, TimeSpan.FromDays(9), isGroupReadAllowed: true).Dispose();
        }
    }

    public void Dispose()
    {
        _fleet.Dispose();
        _openssl.Dispose();
    }

    private static FleetAuthority Authority(int generation, DateTimeOffset from) => new(
        CertificateAuthority.Create($"Muster fleet CA {generation}", from, TimeSpan.FromDays(3650)), generation, Addresses);

    private static RevokedCertificate Revocation(CertificateOrder order, RevocationCause cause) =>
        new(order.Serial, order.Generation, cause, Now.AddMinutes(-1), order.NotAfter);

    private static RevocationList List(int generation, params RevokedCertificate[] revoked) =>
        StatusRules.Next(null, generation, [.. revoked], Now);

    private OcspAnswer Answer(byte[] request)
    {
        foreach (var authority in _fleet.WithDelegationDue(Now))
        {
            authority.DelegateStatus(Now);
        }

        return _fleet.Answer(
            request, (_, serial) => serial == _revoked.Serial ? Revocation(_revoked, RevocationCause.Decommissioned) : null, Now, Now);
    }

    /// <summary>For the good certificate; openssl makes nonces of one length only.</summary>
    private byte[] RequestWithNonce(byte[] value)
    {
        _openssl.Run("ocsp -issuer ca.pem -cert good.pem -no_nonce -reqout plain.der");
        var request = new OcspReqGenerator();
        request.AddRequest(new OcspReq(_openssl.Read("plain.der")).GetRequestList()[0].GetCertID());
        var extensions = new X509ExtensionsGenerator();
        extensions.AddExtension(OcspObjectIdentifiers.PkixOcspNonce, critical: false, value);
        request.SetRequestExtensions(extensions.Generate());
        return request.Generate().GetEncoded();
    }

    private CertificateOrder Order(int generation)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var spki = key.ExportSubjectPublicKeyInfo();
        var camera = new CertificateSubject(
            TenantId.Default, "axis", DeviceId.TryParse("B8A44F000001", out var id) ? id : throw new FormatException());
        return new CertificateOrder(
            camera, [.. spki], Sha256Hash.Of(SHA256.HashData(spki)), _fleet.NewSerial(generation), generation, Now.AddMinutes(-5),
            Now.AddDays(30));
    }

    private void WriteCertificate(string name, CertificateOrder order)
    {
        using var certificate = X509CertificateLoader.LoadCertificate(_fleet.Of(order.Generation).Sign(order).Der.AsSpan());
        _openssl.Write($"{name}.pem", certificate.ExportCertificatePem());
    }
}
