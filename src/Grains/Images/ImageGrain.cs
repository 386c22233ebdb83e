using Microsoft.Extensions.Options;
using Muster.Contracts;
using Muster.Contracts.Catalogues;
using Muster.Contracts.Commit;
using Muster.Contracts.Images;
using Muster.Domain;
using Muster.Domain.Catalogues;
using Muster.Domain.Images;

namespace Muster.Grains.Images;

/// <summary>
/// An image: verified here, committed, and only then made servable (I10). The rules are <see cref="ImageRules"/> and
/// <see cref="ImageLifecycle"/>, the bytes behind <see cref="IImageVault"/>. A revocation is acknowledged when offers of the image fail in
/// the store, in every partition, whichever silo sends them.
/// </summary>
[GrainType(GrainTypes.Image)]
internal sealed class ImageGrain : Grain, IImageGrain, IDueGrain
{
    /// <summary>Of the image's fence; offers expect 0.</summary>
    internal const long FenceOfRevoked = 1;

    private static readonly Actor Catalogue = Actor.Rule("images");

    private readonly IPersistentState<ImageRecord> _record;
    private readonly StateWriter<ImageRecord> _writer;
    private readonly IImageVault _vault;
    private readonly IFenceWriter _fences;
    private readonly PartitionMap _partitions;
    private readonly ImageOptions _options;
    private readonly TimeProvider _clock;

    public ImageGrain(
        [PersistentState("image", StorageNames.Muster)] IPersistentState<ImageRecord> record,
        IImageVault vault,
        IFenceWriter fences,
        PartitionMap partitions,
        IOptions<ImageOptions> options,
        TimeProvider clock)
    {
        _record = record;
        _writer = new StateWriter<ImageRecord>(record, this);
        _vault = vault;
        _fences = fences;
        _partitions = partitions;
        _options = options.Value;
        _clock = clock;
    }

    public async Task<ImageReply> RegisterAsync(RegisterImage command)
    {
        ArgumentNullException.ThrowIfNull(command);
        var (tenant, digest) = ImageKey.Parse(this.GetPrimaryKeyString());
        var request = await RequestOfAsync(command, tenant, digest);
        var decision = ImageRules.Screen(_record.State.Image, request, _clock.GetUtcNow());
        if (decision is { Error: null, Next: null })
        {
            // That may take minutes, in which a catalogue was imported or required: it is asked again.
            var verdict = await _vault.ExamineAsync(digest, command.Manifest.Format, command.Signature);
            request = await RequestOfAsync(command, tenant, digest);
            var now = _clock.GetUtcNow();
            decision = ImageRules.Register(_record.State.Image, request, verdict, now);
            await CommitAsync(decision, command.Actor, now);
        }

        if (decision.Error is { } error)
        {
            return new ImageReply(null, error);
        }

        await KeepAsync(command.Actor);
        return await GetAsync();
    }

    public Task<ImageReply> GetAsync() => Task.FromResult(
        _record.State.Image is { State: ImageState.Draft or ImageState.Published or ImageState.Revoked } image
            ? new ImageReply(image, null) { ApprovalsNeeded = _options.ApprovalsToPublish }
            : new ImageReply(null, NotFound()));

    public Task<FleetError?> CheckUseAsync() => Task.FromResult(
        _record.State.Image is { } image ? ImageLifecycle.CheckUse(image) : NotFound());

    public async Task<ImageReply> UpdateAsync(UpdateImage command)
    {
        ArgumentNullException.ThrowIfNull(command);
        var word = await FindWordAsync();
        return await DecideAsync(
            command.Actor, (image, now) => ImageLifecycle.Restate(image, command.Manifest, command.Actor, word, now));
    }

    public async Task<ImageReply> PublishAsync(PublishImage command)
    {
        ArgumentNullException.ThrowIfNull(command);
        var word = await FindWordAsync();
        return await DecideAsync(command.Actor, (image, now) => ImageLifecycle.Approve(
            image, new PublishOrder(command.Actor, command.Roles, command.Etag, _options.ApprovalsToPublish, now) { Word = word }));
    }

    public async Task<ImageReply> RevokeAsync(RevokeImage command)
    {
        ArgumentNullException.ThrowIfNull(command);
        var reply = await DecideAsync(command.Actor, (image, now) => ImageLifecycle.Revoke(
            image, new ImageRevocation(command.Actor, command.Reason, now, command.RequestId)));
        if (reply.Error is not null)
        {
            return reply;
        }

        // Also after a repeated command: the first may have failed between its commit and the fence.
        await FenceAsync(command.Actor);
        return await GetAsync();
    }

    public async Task OnDueAsync(CancellationToken cancellationToken)
    {
        await KeepAsync(Catalogue);
        await FenceAsync(Catalogue);
    }

    private async Task<ImageRequest> RequestOfAsync(RegisterImage command, TenantId tenant, ImageDigest digest) =>
        new(tenant, digest, command.Manifest, command.Signature, command.RequestId)
        {
            UploadedBy = command.Actor,
            IsHeld = command.AsDraft || _options.ApprovalsToPublish > 0,
            Word = await FindWordAsync(),
        };

    private Task<CatalogueWord> FindWordAsync()
    {
        var (tenant, digest) = ImageKey.Parse(this.GetPrimaryKeyString());
        return GrainFactory.GetCatalogue(tenant).FindAsync(digest);
    }

    private async Task KeepAsync(Actor actor)
    {
        if (_record.State.Image is not { State: ImageState.Verified } image)
        {
            return;
        }

        // The registration may be long ago: whether it may be published is asked when it is.
        var isServable = await _vault.PublishAsync(image.Digest);
        var word = await FindWordAsync();
        var now = _clock.GetUtcNow();
        await CommitAsync(ImageRules.Keep(image, isServable, word, _options.ApprovalsToPublish, now)!, actor, now);
    }

    private async Task FenceAsync(Actor actor)
    {
        if (_record.State.Image is not { State: ImageState.Revoked, Revocation.IsFenced: false } image)
        {
            return;
        }

        // All partitions, not only those with members of rollouts that are known now: a rollout may be starting at this moment.
        await _fences.RaiseAsync(
            [.. Enumerable.Range(0, _partitions.Count)],
            ImageKey.FenceOf(image.Tenant, image.Digest.Value),
            FenceOfRevoked,
            CancellationToken.None);
        await CommitAsync(ImageLifecycle.Fence(image)!, actor, _clock.GetUtcNow());
    }

    private async Task<ImageReply> DecideAsync(Actor actor, Func<Image, DateTimeOffset, Decision<Image>> decide)
    {
        if (_record.State.Image is not { } image)
        {
            return new ImageReply(null, NotFound());
        }

        var now = _clock.GetUtcNow();
        var decision = decide(image, now);
        await CommitAsync(decision!, actor, now);
        return decision.Error is { } error ? new ImageReply(null, error) : await GetAsync();
    }

    private async Task CommitAsync(Decision<Image?> decision, Actor actor, DateTimeOffset now)
    {
        if (!decision.Events.IsEmpty)
        {
            await _writer.CommitAsync(
                _record.State with { Image = decision.Next },
                new CommitAttachments { Facts = decision.Events, Actor = actor, At = now });
        }
    }

    private FleetError NotFound() => ImageErrors.NotFound(ImageKey.Parse(this.GetPrimaryKeyString()).Digest.Value);
}
