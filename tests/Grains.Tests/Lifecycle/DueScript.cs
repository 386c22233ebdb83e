using System.Collections.Concurrent;
using System.Collections.Immutable;
using Muster.Contracts.Commit;
using Muster.Contracts.Inventory;

namespace Muster.Grains.Tests.Lifecycle;

/// <summary>Records that are due for ever, in this order, and count how often each is called.</summary>
internal sealed class DueScript(ImmutableArray<RecordKey> records, Func<RecordKey, Task> call)
{
    private readonly ConcurrentDictionary<RecordKey, int> _calls = new();

    public int CallsOf(RecordKey record) => _calls.GetValueOrDefault(record);

    public DueRecords Records() => new(records, null);

    public bool Knows(GrainId grain) => records.Any(record => GrainId.Create(record.Kind, record.Key) == grain);

    public Task CallAsync(GrainId grain)
    {
        var record = records.Single(record => GrainId.Create(record.Kind, record.Key) == grain);
        _calls.AddOrUpdate(record, 1, (_, calls) => calls + 1);
        return call(record);
    }
}
