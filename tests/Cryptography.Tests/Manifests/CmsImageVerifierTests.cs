using Muster.Cryptography.Certificates;
using Muster.Cryptography.Manifests;
using Muster.Domain.Images;
using static Muster.Cryptography.Tests.TestClock;

namespace Muster.Cryptography.Tests.Manifests;

public sealed class CmsImageVerifierTests : IDisposable
{
    private static readonly byte[] Content = [.. Enumerable.Range(0, 300_000).Select(i => (byte)(i * 7))];

    private readonly ImagePublisher _publisher = ImagePublisher.Create("Image root", Now);
    private readonly IssuedCertificate _signer;

    public CmsImageVerifierTests() => _signer = _publisher.IssueSigner("Publisher", Now);

    [Fact]
    public void Verify_SignedUnderATrustedRoot_NamesDigestSizeAndSigner()
    {
        var verdict = Verify(Content, Sign(Content, _signer));

        Assert.Null(verdict.Error);
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(Content)), verdict.Content!.Digest.Value);
        Assert.Equal(Content.Length, verdict.Content.SizeBytes);
        using var certificate = X509Certificate2.CreateFromPem(_signer.CertificatePem);
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(certificate.RawData)), verdict.Signer!.CertificateSha256);
        Assert.Equal("CN=Publisher", verdict.Signer.Subject);
    }

    [Fact]
    public void Verify_NoSignature_IsUnsigned() => AssertRefused("IMAGE_UNSIGNED", Verify(Content, []));

    [Fact]
    public void Verify_CertificatesOnly_IsUnsigned()
    {
        using var openssl = new OpenSsl();
        openssl.Write("signer.pem", _signer.CertificatePem);
        openssl.Run("crl2pkcs7 -nocrl -certfile signer.pem -outform DER -out certificates.p7");

        AssertRefused("IMAGE_UNSIGNED", Verify(Content, openssl.Read("certificates.p7")));
    }

    [Fact]
    public void Verify_OneBitOfTheContentChanged_IsInvalid()
    {
        var signature = Sign(Content, _signer);
        var tampered = Content.ToArray();
        tampered[200_000] ^= 1;

        AssertRefused("IMAGE_SIGNATURE_INVALID", Verify(tampered, signature));
        AssertRefused("IMAGE_SIGNATURE_INVALID", Verify(Content[..^1], signature));
        AssertRefused("IMAGE_SIGNATURE_INVALID", Verify([], signature));
    }

    [Fact]
    public void Verify_ChainsElsewhere_IsUntrusted()
    {
        using var other = ImagePublisher.Create("Image root", Now);

        AssertRefused("IMAGE_CERTIFICATE_UNTRUSTED", Verify(Content, Sign(Content, other.IssueSigner("Publisher", Now))));
    }

    [Fact]
    public void Verify_SelfSignedSigner_IsUntrusted()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=me", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(CodeSigning());
        using var certificate = request.CreateSelfSigned(Now.AddDays(-1), Now.AddDays(1));
        var signer = new IssuedCertificate(certificate.ExportCertificatePem(), key.ExportPkcs8PrivateKeyPem());

        AssertRefused("IMAGE_CERTIFICATE_UNTRUSTED", Verify(Content, Sign(Content, signer)));
    }

    [Theory]
    [InlineData(-20, -1)]
    [InlineData(1, 20)]
    public void Verify_SignerOutsideItsPeriod_IsExpired(int fromDays, int toDays)
    {
        var signer = _publisher.IssueSigner("Publisher", Now.AddDays(fromDays), Now.AddDays(toDays), CodeSigning());

        AssertRefused("IMAGE_CERTIFICATE_EXPIRED", Verify(Content, Sign(Content, signer)));
    }

    [Fact]
    public void Verify_SignerWithoutCodeSigning_IsWrongUsage()
    {
        var silent = _publisher.IssueSigner("Publisher", Now.AddDays(-1), Now.AddDays(1));
        var server = _publisher.IssueSigner(
            "Publisher", Now.AddDays(-1), Now.AddDays(1), new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.1")], true));
        var any = _publisher.IssueSigner(
            "Publisher", Now.AddDays(-1), Now.AddDays(1), new X509EnhancedKeyUsageExtension([new Oid("2.5.29.37.0")], true));
        var encipherment = _publisher.IssueSigner(
            "Publisher",
            Now.AddDays(-1),
            Now.AddDays(1),
            CodeSigning(),
            new X509KeyUsageExtension(X509KeyUsageFlags.KeyEncipherment, true));

        foreach (var signer in new[] { silent, server, any, encipherment })
        {
            AssertRefused("IMAGE_CERTIFICATE_USAGE", Verify(Content, Sign(Content, signer)));
        }
    }

    [Fact]
    public void Verify_TwoSigners_IsInvalid()
    {
        using var openssl = OpenSslWith(_signer);
        var second = _publisher.IssueSigner("Second", Now);
        openssl.Write("second.pem", second.CertificatePem);
        openssl.Write("second.key", second.KeyPem);
        openssl.Run("cms -sign -binary -in image.bin -signer signer.pem -inkey signer.key "
            + "-signer second.pem -inkey second.key -outform DER -out s");

        AssertRefused("IMAGE_SIGNATURE_INVALID", Verify(Content, openssl.Read("s")));
    }

    [Theory]
    [InlineData("-nocerts")]
    [InlineData("-noattr")]
    [InlineData("-nodetach")]
    [InlineData("-md sha1")]
    [InlineData("-econtent_type 1.2.3.4")]
    public void Verify_MadeByOpenSslAgainstOurRules_IsInvalid(string option)
    {
        using var openssl = OpenSslWith(_signer);
        openssl.Run($"cms -sign -binary {option} -in image.bin -signer signer.pem -inkey signer.key -outform DER -out s");
        var signature = openssl.Read("s");

        AssertRefused("IMAGE_SIGNATURE_INVALID", Verify(Content, signature));
    }

    [Theory]
    [InlineData("ec -pkeyopt ec_paramgen_curve:P-256", "")]
    [InlineData("ec -pkeyopt ec_paramgen_curve:P-256", "-md sha512")]
    [InlineData("ec -pkeyopt ec_paramgen_curve:P-384", "-md sha384")]
    [InlineData("ec -pkeyopt ec_paramgen_curve:P-384", "-md sha256 -keyid")]
    [InlineData("rsa:2048", "")]
    [InlineData("rsa:3072", "-md sha512 -nosmimecap")]
    [InlineData("rsa:2048", "-md sha256 -keyopt rsa_padding_mode:pss")]
    [InlineData("rsa:3072", "-md sha384 -keyopt rsa_padding_mode:pss")]
    public void Verify_MadeByOpenSsl_IsAccepted(string key, string options)
    {
        using var openssl = new OpenSsl();
        openssl.Write("ca.cnf", "[ca]\nbasicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\nsubjectKeyIdentifier=hash\n"
            + "[leaf]\nextendedKeyUsage=codeSigning\nkeyUsage=digitalSignature\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n");
        openssl.Run("req -new -newkey rsa:2048 -nodes -subj /CN=Root -keyout root.key -out root.csr");
        openssl.Run("x509 -req -in root.csr -signkey root.key -days 900 -extfile ca.cnf -extensions ca -out root.pem");
        openssl.Run("req -new -newkey rsa:2048 -nodes -subj /CN=Middle -keyout mid.key -out mid.csr");
        openssl.Run("x509 -req -in mid.csr -CA root.pem -CAkey root.key -CAcreateserial -days 800 "
            + "-extfile ca.cnf -extensions ca -out mid.pem");
        openssl.Run($"req -new -newkey {key} -nodes -subj /CN=Signer -keyout signer.key -out signer.csr");
        openssl.Run("x509 -req -in signer.csr -CA mid.pem -CAkey mid.key -CAcreateserial -days 700 "
            + "-extfile ca.cnf -extensions leaf -out signer.pem");
        openssl.Write("image.bin", Content);
        openssl.Run("cms -sign -binary -in image.bin -certfile mid.pem -signer signer.pem -inkey signer.key "
            + $"{options} -outform DER -out s");
        using var certificate = X509Certificate2.CreateFromPem(openssl.ReadText("signer.pem"));
        var verifier = new CmsImageVerifier(TrustStore.FromPem(openssl.ReadText("root.pem")));

        var verdict = verifier.Verify(new MemoryStream(Content), openssl.Read("s"), new DateTimeOffset(certificate.NotBefore).AddDays(1));

        Assert.Null(verdict.Error);
        Assert.Equal("CN=Signer", verdict.Signer!.Subject);
    }

    [Fact]
    public void Sign_OurSignature_VerifiesWithOpenSsl()
    {
        using var openssl = OpenSslWith(_signer);
        openssl.Write("root.pem", _publisher.TrustPem);
        openssl.Write("s", Sign(Content, _signer));

        openssl.Run("cms -verify -binary -content image.bin -inform DER -in s -CAfile root.pem -purpose any "
            + $"-attime {Now.ToUnixTimeSeconds()} -out copy.bin");

        Assert.Equal(Content, openssl.Read("copy.bin"));
    }

    [Fact]
    public void Verify_TooLongSignature_IsInvalid() =>
        AssertRefused("IMAGE_SIGNATURE_INVALID", Verify(Content, new byte[ImageManifest.SignatureBytesMax + 1]));

    [Fact]
    public void Verify_EveryTruncation_IsRefusedAndNeverThrows()
    {
        var signature = Sign(Content[..100], _signer);
        for (var length = 0; length < signature.Length; length++)
        {
            Assert.NotNull(Verify(Content[..100], signature[..length]).Error);
        }
    }

    [Fact]
    public void Verify_EveryByteGarbled_NeverThrowsAndNeverTakesOtherContent()
    {
        var signature = Sign(Content[..100], _signer);
        var random = new Random(20260901);
        for (var position = 0; position < signature.Length; position++)
        {
            var garbled = signature.ToArray();
            garbled[position] = (byte)(garbled[position] ^ random.Next(1, 256));

            Assert.NotNull(Verify(Content[..99], garbled).Error);
            _ = Verify(Content[..100], garbled);
        }
    }

    [Fact]
    public void Verify_RandomBytes_AreRefused()
    {
        var random = new Random(1);
        for (var round = 0; round < 2_000; round++)
        {
            var bytes = new byte[random.Next(1, 400)];
            random.NextBytes(bytes);
            bytes[0] = 0x30;

            Assert.NotNull(Verify(Content[..10], bytes).Error);
        }
    }

    [Theory]
    [InlineData(0x30)]
    [InlineData(0x31)]
    [InlineData(0x24)]
    [InlineData(0xA0)]
    public void Verify_NestedToExhaustTheStack_IsInvalid(int tag)
    {
        var open = new byte[ImageManifest.SignatureBytesMax];
        for (var i = 0; i + 1 < open.Length; i += 2)
        {
            open[i] = (byte)tag;
            open[i + 1] = 0x80;
        }

        AssertRefused("IMAGE_SIGNATURE_INVALID", Verify(Content, open));
        AssertRefused("IMAGE_SIGNATURE_INVALID", Verify(Content, NestedWithLengths((byte)tag)));
    }

    [Fact]
    public void Verify_LargeImage_StaysInBoundedMemory()
    {
        const long Size = 64L << 20;
        var signature = CmsImageSigner.Sign(new ZeroStream(Size), _signer, "", Now);
        var before = GC.GetAllocatedBytesForCurrentThread();

        var verdict = new CmsImageVerifier(TrustStore.FromPem(_publisher.TrustPem)).Verify(new ZeroStream(Size), signature, Now);

        Assert.Null(verdict.Error);
        Assert.Equal(Size, verdict.Content!.SizeBytes);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 4 << 20);
    }

    [Fact]
    public void Verify_ReaderFails_IsAFaultAndNoVerdict()
    {
        var signature = Sign(Content, _signer);
        var verifier = new CmsImageVerifier(TrustStore.FromPem(_publisher.TrustPem));
        var closed = new MemoryStream(Content);
        closed.Dispose();

        Assert.Throws<ObjectDisposedException>(() => verifier.Verify(closed, signature, Now));
    }

    public void Dispose() => _publisher.Dispose();

    private static X509EnhancedKeyUsageExtension CodeSigning() => new([new Oid("1.3.6.1.5.5.7.3.3")], critical: true);

    private static byte[] NestedWithLengths(byte tag)
    {
        var bytes = new List<byte>();
        for (var remaining = ImageManifest.SignatureBytesMax - 4; remaining > 4; remaining -= 4)
        {
            bytes.AddRange([tag, 0x82, (byte)(remaining >> 8), (byte)remaining]);
        }

        return [.. bytes];
    }

    private static OpenSsl OpenSslWith(IssuedCertificate signer)
    {
        var openssl = new OpenSsl();
        openssl.Write("image.bin", Content);
        openssl.Write("signer.pem", signer.CertificatePem);
        openssl.Write("signer.key", signer.KeyPem);
        return openssl;
    }

    private static byte[] Sign(byte[] content, IssuedCertificate signer) => CmsImageSigner.Sign(new MemoryStream(content), signer, "", Now);

    private static void AssertRefused(string reason, ImageVerdict verdict)
    {
        Assert.Equal(reason, verdict.Error?.Reason);
        Assert.Null(verdict.Signer);
    }

    private ImageVerdict Verify(byte[] content, byte[] signature) =>
        new CmsImageVerifier(TrustStore.FromPem(_publisher.TrustPem)).Verify(new MemoryStream(content), signature, Now);

    /// <summary>As many zeros as asked for, without holding them.</summary>
    private sealed class ZeroStream(long length) : Stream
    {
        private long _position;

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => length;

        public override long Position { get => _position; set => throw new NotSupportedException(); }

        public override int Read(byte[] buffer, int offset, int count)
        {
            var read = (int)Math.Min(count, length - _position);
            buffer.AsSpan(offset, read).Clear();
            _position += read;
            return read;
        }

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
