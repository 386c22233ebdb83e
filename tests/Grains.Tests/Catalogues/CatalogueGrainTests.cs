using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Muster.Contracts;
using Muster.Contracts.Catalogues;
using Muster.Contracts.Commit;
using Muster.Contracts.Images;
using Muster.Domain;
using Muster.Domain.Catalogues;
using Muster.Domain.Images;
using Muster.Domain.Operators;
using Muster.Grains.Tests.Lifecycle;

namespace Muster.Grains.Tests.Catalogues;

/// <summary>Each test is another tenant: a tenant has one catalogue.</summary>
public sealed class CatalogueGrainTests(LifecycleSilo silo) : IClassFixture<LifecycleSilo>
{
    private static readonly Actor Anna = Actor.Operator("anna");

    [Fact]
    public async Task ImportAsync_NewerOlderAndRepeated_KeepsTheNewest()
    {
        var tenant = Tenant("rolled");
        var catalogue = silo.Grains.GetCatalogue(tenant);
        var record = new RecordKey(GrainTypes.Catalogue, tenant.Value);

        Assert.Null((await catalogue.ImportAsync(Signed(7))).Error);
        await silo.ForgetAsync(record);
        Assert.Null((await catalogue.ImportAsync(Signed(7))).Error);
        Assert.Equal("CATALOGUE_ROLLED_BACK", (await catalogue.ImportAsync(Signed(6))).Error?.Reason);
        Assert.Equal("CATALOGUE_ROLLED_BACK", (await catalogue.ImportAsync(Signed(7, days: 31))).Error?.Reason);
        Assert.Equal("CATALOGUE_SIGNATURE_INVALID", (await catalogue.ImportAsync(Signed(8) with { Signature = [2] })).Error?.Reason);
        Assert.Equal("CATALOGUE_INVALID", (await catalogue.ImportAsync(Signed(8) with { Document = [1, 2] })).Error?.Reason);

        Assert.Equal(7, (await catalogue.GetAsync()).State.Catalogue?.Version);
        Assert.Single(silo.Store.FactsOf(record), fact => fact.Fact is CatalogueImported);
    }

    [Fact]
    public async Task RegisterAsync_OfAnImageInTheCatalogue_TakesItsStatementAndNoOther()
    {
        var tenant = Tenant("stated");
        var (digest, image) = Uploaded(tenant);
        await silo.Grains.GetCatalogue(tenant).ImportAsync(Signed(1, digest));

        var other = await image.RegisterAsync(Register("13.0.2"));
        var registered = await image.RegisterAsync(Register("13.0.1"));
        var repeated = await image.RegisterAsync(Register("13.0.1"));

        Assert.Equal("CATALOGUE_CONTRADICTED", other.Error?.Reason);
        Assert.Equal((ImageState.Published, "12.0"), (registered.Image!.State, registered.Image.Manifest.Release.Conditions.SecurityFloor));
        Assert.Equal(registered.Image.Manifest, repeated.Image?.Manifest);
    }

    [Fact]
    public async Task PublishAsync_WhenTheCatalogueIsRequiredOrExpired_WaitsForOneInForce()
    {
        var tenant = Tenant("required");
        var (digest, image) = Uploaded(tenant);
        var catalogue = silo.Grains.GetCatalogue(tenant);
        await catalogue.RequireAsync(new RequireCatalogue(Anna, true));

        Assert.Equal("IMAGE_NOT_IN_CATALOGUE", (await image.RegisterAsync(Register("13.0.1"))).Error?.Reason);
        Assert.Equal(ImageState.Draft, (await image.RegisterAsync(Register("13.0.1") with { AsDraft = true })).Image?.State);
        Assert.Equal("IMAGE_NOT_IN_CATALOGUE", (await PublishAsync(image)).Error?.Reason);

        await catalogue.ImportAsync(Signed(1, digest));
        Assert.Equal("CATALOGUE_CONTRADICTED", (await PublishAsync(image)).Error?.Reason);
        await image.UpdateAsync(new UpdateImage(Anna, Register("13.0.1").Manifest));
        silo.Clock.Advance(TimeSpan.FromDays(31));
        Assert.Equal("CATALOGUE_EXPIRED", (await PublishAsync(image)).Error?.Reason);

        Assert.Null((await catalogue.ImportAsync(Signed(2, digest))).Error);
        Assert.Equal(ImageState.Published, (await PublishAsync(image)).Image?.State);
    }

