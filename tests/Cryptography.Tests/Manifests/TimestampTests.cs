using Muster.Cryptography.Certificates;
using Muster.Cryptography.Manifests;
using Muster.Domain.Images;

namespace Muster.Cryptography.Tests.Manifests;

/// <summary>Signatures of <c>openssl cms</c> with tokens of <c>openssl ts</c>, judged long after the signer has lapsed.</summary>
public sealed class TimestampTests : IDisposable
{
    private static readonly byte[] Content = [.. Enumerable.Range(0, 10_000).Select(i => (byte)(i * 11))];

    /// <summary>openssl stamps the time that it is.</summary>
    private static readonly DateTimeOffset Stamped = TimeProvider.System.GetUtcNow();
    private static readonly DateTimeOffset Later = Stamped.AddDays(300);

    private readonly ImagePublisher _publisher = ImagePublisher.Create("Image root", Stamped);
    private readonly TimestampAuthority _timestamps = new(Stamped);
    private readonly IssuedCertificate _authority;
    private readonly byte[] _signature;

    public TimestampTests()
    {
        // Both have lapsed when the signature is judged.
        _authority = _timestamps.Issue(Stamped.AddDays(-10), Stamped.AddDays(10));
        _signature = Sign(Stamped.AddDays(-10), Stamped.AddDays(1));
    }

    private byte[] Value => TimestampedSignature.ValueOf(_signature);

    [Theory]
    [InlineData("-sha256 -cert", "t")]
    [InlineData("-sha384 -cert", "t")]
    [InlineData("-sha512 -cert -no_nonce", "t")]
    [InlineData("-sha256 -cert", "old")]
    public void Verify_LapsedSinceItWasStamped_IsAccepted(string query, string section)
    {
        var token = _timestamps.Stamp(Value, _authority, query, section);

        var verdict = Verify(TimestampedSignature.Attach(_signature, token), Later);

        Assert.Null(verdict.Error);
        Assert.Equal("CN=Publisher", verdict.Signer!.Subject);
        Assert.Equal("CN=Timestamp authority", verdict.Timestamp!.Authority);
        Assert.InRange(verdict.Timestamp.At, Stamped.AddSeconds(-1), TimeProvider.System.GetUtcNow());
    }

    [Fact]
    public void Verify_NoTokenOrNoTrustedAuthorities_IsExpiredAsBefore()
    {
        var stamped = TimestampedSignature.Attach(_signature, _timestamps.Stamp(Value, _authority));
        var withoutAuthorities = new CmsImageVerifier(TrustStore.FromPem(_publisher.TrustPem));

        Assert.Equal("IMAGE_CERTIFICATE_EXPIRED", Verify(_signature, Later).Error?.Reason);
        Assert.Equal("IMAGE_CERTIFICATE_EXPIRED", withoutAuthorities.Verify(new MemoryStream(Content), stamped, Later).Error?.Reason);
        Assert.Null(withoutAuthorities.Verify(new MemoryStream(Content), stamped, Stamped).Error);
    }

    [Fact]
    public void Verify_OtherContentUnderAGoodTimestamp_IsInvalid()
    {
        var stamped = TimestampedSignature.Attach(_signature, _timestamps.Stamp(Value, _authority));

        var verdict = Verifier().Verify(new MemoryStream(Content[1..]), stamped, Later);

        Assert.Equal("IMAGE_SIGNATURE_INVALID", verdict.Error?.Reason);
    }

    [Fact]
    public void Verify_TokenOfAnotherSignature_IsRefusedEvenWhileTheCertificateIsValid()
    {
        var other = TimestampedSignature.ValueOf(Sign(Stamped.AddDays(-10), Stamped.AddDays(1)));
        var stamped = TimestampedSignature.Attach(_signature, _timestamps.Stamp(other, _authority));

        AssertInvalid("another signature", Verify(stamped, Later));
        AssertInvalid("another signature", Verify(stamped, Stamped));
    }

