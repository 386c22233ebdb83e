using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Reflection;
using Muster.Contracts.CertificateStatus;
using Muster.Contracts.Commit;
using Muster.Contracts.Inventory;
using Muster.Domain.Inventory;
using Muster.Domain;

namespace Muster.Gateway.Tests.Grpc;

/// <summary>Grains without a silo: every method that a test does not answer throws.</summary>
#pragma warning disable CA1852 // DispatchProxy derives from it at run time.
internal class FakeFleet : DispatchProxy
{
    private readonly ConcurrentDictionary<(Type Grain, string Key), object> _grains = new();
    private readonly ConcurrentDictionary<(Type Grain, string Method), Func<string, object?[], object>> _answers = new();

    public ConcurrentDictionary<int, FakeRows> Rows { get; } = new();

    /// <summary>False of silos that know of no reader of all partitions.</summary>
    public bool HasReader { get; set; } = true;

    public ConcurrentQueue<(string Grain, string Method)> Calls { get; } = new();

    public static (IGrainFactory Factory, FakeFleet Fleet) Create()
    {
        var factory = Create<IGrainFactory, FakeFleet>();
        return (factory, (FakeFleet)(object)factory);
    }

    /// <summary>Answers a method of all grains of a kind: the key and the arguments are given.</summary>
    public void On<TGrain, TReply>(string method, Func<string, object?[], TReply> answer) =>
        _answers[(typeof(TGrain), method)] = (key, args) => Task.FromResult(answer(key, args));

    public void Fail<TGrain, TReply>(string method, Exception exception) =>
        _answers[(typeof(TGrain), method)] = (_, _) => Task.FromException<TReply>(exception);

    public FakeRows InventoryOf(int partition) => Rows.GetOrAdd(partition, _ => new FakeRows(partition));

    internal object Answer(Type grain, string key, MethodInfo method, object?[] args)
    {
        Calls.Enqueue((grain.Name, method.Name));
        return _answers.TryGetValue((grain, method.Name), out var answer)
            ? answer(key, args)
            : throw new NotSupportedException($"{grain.Name}.{method.Name}");
    }

    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args) => targetMethod!.Name switch
    {
        "CreateObjectReference" => args![0],
        "DeleteObjectReference" => null,
        "GetGrain" when targetMethod.ReturnType == typeof(IInventoryGrain) => InventoryOf((int)(long)args![0]!),
        "GetGrain" when targetMethod.ReturnType == typeof(IInventoryReaderGrain) =>
            HasReader ? new FakeReader(this) : throw new ArgumentException("Could not find an implementation for the interface."),
        "GetGrain" => _grains.GetOrAdd((targetMethod.ReturnType, args![0]!.ToString()!), FakeGrain.Create, this),
        _ => throw new NotSupportedException(targetMethod.Name),
    };
}

internal class FakeGrain : DispatchProxy
{
    private FakeFleet? _fleet;
    private Type? _type;
    private string _key = "";

    public static object Create((Type Grain, string Key) id, FakeFleet fleet)
    {
        var proxy = Create(id.Grain, typeof(FakeGrain));
        var grain = (FakeGrain)proxy;
        (grain._fleet, grain._type, grain._key) = (fleet, id.Grain, id.Key);
        return proxy;
    }

    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args) =>
        _fleet!.Answer(_type!, _key, targetMethod!, args ?? []);
}
#pragma warning restore CA1852

/// <summary>What a silo does, over the partitions of the fleet.</summary>
internal sealed class FakeReader(FakeFleet fleet) : IInventoryReaderGrain
{
    private InventoryReader Reader =>
        new([.. Enumerable.Range(0, PartitionMap.CountMin).Select(fleet.InventoryOf)], TimeProvider.System)
        {
            AnswerWithin = TimeSpan.FromSeconds(2),
        };

    public Task<PageOfAll> ListAsync(RowQuery query) => Reader.ListAsync(query, CancellationToken.None);

    public Task<CountsOfAll> CountAsync(RowQuery query, string groupBy) => Reader.CountAsync(query, groupBy, CancellationToken.None);
}

/// <summary>One partition with rows, filtered by the real filter.</summary>
internal sealed class FakeRows(int partition) : IInventoryGrain
{
    private readonly Lock _gate = new();
    private readonly SortedDictionary<string, ListedRow> _rows = new(StringComparer.Ordinal);
    private readonly List<IRowWatcher> _watchers = [];
    private readonly List<ListedRow> _feed = [];
    private Guid _lineage = Guid.NewGuid();
    private long _told;

    public int Watchers
    {
        get
        {
            lock (_gate)
            {
                return _watchers.Count;
            }
        }
    }

    public int Lists { get; private set; }

    /// <summary>So many questions end by their time, as they do while the partition is being read.</summary>
    public int Unanswered { get; set; }

    /// <summary>What is told is lost on the way.</summary>
    public bool IsDeaf { get; set; }

    /// <summary>The feed reaches back to no position.</summary>
    public bool IsTrimmed { get; set; }

