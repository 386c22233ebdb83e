using Muster.Contracts;
using Muster.Contracts.Commit;
using Muster.Contracts.Inventory;

namespace Muster.Grains.Inventory;

/// <summary>What changed behind a position, for the shares of rollouts that devices may join.</summary>
internal sealed partial class InventoryGrain
{
    public async Task<ChangedMatches?> FindChangedAsync(RowQuery query, FeedPosition after)
    {
        ArgumentNullException.ThrowIfNull(query);
        if (after == _position)
        {
            return new ChangedMatches([], [], after, IsAtEnd: true);
        }

        var page = await _feed.FollowAsync(_partition, after, EntriesPerRead, CancellationToken.None);
        if (page.Continuity != FeedContinuity.Follows)
        {
            return null;
        }

        // What is shown is at least as new as the entries: a row is never older than the position that it is told with.
        await CatchUpIfBehindAsync();
        HashSet<RecordKey> changed = [.. page.Entries.Where(entry => entry.Record.Kind == query.Kind).Select(entry => entry.Record)];
        var (filter, now) = (query.ReadFilter().Filter, _clock.GetUtcNow());
        var rows = query.Kind == GrainTypes.Device
            ? _tables.Devices.Find(query, filter, changed, now)
            : _tables.Others.Find(query, filter, changed, now);
        ImmutableArray<ListedRow> matching = [.. rows.Where(row => !row.HasLeft)];
        var prefix = $"{query.Tenant}/";
        return new ChangedMatches(
            matching,
            [
                .. changed.Except(matching.Select(row => row.Record)).Select(record => record.Key)
                    .Where(key => key.StartsWith(prefix, StringComparison.Ordinal)).Select(key => key[prefix.Length..]),
            ],
            page.Next,
            page.IsAtEnd);
    }
}
