using System.Security.Cryptography;
using Muster.Contracts;
using Muster.Contracts.Commit;
using Muster.Contracts.Images;
using Muster.Domain;
using Muster.Domain.Images;
using Muster.Domain.Inventory;
using Muster.Domain.Operators;
using Muster.Grains.Tests.Lifecycle;

namespace Muster.Grains.Tests.Images;

/// <summary>Drafts, approvals and revocations of the grain; what is decided is the domain's.</summary>
public sealed class ImageStatesTests(LifecycleSilo silo) : IClassFixture<LifecycleSilo>
{
    private static readonly RegisterImage Command = new(
        Actor.Operator("anna"), "request-1", new ImageManifest("13.0.1", ImageTrack.Active, ["P3265-V"], 10), [1]);

    private static readonly RevokeImage Revocation = new(Actor.Operator("dora"), "It bricks the cameras of the harbour.", "revoke-1");

    [Fact]
    public async Task RegisterAsync_AsDraft_IsKeptListedAndOfferedToNobody()
    {
        var (image, digest, record) = Uploaded();

        var reply = await image.RegisterAsync(Command with { AsDraft = true });

        Assert.Equal(ImageState.Draft, reply.Image?.State);
        Assert.True(silo.Vault.IsServable(digest));
        Assert.Equal("IMAGE_NOT_PUBLISHED", (await image.CheckUseAsync())?.Reason);
        Assert.Equal(ImageState.Draft, Assert.IsType<ImageRow>(silo.Store.RowOf(record)).State);
        Assert.Null(silo.Store.DueAtOf(record));
        Assert.Collection(
            silo.Store.FactsOf(record),
            fact => Assert.IsType<ImageVerified>(fact.Fact),
            fact => Assert.IsType<ImageDrafted>(fact.Fact));
    }

    [Fact]
    public async Task PublishAsync_WithTwoApprovalsAskedFor_TakesTwoOthersThanTheAuthors()
    {
        silo.ImageOptions.ApprovalsToPublish = 2;
        try
        {
            var (image, _, record) = Uploaded();
            var draft = await image.RegisterAsync(Command);
            var edited = await image.UpdateAsync(
                new UpdateImage(Actor.Operator("emil"), Command.Manifest with { Stated = new ImageRelease { Notes = "Fixed." } }));
            Assert.Equal((ImageState.Draft, 2), (draft.Image!.State, draft.ApprovalsNeeded));

            Assert.Equal("APPROVER_IS_REQUESTER", (await PublishAsync(image, "anna")).Error?.Reason);
            Assert.Equal("APPROVER_IS_REQUESTER", (await PublishAsync(image, "emil")).Error?.Reason);
            Assert.Equal("IMAGE_STATEMENT_CHANGED", (await PublishAsync(image, "bert", draft.Image.Manifest)).Error?.Reason);
            Assert.Equal(ImageState.Draft, (await PublishAsync(image, "bert")).Image?.State);
            await silo.ForgetAsync(record);
            Assert.Equal(ImageState.Draft, (await PublishAsync(image, "bert")).Image?.State);
            var published = await PublishAsync(image, "carl");

            Assert.Equal((ImageState.Published, edited.Image!.Manifest), (published.Image!.State, published.Image.Manifest));
            Assert.Null(await image.CheckUseAsync());
            Assert.Equal(2, silo.Store.FactsOf(record).Count(fact => fact.Fact is ImageApproved));
            Assert.Single(silo.Store.FactsOf(record), fact => fact.Fact is ImagePublished);
        }
        finally
        {
            silo.ImageOptions.ApprovalsToPublish = 0;
        }
    }

