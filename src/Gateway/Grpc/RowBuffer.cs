using Muster.Contracts.Commit;
using Muster.Contracts.Inventory;

namespace Muster.Gateway.Grpc;

/// <summary>
/// The changes of rows on their way to a slow reader: of each record only the newest waits, so that a reader who falls behind
/// misses steps and never states. Bounded by <see cref="WaitingMax"/>. Counts what each partition sent, so that a loss is noticed.
/// </summary>
internal sealed class RowBuffer(int partitions) : IRowWatcher, IDisposable
{
    /// <summary>Records that wait for one reader: about 100 MB at worst, and a reader that far behind has to start anew.</summary>
    public const int WaitingMax = 100_000;

    private readonly Lock _gate = new();
    private readonly SemaphoreSlim _changed = new(0);
    private readonly Heard[] _heard = new Heard[partitions];
    private Dictionary<RecordKey, ListedRow> _waiting = [];
    private bool _signalled;
    private bool _disposed;

    public bool IsOverrun { get; private set; }

    public Task RowChangedAsync(RowChange change)
    {
        ArgumentNullException.ThrowIfNull(change);
        lock (_gate)
        {
            Put(change.Row);
            ref var heard = ref _heard[change.Partition];
            heard = heard.Lineage == change.Lineage
                ? new Heard(change.Lineage, heard.Count + 1, Math.Max(heard.Highest, change.Number))
                : new Heard(change.Lineage, 1, change.Number);
            if (!_signalled && !_disposed)
            {
                _signalled = true;
                _changed.Release();
            }
        }

        return Task.CompletedTask;
    }

    /// <summary>Whether everything came that the partition has told in this lineage.</summary>
    public bool HasAll(int partition, WatchReply told)
    {
        lock (_gate)
        {
            var heard = _heard[partition];
            return heard.Lineage == told.Lineage ? heard.Count == heard.Highest && heard.Highest >= told.Told : told.Told == 0;
        }
    }

    /// <summary>What was lost has been made up for: counted from here on.</summary>
    public void Forgive(int partition, WatchReply told)
    {
        lock (_gate)
        {
            var highest = _heard[partition].Lineage == told.Lineage ? Math.Max(_heard[partition].Highest, told.Told) : told.Told;
            _heard[partition] = new Heard(told.Lineage, highest, highest);
        }
    }

    /// <summary>What waits, or nothing when the time is over.</summary>
    public async Task<IReadOnlyCollection<ListedRow>> TakeAsync(TimeSpan timeout, CancellationToken cancellationToken)
    {
        await _changed.WaitAsync(timeout, cancellationToken);
        return Take();
    }

    /// <summary>What waits.</summary>
    public IReadOnlyCollection<ListedRow> Take()
    {
        lock (_gate)
        {
            var taken = _waiting;
            _waiting = [];
            _signalled = false;
            return taken.Values;
        }
    }

    public void Dispose()
    {
        // An inventory that does not know yet that the watch has ended goes on telling.
        lock (_gate)
        {
            _disposed = true;
            _changed.Dispose();
        }
    }

    private void Put(ListedRow row)
    {
        if (_waiting.Count >= WaitingMax && !_waiting.ContainsKey(row.Record))
        {
            IsOverrun = true;
        }
        else if (!_waiting.TryGetValue(row.Record, out var known) || known.Version <= row.Version)
        {
            _waiting[row.Record] = row;
        }
    }

    /// <summary>How many changes came, and the highest number among them: they are the same when none was lost.</summary>
    private readonly record struct Heard(Guid Lineage, long Count, long Highest);
}
