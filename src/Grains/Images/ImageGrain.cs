using Muster.Contracts;
using Muster.Contracts.Commit;
using Muster.Contracts.Images;
using Muster.Domain;
using Muster.Domain.Images;

namespace Muster.Grains.Images;

/// <summary>
/// An image: verified here, committed, and only then made servable (I10). The rules are <see cref="ImageRules"/>, the bytes
/// behind <see cref="IImageVault"/>.
/// </summary>
[GrainType(GrainTypes.Image)]
internal sealed class ImageGrain : Grain, IImageGrain, IDueGrain
{
    private static readonly Actor Catalogue = Actor.Rule("images");

    private readonly IPersistentState<ImageRecord> _record;
    private readonly StateWriter<ImageRecord> _writer;
    private readonly IImageVault _vault;
    private readonly TimeProvider _clock;

    public ImageGrain(
        [PersistentState("image", StorageNames.Muster)] IPersistentState<ImageRecord> record, IImageVault vault, TimeProvider clock)
    {
        _record = record;
        _writer = new StateWriter<ImageRecord>(record, this);
        _vault = vault;
        _clock = clock;
    }

    public async Task<ImageReply> RegisterAsync(RegisterImage command)
    {
        ArgumentNullException.ThrowIfNull(command);
        var (tenant, digest) = ImageKey.Parse(this.GetPrimaryKeyString());
        var request = new ImageRequest(tenant, digest, command.Manifest, command.Signature, command.RequestId);
        var decision = ImageRules.Screen(_record.State.Image, request);
        if (decision is { Error: null, Next: null })
        {
            var verdict = await _vault.ExamineAsync(digest, command.Signature);
            var now = _clock.GetUtcNow();
            decision = ImageRules.Register(_record.State.Image, request, verdict, now);
            await CommitAsync(decision, command.Actor, now);
        }

        if (decision.Error is { } error)
        {
            return new ImageReply(null, error);
        }

        await PublishAsync(command.Actor);
        return await GetAsync();
    }

    public Task<ImageReply> GetAsync() => Task.FromResult(
        _record.State.Image is { State: ImageState.Published } image
            ? new ImageReply(image, null)
            : new ImageReply(null, ImageErrors.NotFound(ImageKey.Parse(this.GetPrimaryKeyString()).Digest.Value)));

    public Task OnDueAsync(CancellationToken cancellationToken) => PublishAsync(Catalogue);

    private async Task PublishAsync(Actor actor)
    {
        if (_record.State.Image is not { State: ImageState.Verified } image)
        {
            return;
        }

        var isServable = await _vault.PublishAsync(image.Digest);
        await CommitAsync(ImageRules.Publish(image, isServable)!, actor, _clock.GetUtcNow());
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
}
