using Muster.Contracts;
using Muster.Contracts.Commit;
using Muster.Contracts.Inventory;
using Muster.Domain.Devices;
using Muster.Domain.Inventory;

namespace Muster.Grains.Inventory;

/// <summary>
/// The newest part of a partition's feed as its tail read it, for the shares of rollouts: the fingerprints of all entries, and of those
/// that a share looks at what it needs. Rows are not kept.
/// </summary>
internal sealed class TailRing
{
    /// <summary>
    /// A share asks a quarter of a second behind news of its rollout, and every ten seconds otherwise; what is older is read from the
    /// store. 8 kB per partition, and the changes among them.
    /// </summary>
    public const int EntriesMax = 1_024;

    private readonly ulong[] _fingerprints = new ulong[EntriesMax + 1];
    private readonly Queue<(long Sequence, DeviceChange Change)> _changes = new();
    private long _start;
    private long _end;

    /// <summary>Forgets all; what is added next follows the position.</summary>
    public void Restart(FeedPosition position)
    {
        _changes.Clear();
        _start = _end = position.Sequence;
        _fingerprints[_end % _fingerprints.Length] = position.Fingerprint;
    }

    /// <summary>The entry behind the newest; what a share looks at of it, null for nothing.</summary>
    public DeviceChange? Add(FeedEntry entry)
    {
        _end = entry.Sequence;
        _start = Math.Max(_start, _end - EntriesMax);
        _fingerprints[_end % _fingerprints.Length] = entry.Fingerprint;
        while (_changes.TryPeek(out var oldest) && oldest.Sequence <= _start)
        {
            _changes.Dequeue();
        }

        var change = ChangeOf(entry);
        if (change is not null)
        {
            _changes.Enqueue((entry.Sequence, change));
        }

        return change;
    }

    /// <summary>Null when the position is not in here.</summary>
    public TailPage? Find(FeedPosition after)
    {
        if (after.Sequence < _start || after.Sequence > _end || FingerprintAt(after.Sequence) != after.Fingerprint)
        {
            return null;
        }

        ImmutableArray<DeviceChange> changes = after.Sequence == _end
            ? []
            : [.. _changes.Where(kept => kept.Sequence > after.Sequence).Select(kept => kept.Change)];
        return new TailPage(FeedContinuity.Follows, changes, new FeedPosition(_end, FingerprintAt(_end)), IsAtEnd: true);
    }

    /// <summary>The same of a page that was read from the store.</summary>
    public static TailPage PageOf(FeedPage page) =>
        new(page.Continuity, [.. page.Entries.Select(ChangeOf).OfType<DeviceChange>()], page.Next, page.IsAtEnd);

    private static DeviceChange? ChangeOf(FeedEntry entry)
    {
        var isOutOfService = entry.Row is DeviceRow { State: not DeviceState.InService };
        return entry.Record.Kind == GrainTypes.Device
            && (isOutOfService
                || entry.Fact is ChangeOffered or ChangeDelivered or ChangeClosed or ChangeProgressed { Install: not InstallStart.None })
            ? new DeviceChange(entry.Record, entry.At, entry.Fact, isOutOfService)
            : null;
    }

    private ulong FingerprintAt(long sequence) => _fingerprints[sequence % _fingerprints.Length];
}
