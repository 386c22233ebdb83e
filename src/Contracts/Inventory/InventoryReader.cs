using Muster.Contracts.Commit;
using Muster.Domain;

namespace Muster.Contracts.Inventory;

/// <summary>
/// Reads all partitions as one list, in bounded batches. One that is being read from the store does not answer until it is: the others'
/// number is what is said then, in less time than the question's own.
/// </summary>
public sealed class InventoryReader(IReadOnlyList<IInventoryGrain> partitions, TimeProvider clock)
{
    /// <summary>
    /// Partitions asked at a time, by default all: a question waits for its turn in a busy silo once, and not once for each batch. What
    /// they answer is held until the page is made anyway: their shares of it and some rows each, two thousand rows for the largest page.
    /// </summary>
    public const int PartitionsAtOnce = PartitionMap.CountDefault;

    /// <summary>Rows asked of each partition beyond its share of the page, because names never spread evenly.</summary>
    private const int Spare = 4;

    /// <summary>A question to a grain that ended by its time has waited long enough; this is for one that ends at once.</summary>
    private static readonly TimeSpan AskAgainDelay = TimeSpan.FromMilliseconds(100);

    /// <summary>In a grain the answer has to come before the question has lost its caller (<see cref="CallTimeouts.Commit"/>).</summary>
    public TimeSpan AnswerWithin { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>The first rows of all partitions that match, in the query's order.</summary>
    public async Task<PageOfAll> ListAsync(RowQuery query, CancellationToken stop)
    {
        ArgumentNullException.ThrowIfNull(query);
        var (order, error) = query.ReadOrder();
        if (error is not null)
        {
            return new PageOfAll(new RowPage([], true, error), partitions.Count);
        }

        var begun = clock.GetTimestamp();
        var inOrder = Comparer<ListedRow>.Create((left, right) => order.Compare(left.Keys, left.Row.Name, right.Keys, right.Row.Name));
        var sources = partitions.Select(partition => new Source(partition, query)).ToArray();
        var chunk = Math.Min(RowQuery.RowsLimit, (query.RowsMax / partitions.Count) + Spare);

        // One row more than the page tells whether there is a next one.
        var wanted = query.RowsMax + 1;
        var rows = new List<ListedRow>(wanted);
        for (var behind = sources; behind.Length > 0; behind = Merge(sources, wanted, inOrder, rows))
        {
            var rowsMax = chunk;
            var answered = await ForEachAsync(
                behind, begun, source => source.ReadAsync(rowsMax), (source, page) => source.Take(page), stop);
            error = behind.FirstOrDefault(source => source.Error is not null)?.Error;
            if (error is not null || answered < behind.Length)
            {
                return new PageOfAll(
                    new RowPage([], true, error), error is null ? partitions.Count - (behind.Length - answered) : partitions.Count);
            }

            chunk = Math.Min(RowQuery.RowsLimit, chunk * 2);
        }

        return new PageOfAll(new RowPage([.. rows.Take(query.RowsMax)], rows.Count <= query.RowsMax, null), partitions.Count);
    }

    /// <summary>How many rows of all partitions match; each counts its own.</summary>
    public async Task<CountsOfAll> CountAsync(RowQuery query, string groupBy, CancellationToken stop)
    {
        ArgumentNullException.ThrowIfNull(query);
        var asked = query with { TakesCells = true };
        var parts = new List<RowCounts>(partitions.Count);
        var answered = await ForEachAsync(
            partitions,
            clock.GetTimestamp(),
            partition => partition.CountAsync(asked, groupBy),
            (_, part) => parts.Add(part),
            stop);
        return new CountsOfAll(RowCounts.Sum(parts), answered)
        {
            HasTooMany = parts.Exists(part => part.GroupCount > RowCounts.GroupsMax),
        };
    }

    /// <summary>How many have answered in time. A question that ended by its time is asked again, while there is time.</summary>
    private async Task<int> ForEachAsync<T, TAnswer>(
        IReadOnlyCollection<T> items, long begun, Func<T, Task<TAnswer>> ask, Action<T, TAnswer> take, CancellationToken stop)
    {
        var answered = 0;
        var gate = new Lock();

        // In a grain its own scheduler: what is taken is taken by one at a time.
        var options = new ParallelOptions
        {
            MaxDegreeOfParallelism = PartitionsAtOnce,
            TaskScheduler = TaskScheduler.Current,
            CancellationToken = stop,
        };
        await Parallel.ForEachAsync(items, options, async (item, over) =>
        {
            while (AnswerWithin - clock.GetElapsedTime(begun) is { Ticks: > 0 } left)
            {
                try
                {
                    var answer = await ask(item).WaitAsync(left, clock, over);
                    lock (gate)
                    {
                        take(item, answer);
                        answered++;
                    }

                    return;
                }
                catch (TimeoutException)
                {
                    await Task.Delay(AskAgainDelay, clock, over);
                }
            }
        });
        return answered;
    }

    /// <summary>
    /// The first rows of all sources, each of which is in order. Those that gave all they had and have more to read may hold a row before
    /// the last of them, and are returned.
    /// </summary>
    private static Source[] Merge(Source[] sources, int wanted, Comparer<ListedRow> inOrder, List<ListedRow> rows)
    {
        var heads = new PriorityQueue<(Source Source, int At), ListedRow>(inOrder);
        heads.EnqueueRange(sources.Where(source => source.Rows.Count > 0).Select(source => ((source, 0), source.Rows[0])));
        rows.Clear();
        List<Source> spent = [.. sources.Where(source => source is { IsDone: false, Rows.Count: 0 })];
        while (rows.Count < wanted && heads.TryDequeue(out var head, out var row))
        {
            rows.Add(row);
            if (head.At + 1 < head.Source.Rows.Count)
            {
                heads.Enqueue((head.Source, head.At + 1), head.Source.Rows[head.At + 1]);
            }
            else if (!head.Source.IsDone)
            {
                spent.Add(head.Source);
            }
        }

        // The last row itself has nothing before it.
        return rows.Count == wanted && spent.Count > 0 && ReferenceEquals(spent[^1].Rows[^1], rows[^1])
            ? [.. spent[..^1]]
            : [.. spent];
    }

    /// <summary>How far one partition was read.</summary>
    private sealed class Source(IInventoryGrain partition, RowQuery query)
    {
        private RowQuery _next = query;

        public bool IsDone { get; private set; }

        public FleetError? Error { get; private set; }

        public List<ListedRow> Rows { get; } = [];

        public Task<RowPage> ReadAsync(int rowsMax) => partition.ListAsync(_next with { RowsMax = rowsMax });

        public void Take(RowPage page)
        {
            Rows.AddRange(page.Rows);
            Error = page.Error;
            IsDone = page.IsLast || page.Rows.IsEmpty;
            if (!page.Rows.IsEmpty)
            {
                _next = _next with { After = page.Rows[^1].Row.Name, AfterKeys = page.Rows[^1].Keys };
            }
        }
    }
}
