using System.Security.Cryptography;
using Muster.Contracts;
using Muster.Contracts.Commit;
using Muster.Contracts.Images;
using Muster.Domain;
using Muster.Domain.Images;

namespace Muster.Grains.Images;

/// <summary>
/// The secrets of links: kept in the store, made by whoever asks first when it is time. When that is, <see cref="LinkKeys"/> says.
/// </summary>
[GrainType(GrainTypes.LinkKeys)]
internal sealed class LinkKeysGrain : Grain, ILinkKeysGrain
{
    private static readonly Actor Rule = Actor.Rule("links");

    private readonly IPersistentState<LinkKeysRecord> _record;
    private readonly StateWriter<LinkKeysRecord> _writer;
    private readonly TimeProvider _clock;

    public LinkKeysGrain([PersistentState("link-keys", StorageNames.Muster)] IPersistentState<LinkKeysRecord> record, TimeProvider clock)
    {
        _record = record;
        _writer = new StateWriter<LinkKeysRecord>(record, this);
        _clock = clock;
    }

    public async Task<LinkKeys> GetAsync()
    {
        var now = _clock.GetUtcNow();
        var decision = _record.State.Keys.Roll([.. RandomNumberGenerator.GetBytes(LinkKey.SecretBytes)], now);
        if (!decision.Events.IsEmpty)
        {
            await _writer.CommitAsync(
                _record.State with { Keys = decision.Next },
                new CommitAttachments { Facts = decision.Events, Actor = Rule, At = now });
        }

        return _record.State.Keys;
    }
}
