using System.Security.Cryptography;
using Muster.Contracts;
using Muster.Contracts.Commit;
using Muster.Contracts.Images;
using Muster.Domain;
using Muster.Domain.Images;
using Muster.Domain.Inventory;
using Muster.Grains.Tests.Lifecycle;

namespace Muster.Grains.Tests.Images;

public sealed class ImageGrainTests(LifecycleSilo silo) : IClassFixture<LifecycleSilo>
{
    private static readonly Actor Anna = Actor.Operator("anna");
    private static readonly ImageSigner Signer = new("CN=Publisher", new string('c', 64));
    private static readonly RegisterImage Command = new(
        Anna, "request-1", new ImageManifest("13.0.1", ImageTrack.Active, ["P3265-V"], 10), [1]);

    [Fact]
    public async Task RegisterAsync_VerifiedBytes_AreCommittedThenServable()
    {
        var (image, digest, record) = Uploaded();

        var reply = await image.RegisterAsync(Command);

        Assert.Null(reply.Error);
        Assert.Equal(ImageState.Published, reply.Image!.State);
        Assert.True(silo.Vault.IsServable(digest));
        Assert.Collection(
            silo.Store.FactsOf(record),
            fact => Assert.IsType<ImageVerified>(fact.Fact),
            fact => Assert.IsType<ImagePublished>(fact.Fact));
        Assert.Equal(digest.Value, Assert.IsType<ImageRow>(silo.Store.RowOf(record)).Name);
        Assert.Null(silo.Store.DueAtOf(record));
    }

    [Fact]
    public async Task RegisterAsync_RefusedBySilo_LeavesNothing()
    {
        var (image, digest, record) = Uploaded();
        silo.Vault.Upload(digest, ImageVerdict.Refuse(ImageErrors.SignatureInvalid("it is not over these bytes")));

        var reply = await image.RegisterAsync(Command);

        Assert.Equal("IMAGE_SIGNATURE_INVALID", reply.Error?.Reason);
        Assert.False(silo.Vault.IsServable(digest));
        Assert.Empty(silo.Store.FactsOf(record));
        Assert.Equal("IMAGE_NOT_FOUND", (await image.GetAsync()).Error?.Reason);
    }

    [Fact]
    public async Task RegisterAsync_OtherBytesThanNamed_AreRefused()
    {
        var (image, digest, _) = Uploaded();
        silo.Vault.Upload(digest, new ImageVerdict(new ImageContent(NewDigest(), 10), Signer, null));

        Assert.Equal("IMAGE_DIGEST_MISMATCH", (await image.RegisterAsync(Command)).Error?.Reason);
        Assert.False(silo.Vault.IsServable(digest));
    }

    [Fact]
    public async Task RegisterAsync_NeverUploaded_IsRefused()
    {
        var image = silo.Grains.GetImage(TenantId.Default, NewDigest());

        Assert.Equal("IMAGE_NOT_FOUND", (await image.RegisterAsync(Command)).Error?.Reason);
    }

    [Fact]
    public async Task RegisterAsync_Repeated_AnswersTheSameWithoutReadingAgain()
    {
        var (image, digest, record) = Uploaded();

        var first = await image.RegisterAsync(Command);
        await silo.ForgetAsync(record);
        var second = await image.RegisterAsync(Command);

        Assert.Equal(first.Image!.CreatedAt, second.Image!.CreatedAt);
        Assert.Equal(1, silo.Vault.ExaminationsOf(digest));
        Assert.Equal("ALREADY_EXISTS", (await image.RegisterAsync(Command with { RequestId = "request-2" })).Error?.Reason);
    }

    [Theory]
    [InlineData(WriteFault.Lost)]
    [InlineData(WriteFault.ReplyLost)]
    public async Task RegisterAsync_WhenTheWriteFails_NothingIsServableUntilItIsCommitted(WriteFault fault)
    {
        var (image, digest, record) = Uploaded();
        silo.Store.FailNextWrite(record, fault);

        await Assert.ThrowsAsync<StoreUnavailableException>(() => image.RegisterAsync(Command));
        Assert.False(silo.Vault.IsServable(digest));
        Assert.Equal("IMAGE_NOT_FOUND", (await image.GetAsync()).Error?.Reason);

        Assert.Null((await image.RegisterAsync(Command)).Error);
        Assert.True(silo.Vault.IsServable(digest));
        Assert.Single(silo.Store.FactsOf(record), fact => fact.Fact is ImageVerified);
    }

    [Fact]
    public async Task OnDueAsync_AfterACrashBeforePublication_Publishes()
    {
        var (image, digest, record) = Uploaded();
        silo.Vault.Broken[digest] = true;
        await Assert.ThrowsAsync<IOException>(() => image.RegisterAsync(Command));
        Assert.Equal("IMAGE_NOT_FOUND", (await image.GetAsync()).Error?.Reason);
        Assert.NotNull(silo.Store.DueAtOf(record));
        silo.Vault.Broken.Clear();
        await silo.ForgetAsync(record);

        Assert.Equal(1, await silo.RunDueAsync(record));

        Assert.Equal(ImageState.Published, (await image.GetAsync()).Image?.State);
        Assert.True(silo.Vault.IsServable(digest));
    }

    [Fact]
    public async Task RegisterAsync_BytesVanished_IsNoImageAndMayBeUploadedAgain()
    {
        var (image, digest, record) = Uploaded();
        silo.Vault.Vanished[digest] = true;

        Assert.Equal("IMAGE_NOT_FOUND", (await image.RegisterAsync(Command)).Error?.Reason);
        Assert.Null(silo.Store.DueAtOf(record));
        Assert.Null(silo.Store.RowOf(record));

        silo.Vault.Vanished.Clear();
        Assert.Equal(ImageState.Published, (await image.RegisterAsync(Command)).Image?.State);
    }

    private static ImageDigest NewDigest() => ImageDigest.Of(RandomNumberGenerator.GetBytes(32));

    private (IImageGrain Image, ImageDigest Digest, RecordKey Record) Uploaded()
    {
        var digest = NewDigest();
        silo.Vault.Upload(digest, new ImageVerdict(new ImageContent(digest, 10), Signer, null));
        return (
            silo.Grains.GetImage(TenantId.Default, digest),
            digest,
            new RecordKey(GrainTypes.Image, ImageKey.Of(TenantId.Default, digest)));
    }
}
