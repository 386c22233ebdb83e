using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Muster.Contracts.Commit;

namespace Muster.Grains.Inventory;

/// <summary>Tells how far durable readers are behind, of the partitions whose inventory is in this silo.</summary>
internal sealed class FeedInstruments
{
    public const string MeterName = "Muster.Feed";

    public const string LagName = "muster_feed_reader_lag";

    private readonly ConcurrentDictionary<int, ReaderLag> _slowest = new();
    private readonly Counter<long> _letGo;

    public FeedInstruments(IMeterFactory meters)
    {
        var meter = meters.Create(MeterName);
        meter.CreateObservableGauge(
            LagName, Observe, "{entry}", "Entries that the slowest durable reader of a partition's feed is behind, as of the newest trim");
        _letGo = meter.CreateCounter<long>(
            "muster_feed_readers_let_go_total", "{reader}", "Durable readers that were further behind than they may hold up trimming");
    }

    /// <param name="partition">One whose inventory is in this silo.</param>
    /// <param name="slowest">Null when there is none, or when the inventory is no longer here.</param>
    public void Set(int partition, ReaderLag? slowest)
    {
        if (slowest is null)
        {
            _slowest.TryRemove(partition, out _);
        }
        else
        {
            _slowest[partition] = slowest;
        }
    }

    public void CountLetGo() => _letGo.Add(1);

    private IEnumerable<Measurement<long>> Observe() => _slowest.Select(pair => new Measurement<long>(
        pair.Value.Entries,
        new KeyValuePair<string, object?>("partition", pair.Key),
        new KeyValuePair<string, object?>("reader", pair.Value.Reader)));
}
