using Muster.Contracts.Commit;
using Muster.Contracts.Inventory;
using Muster.Domain.Inventory;
using Muster.Grains.Inventory.Columns;

namespace Muster.Grains.Inventory;

/// <summary>
/// A second inventory of a partition, folded from its records and its feed, to compare the first one with (I7). On the way it looks
/// whether the feed is without a gap and agrees with the records (I6).
/// </summary>
internal sealed class InventoryFold(
    int partition, IFeedReader feed, IRecordScanner records, ValuePool values, PresenceTable presence, TimeProvider clock)
{
    private static readonly RowWatches s_nobody = new();

    private readonly PartitionTables _tables = new(values, presence);
    private readonly Dictionary<RecordKey, long> _versions = [];
    private readonly ImmutableArray<string>.Builder _examples = ImmutableArray.CreateBuilder<string>();
    private FeedPosition _position;
    private string _run = "";
    private long _records;
    private long _entries;
    private long _differences;

    /// <summary>Reads the records; what was committed before this began is in them.</summary>
    public async Task ScanAsync(CancellationToken cancellationToken)
    {
        _run = await records.GetRunAsync(partition, cancellationToken);
        _position = await feed.GetEndAsync(partition, cancellationToken);
        await foreach (var record in records.ScanAsync(partition, cancellationToken))
        {
            _records += _versions.ContainsKey(record.Key) ? 0 : 1;
            Apply(record.Key, record.Version, (record.Record as IListedRecord)?.ToRow(withCold: true), record.DueAt);
        }
    }

    /// <summary>
    /// Compares with what is shown, which goes on changing meanwhile: the feed is read up to where that is, and again behind every pause.
    /// </summary>
    /// <param name="shown">What is shown at this time and the sequence up to which it is; not below what was scanned.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async Task<InventoryCheck> CompareAsync(Func<(PartitionTables Tables, long Sequence)> shown, CancellationToken cancellationToken)
    {
        await CheckFeedAsync(cancellationToken);
        if (await records.GetRunAsync(partition, cancellationToken) != _run)
        {
            throw new ScanBrokenException($"The store was restarted while partition {partition} was compared. Ask again.");
        }

        // From here on the feed's lineage would tell of a restart. Nothing is awaited between the end of the feed and what is shown there.
        var follows = await FollowAsync(() => shown().Sequence, cancellationToken);
        var (tables, _) = shown();
        var differences = follows ? tables.DifferencesTo(_tables, clock) : [];
        foreach (var difference in differences)
        {
            if (difference is not null)
            {
                Differ(difference);
                continue;
            }

            // Lets those in who wait; from here to the next pause neither side changes.
            await Task.Yield();
            if (!await FollowAsync(() => shown().Sequence, cancellationToken))
            {
                break;
            }

            if (!ReferenceEquals(tables, shown().Tables))
            {
                Differ("It was built again meanwhile: ask again.");
                break;
            }
        }

        return new InventoryCheck(_records, _entries, _differences, _examples.ToImmutable());
    }

    /// <summary>Reads the feed up to a sequence that may grow meanwhile; false when it cannot be followed.</summary>
    private async Task<bool> FollowAsync(Func<long> end, CancellationToken cancellationToken)
    {
        while (_position.Sequence < end())
        {
            var wanted = (int)Math.Min(end() - _position.Sequence, InventoryGrain.EntriesPerRead);
            var page = await feed.FollowAsync(partition, _position, wanted, cancellationToken);
            if (page.Continuity != FeedContinuity.Follows)
            {
                Differ($"The feed is {page.Continuity} behind {_position.Sequence}: ask again.");
                return false;
            }

            foreach (var entry in page.Entries)
            {
                Check(entry);
                if (entry.IsLast)
                {
                    Apply(entry.Record, entry.Version, entry.Row, entry.DueAt);
                }
            }

            _position = page.Next;
        }

        return true;
    }

    /// <summary>All that the feed still holds, up to where the scan began: without a gap, and never ahead of its records.</summary>
    private async Task CheckFeedAsync(CancellationToken cancellationToken)
    {
        var trimmed = await feed.GetTrimmedAsync(partition, cancellationToken);
        while (trimmed < _position.Sequence)
        {
            var wanted = (int)Math.Min(_position.Sequence - trimmed, InventoryGrain.EntriesPerRead);
            try
            {
                var entries = await feed.ReadAsync(partition, trimmed, wanted, cancellationToken);
                foreach (var entry in entries)
                {
                    Check(entry);
                }

                trimmed += wanted;
            }
            catch (InvalidDataException exception)
            {
                Differ(exception.Message);
                return;
            }
        }
    }

    private void Check(FeedEntry entry)
    {
        _entries++;
        var version = _versions.GetValueOrDefault(entry.Record);
        if (entry.Sequence <= _position.Sequence && entry.Version > version)
        {
            Differ($"{entry.Record}: its record is at version {version}, the feed has {entry.Version} at {entry.Sequence}.");
        }
    }

    private void Apply(RecordKey record, long version, InventoryRow? row, DateTimeOffset? dueAt)
    {
        _versions[record] = Math.Max(version, _versions.GetValueOrDefault(record));
        _tables.Apply(record, version, row, dueAt, s_nobody, clock.GetUtcNow());
    }

    private void Differ(string difference)
    {
        _differences++;
        if (_examples.Count < InventoryCheck.ExamplesMax)
        {
            _examples.Add(difference);
        }
    }
}