    [Fact]
    public async Task UpdateAsync_AfterAnApproval_VoidsIt()
    {
        silo.ImageOptions.ApprovalsToPublish = 1;
        try
        {
            var (image, _, _) = Uploaded();
            await image.RegisterAsync(Command);
            silo.ImageOptions.ApprovalsToPublish = 2;
            await PublishAsync(image, "bert");

            await image.UpdateAsync(new UpdateImage(Actor.Operator("anna"), Command.Manifest with { Models = ["Q1656"] }));

            Assert.Empty((await image.GetAsync()).Image!.ValidApprovals);
            Assert.Equal(ImageState.Draft, (await PublishAsync(image, "carl")).Image?.State);
            Assert.Equal(ImageState.Published, (await PublishAsync(image, "bert")).Image?.State);
            var late = await image.UpdateAsync(new UpdateImage(Actor.Operator("anna"), Command.Manifest));
            Assert.Equal("IMAGE_STATE_INVALID", late.Error?.Reason);
        }
        finally
        {
            silo.ImageOptions.ApprovalsToPublish = 0;
        }
    }

    [Fact]
    public async Task RevokeAsync_OnceAcknowledged_IsFencedInAllPartitionsForEver()
    {
        var (image, digest, record) = Uploaded();
        await image.RegisterAsync(Command);

        var reply = await image.RevokeAsync(Revocation);
        await silo.ForgetAsync(record);
        var repeated = await image.RevokeAsync(Revocation);

        Assert.Equal(ImageState.Revoked, reply.Image?.State);
        Assert.Equal(reply.Image!.Revocation, repeated.Image!.Revocation);
        Assert.Equal((PartitionMap.CountMin, 1L), silo.Fences.Of(ImageKey.FenceOf(TenantId.Default, digest.Value)));
        Assert.Equal("IMAGE_REVOKED", (await image.CheckUseAsync())?.Reason);
        Assert.Equal("IMAGE_REVOKED", (await PublishAsync(image, "bert")).Error?.Reason);
        Assert.Equal("IMAGE_REVOKED", (await image.RegisterAsync(Command)).Error?.Reason);
        Assert.Equal("REQUEST_ID_REUSED", (await image.RevokeAsync(Revocation with { Reason = "Another." })).Error?.Reason);
        Assert.Equal("REQUEST_INVALID", (await image.RevokeAsync(Revocation with { Reason = " " })).Error?.Reason);
        var fact = Assert.Single(silo.Store.FactsOf(record), fact => fact.Fact is ImageRevoked);
        Assert.Equal((Revocation.Actor, Revocation.Reason), (fact.Actor, ((ImageRevoked)fact.Fact).Reason));
    }

    [Fact]
    public async Task RevokeAsync_WhenTheFenceIsLost_IsNotAcknowledgedAndMadeGoodByItsDate()
    {
        var (image, digest, record) = Uploaded();
        await image.RegisterAsync(Command);
        silo.Fences.FailNext = true;

        await Assert.ThrowsAsync<StoreUnavailableException>(() => image.RevokeAsync(Revocation));
        Assert.Null(silo.Fences.Of(ImageKey.FenceOf(TenantId.Default, digest.Value)));
        Assert.Equal("IMAGE_REVOKED", (await image.CheckUseAsync())?.Reason);

        await silo.ForgetAsync(record);
        Assert.Equal(1, await silo.RunDueAsync(record));
        Assert.NotNull(silo.Fences.Of(ImageKey.FenceOf(TenantId.Default, digest.Value)));
        Assert.Null(silo.Store.DueAtOf(record));
    }

    private static async Task<ImageReply> PublishAsync(IImageGrain image, string approver, ImageManifest? seen = null)
    {
        var statement = seen ?? (await image.GetAsync()).Image!.Manifest;
        return await image.PublishAsync(new PublishImage(Actor.Operator(approver), [OperatorRole.Approver], statement.Fingerprint));
    }

    private (IImageGrain Image, ImageDigest Digest, RecordKey Record) Uploaded()
    {
        var digest = ImageDigest.Of(RandomNumberGenerator.GetBytes(32));
        silo.Vault.Upload(
            digest, new ImageVerdict(new ImageContent(digest, 10), new ImageSigner("CN=Publisher", new string('c', 64)), null));
        return (
            silo.Grains.GetImage(TenantId.Default, digest),
            digest,
            new RecordKey(GrainTypes.Image, ImageKey.Of(TenantId.Default, digest)));
    }
}
