using Muster.Contracts.Commit;
using Muster.Contracts.Inventory;

namespace Muster.Gateway.Grpc;

/// <summary>
/// The changes of rows on their way to a slow reader: of each record only the newest waits, so that a reader who falls behind
/// misses steps and never states. Bounded by <see cref="WaitingMax"/>. Takes what each partition told in the order of its numbers: calls
/// overtake each other on their way, and who came and went does not show in a record's version. So a loss is noticed, too.
/// </summary>
internal sealed class RowBuffer(int partitions, TimeProvider clock) : IRowWatcher, IDisposable
{
    /// <summary>Records that wait for one reader: about 100 MB at worst, and a reader that far behind has to start anew.</summary>
    public const int WaitingMax = 100_000;

    /// <summary>
    /// Changes of all partitions that wait for one before them, about 10 MB at worst. One that is behind by so many is lost, and what comes
    /// now is made up for together with it.
    /// </summary>
    public const int EarlyMax = 10_000;

    /// <summary>One that was overtaken comes within milliseconds; one that has not come in this time is lost.</summary>
    public static readonly TimeSpan OvertakenMax = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private readonly SemaphoreSlim _changed = new(0);
    private readonly Heard[] _heard = new Heard[partitions];
    private Dictionary<RecordKey, ListedRow> _waiting = [];
    private int _early;
    private bool _signalled;
    private bool _disposed;

    public bool IsOverrun { get; private set; }

    /// <summary>Whether changes wait for one that may be lost.</summary>
    public bool HasEarly
    {
        get
        {
            lock (_gate)
            {
                return _early > 0;
            }
        }
    }

    /// <summary>Whether changes have waited for so long that the one before them is lost.</summary>
    public bool HasGap
    {
        get
        {
            lock (_gate)
            {
                return _early > 0
                    && Array.Exists(_heard, heard => heard.Early is not null && clock.GetElapsedTime(heard.Since) >= OvertakenMax);
            }
        }
    }

    public Task RowChangedAsync(RowChange change)
    {
        ArgumentNullException.ThrowIfNull(change);
        lock (_gate)
        {
            Hear(change);
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
            return heard.Lineage == told.Lineage ? heard.Next > told.Told : told.Told == 0;
        }
    }

    /// <summary>What was lost has been made up for: what comes behind it is taken.</summary>
    public void Forgive(int partition, WatchReply told)
    {
        lock (_gate)
        {
            ref var heard = ref _heard[partition];
            if (heard.Lineage != told.Lineage)
            {
                Begin(ref heard, told.Lineage);
            }

            Advance(ref heard, Math.Max(heard.Next, told.Told + 1));
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

    private void Hear(RowChange change)
    {
        ref var heard = ref _heard[change.Partition];
        if (heard.Lineage != change.Lineage)
        {
            Begin(ref heard, change.Lineage);
        }

        if (change.Number == heard.Next)
        {
            Put(change.Row);
            Advance(ref heard, heard.Next + 1);
        }
        else if (change.Number > heard.Next && _early < EarlyMax)
        {
            if (heard.Early is null)
            {
                heard = heard with { Early = [], Since = clock.GetTimestamp() };
            }

            _early += heard.Early.TryAdd(change.Number, change.Row) ? 1 : 0;
        }
    }

    private void Begin(ref Heard heard, Guid lineage)
    {
        _early -= heard.Early?.Count ?? 0;
        heard = new Heard(lineage, 1, null, 0);
    }

    /// <summary>Everything before <paramref name="next"/> came, and so its time has come for some that came early.</summary>
    private void Advance(ref Heard heard, long next)
    {
        heard = heard with { Next = next };
        if (heard.Early is not { } early)
        {
            return;
        }

        while (early.Count > 0 && early.GetKeyAtIndex(0) <= heard.Next)
        {
            if (early.GetKeyAtIndex(0) == heard.Next)
            {
                Put(early.GetValueAtIndex(0));
                heard = heard with { Next = heard.Next + 1 };
            }

            early.RemoveAt(0);
            _early--;
        }

        heard = early.Count == 0 ? heard with { Early = null } : heard with { Since = clock.GetTimestamp() };
    }

    private void Put(ListedRow row)
    {
        if (_waiting.Count >= WaitingMax && !_waiting.ContainsKey(row.Record))
        {
            IsOverrun = true;
        }
        else
        {
            _waiting[row.Record] = row;
        }
    }

    /// <summary>The number that comes next, and what came before its time, with when it began to wait.</summary>
    private readonly record struct Heard(Guid Lineage, long Next, SortedList<long, ListedRow>? Early, long Since);
}
