using Muster.Domain.Catalogues;
using Muster.Domain.Images;

namespace Muster.Domain.Tests.Images;

public sealed class BundleRulesTests
{
    private static readonly DateTimeOffset Now = new(2026, 9, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly ImageBundle Verity = new(ImageFormat.RaucVerity, "Foo", "12.11.80", [new BundleSlot("rootfs", "r", 1, "aa")]);
    private static readonly ImageBundle Plain = new(ImageFormat.RaucPlain, null, null, []);

    private static ImageDigest Digest => ImageDigest.TryParse(new string('a', 64), out var digest) ? digest : default;

    [Theory]
    [InlineData(ImageFormat.Detached, null, 2, null)]
    [InlineData(ImageFormat.Detached, null, 0, "IMAGE_UNSIGNED")]
    [InlineData(ImageFormat.Detached, "Foo", 2, "REQUEST_INVALID")]
    [InlineData(ImageFormat.Detached, null, ImageManifest.SignatureBytesMax + 1, "IMAGE_SIGNATURE_INVALID")]
    [InlineData(ImageFormat.RaucPlain, null, 0, null)]
    [InlineData(ImageFormat.RaucPlain, null, 2, "REQUEST_INVALID")]
    [InlineData(ImageFormat.RaucPlain, "Foo", 0, "REQUEST_INVALID")]
    [InlineData(ImageFormat.RaucVerity, "Foo", 0, null)]
    [InlineData(ImageFormat.RaucVerity, "Foo", 2, "REQUEST_INVALID")]
    [InlineData(ImageFormat.RaucVerity, null, 0, "REQUEST_INVALID")]
    [InlineData(ImageFormat.RaucVerity, "", 0, "REQUEST_INVALID")]
    [InlineData((ImageFormat)9, null, 0, "REQUEST_INVALID")]
    public void Screen_FormatSignatureAndCompatible_HaveToGoTogether(
        ImageFormat format, string? compatible, int signatureBytes, string? reason)
    {
        var request = Request(format, compatible) with { Signature = [.. new byte[signatureBytes]] };

        Assert.Equal(reason, ImageRules.Screen(null, request, Now).Error?.Reason);
    }

    [Fact]
    public void Register_BundleThatSaysWhatIsStated_IsKeptWithTheImage()
    {
        var timestamp = new ImageTimestamp(Now.AddYears(-1), "CN=Authority");
        var verdict = Verdict(Verity) with { Timestamp = timestamp };

        var image = ImageRules.Register(null, Request(ImageFormat.RaucVerity, "Foo"), verdict, Now).Next!;

        Assert.Equal(Verity, image.Bundle);
        Assert.Equal(timestamp, image.Timestamp);
        Assert.Equal(ImageFormat.RaucVerity, image.Manifest.Format);
        Assert.True(image.Signature.IsEmpty);
    }

    [Fact]
    public void Register_BundleThatSaysSomethingElse_IsRefused()
    {
        var stated = Request(ImageFormat.RaucVerity, "Foo");

        AssertMismatch("format", stated, Plain);
        AssertMismatch("format", stated, null);
        AssertMismatch("format", Request(ImageFormat.RaucPlain, null), Verity);
        AssertMismatch("format", Request(ImageFormat.Detached, null) with { Signature = [1] }, Verity);
        AssertMismatch("version", stated, Verity with { Version = "12.11.81" });
        AssertMismatch("version", stated, Verity with { Version = null });
        AssertMismatch("version", stated, Verity with { Version = "12.11.80.0" });
        AssertMismatch("compatible", stated, Verity with { Compatible = "foo" });
        Assert.Null(ImageRules.Register(null, Request(ImageFormat.RaucPlain, null), Verdict(Plain), Now).Error);
    }

    [Fact]
    public void Screen_RepeatedWithAnotherFormat_IsAnotherRequest()
    {
        var image = ImageRules.Register(null, Request(ImageFormat.RaucVerity, "Foo"), Verdict(Verity), Now).Next;

        Assert.Equal("REQUEST_ID_REUSED", ImageRules.Screen(image, Request(ImageFormat.RaucPlain, null), Now).Error?.Reason);
        Assert.Equal("REQUEST_ID_REUSED", ImageRules.Screen(image, Request(ImageFormat.RaucVerity, "Bar"), Now).Error?.Reason);
        Assert.Null(ImageRules.Screen(image, Request(ImageFormat.RaucVerity, "Foo"), Now).Error);
    }

    [Fact]
    public void Restate_OfABundle_KeepsItsFormatAndCannotContradictIt()
    {
        var request = Request(ImageFormat.RaucVerity, "Foo") with { IsHeld = true };
        var registered = ImageRules.Register(null, request, Verdict(Verity), Now).Next!;
        var draft = ImageRules.Keep(registered, servable: true, CatalogueWord.None, 0, Now).Next;
        var stated = Request(ImageFormat.Detached, null).Manifest;

        var edited = ImageLifecycle.Restate(
            draft, stated with { Stated = new ImageRelease { Notes = "Fixes." } }, Actor.Operator("anna"), CatalogueWord.None, Now);
        var contradicting = ImageLifecycle.Restate(
            draft, stated with { Version = "12.11.81" }, Actor.Operator("anna"), CatalogueWord.None, Now);

        Assert.Equal((ImageFormat.RaucVerity, "Foo", "Fixes."),
            (edited.Next.Manifest.Format, edited.Next.Manifest.Compatible, edited.Next.Manifest.Release.Notes));
        Assert.NotEqual(draft.Manifest.Fingerprint, edited.Next.Manifest.Fingerprint);
        Assert.NotEqual(draft.Manifest.Fingerprint, (draft.Manifest with { Compatible = "Bar" }).Fingerprint);
        Assert.Equal("IMAGE_BUNDLE_MISMATCH", contradicting.Error?.Reason);
    }

    [Fact]
    public void NameOf_EveryFormat_HasItsOwn() =>
        Assert.Equal(Enum.GetValues<ImageFormat>().Length, Enum.GetValues<ImageFormat>().Select(BundleRules.NameOf).Distinct().Count());

    private static ImageRequest Request(ImageFormat format, string? compatible)
    {
        Assert.True(ImageTrack.TryParse("12.11", out var track));
        var manifest = new ImageManifest("12.11.80", track, ["P3265-V"], 1_000) { Format = format, Compatible = compatible };
        return new ImageRequest(TenantId.Default, Digest, manifest, [], "request-1");
    }

    private static ImageVerdict Verdict(ImageBundle? bundle) =>
        new(new ImageContent(Digest, 1_000), new ImageSigner("CN=Publisher", new string('c', 64)), null) { Bundle = bundle };

    private static void AssertMismatch(string field, ImageRequest request, ImageBundle? found)
    {
        var decision = ImageRules.Register(null, request, Verdict(found), Now);

        Assert.Null(decision.Next);
        Assert.Equal("IMAGE_BUNDLE_MISMATCH", decision.Error?.Reason);
        Assert.Contains(decision.Error!.Metadata, detail => detail.Key == "field" && detail.Value == field);
    }
}
