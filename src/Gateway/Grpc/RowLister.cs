using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Globalization;
using System.Runtime.CompilerServices;
using Microsoft.Extensions.Options;
using Muster.Contracts;
using Muster.Contracts.Commit;
using Muster.Contracts.Inventory;
using Muster.Domain;

namespace Muster.Gateway.Grpc;

/// <summary>What is listed.</summary>
/// <param name="Tenant">The tenant.</param>
/// <param name="Kind">A name of <see cref="Contracts.GrainTypes"/>.</param>
/// <param name="Filter">As the caller wrote it.</param>
/// <param name="OrderBy">As the caller wrote it; empty for the order of the names.</param>
internal sealed record Listing(TenantId Tenant, string Kind, string Filter, string OrderBy = "")
{
    /// <summary>What a page token is bound to.</summary>
    public string Query => $"{Tenant}\n{Kind}\n{Filter}\n{OrderBy}";

    public RowQuery Rows(PagePlace after, int rowsMax) =>
        new(Tenant, Kind, Filter, after.Name, rowsMax) { OrderBy = OrderBy, AfterKeys = after.Keys };
}

/// <summary>A page of rows.</summary>
internal sealed record ListedPage(ImmutableArray<ListedRow> Rows, string NextPageToken);

/// <summary>
/// Lists rows of all partitions in one order, in bounded batches. A partition that is being read from the store does not answer until it
/// is: it is asked again as long as the call may take.
/// </summary>
internal sealed class RowLister(IGrainFactory grains, PartitionMap partitions, IOptions<OperatorsOptions> options, TimeProvider clock)
{
    /// <summary>AIP-158: what a caller gets who asks for nothing.</summary>
    public const int PageSizeDefault = 50;

    /// <summary>Partitions asked at a time: hides the round trips and floods no silo.</summary>
    public const int PartitionsAtOnce = 32;

    /// <summary>Rows asked of each partition beyond its share of the page, because names never spread evenly.</summary>
    private const int Spare = 4;

    /// <summary>A question to a grain that ended by its time has waited long enough; this is for one that ends at once.</summary>
    private static readonly TimeSpan AskAgainDelay = TimeSpan.FromMilliseconds(100);

    /// <summary>What is asked last has to be answered before the call's own time is over, which says less than we do.</summary>
    private readonly TimeSpan _insistMax =
        options.Value.CallTimeout - TimeSpan.Parse(CallTimeouts.Commit, CultureInfo.InvariantCulture) - TimeSpan.FromSeconds(1);

    // Made once: the factory looks at the interface's attributes every time.
    private readonly IInventoryGrain[] _inventories = [.. Enumerable.Range(0, partitions.Count).Select(grains.GetInventory)];

    public async Task<ListedPage> ListAsync(Listing listing, int pageSize, string pageToken, CancellationToken cancellationToken)
    {
        var size = pageSize == 0 ? PageSizeDefault : pageSize;
        var (order, error) = listing.Rows(PagePlace.Start, 1).ReadOrder();
        if (error is not null)
        {
            throw FleetErrors.ToRpcException(error);
        }

        var after = PageTokens.Read(listing.Query, pageToken, order.Keys.Length);
        var inOrder = Comparer<ListedRow>.Create((left, right) => order.Compare(left.Keys, left.Row.Name, right.Keys, right.Row.Name));
        var sources = Enumerable.Range(0, partitions.Count).Select(partition => new Source(partition, after)).ToArray();
        var chunk = Math.Min(RowQuery.RowsLimit, (size / partitions.Count) + Spare);

        // One row more than the page tells whether there is a next one.
        var wanted = size + 1;
        var behind = sources;
        var rows = new List<ListedRow>(wanted);
        while (behind.Length > 0)
        {
            await ForEachAsync(behind, source => ReadAsync(listing, source, chunk), cancellationToken);
            behind = Merge(sources, wanted, inOrder, rows);
            chunk = Math.Min(RowQuery.RowsLimit, chunk * 2);
        }

        return rows.Count > size
            ? new ListedPage([.. rows.Take(size)], PageTokens.Create(listing.Query, PlaceOf(rows[size - 1])))
            : new ListedPage([.. rows], "");
    }

    /// <summary>All rows, partition by partition; ordered by name only within a partition.</summary>
    public async IAsyncEnumerable<ListedRow> ScanAsync(Listing listing, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        for (var first = 0; first < partitions.Count; first += PartitionsAtOnce)
        {
            var batch = Enumerable.Range(first, Math.Min(PartitionsAtOnce, partitions.Count - first))
                .Select(partition => new Source(partition, PagePlace.Start))
                .ToArray();
            await foreach (var row in ScanAsync(listing, batch, cancellationToken))
            {
                yield return row;
            }
        }
    }

