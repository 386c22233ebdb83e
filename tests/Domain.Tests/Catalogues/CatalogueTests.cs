using System.Text;
using Muster.Domain.Catalogues;
using Muster.Domain.Images;

namespace Muster.Domain.Tests.Catalogues;

public sealed class CatalogueTests
{
    private static readonly DateTimeOffset Now = new(2026, 9, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly ImageDigest Digest = ImageDigest.Of(new byte[32]);
    private static readonly ImageSigner Signer = new("CN=Publisher", new string('c', 64));

    private static string Release => $$"""
        {
          "digest": "{{Digest}}", "version": "12.11.80", "track": "12.11", "models": ["Q1656", "P3265-V"], "sizeBytes": 1000,
          "releasedOn": "2026-09-01", "notes": "n", "fixedVulnerabilities": ["CVE-2026-1234", "CVE-2025-9524"], "minFromVersion": "8.40",
          "requiredSteps": ["10.12", "11.11"], "securityFloor": "12.11.60", "sbom": "https://example.com/s", "supportedUntil": "2031-12-31"
        }
        """;

    [Fact]
    public void Read_OfAllThatCanBeStated_GivesIt()
    {
        var catalogue = Read(Document(7, Release)).Catalogue!;

        Assert.Equal((7L, Now.AddDays(30), 1), (catalogue.Version, catalogue.ExpiresAt, catalogue.Releases.Length));
        var manifest = catalogue.Find(Digest)!;
        Assert.Equal(["P3265-V", "Q1656"], manifest.Models);
        Assert.Equal(["CVE-2025-9524", "CVE-2026-1234"], manifest.Release.FixedVulnerabilities);
        Assert.Equal(["10.12", "11.11"], manifest.Release.Conditions.Steps);
        Assert.Equal(new DateOnly(2031, 12, 31), manifest.Release.SupportedUntil);
        Assert.Null(catalogue.Find(ImageDigest.Of([.. Enumerable.Repeat((byte)1, 32)])));
    }

    public static TheoryData<string, string> Faults() => new()
    {
        { "no JSON", "version: 7" },
        { "another type", Document(7, Release).Replace("muster.catalogue", "muster.something", StringComparison.Ordinal) },
        { "version 0", Document(0, Release) },
        { "a field that is not known", Document(7, Release.Replace("\"notes\"", "\"remarks\"", StringComparison.Ordinal)) },
        { "a field twice", Document(7, Release.Replace("\"notes\":", "\"notes\": \"m\", \"notes\":", StringComparison.Ordinal)) },
        { "a field that is missing", Document(7, Release.Replace("\"track\": \"12.11\",", "", StringComparison.Ordinal)) },
        { "a null", Document(7, Release.Replace("\"n\"", "null", StringComparison.Ordinal)) },
        { "a digest twice", Document(7, Release + "," + Release) },
        { "a step above the version", Document(7, Release.Replace("11.11\"]", "13.0\"]", StringComparison.Ordinal)) },
        { "something behind", Document(7, Release) + "{}" },
        { "too many", Document(7, string.Join(',', Enumerable.Repeat(Release, Catalogue.ReleasesMax + 1))) },
    };

    [Theory]
    [MemberData(nameof(Faults))]
    public void Read_OfAnythingElse_IsRefused(string what, string document) =>
        Assert.True(Read(document).Error?.Reason == "CATALOGUE_INVALID", what);

    [Fact]
    public void Import_OlderOtherOrExpired_IsRefused()
    {
        var state = CatalogueRules.Import(CatalogueState.None, Of(7)).Next;

        Assert.Equal(7, state.Catalogue!.Version);
        Assert.Equal("CATALOGUE_ROLLED_BACK", CatalogueRules.Import(state, Of(6)).Error?.Reason);
        Assert.Equal("CATALOGUE_ROLLED_BACK", CatalogueRules.Import(state, Of(7) with { DocumentSha256 = "other" }).Error?.Reason);
        Assert.Equal((null, 0), (CatalogueRules.Import(state, Of(7)).Error, CatalogueRules.Import(state, Of(7)).Events.Length));
        Assert.Equal("CATALOGUE_EXPIRED", CatalogueRules.Import(state, Of(8) with { ExpiresAt = Now }).Error?.Reason);
        Assert.Equal("CATALOGUE_INVALID", CatalogueRules.Import(state, Of(8) with { IssuedAt = Now.AddHours(1) }).Error?.Reason);
        Assert.Equal(8, CatalogueRules.Import(state, Of(8)).Next.Catalogue!.Version);
    }

    [Fact]
    public void Import_AfterTheOneInForceExpired_StillTakesNoOlderOne()
    {
        var state = CatalogueRules.Import(CatalogueState.None, Of(7) with { ExpiresAt = Now.AddMinutes(1) }).Next;

        var older = CatalogueRules.Import(state, Of(6) with { ImportedAt = Now.AddDays(1) });

        Assert.Equal("CATALOGUE_ROLLED_BACK", older.Error?.Reason);
    }

    [Fact]
    public void Complete_OfAnImageInTheCatalogue_TakesItsStatement()
    {
        var word = Word();
        var bare = word.Manifest! with { Stated = null };

        Assert.Equal(word.Manifest, CatalogueRules.Complete(Digest, bare, word, Now).Manifest);
        Assert.Equal(bare, CatalogueRules.Complete(Digest, bare, word, word.ExpiresAt!.Value).Manifest);
        Assert.Equal(bare, CatalogueRules.Complete(Digest, bare, CatalogueWord.None, Now).Manifest);
    }

    [Fact]
    public void Complete_OfAStatementThatContradicts_NamesTheField()
    {
        var (word, release) = (Word(), Word().Manifest!.Release);
        (string Field, ImageManifest Stated)[] all =
        [
            ("version", word.Manifest! with { Version = "12.11.81" }),
            ("track", word.Manifest with { Track = ImageTrack.Active }),
            ("models", word.Manifest with { Models = ["P3265-V"] }),
            ("size_bytes", word.Manifest with { SizeBytes = 1 }),
            ("notes", word.Manifest with { Stated = release with { Notes = "other" } }),
            ("fixed_vulnerabilities", word.Manifest with { Stated = release with { FixedVulnerabilities = ["CVE-2020-0001"] } }),
            ("security_floor", word.Manifest with { Stated = release with { Conditions = new() { SecurityFloor = "1.0" } } }),
            ("required_steps", word.Manifest with { Stated = release with { Conditions = new() { Steps = ["1.0"] } } }),
            ("min_from_version", word.Manifest with { Stated = release with { Conditions = new() { MinFromVersion = "1.0" } } }),
        ];

        foreach (var (field, stated) in all)
        {
            var error = CatalogueRules.Complete(Digest, stated, word, Now).Error;
            Assert.Equal(("CATALOGUE_CONTRADICTED", field), (error?.Reason, error?.Metadata.Single(one => one.Key == "field").Value));
        }
    }

    [Fact]
    public void CheckPublication_ByTheCatalogue_IsDecided()
    {
        var word = Word();
        var (listed, expired) = (word.Manifest!, word with { ExpiresAt = Now });
        var unlisted = word with { Manifest = null };

        Assert.Null(CatalogueRules.CheckPublication(Digest, listed, word, Now));
        Assert.Equal("CATALOGUE_EXPIRED", CatalogueRules.CheckPublication(Digest, listed, expired, Now)?.Reason);
        Assert.Equal(
            "CATALOGUE_CONTRADICTED", CatalogueRules.CheckPublication(Digest, listed with { Stated = null }, word, Now)?.Reason);
        Assert.Null(CatalogueRules.CheckPublication(Digest, listed, unlisted, Now));
        Assert.Equal(
            "IMAGE_NOT_IN_CATALOGUE",
            CatalogueRules.CheckPublication(Digest, listed, unlisted with { IsRequired = true }, Now)?.Reason);
        Assert.Equal(
            "IMAGE_NOT_IN_CATALOGUE",
            CatalogueRules.CheckPublication(Digest, listed, CatalogueWord.None with { IsRequired = true }, Now)?.Reason);
    }

    private static CatalogueWord Word() => CatalogueRules.WordOf(CatalogueRules.Import(CatalogueState.None, Of(7)).Next, Digest);

    private static Catalogue Of(long version) => Read(Document(version, Release)).Catalogue!;

    private static string Document(long version, string releases) => $$"""
        {
          "type": "muster.catalogue/v1", "version": {{version}},
          "issuedAt": "{{Now:O}}", "expiresAt": "{{Now.AddDays(30):O}}", "releases": [{{releases}}]
        }
        """;

    private static (Catalogue? Catalogue, FleetError? Error) Read(string document) => CatalogueDocument.Read(
        Encoding.UTF8.GetBytes(document),
        new ImageContent(Digest, document.Length),
        Signer,
        Actor.Operator("anna"),
        Now);
}