    public async Task PutAsync(ListedRow row)
    {
        IRowWatcher[] watchers;
        lock (_gate)
        {
            _rows[row.Row.Name] = row;
            _feed.Add(row);
            watchers = IsDeaf ? [] : [.. _watchers];
            _told++;
        }

        foreach (var watcher in watchers)
        {
            await watcher.RowChangedAsync(new RowChange(partition, _lineage, _told, row));
        }
    }

    public Task<RowPage> ListAsync(RowQuery query)
    {
        lock (_gate)
        {
            Lists++;
            if (IsReading())
            {
                return Task.FromException<RowPage>(new TimeoutException());
            }

            var (filter, error) = query.ReadFilter();
            if (error is not null)
            {
                return Task.FromResult(new RowPage([], true, error));
            }

            var (order, _) = query.ReadOrder();
            ImmutableArray<ListedRow> rows =
            [
                .. Matching(query, filter)
                    .Select(row => row with { Keys = order.ValuesOf(row) })
                    .Order(Comparer<ListedRow>.Create((left, right) => order.Compare(left.Keys, left.Row.Name, right.Keys, right.Row.Name)))
                    .Where(row => query.After.Length == 0 || order.Compare(row.Keys, row.Row.Name, query.AfterKeys, query.After) > 0)
                    .Take(query.RowsMax + 1),
            ];
            return Task.FromResult(new RowPage([.. rows.Take(query.RowsMax)], rows.Length <= query.RowsMax, null));
        }
    }

    public Task<RowCounts> CountAsync(RowQuery query, string groupBy)
    {
        lock (_gate)
        {
            if (IsReading())
            {
                return Task.FromException<RowCounts>(new TimeoutException());
            }

            var (grouping, error) = InventoryGrouping.Parse(groupBy, query.Fields);
            var groups = Matching(query, query.ReadFilter().Filter)
                .GroupBy(row => string.Join(',', grouping.Keys.Select(key => key.Show(row.Field(key.Path.Field.Name, key.Path.Key)))))
                .Select(group => RowGroup.Of([.. group.Key.Split(',')], group.LongCount()))
                .ToImmutableArray();
            return Task.FromResult(new RowCounts(groups.Sum(group => group.Count), grouping.Keys.IsEmpty ? [] : groups, error));
        }
    }

    public Task<WatchReply?> WatchAsync(IRowWatcher watcher, RowQuery query)
    {
        lock (_gate)
        {
            if (!_watchers.Contains(watcher))
            {
                _watchers.Add(watcher);
                _told = 0;
            }

            return Task.FromResult<WatchReply?>(new WatchReply(new FeedPosition(_feed.Count, 7), _lineage, _told));
        }
    }

    public Task<ChangedRows?> GetChangedSinceAsync(RowQuery query, FeedPosition position, DateTimeOffset at)
    {
        lock (_gate)
        {
            return Task.FromResult(
                IsTrimmed ? null : new ChangedRows([.. _feed.Skip((int)position.Sequence)], KnowsPresence: true));
        }
    }

    /// <summary>As when its silo died: it knows no watcher any more.</summary>
    public void Restart()
    {
        lock (_gate)
        {
            _watchers.Clear();
            (_lineage, _told) = (Guid.NewGuid(), 0);
        }
    }

    public Task<ChangedMatches?> FindChangedAsync(RowQuery query, FeedPosition after) => throw new NotSupportedException();

    public Task<TailPage> FollowAsync(FeedPosition after) => throw new NotSupportedException();

    public Task<ListenReply> ListenAsync(ListenForNews command) => throw new NotSupportedException();

    public Task<DevicesInService> ListInServiceAsync(TenantId tenant, string filter, string after) => throw new NotSupportedException();

    public Task<ConnectedDevices?> ListConnectedAsync(TenantId tenant, ReachMark known) => throw new NotSupportedException();

    public Task<InventoryCheck> VerifyAsync() => Task.FromResult(
        new InventoryCheck(3, 4, partition == 5 ? 1 : 0, partition == 5 ? ["A is not shown."] : [])
        {
            SlowestReader = partition is 7 or 8 ? new ReaderLag("audit", FeedLimits.LagAlarm + partition - 7) : null,
        });

    public Task RebuildAsync() => Task.CompletedTask;

    public Task UnwatchAsync(IRowWatcher watcher)
    {
        lock (_gate)
        {
            _watchers.Remove(watcher);
        }

        return Task.CompletedTask;
    }

    public Task<DevicePresence?> FindPresenceAsync(TenantId tenant, Domain.Devices.DeviceId device) =>
        Task.FromResult<DevicePresence?>(null);

    public Task NudgeAsync() => throw new NotSupportedException();

    public Task ReportPresenceAsync(PresenceReport report) => throw new NotSupportedException();

    public Task<DueRecords> GetDueAsync(DateTimeOffset now, int recordsMax) => throw new NotSupportedException();

    public Task<PartitionRevocations?> GetRevocationsAsync(RevocationMark known) => throw new NotSupportedException();

    private bool IsReading() => Unanswered > 0 && Unanswered-- > 0;

    private IEnumerable<ListedRow> Matching(RowQuery query, InventoryFilter filter) => _rows.Values
        .Where(row => row.Record.Kind == query.Kind && filter.Matches(row, DateTimeOffset.UnixEpoch));
}