    [Fact]
    public void Verify_TokenTwice_IsRefused()
    {
        var (first, second) = (_timestamps.Stamp(Value, _authority), _timestamps.Stamp(Value, _authority));

        AssertInvalid("more than one", Verify(TimestampedSignature.Attach(_signature, first, second), Later));
        AssertInvalid("more than one", Verify(TimestampedSignature.Attach(_signature, [[first], [second]]), Later));
        AssertInvalid("more than one", Verify(TimestampedSignature.Attach(_signature, [[first], [first]]), Later));
    }

    [Fact]
    public void Verify_AuthorityNotCriticallyForTimestampsAlone_IsUntrusted()
    {
        var (from, to) = (Stamped.AddDays(-10), Stamped.AddDays(10));
        var timestamps = new Oid("1.3.6.1.5.5.7.3.8");
        IssuedCertificate[] authorities =
        [
            _timestamps.Issue(from, to, []),
            _timestamps.Issue(from, to, new X509EnhancedKeyUsageExtension([timestamps], critical: false)),
            _timestamps.Issue(from, to, new X509EnhancedKeyUsageExtension([timestamps, new Oid("1.3.6.1.5.5.7.3.3")], critical: true)),
            _timestamps.Issue(from, to, new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.3")], critical: true)),
            _timestamps.Issue(from, to, new X509EnhancedKeyUsageExtension([new Oid("2.5.29.37.0")], critical: true)),
        ];
        var info = TimestampAuthority.Content(Value, Stamped);

        foreach (var authority in authorities)
        {
            AssertUntrusted("for timestamps alone", Verify(Attached(_timestamps.Forge(info, authority)), Later));
        }

        Assert.Null(Verify(Attached(_timestamps.Forge(info, _authority)), Later).Error);
    }

    [Theory]
    [InlineData(-20, -1)]
    [InlineData(1, 20)]
    public void Verify_AuthorityNotValidWhenItStamped_IsUntrusted(int fromDays, int toDays)
    {
        var authority = _timestamps.Issue(Stamped.AddDays(fromDays), Stamped.AddDays(toDays));

        AssertUntrusted("was not valid", Verify(Attached(_timestamps.Stamp(Value, authority)), Later));
    }

    [Theory]
    [InlineData(-30, -1)]
    [InlineData(1, 400)]
    public void Verify_StampedOutsideTheSignersPeriod_IsExpired(int fromDays, int toDays)
    {
        var signature = Sign(Stamped.AddDays(fromDays), Stamped.AddDays(toDays));
        var token = _timestamps.Stamp(TimestampedSignature.ValueOf(signature), _authority);

        var verdict = Verify(TimestampedSignature.Attach(signature, token), Later);

        Assert.Equal("IMAGE_CERTIFICATE_EXPIRED", verdict.Error?.Reason);
        Assert.Contains(verdict.Error!.Metadata, detail => detail.Key == "at");
    }

    [Fact]
    public void Verify_AuthorityUnderAnotherRoot_IsUntrusted()
    {
        using var other = new TimestampAuthority(Stamped);
        var stranger = other.Issue(Stamped.AddDays(-1), Stamped.AddDays(1));
        var publishers = _publisher.IssueSigner(
            "Timestamp authority",
            Stamped.AddDays(-1),
            Stamped.AddDays(1),
            new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.8")], critical: true));

        AssertUntrusted("does not chain", Verify(Attached(other.Stamp(Value, stranger)), Later));
        AssertUntrusted("does not chain", Verify(Attached(_timestamps.Stamp(Value, publishers)), Later));
    }

    [Fact]
    public void Verify_SignedByAnAuthorityForTimestamps_IsNoPublisher()
    {
        var signature = Sign(_timestamps.Issue(
            Stamped.AddDays(-1), Stamped.AddDays(1), new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.3")], critical: true)));

        Assert.Equal("IMAGE_CERTIFICATE_UNTRUSTED", Verify(signature, Stamped).Error?.Reason);
    }

    [Fact]
    public void Verify_TokenThatProvesNothing_IsInvalid()
    {
        var info = TimestampAuthority.Content(Value, Stamped);
        var early = TimestampAuthority.Content(Value, Later.AddHours(1));
        var lasting = _timestamps.Issue(Stamped.AddDays(-1), Later.AddDays(10));

        AssertInvalid("certificate is not in it", Verify(Attached(_timestamps.Stamp(Value, _authority, "-sha256")), Later));
        AssertInvalid("SHA-256", Verify(Attached(_timestamps.Stamp(Value, _authority, "-sha1 -cert")), Later));
        AssertInvalid("in the future", Verify(Attached(_timestamps.Forge(early, lasting)), Later));
        AssertInvalid("", Verify(Attached(_timestamps.Forge(info, _authority, "")), Later));
        AssertInvalid("", Verify(Attached(_timestamps.Forge(info, _authority, "-noattr")), Later));
        AssertInvalid("", Verify(Attached(_timestamps.Forge(info, _authority, "-cades", "1.2.840.113549.1.7.1")), Later));
        AssertInvalid("", Verify(Attached(_timestamps.Forge([0x30, 0x00], _authority)), Later));
        AssertInvalid("", Verify(Attached(_timestamps.Forge(Nested(), _authority)), Later));
        AssertInvalid("", Verify(Attached([0x30, 0x00]), Later));
        AssertInvalid("", Verify(Attached([0x05, 0x00]), Later));
    }

    [Fact]
    public void Verify_EveryByteOfTheTokenGarbled_NeverThrowsAndNeverMovesTheTime()
    {
        var token = _timestamps.Stamp(Value, _authority);
        var expected = Verify(Attached(token), Later).Timestamp;
        var random = new Random(20261129);
        var signature = Attached(token);
        var start = signature.AsSpan().IndexOf(token);
        for (var position = start; position < start + token.Length; position++)
        {
            var garbled = signature.ToArray();
            garbled[position] = (byte)(garbled[position] ^ random.Next(1, 256));

            var verdict = Verify(garbled, Later);

            Assert.True(verdict.Error is not null || verdict.Timestamp == expected, $"Byte {position - start} of the token counts.");
        }
    }

    public void Dispose()
    {
        _publisher.Dispose();
        _timestamps.Dispose();
    }

    private static void AssertInvalid(string cause, ImageVerdict verdict) => AssertRefused("IMAGE_TIMESTAMP_INVALID", cause, verdict);

    private static void AssertUntrusted(string cause, ImageVerdict verdict) => AssertRefused("IMAGE_TIMESTAMP_UNTRUSTED", cause, verdict);

    private static void AssertRefused(string reason, string cause, ImageVerdict verdict)
    {
        Assert.Equal(reason, verdict.Error?.Reason);
        Assert.Contains(cause, verdict.Error!.Message, StringComparison.Ordinal);
        Assert.Null(verdict.Signer);
    }

    /// <summary>Sequences without lengths, one in the other, until the stack of a careless reader ends.</summary>
    private static byte[] Nested() => [.. Enumerable.Range(0, 8_000).Select(i => (byte)(i % 2 == 0 ? 0x30 : 0x80))];

    private byte[] Attached(byte[] token) => TimestampedSignature.Attach(_signature, token);

    private byte[] Sign(DateTimeOffset notBefore, DateTimeOffset notAfter) => Sign(_publisher.IssueSigner(
        "Publisher", notBefore, notAfter, new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.3")], critical: true)));

    private static byte[] Sign(IssuedCertificate signer)
    {
        using var openssl = new OpenSsl();
        openssl.Write("image.bin", Content);
        openssl.Write("signer.pem", signer.CertificatePem);
        openssl.Write("signer.key", signer.KeyPem);
        openssl.Run("cms -sign -binary -md sha256 -in image.bin -signer signer.pem -inkey signer.key -outform DER -out s");
        return openssl.Read("s");
    }

    private CmsImageVerifier Verifier() => new(TrustStore.FromPem(_publisher.TrustPem), TrustStore.FromPem(_timestamps.TrustPem));

    private ImageVerdict Verify(byte[] signature, DateTimeOffset now) => Verifier().Verify(new MemoryStream(Content), signature, now);
}