    /// <summary>All rows of one partition.</summary>
    public IAsyncEnumerable<ListedRow> ScanAsync(Listing listing, int partition, CancellationToken cancellationToken) =>
        ScanAsync(listing, [new Source(partition, PagePlace.Start)], cancellationToken);

    /// <summary>
    /// How many rows match, by the values of fields (empty: only the total); each partition counts its own. The largest groups first.
    /// </summary>
    public async Task<RowCounts> CountAsync(Listing listing, string groupBy, CancellationToken cancellationToken)
    {
        var query = listing.Rows(PagePlace.Start, 1) with { TakesCells = true };
        var parts = new ConcurrentBag<RowCounts>();
        await ForEachPartitionAsync(async (inventory, _) => parts.Add(await inventory.CountAsync(query, groupBy)), cancellationToken);
        var sum = RowCounts.Sum(parts);
        if (sum.Error is { } error)
        {
            throw FleetErrors.ToRpcException(error);
        }

        return parts.Any(part => part.GroupCount > RowCounts.GroupsMax)
            ? throw FleetErrors.LimitReached($"groups by {groupBy} in one part of the inventory", RowCounts.GroupsMax)
            : sum;
    }

    /// <summary>Tells every partition something, some at a time; whether they hear it is not worth waiting for.</summary>
    public Task TellPartitionsAsync(Func<IInventoryGrain, Task> action, CancellationToken cancellationToken) =>
        Parallel.ForEachAsync(_inventories, Options(cancellationToken), async (inventory, _) => await action(inventory));

    /// <summary>Does something with some partitions, some at a time.</summary>
    public Task ForEachPartitionAsync(
        IReadOnlyCollection<int> those, Func<IInventoryGrain, int, Task> action, CancellationToken cancellationToken) =>
        ForEachAsync(those, partition => action(_inventories[partition], partition), cancellationToken);

    /// <summary>Does something with every partition, some at a time.</summary>
    public Task ForEachPartitionAsync(Func<IInventoryGrain, int, Task> action, CancellationToken cancellationToken) =>
        ForEachPartitionAsync([.. Enumerable.Range(0, partitions.Count)], action, cancellationToken);

    private async IAsyncEnumerable<ListedRow> ScanAsync(
        Listing listing, Source[] batch, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        for (var open = batch; open.Length > 0; open = [.. batch.Where(source => !source.IsDone)])
        {
            await ForEachAsync(open, source => ReadAsync(listing, source, RowQuery.RowsLimit), cancellationToken);
            foreach (var row in open.SelectMany(source => source.Rows))
            {
                yield return row;
            }

            Array.ForEach(open, source => source.Rows.Clear());
        }
    }

    /// <param name="items">One per partition.</param>
    /// <param name="ask">May be repeated.</param>
    /// <param name="cancellationToken">Ends it.</param>
    private async Task ForEachAsync<T>(IReadOnlyCollection<T> items, Func<T, Task> ask, CancellationToken cancellationToken)
    {
        var (begun, answered) = (clock.GetTimestamp(), 0);
        await Parallel.ForEachAsync(items, Options(cancellationToken), async (item, stop) =>
        {
            while (!await TryAskAsync(ask, item))
            {
                if (clock.GetElapsedTime(begun) > _insistMax)
                {
                    throw FleetErrors.Unavailable(
                        $"The inventory is being read from the store: {answered} of {items.Count} partitions have answered.");
                }

                await Task.Delay(AskAgainDelay, clock, stop);
            }

            Interlocked.Increment(ref answered);
        });
    }

    /// <summary>False when no answer came in the time of a question, while the grain goes on reading.</summary>
    private static async Task<bool> TryAskAsync<T>(Func<T, Task> ask, T item)
    {
        try
        {
            await ask(item);
            return true;
        }
        catch (TimeoutException)
        {
            return false;
        }
    }

    private static ParallelOptions Options(CancellationToken cancellationToken) =>
        new() { MaxDegreeOfParallelism = PartitionsAtOnce, CancellationToken = cancellationToken };

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

    private static PagePlace PlaceOf(ListedRow row) => new(row.Keys, row.Row.Name);

    private async Task ReadAsync(Listing listing, Source source, int rowsMax)
    {
        var page = await _inventories[source.Partition].ListAsync(listing.Rows(source.After, rowsMax));
        if (page.Error is { } error)
        {
            throw FleetErrors.ToRpcException(error);
        }

        source.Rows.AddRange(page.Rows);
        source.IsDone = page.IsLast || page.Rows.IsEmpty;
        source.After = page.Rows.IsEmpty ? source.After : PlaceOf(page.Rows[^1]);
    }

    /// <summary>How far one partition was read.</summary>
    private sealed class Source(int partition, PagePlace after)
    {
        public int Partition { get; } = partition;

        public PagePlace After { get; set; } = after;

        public bool IsDone { get; set; }

        public List<ListedRow> Rows { get; } = [];
    }
}