    /// <summary>What is answered while the bytes are read counts: they may be read for minutes.</summary>
    [Fact]
    public async Task RequireAsync_WhileAnImageIsRead_CountsForIt()
    {
        var tenant = Tenant("read");
        var (digest, image) = Uploaded(tenant);
        silo.Vault.Meanwhile[digest] = () => silo.Grains.GetCatalogue(tenant).RequireAsync(new RequireCatalogue(Anna, true));

        Assert.Equal("IMAGE_NOT_IN_CATALOGUE", (await image.RegisterAsync(Register("13.0.1"))).Error?.Reason);
        Assert.False(silo.Vault.IsServable(digest));
        Assert.Equal("IMAGE_NOT_FOUND", (await image.GetAsync()).Error?.Reason);
    }

    /// <summary>The silo was away between the two commits for longer than the catalogue was in force.</summary>
    [Fact]
    public async Task OnDueAsync_OfAVerifiedImageThatMayNotBePublishedAnyMore_KeepsItAsADraft()
    {
        var tenant = Tenant("away");
        var (digest, image) = Uploaded(tenant);
        await silo.Grains.GetCatalogue(tenant).ImportAsync(Signed(1, digest));
        silo.Vault.Broken[digest] = true;
        await Assert.ThrowsAsync<IOException>(() => image.RegisterAsync(Register("13.0.1")));
        silo.Vault.Broken.Clear();
        var record = new RecordKey(GrainTypes.Image, ImageKey.Of(tenant, digest));
        await silo.ForgetAsync(record);
        silo.Clock.Advance(TimeSpan.FromDays(31));

        Assert.Equal(1, await silo.RunDueAsync(record));

        Assert.Equal(ImageState.Draft, (await image.GetAsync()).Image?.State);
        Assert.NotNull(await image.CheckUseAsync());
        Assert.Equal("CATALOGUE_EXPIRED", (await PublishAsync(image)).Error?.Reason);
    }

    private static TenantId Tenant(string name) => TenantId.TryParse(name, out var tenant) ? tenant : throw new FormatException(name);

    private static RegisterImage Register(string version) => new(
        Anna, "request-1", new ImageManifest(version, ImageTrack.Active, ["P3265-V"], 10), [1]);

    private static async Task<ImageReply> PublishAsync(IImageGrain image)
    {
        var etag = (await image.GetAsync()).Image!.Manifest.Fingerprint;
        return await image.PublishAsync(new PublishImage(Actor.Operator("bert"), [OperatorRole.Approver], etag));
    }

    /// <summary>A document that names the image; the silo's verifier takes the signature 1.</summary>
    private ImportCatalogue Signed(long version, ImageDigest? digest = null, int days = 30)
    {
        var now = silo.Clock.GetUtcNow();
        var release = digest is { } named
            ? $$"""{"digest":"{{named}}","version":"13.0.1","track":"active","models":["P3265-V"],"sizeBytes":10,"securityFloor":"12.0"}"""
            : "";
        var document = string.Create(CultureInfo.InvariantCulture, $$"""
            {
              "type": "muster.catalogue/v1", "version": {{version}}, "issuedAt": "{{now:O}}",
              "expiresAt": "{{now.AddDays(days):O}}", "releases": [{{release}}]
            }
            """);
        return new ImportCatalogue(Anna, [.. Encoding.UTF8.GetBytes(document)], [1]);
    }

    private (ImageDigest Digest, IImageGrain Image) Uploaded(TenantId tenant)
    {
        var digest = ImageDigest.Of(RandomNumberGenerator.GetBytes(32));
        silo.Vault.Upload(digest, new ImageVerdict(new ImageContent(digest, 10), OneVerifier.Signer, null));
        return (digest, silo.Grains.GetImage(tenant, digest));
    }
}

/// <summary>Takes the signature 1 over anything, and no other.</summary>
internal sealed class OneVerifier : IImageVerifier
{
    public static ImageSigner Signer { get; } = new("CN=Publisher", new string('c', 64));

    public ImageVerdict Verify(Stream content, ImageFormat format, ReadOnlyMemory<byte> signature, DateTimeOffset now)
    {
        var read = new ImageContent(ImageDigest.Of(SHA256.HashData(content)), content.Length);
        return signature.Span is [1]
            ? new ImageVerdict(read, Signer, null)
            : ImageVerdict.Refuse(ImageErrors.SignatureInvalid("it is not over these bytes"), read);
    }
}
