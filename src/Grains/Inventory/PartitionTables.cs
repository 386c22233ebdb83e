using System.Runtime.CompilerServices;
using Muster.Contracts.Commit;
using Muster.Domain.Inventory;
using Muster.Grains.Inventory.Columns;

namespace Muster.Grains.Inventory;

/// <summary>What one partition shows: filled from a scan of its records, then from its feed.</summary>
internal sealed class PartitionTables(ValuePool values, PresenceTable presence)
{
    public DeviceTable Devices { get; } = new(values, presence);

    public RowTable Others { get; } = new();

    public DueTable Due { get; } = new();

    public RevocationTable Revocations { get; } = new();

    /// <summary>Takes what a commit left, and tells those who watch; what is older than what is known changes nothing.</summary>
    [MethodImpl(ScanPath.Options)]
    public void Apply(
        RecordKey record, long version, InventoryRow? row, DateTimeOffset? dueAt, RowWatches watches, DateTimeOffset now)
    {
        Due.Apply(record, version, dueAt);
        switch (row)
        {
            case null:
                break;
            case DeviceRow device:
                if (Devices.Apply(device, version, watches, now))
                {
                    Revocations.Apply(record.Key, device.Revocations, now);
                }

                break;
            default:
                if (Others.Apply(record, version, row) is { } other)
                {
                    watches.Tell(other, now);
                }

                break;
        }
    }

    /// <summary>Tells those who watch what is not as it was shown before; most of a table that was built anew is.</summary>
    public void TellDifferences(PartitionTables before, RowWatches watches, DateTimeOffset now)
    {
        if (!watches.IsEmpty)
        {
            Devices.TellDifferences(before.Devices, watches, now);
            Others.TellDifferences(before.Others, watches, now);
        }
    }

    /// <summary>
    /// What is not as in the other, in words; null between them where a long comparison may pause, and both tables be changed alike.
    /// </summary>
    public IEnumerable<string?> DifferencesTo(PartitionTables fold, TimeProvider clock) => Devices.DifferencesTo(fold.Devices)
        .Concat(Others.DifferencesTo(fold.Others))
        .Concat(Due.DifferencesTo(fold.Due))
        .Concat(Revocations.DifferencesTo(fold.Revocations, clock));
}
