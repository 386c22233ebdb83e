using System.Text;
using Muster.Cryptography.Bundles;
using Muster.Cryptography.Certificates;
using Muster.Cryptography.Manifests;
using Muster.Cryptography.Tests.Manifests;
using Muster.Domain.Images;

namespace Muster.Cryptography.Tests.Bundles;

public sealed class RaucBundleVerifierTests(RaucTool rauc) : IClassFixture<RaucTool>
{
    private const int Block = 4096;

    [Fact]
    public void Verify_VerityBundle_NamesDigestSignerAndWhatItsManifestSays()
    {
        var verdict = Verify(rauc.Verity);

        Assert.Null(verdict.Error);
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(rauc.Verity)), verdict.Content!.Digest.Value);
        Assert.Equal(rauc.Verity.Length, verdict.Content.SizeBytes);
        Assert.Equal("CN=Bundle publisher", verdict.Signer!.Subject);
        var digest = Convert.ToHexStringLower(SHA256.HashData(RaucTool.RootFs));
        var slot = new BundleSlot("rootfs", "rootfs.img", RaucTool.RootFs.Length, digest);
        Assert.Equal(new ImageBundle(ImageFormat.RaucVerity, RaucTool.Compatible, RaucTool.Version, [slot]), verdict.Bundle);
    }

    [Fact]
    public void Verify_PlainBundle_NamesDigestAndSignerAlone()
    {
        var verdict = Verify(rauc.Plain);

        Assert.Null(verdict.Error);
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(rauc.Plain)), verdict.Content!.Digest.Value);
        Assert.Equal("CN=Bundle publisher", verdict.Signer!.Subject);
        Assert.Equal(new ImageBundle(ImageFormat.RaucPlain, null, null, []), verdict.Bundle);
    }

    [Theory]
    [InlineData("plain", "ec -pkeyopt ec_paramgen_curve:P-384")]
    [InlineData("verity", "ec -pkeyopt ec_paramgen_curve:P-384")]
    [InlineData("plain", "rsa:2048")]
    [InlineData("verity", "rsa:3072")]
    public void Verify_OtherKeysUnderAnIntermediate_AreAccepted(string format, string key)
    {
        var bundle = rauc.Make(format, rauc.IssueWith(key), "--intermediate=middle.pem");
        var verifier = new RaucBundleVerifier(TrustStore.FromPem(rauc.OtherRootPem), new TrustStore([]));

        var verdict = verifier.Verify(new MemoryStream(bundle), TimeProvider.System.GetUtcNow().AddMinutes(1));

        Assert.Null(verdict.Error);
        Assert.Equal("CN=Other", verdict.Signer!.Subject);
    }

    [Fact]
    public void Verify_AnyBlockChanged_IsRefused()
    {
        var tree = RaucTool.PayloadOf(rauc.Verity) - Block;
        for (var position = 200; position < RaucTool.PayloadOf(rauc.Plain); position += Block - 1)
        {
            AssertRefused("IMAGE_SIGNATURE_INVALID", Verify(Flipped(rauc.Plain, position)));
        }

        for (var position = 200; position < tree; position += Block - 1)
        {
            AssertRefused("IMAGE_BUNDLE_CORRUPT", Verify(Flipped(rauc.Verity, position)));
        }

        // The tree's first hash, and the zeros behind its last.
        AssertRefused("IMAGE_BUNDLE_CORRUPT", Verify(Flipped(rauc.Verity, tree)));
        AssertRefused("IMAGE_BUNDLE_CORRUPT", Verify(Flipped(rauc.Verity, tree + Block - 1)));
    }

    [Fact]
    public void Verify_ManifestChanged_IsRefused()
    {
        foreach (var text in new[] { RaucTool.Compatible, RaucTool.Version, "verity-hash=", "verity-salt=", "sha256=" })
        {
            var position = rauc.Verity.AsSpan().LastIndexOf(Encoding.ASCII.GetBytes(text)) + text.Length - 1;

            AssertRefused("IMAGE_SIGNATURE_INVALID", Verify(Flipped(rauc.Verity, position)));
        }
    }

    [Fact]
    public void Verify_Truncated_IsRefused()
    {
        foreach (var bundle in new[] { rauc.Plain, rauc.Verity })
        {
            foreach (var length in new[] { 0, 1, 7, 8, 9, 100, Block, RaucTool.PayloadOf(bundle), bundle.Length - 8, bundle.Length - 1 })
            {
                AssertRefused("IMAGE_BUNDLE_INVALID", Verify(bundle[..length]));
            }

            // The middle is missing, or the beginning.
            Assert.NotNull(Verify([.. bundle[..Block], .. bundle[(2 * Block)..]]).Error);
            Assert.NotNull(Verify(bundle[Block..]).Error);
        }
    }

    [Theory]
    [InlineData(0L)]
    [InlineData(1L)]
    [InlineData(-1L)]
    [InlineData(long.MinValue)]
    [InlineData(long.MaxValue)]
    [InlineData((64L * 1024) + 1)]
    [InlineData(64L * 1024)]
    public void Verify_SizeFieldOfNonsense_IsRefused(long size)
    {
        foreach (var bundle in new[] { rauc.Plain, rauc.Verity })
        {
            var changed = bundle.ToArray();
            System.Buffers.Binary.BinaryPrimitives.WriteInt64BigEndian(changed.AsSpan(changed.Length - 8), size);

            AssertRefused("IMAGE_BUNDLE_INVALID", Verify(changed));
        }
    }

    [Fact]
    public void Verify_BytesBehindTheBundleOrItsSignature_AreRefused()
    {
        foreach (var bundle in new[] { rauc.Plain, rauc.Verity })
        {
            foreach (var count in new[] { 1, 8, Block })
            {
                AssertRefused("IMAGE_BUNDLE_INVALID", Verify([.. bundle, .. new byte[count]]));
            }

            var longer = RaucTool.Join(bundle[..RaucTool.PayloadOf(bundle)], [.. RaucTool.MessageOf(bundle), 0]);
            AssertRefused("IMAGE_BUNDLE_INVALID", Verify(longer));
        }
    }

    [Fact]
    public void Verify_MoreBlocksThanTheTreeCovers_AreRefused()
    {
        var payload = rauc.Verity[..RaucTool.PayloadOf(rauc.Verity)];
        var message = RaucTool.MessageOf(rauc.Verity);
        var block = new byte[Block];

        // Before the tree, behind it, at the start; and enough of them for a tree of another size.
        AssertRefused("IMAGE_BUNDLE_CORRUPT", Verify(RaucTool.Join([.. payload[..^Block], .. block, .. payload[^Block..]], message)));
        AssertRefused("IMAGE_BUNDLE_CORRUPT", Verify(RaucTool.Join([.. payload, .. block], message)));
        AssertRefused("IMAGE_BUNDLE_INVALID", Verify(RaucTool.Join([.. block, .. payload], message)));
        AssertRefused("IMAGE_BUNDLE_CORRUPT", Verify(RaucTool.Join([.. payload, .. new byte[200 * Block]], message)));
        AssertRefused("IMAGE_BUNDLE_CORRUPT", Verify(RaucTool.Join([.. payload, 0], message)));
    }

    [Fact]
    public void Verify_Crypt_IsRefusedAsEncrypted()
    {
        AssertRefused("IMAGE_BUNDLE_ENCRYPTED", Verify(rauc.Crypt));
        AssertRefused("IMAGE_BUNDLE_ENCRYPTED", Verify(rauc.Encrypted));
    }

    [Fact]
    public void Verify_SignerThatNobodyTrusts_IsRefused()
    {
        using var other = ImagePublisher.Create("Bundle root", RaucTool.Now);
        var foreign = other.IssueSigner("Bundle publisher", RaucTool.Now);
        var lapsed = rauc.Issue(RaucTool.Now.AddDays(-10), RaucTool.Now.AddDays(-1));
        var silent = rauc.Publisher.IssueSigner("Bundle publisher", RaucTool.Now.AddDays(-1), RaucTool.Now.AddDays(1));

        foreach (var format in new[] { "plain", "verity" })
        {
            AssertRefused("IMAGE_CERTIFICATE_UNTRUSTED", Verify(rauc.Make(format, foreign)));
            AssertRefused("IMAGE_CERTIFICATE_EXPIRED", Verify(rauc.Make(format, lapsed)));
            AssertRefused("IMAGE_CERTIFICATE_USAGE", Verify(rauc.Make(format, silent)));
        }
    }

    [Theory]
    [InlineData("bundle", "format=plain", "IMAGE_BUNDLE_INVALID")]
    [InlineData("bundle", "format=", "IMAGE_BUNDLE_INVALID")]
    [InlineData("bundle", "verity-size=0", "IMAGE_BUNDLE_CORRUPT")]
    [InlineData("bundle", "verity-size=-4096", "IMAGE_BUNDLE_INVALID")]
    [InlineData("bundle", "verity-size=8192", "IMAGE_BUNDLE_CORRUPT")]
    [InlineData("bundle", "verity-size=4095", "IMAGE_BUNDLE_CORRUPT")]
    [InlineData("bundle", "verity-size=9223372036854775807", "IMAGE_BUNDLE_CORRUPT")]
    [InlineData("bundle", "verity-size=18446744073709551616", "IMAGE_BUNDLE_INVALID")]
    [InlineData("bundle", "verity-salt=00", "IMAGE_BUNDLE_INVALID")]
    [InlineData("bundle", "verity-hash=zz", "IMAGE_BUNDLE_INVALID")]
    [InlineData("update", "compatible=", "IMAGE_BUNDLE_INVALID")]
    [InlineData("image.rootfs", "size=-1", "IMAGE_BUNDLE_INVALID")]
    [InlineData("image.rootfs", "sha256=00", "IMAGE_BUNDLE_INVALID")]
    [InlineData("image.rootfs", "size=1\nsize=1", "IMAGE_BUNDLE_INVALID")]
    [InlineData("image.rootfs", "size=1\n[update]\nversion=1", "IMAGE_BUNDLE_INVALID")]
    [InlineData("image.rootfs", "nonsense", "IMAGE_BUNDLE_INVALID")]
    public void Verify_SignedManifestOfNonsense_IsRefused(string group, string line, string reason)
    {
        var changed = ManifestWith(group, line);
        var message = rauc.Sign(Encoding.UTF8.GetBytes(changed), rauc.Signer, "-nodetach");

        AssertRefused(reason, Verify(RaucTool.Join(rauc.Verity[..RaucTool.PayloadOf(rauc.Verity)], message)));
    }

    [Fact]
    public void Verify_ManifestSignedAgainOutsideOfRauc_IsAcceptedAsItStands()
    {
        // Spaces, comments and escapes as GLib reads them.
        var changed = ManifestWith("update", "# a comment\n\nversion = 13.0.1 \n description=a\\tb");
        var message = rauc.Sign(Encoding.UTF8.GetBytes(changed), rauc.Signer, "-nodetach");

        var verdict = Verify(RaucTool.Join(rauc.Verity[..RaucTool.PayloadOf(rauc.Verity)], message));

        Assert.Null(verdict.Error);
        Assert.Equal("13.0.1 ", verdict.Bundle!.Version);
    }

    [Fact]
    public void Verify_NoFileSystem_IsRefused()
    {
        var content = RandomNumberGenerator.GetBytes(3 * Block);

        AssertRefused("IMAGE_BUNDLE_INVALID", Verify(RaucTool.Join(content, rauc.Sign(content, rauc.Signer, ""))));
        AssertRefused("IMAGE_BUNDLE_INVALID", Verify(RaucTool.Join([1], rauc.Sign([1], rauc.Signer, ""))));
        AssertRefused("IMAGE_BUNDLE_INVALID", Verify(RaucTool.RootFs));
        AssertRefused("IMAGE_UNSIGNED", Verify(RaucTool.Join(content, NobodySigned())));
    }

    [Fact]
    public void Verify_SignatureStampedBeforeItLapsed_IsAccepted()
    {
        using var timestamps = new TimestampAuthority(RaucTool.Now);
        var authority = timestamps.Issue(RaucTool.Now.AddDays(-1), RaucTool.Now.AddDays(1));
        var verifier = new RaucBundleVerifier(TrustStore.FromPem(rauc.Publisher.TrustPem), TrustStore.FromPem(timestamps.TrustPem));
        foreach (var bundle in new[] { rauc.Plain, rauc.Verity })
        {
            var message = RaucTool.MessageOf(bundle);
            var token = timestamps.Stamp(TimestampedSignature.ValueOf(message), authority);
            var stamped = RaucTool.Join(bundle[..RaucTool.PayloadOf(bundle)], TimestampedSignature.Attach(message, token));
            var later = RaucTool.Now.AddYears(3);

            Assert.Equal("IMAGE_CERTIFICATE_EXPIRED", verifier.Verify(new MemoryStream(bundle), later).Error?.Reason);
            var verdict = verifier.Verify(new MemoryStream(stamped), later);
            Assert.Null(verdict.Error);
            Assert.Equal("CN=Timestamp authority", verdict.Timestamp!.Authority);
        }
    }

    [Fact]
    public void Verify_LongerThanImagesMayBe_IsRefusedUnread()
    {
        var path = Path.GetTempFileName();
        try
        {
            using var file = new FileStream(path, FileMode.Create);
            file.SetLength(ImageManifest.SizeBytesMax + 1);

            AssertRefused("IMAGE_TOO_LARGE", Verifier().Verify(file, RaucTool.Now));
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Fact]
    public void Verify_LargeBundleWithATreeOfThreeLevels_StaysInBoundedMemory()
    {
        var bundle = rauc.Make("verity", rauc.Signer, RandomNumberGenerator.GetBytes(68 << 20), "--mksquashfs-args=-noD");
        _ = Verify(rauc.Verity);

        // Of this thread alone: other tests run beside it.
        var before = GC.GetAllocatedBytesForCurrentThread();

        var verdict = Verify(bundle);

        Assert.Null(verdict.Error);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 4 << 20);
        var payload = RaucTool.PayloadOf(bundle);
        var tree = payload - ((1 + 2 + 137) * Block);
        AssertRefused("IMAGE_BUNDLE_CORRUPT", Verify(Flipped(bundle, tree + 5)));
        AssertRefused("IMAGE_BUNDLE_CORRUPT", Verify(Flipped(bundle, tree + Block + 5)));
        AssertRefused("IMAGE_BUNDLE_CORRUPT", Verify(Flipped(bundle, payload - 1)));
        AssertRefused("IMAGE_BUNDLE_CORRUPT", Verify(Flipped(bundle, tree - 1)));
    }

    [Fact]
    public void Verify_FileThatChangesWhileItIsRead_IsRefused()
    {
        foreach (var bundle in new[] { rauc.Plain, rauc.Verity })
        {
            using var other = new ChangingStream(bundle, bytes => bytes[RaucTool.PayloadOf(bundle) + 20] ^= 1);
            using var shorter = new ChangingStream(bundle, null);

            AssertRefused("IMAGE_BUNDLE_CORRUPT", Verifier().Verify(other, RaucTool.Now));
            AssertRefused("IMAGE_BUNDLE_CORRUPT", Verifier().Verify(shorter, RaucTool.Now));
        }
    }

    private static byte[] Flipped(byte[] bundle, int position)
    {
        var changed = bundle.ToArray();
        changed[position] ^= 1;
        return changed;
    }

    private static void AssertRefused(string reason, ImageVerdict verdict)
    {
        Assert.Equal(reason, verdict.Error?.Reason);
        Assert.Null(verdict.Signer);
        Assert.Null(verdict.Bundle);
    }

    /// <summary>The manifest that rauc signed, with lines put into a group in place of those of the same keys.</summary>
    private string ManifestWith(string group, string line)
    {
        var message = Encoding.UTF8.GetString(RaucTool.MessageOf(rauc.Verity));
        var start = message.IndexOf("[update]", StringComparison.Ordinal);
        var end = message.IndexOf("filename=rootfs.img\n", StringComparison.Ordinal) + "filename=rootfs.img\n".Length;
        var keys = line.Split('\n').Where(part => part.Contains('=', StringComparison.Ordinal)).Select(part => part.Split('=')[0].Trim());
        var kept = message[start..end].Split('\n').Where(old => !keys.Contains(old.Split('=')[0]));
        return string.Join('\n', kept).Replace($"[{group}]\n", $"[{group}]\n{line}\n", StringComparison.Ordinal);
    }

    /// <summary>A message with certificates and no signer.</summary>
    private byte[] NobodySigned()
    {
        using var openssl = new OpenSsl();
        openssl.Write("signer.pem", rauc.Signer.CertificatePem);
        openssl.Run("crl2pkcs7 -nocrl -certfile signer.pem -outform DER -out s");
        return openssl.Read("s");
    }

    private RaucBundleVerifier Verifier() => new(TrustStore.FromPem(rauc.Publisher.TrustPem), new TrustStore([]));

    private ImageVerdict Verify(byte[] bundle) => Verifier().Verify(new MemoryStream(bundle), RaucTool.Now);

    /// <summary>Changes between the reading of its end and of its start, as a shared volume can. Null: it becomes shorter.</summary>
    private sealed class ChangingStream(byte[] bundle, Action<byte[]>? change) : MemoryStream(bundle.ToArray())
    {
        public override long Position
        {
            get => base.Position;
            set
            {
                base.Position = value;
                if (value == 0)
                {
                    var bytes = bundle.ToArray();
                    change?.Invoke(bytes);
                    Write(bytes);
                    SetLength(change is null ? bytes.Length - 8_000 : bytes.Length);
                    base.Position = 0;
                }
            }
        }
    }
}
