using System.Collections.Immutable;
using System.Globalization;
using System.Runtime.CompilerServices;
using Grpc.Core;
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
/// Lists rows of all partitions in one order. A partition that is being read from the store does not answer until it is: it is asked again
/// as long as the call may take. Pages and counts are made in a silo (<see cref="IInventoryReaderGrain"/>); whoever wants all rows asks
/// the partitions.
/// </summary>
internal sealed class RowLister(IGrainFactory grains, PartitionMap partitions, IOptions<OperatorsOptions> options, TimeProvider clock)
{
    /// <summary>AIP-158: what a caller gets who asks for nothing.</summary>
    public const int PageSizeDefault = 50;

    /// <summary>Partitions of which all rows are asked for at a time: hides the round trips and floods no silo.</summary>
    public const int PartitionsAtOnce = 32;

    /// <summary>A question to a grain that ended by its time has waited long enough; this is for one that ends at once.</summary>
    private static readonly TimeSpan AskAgainDelay = TimeSpan.FromMilliseconds(100);

    /// <summary>Once all partitions are asked, however long the silo took.</summary>
    private static readonly TimeSpan AnswerMin = TimeSpan.FromSeconds(1);

    /// <summary>What is asked last has to be answered before the call's own time is over, which says less than we do.</summary>
    private readonly TimeSpan _insistMax =
        options.Value.CallTimeout - TimeSpan.Parse(CallTimeouts.Commit, CultureInfo.InvariantCulture) - TimeSpan.FromSeconds(1);

    // Made once: the factory looks at the interface's attributes every time.
    private readonly IInventoryGrain[] _inventories = [.. Enumerable.Range(0, partitions.Count).Select(grains.GetInventory)];
    private IInventoryReaderGrain? _reader;

    public async Task<ListedPage> ListAsync(Listing listing, int pageSize, string pageToken, CancellationToken cancellationToken)
    {
        var size = Math.Min(pageSize == 0 ? PageSizeDefault : pageSize, RowQuery.RowsLimit);
        var (order, error) = listing.Rows(PagePlace.Start, 1).ReadOrder();
        if (error is not null)
        {
            throw FleetErrors.ToRpcException(error);
        }

        var query = listing.Rows(PageTokens.Read(listing.Query, pageToken, order.Keys.Length), size);
        var (page, _) = await AskAllAsync(
            reader => reader.ListAsync(query),
            own => own.ListAsync(query, cancellationToken),
            reply => reply.Answered,
            cancellationToken);
        return page switch
        {
            { Error: { } wrong } => throw FleetErrors.ToRpcException(wrong),
            { IsLast: true } => new ListedPage(page.Rows, ""),
            _ => new ListedPage(page.Rows, PageTokens.Create(listing.Query, PlaceOf(page.Rows[^1]))),
        };
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
        var query = listing.Rows(PagePlace.Start, 1);
        var reply = await AskAllAsync(
            reader => reader.CountAsync(query, groupBy),
            own => own.CountAsync(query, groupBy, cancellationToken),
            counts => counts.Answered,
            cancellationToken);
        return reply switch
        {
            { Counts.Error: { } error } => throw FleetErrors.ToRpcException(error),
            { HasTooMany: true } =>
                throw FleetErrors.LimitReached($"groups by {groupBy} in one part of the inventory", RowCounts.GroupsMax),
            _ => reply.Counts,
        };
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

    /// <summary>
    /// Asks a silo for all partitions. One that does not hear from all of them in its time, that dies with the question or is of an earlier
    /// version is not asked again: then the gateway asks the partitions itself and keeps what they have said, as long as the call may take.
    /// </summary>
    private async Task<T> AskAllAsync<T>(
        Func<IInventoryReaderGrain, Task<T>> ask, Func<InventoryReader, Task<T>> askSelf, Func<T, int> answered, CancellationToken stop)
        where T : class
    {
        var begun = clock.GetTimestamp();
        if (await TryAskSiloAsync(ask, stop) is { } reply && answered(reply) == partitions.Count)
        {
            return reply;
        }

        var left = _insistMax - clock.GetElapsedTime(begun);
        var own = new InventoryReader(_inventories, clock) { AnswerWithin = left > AnswerMin ? left : AnswerMin };
        reply = await askSelf(own);
        return answered(reply) == partitions.Count ? reply : throw BeingRead(answered(reply), partitions.Count);
    }

    /// <summary>Null when no silo answered.</summary>
    private async Task<T?> TryAskSiloAsync<T>(Func<IInventoryReaderGrain, Task<T>> ask, CancellationToken stop)
        where T : class
    {
        try
        {
            return await ask(_reader ??= grains.GetInventoryReader()).WaitAsync(stop);
        }
        catch (Exception fault) when (fault is ArgumentException or TimeoutException or OrleansException)
        {
            // No silo knows of it, or the one that was asked is gone.
            _reader = null;
            return null;
        }
    }

    private static RpcException BeingRead(int answered, int all) => FleetErrors.Unavailable(
        $"The inventory is being read from the store: {answered} of {all} partitions have answered.");

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
                    throw BeingRead(answered, items.Count);
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
