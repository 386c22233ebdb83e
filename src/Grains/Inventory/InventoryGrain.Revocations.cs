using Muster.Contracts.Commit;
using Muster.Contracts.Revocations;
using Muster.Grains.Revocations;

namespace Muster.Grains.Inventory;

/// <summary>The tail of the partition tells gateways whose connections have to be looked at.</summary>
internal sealed partial class InventoryGrain : IRevocationsGrain
{
    /// <summary>Another one whenever the inventory was built anew: entries were passed over then that nobody was told of.</summary>
    private Guid _watched;

    /// <summary>When the store was asked last and had nothing that is not read.</summary>
    private long _watchedAt;

    public Task<RevocationReply> WatchAsync(ImmutableArray<RevocationCursor> cursors) =>
        Task.FromResult(_revocations.Follow(cursors));

    public async Task<RevocationPage> ReadSinceAsync(FeedPosition after)
    {
        var page = await _feed.FollowAsync(_partition, after, EntriesPerRead, CancellationToken.None);
        return new RevocationPage(
            page.Continuity,
            [.. page.Entries.Select(RevocationTails.Read).OfType<Revocation>()],
            page.Next,
            page.IsAtEnd);
    }
}
