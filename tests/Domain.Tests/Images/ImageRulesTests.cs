using System.Collections.Immutable;
using Muster.Domain.Catalogues;
using Muster.Domain.Images;
using Muster.Domain.Inventory;

namespace Muster.Domain.Tests.Images;

public sealed class ImageRulesTests
{
    private static readonly DateTimeOffset Now = new(2026, 9, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly ImageSigner Signer = new("CN=Publisher", new string('c', 64));
    private static readonly ImageDigest Digest = Parse(new string('a', 64));

    private static ImageRequest Request { get; } = new(
        TenantId.Default, Digest, new ImageManifest("12.11.80", Track("12.11"), ["M3215", "P3265-V"], 1_000), [1, 2], "request-1");

    private static ImageVerdict Good { get; } = new(new ImageContent(Digest, 1_000), Signer, null);

    [Fact]
    public void Register_VerifiedBytes_GivesAVerifiedImageThatNobodySees()
    {
        var decision = ImageRules.Register(null, Request, Good, Now);

        Assert.Null(decision.Error);
        Assert.Equal(ImageState.Verified, decision.Next!.State);
        Assert.Equal(Signer, decision.Next.Signer);
        Assert.IsType<ImageVerified>(Assert.Single(decision.Events));
        Assert.Null(ImageRow.Of(decision.Next));
    }

    /// <summary>From another installation: what that one found in the bytes is its own word.</summary>
    [Fact]
    public void Describe_AnImageFromElsewhere_SaysWhatWasFoundHere()
    {
        var image = ImageRules.Register(null, Request, Good, Now).Next! with
        {
            Signer = new ImageSigner("CN=of the file", new string('f', 64)),
            Timestamp = new ImageTimestamp(Now, "CN=of the file"),
        };

        var described = ImageRules.Describe(image, Good);

        Assert.Equal((Signer, Good.Timestamp), (described.Signer, described.Timestamp));
        Assert.Equal((image.Digest, image.State), (described.Digest, described.State));
    }

    [Fact]
    public void Register_BytesOfAnotherDigest_AreRefused()
    {
        var other = Good with { Content = new ImageContent(Parse(new string('b', 64)), 1_000) };

        Assert.Equal("IMAGE_DIGEST_MISMATCH", ImageRules.Register(null, Request, other, Now).Error?.Reason);
    }

    [Fact]
    public void Register_AnotherSizeThanStated_IsRefused()
    {
        var other = Good with { Content = new ImageContent(Digest, 999) };

        Assert.Equal("IMAGE_DIGEST_MISMATCH", ImageRules.Register(null, Request, other, Now).Error?.Reason);
    }

    [Fact]
    public void Register_RefusedByTheVerifier_GivesItsReason()
    {
        var refused = ImageVerdict.Refuse(ImageErrors.CertificateUntrusted("CN=x"));

        Assert.Equal("IMAGE_CERTIFICATE_UNTRUSTED", ImageRules.Register(null, Request, refused, Now).Error?.Reason);
    }

    [Fact]
    public void Register_VerdictWithoutSigner_NeverMakesAnImage()
    {
        Assert.NotNull(ImageRules.Register(null, Request, Good with { Signer = null }, Now).Error);
        Assert.NotNull(ImageRules.Register(null, Request, Good with { Content = null }, Now).Error);
    }

    [Fact]
    public void Screen_TheSameRequestAgain_GivesTheImage()
    {
        var image = Published();

        var decision = ImageRules.Screen(image, Request, Now);

        Assert.Null(decision.Error);
        Assert.Same(image, decision.Next);
    }

    [Fact]
    public void Screen_AnotherRequestOrAnotherStatement_IsRefused()
    {
        var image = Published();

        Assert.Equal("ALREADY_EXISTS", ImageRules.Screen(image, Request with { RequestId = "request-2" }, Now).Error?.Reason);
        Assert.Equal("ALREADY_EXISTS", ImageRules.Screen(image, Request with { RequestId = "" }, Now).Error?.Reason);
        var restated = Request with { Manifest = Request.Manifest with { Version = "12.11.81" } };
        Assert.Equal("REQUEST_ID_REUSED", ImageRules.Screen(image, restated, Now).Error?.Reason);
    }

    [Fact]
    public void Screen_LostImage_MayBeRegisteredAgain()
    {
        var decision = ImageRules.Screen(Published() with { State = ImageState.Lost }, Request, Now);

        Assert.Null(decision.Error);
        Assert.Null(decision.Next);
    }

    [Theory]
    [InlineData("version", "twelve", "12.11", "P3265-V", 1, 1, "REQUEST_INVALID")]
    [InlineData("track of another line", "12.11.80", "10.12", "P3265-V", 1, 1, "REQUEST_INVALID")]
    [InlineData("no model", "12.11.80", "12.11", "", 1, 1, "REQUEST_INVALID")]
    [InlineData("model twice", "12.11.80", "12.11", "A,A", 1, 1, "REQUEST_INVALID")]
    [InlineData("model with a space", "12.11.80", "12.11", "A B", 1, 1, "REQUEST_INVALID")]
    [InlineData("no bytes", "12.11.80", "12.11", "A", 0, 1, "REQUEST_INVALID")]
    [InlineData("too large", "12.11.80", "12.11", "A", ImageManifest.SizeBytesMax + 1, 1, "IMAGE_TOO_LARGE")]
    [InlineData("unsigned", "12.11.80", "12.11", "A", 1, 0, "IMAGE_UNSIGNED")]
    [InlineData("long signature", "12.11.80", "12.11", "A", 1, ImageManifest.SignatureBytesMax + 1, "IMAGE_SIGNATURE_INVALID")]
    [InlineData("any version on active", "13.1.4", "active", "A,B", 1, 1, null)]
    public void Screen_BadRequest_IsRefusedBeforeBytesAreRead(
        string what, string version, string track, string models, long size, int signatureBytes, string? reason)
    {
        var manifest = new ImageManifest(version, Track(track), [.. models.Split(',', StringSplitOptions.RemoveEmptyEntries)], size);
        var request = Request with { Manifest = manifest, Signature = [.. new byte[signatureBytes]] };

        Assert.True(reason == ImageRules.Screen(null, request, Now).Error?.Reason, what);
    }

    [Theory]
    [InlineData(false, ImageState.Published)]
    [InlineData(true, ImageState.Draft)]
    public void Keep_EveryState_IsDecided(bool isHeld, ImageState kept)
    {
        var verified = Published() with { State = ImageState.Verified, IsHeld = isHeld };

        foreach (var state in Enum.GetValues<ImageState>().Where(state => state != ImageState.Unspecified))
        {
            var image = verified with { State = state };
            Assert.Equal(
                state == ImageState.Verified ? kept : state,
                ImageRules.Keep(image, servable: true, CatalogueWord.None, 0, Now).Next.State);
            Assert.Equal(
                state == ImageState.Verified ? ImageState.Lost : state,
                ImageRules.Keep(image, servable: false, CatalogueWord.None, 0, Now).Next.State);
        }
    }

    /// <summary>As it is when it is published, whatever it was when it was registered.</summary>
    [Theory]
    [InlineData("nothing changed", ImageState.Published)]
    [InlineData("approvals", ImageState.Draft)]
    [InlineData("required", ImageState.Draft)]
    [InlineData("expired", ImageState.Draft)]
    [InlineData("contradicted", ImageState.Draft)]
    public void Keep_OfWhatMayNotBePublishedAnyMore_MakesADraft(string change, ImageState kept)
    {
        var verified = Published() with { State = ImageState.Verified };
        var word = change switch
        {
            "required" => CatalogueWord.None with { IsRequired = true },
            "expired" => new CatalogueWord(verified.Manifest, true, 1, Now),
            "contradicted" => new CatalogueWord(verified.Manifest with { Version = "12.11.81" }, false, 1, Now.AddDays(1)),
            _ => new CatalogueWord(verified.Manifest, true, 1, Now.AddDays(1)),
        };

        var next = ImageRules.Keep(verified, servable: true, word, change == "approvals" ? 1 : 0, Now).Next;

        Assert.Equal((kept, kept == ImageState.Draft), (next.State, next.IsHeld));
    }

    [Theory]
    [InlineData("active", true)]
    [InlineData("12.11", true)]
    [InlineData("Active", false)]
    [InlineData("12", false)]
    [InlineData("12.11.1", false)]
    [InlineData("012.11", false)]
    [InlineData("12.11\n", false)]
    [InlineData("", false)]
    [InlineData(null, false)]
    public void ImageTrack_TryParse_TakesActiveAndLines(string? text, bool isTrack) =>
        Assert.Equal(isTrack, ImageTrack.TryParse(text, out _));

    [Theory]
    [InlineData(64, 'a', true)]
    [InlineData(64, 'A', false)]
    [InlineData(64, 'g', false)]
    [InlineData(63, 'a', false)]
    [InlineData(65, 'a', false)]
    public void ImageDigest_TryParse_TakesLowerCaseHex(int length, char digit, bool isDigest) =>
        Assert.Equal(isDigest, ImageDigest.TryParse(new string(digit, length), out _));

    [Fact]
    public void ImageRow_Published_ShowsWhatFiltersName()
    {
        var row = ImageRow.Of(Published())!;

        ImmutableArray<string> values =
            [.. InventoryFields.Image
                .Where(field => field.Type is not (FieldType.Time or FieldType.Map))
                .Select(field => field.Show(row.Field(field.Name, "")))];
        Assert.Equal([Digest.Value, "PUBLISHED", "12.11.80", "12.11", "detached", "", ""], values);
        Assert.Equal(FieldValue.Of(row.CreatedAt), row.Field("created_at", ""));
    }

    private static Image Published() =>
        ImageRules.Keep(ImageRules.Register(null, Request, Good, Now).Next!, servable: true, CatalogueWord.None, 0, Now).Next;

    private static ImageTrack Track(string text) => ImageTrack.TryParse(text, out var track) ? track : throw new FormatException(text);

    private static ImageDigest Parse(string text) => ImageDigest.TryParse(text, out var digest) ? digest : throw new FormatException(text);
}
