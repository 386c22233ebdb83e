using System.Collections.Concurrent;
using System.Collections.Immutable;
using Microsoft.Extensions.DependencyInjection;
using Muster.Contracts;
using Muster.Contracts.Commit;
using Muster.Contracts.Devices;
using Muster.Contracts.Gateways;
using Muster.Contracts.Inventory;
using Muster.Domain;
using Muster.Domain.Decommissioning;
using Muster.Domain.Devices;
using Muster.Domain.Inventory;
using Muster.Grains.Devices;
using Muster.Grains.Inventory;
using Muster.Storage;
using Muster.Testing.Stores;
using Orleans.TestingHost;

namespace Muster.Grains.Tests.Inventory;

/// <summary>
/// The inventory behind real device grains on a real Redis. Nobody nudges here: what is seen was read when it was asked for.
/// </summary>
public sealed class InventoryGrainTests : IAsyncLifetime
{
    private RedisServer? _redis;
    private InProcessTestCluster? _silo;

    public async ValueTask InitializeAsync()
    {
        _redis = await RedisServer.StartAsync("no", CancellationToken.None);
        var builder = new InProcessTestClusterBuilder(1);
        builder.Options.ConfigureFileLogging = false;
        builder.ConfigureSilo((_, silo) =>
        {
            silo.AddMusterStorage(options =>
            {
                options.ConnectionString = _redis.ConnectionString;
                options.Partitions = PartitionMap.CountMin;
            });
            silo.Services.AddSingleton<IErasureProofVerifier, NeverAsked>();
            silo.AddDevices();
        });
        _silo = builder.Build();
        await _silo.DeployAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (_silo is not null)
        {
            await _silo.DisposeAsync();
        }

        if (_redis is not null)
        {
            await _redis.DisposeAsync();
        }
    }

    [Fact]
    public async Task ListAsync_RightAfterACommit_SeesIt()
    {
        var inventory = InventoryOf("A");
        Assert.Empty((await inventory.ListAsync(Query(""))).Rows);

        await ExpectAsync("A");

        Assert.Equal("A", Assert.Single((await inventory.ListAsync(Query("state=EXPECTED"))).Rows).Row.Name);
        var group = Assert.Single((await inventory.CountAsync(Query("state=EXPECTED"), "state")).Groups);
        Assert.Equal(("EXPECTED", 1), (Assert.Single(group.Values), group.Count));
        Assert.Equal(0, (await inventory.CountAsync(Query("state=IN_SERVICE"), "")).Total);
        Assert.Equal("FILTER_INVALID", (await inventory.CountAsync(Query("colour=red"), "")).Error?.Reason);
        Assert.Empty((await inventory.ListAsync(Query("state=IN_SERVICE"))).Rows);
    }

    [Fact]
    public async Task ListAsync_AfterAReactivation_IsBuiltFromTheRecords()
    {
        await ExpectAsync("A");
        var inventory = InventoryOf("A");
        await inventory.ListAsync(Query(""));

        await _silo!.DeactivateAsync(((GrainReference)inventory).GrainId);

        Assert.Equal("A", Assert.Single((await inventory.ListAsync(Query(""))).Rows).Row.Name);
    }

    [Fact]
    public async Task ListAsync_WithAFilterThatCannotBeRead_RefusesIt()
    {
        var page = await InventoryOf("A").ListAsync(Query("colour=red"));

        Assert.Equal("FILTER_INVALID", page.Error?.Reason);
    }

    [Fact]
    public async Task WatchAsync_OfMatchingRows_TellsThoseAndEndsWithUnwatch()
    {
        var inventory = InventoryOf("A");
        var told = new Told();
        var watcher = _silo!.Client.CreateObjectReference<IRowWatcher>(told);
        await inventory.WatchAsync(watcher, Query("model=P3265-V"));

        await ExpectAsync("A");
        await inventory.ListAsync(Query(""));
        await told.First.Task.WaitAsync(TimeSpan.FromSeconds(10), TestContext.Current.CancellationToken);
        await inventory.UnwatchAsync(watcher);

        Assert.All(told.Rows, row => Assert.Equal("A", row.Row.Name));
        GC.KeepAlive(told);
    }

    [Fact]
    public async Task WatchAsync_OfARowThatCeasesToMatch_TellsThatItLeft()
    {
        await ExpectAsync("A");
        var inventory = InventoryOf("A");
        var told = new Told();
        var watcher = _silo!.Client.CreateObjectReference<IRowWatcher>(told);
        await inventory.WatchAsync(watcher, Query("labels.n = 1 AND model = P3265-V"));

        for (var n = 0; n < 4; n++)
        {
            await EditAsync("A", n);
            await inventory.ListAsync(Query(""));
        }

        await told.UntilAsync(2);
        Assert.Equal([("1", false), ("2", true)], told.Rows.Select(row => (((DeviceRow)row.Row).Labels.Single().Value, row.HasLeft)));
        GC.KeepAlive(told);
    }

    [Fact]
    public async Task WatchAsync_OfPresence_TellsWhoCameAndWhoWent()
    {
        await ExpectAsync("A");
        var inventory = InventoryOf("A");
        await inventory.ListAsync(Query(""));
        var told = new Told();
        var watcher = _silo!.Client.CreateObjectReference<IRowWatcher>(told);
        await inventory.WatchAsync(watcher, Query("connected = true"));
        var observer = _silo.Client.CreateObjectReference<IGatewayObserver>(new Closed());
        var session = new SessionPresence(
            TenantId.Default, Id("A"), 7, true, TimeProvider.System.GetUtcNow(), null, DisconnectReason.Unspecified);

        await inventory.ReportPresenceAsync(new PresenceReport("g", observer, false, [session]));
        await inventory.ReportPresenceAsync(new PresenceReport("g", observer, false, [session with { Connected = false }]));

        await told.UntilAsync(2);
        Assert.Equal([(true, false), (false, true)], told.Rows.Select(row => (row.Presence!.Connected, row.HasLeft)));
        GC.KeepAlive(told);
    }

    [Fact]
    public async Task GetChangedSinceAsync_OfAPosition_TellsWhatChangedBehindItAndWhatLeft()
    {
        await ExpectAsync("A");
        var inventory = InventoryOf("A");
        var watcher = _silo!.Client.CreateObjectReference<IRowWatcher>(new Told());
        var query = Query("labels.n = 1");
        var first = await inventory.WatchAsync(watcher, query);
        var began = TimeProvider.System.GetUtcNow();

        await EditAsync("A", 1);
        var matching = await inventory.GetChangedSinceAsync(query, first!.Position, began);
        await EditAsync("A", 2);
        await _silo!.DeactivateAsync(((GrainReference)inventory).GrainId);
        var left = await inventory.GetChangedSinceAsync(query, first.Position, began);
        var second = await inventory.WatchAsync(watcher, query);
        var nothing = await inventory.GetChangedSinceAsync(query, second!.Position, TimeProvider.System.GetUtcNow());

        Assert.False(Assert.Single(matching!.Rows).HasLeft);
        Assert.True(matching.KnowsPresence);
        Assert.True(Assert.Single(left!.Rows).HasLeft);
        Assert.False(left.KnowsPresence);
        Assert.Empty(nothing!.Rows);
        Assert.NotEqual(first.Lineage, second.Lineage);
        Assert.Null(await inventory.GetChangedSinceAsync(query, first.Position with { Fingerprint = 1 }, began));
    }

    [Fact]
    public async Task GetChangedSinceAsync_OfDevicesThatCameAndWent_TellsThemToo()
    {
        await ExpectAsync("A");
        var inventory = InventoryOf("A");
        var watcher = _silo!.Client.CreateObjectReference<IRowWatcher>(new Told());
        var first = await inventory.WatchAsync(watcher, Query(""));
        var observer = _silo.Client.CreateObjectReference<IGatewayObserver>(new Closed());
        var at = TimeProvider.System.GetUtcNow();
        var gone = new SessionPresence(TenantId.Default, Id("A"), 7, false, at, null, DisconnectReason.KeepAliveTimeout);

        await inventory.ReportPresenceAsync(new PresenceReport("g", observer, false, [gone with { Connected = true }]));
        await inventory.ReportPresenceAsync(new PresenceReport("g", observer, false, [gone]));
        var changed = await inventory.GetChangedSinceAsync(Query(""), first!.Position, at);
        var page = await inventory.ListAsync(Query("disconnect_reason = KEEP_ALIVE_TIMEOUT"));

        Assert.Equal(DisconnectReason.KeepAliveTimeout, Assert.Single(changed!.Rows).Presence!.Reason);
        Assert.Single(page.Rows);
        Assert.Empty((await inventory.ListAsync(Query("disconnect_reason = TAKEN_OVER"))).Rows);
    }

    [Fact]
    public async Task VerifyAsync_OfAPartitionInOrder_FindsNoDifference()
    {
        await ExpectAsync("A");
        var inventory = InventoryOf("A");
        await EditAsync("A", 1);
        await EditAsync("A", 2);

        var check = await inventory.VerifyAsync();

        Assert.Equal((1, 3, 0), (check.Records, check.FeedEntries, check.Differences));
    }

    [Fact]
    public async Task VerifyAsync_OfARecordBehindOurBack_TellsItAndARebuildRepairsTheList()
    {
        await ExpectAsync("A");
        var inventory = InventoryOf("A");
        await inventory.ListAsync(Query(""));
        await using var raw = await StackExchange.Redis.ConnectionMultiplexer.ConnectAsync(_redis!.ConnectionString);
        var partition = new PartitionMap(PartitionMap.CountMin).OfDevice(DeviceKey.Of(TenantId.Default, Id("A")));

        // A record that somebody took away, whose fact stays in the feed.
        await raw.GetDatabase().HashDeleteAsync($"{{p{partition}}}:c", "r:muster.device/default/A");
        var check = await inventory.VerifyAsync();

        Assert.Contains(check.Examples, example => example.Contains("default/A is shown and has no record", StringComparison.Ordinal));
        Assert.Contains(check.Examples, example => example.Contains("the feed has 1 at 1", StringComparison.Ordinal));
        Assert.Equal(2, check.Differences);
        await inventory.RebuildAsync();
        Assert.Empty((await inventory.ListAsync(Query(""))).Rows);
    }

    [Fact]
    public async Task ListAsync_OfARecordOfAFutureVersion_NamesItAndShowsNoShorterList()
    {
        await ExpectAsync("A");
        await using var raw = await StackExchange.Redis.ConnectionMultiplexer.ConnectAsync(_redis!.ConnectionString);
        var partition = new PartitionMap(PartitionMap.CountMin).OfDevice(DeviceKey.Of(TenantId.Default, Id("A")));
        var (key, field) = ($"{{p{partition}}}:c", "r:muster.device/default/A");
        var bytes = (byte[])(await raw.GetDatabase().HashGetAsync(key, field))!;
        bytes[0] = 2;
        await raw.GetDatabase().HashSetAsync(key, field, bytes);

        var list = await Assert.ThrowsAsync<RecordUnreadableException>(() => InventoryOf("A").ListAsync(Query("")));

        Assert.Contains("muster.device/default/A", list.Message, StringComparison.Ordinal);
        Assert.Contains("newer version", list.Message, StringComparison.Ordinal);
        await _silo!.DeactivateAsync(((GrainReference)_silo.Client.GetDevice(TenantId.Default, Id("A"))).GrainId);
        await Assert.ThrowsAsync<RecordUnreadableException>(() => _silo.Client.GetDevice(TenantId.Default, Id("A")).GetAsync());
    }

    [Fact]
    public async Task ListAsync_OfAStoreThatWentBack_ShowsWhatIsThereAndAsksForHellos()
    {
        var inventory = InventoryOf("A");
        await ExpectAsync("A");
        Assert.Single((await inventory.ListAsync(Query(""))).Rows);
        var gateway = new Closed();
        var observer = _silo!.Client.CreateObjectReference<IGatewayObserver>(gateway);
        var session = new SessionPresence(
            TenantId.Default, Id("A"), 7, true, TimeProvider.System.GetUtcNow(), null, DisconnectReason.Unspecified);
        await inventory.ReportPresenceAsync(new PresenceReport("g", observer, false, [session]));
        await using var raw = await StackExchange.Redis.ConnectionMultiplexer.ConnectAsync(_redis!.ConnectionString);
        var partition = new PartitionMap(PartitionMap.CountMin).OfDevice(DeviceKey.Of(TenantId.Default, Id("A")));

        // As after a failover to a replica that had not heard of the device yet.
        await raw.GetDatabase().HashDeleteAsync(
            $"{{p{partition}}}:c", ["h", "f1", "r:muster.device/default/A", "v:muster.device/default/A"]);

        Assert.Empty((await inventory.ListAsync(Query(""))).Rows);
        var close = await gateway.First.Task.WaitAsync(TimeSpan.FromSeconds(10), TestContext.Current.CancellationToken);
        Assert.Equal(("A", 7, "SAY_HELLO_AGAIN"), (close.Device.Value, close.EpochMax, close.Reason.Reason));
        Assert.NotNull(await inventory.FindPresenceAsync(TenantId.Default, Id("A")));
        GC.KeepAlive(gateway);
    }

    [Fact]
    public async Task NudgeAsync_AfterManyCommits_TrimsTheFeed()
    {
        await ExpectAsync("A");
        var inventory = InventoryOf("A");
        await inventory.ListAsync(Query(""));
        for (var i = 0; i < TailTrims.EntriesBetweenTrims + 1; i++)
        {
            await EditAsync("A", i);
        }

        await inventory.ListAsync(Query(""));

        var partition = new PartitionMap(PartitionMap.CountMin).OfDevice(DeviceKey.Of(TenantId.Default, Id("A")));
        await using var raw = await StackExchange.Redis.ConnectionMultiplexer.ConnectAsync(_redis!.ConnectionString);
        var mark = (long)await raw.GetDatabase().HashGetAsync($"{{p{partition}}}:c", "t");
        Assert.InRange(mark, TailTrims.EntriesBetweenTrims - 512 - 1, TailTrims.EntriesBetweenTrims);
        Assert.Single((await inventory.ListAsync(Query($"labels.n = {TailTrims.EntriesBetweenTrims}"))).Rows);
    }

    private static DeviceId Id(string text) => DeviceId.TryParse(text, out var id) ? id : throw new FormatException(text);

    private static RowQuery Query(string filter) => new(TenantId.Default, GrainTypes.Device, filter, "", 100);

    private IInventoryGrain InventoryOf(string device) => _silo!.Client.GetInventory(
        new PartitionMap(PartitionMap.CountMin).OfDevice(DeviceKey.Of(TenantId.Default, Id(device))));

    private async Task ExpectAsync(string device)
    {
        var spec = new ExpectedDevice("P3265-V", "12.11", "", "", EnrollmentApproval.Automatic);
        var reply = await _silo!.Client.GetDevice(TenantId.Default, Id(device))
            .ExpectAsync(new ExpectDevice(Actor.Operator("anna"), "r1", spec));
        Assert.Null(reply.Error);
    }

    private async Task EditAsync(string device, int number)
    {
        var edit = new DeviceEdit(null, [new DeviceLabel("n", $"{number}")], []);
        var reply = await _silo!.Client.GetDevice(TenantId.Default, Id(device)).EditAsync(new EditDevice(Actor.Operator("anna"), edit));
        Assert.Null(reply.Error);
    }

    private sealed class Closed : IGatewayObserver
    {
        public TaskCompletionSource<CloseSession> First { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task DeliverAsync(DownDelivery delivery) => throw new InvalidOperationException("Nobody is told anything here.");

        public Task CloseAsync(CloseSession close)
        {
            First.TrySetResult(close);
            return Task.CompletedTask;
        }
    }

    private sealed class Told : IRowWatcher
    {
        public ConcurrentQueue<ListedRow> Rows { get; } = new();

        public TaskCompletionSource First { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public async Task UntilAsync(int rows)
        {
            using var timeout = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
            timeout.CancelAfter(TimeSpan.FromSeconds(10));
            while (Rows.Count < rows)
            {
                await Task.Delay(10, timeout.Token);
            }
        }

        public Task RowChangedAsync(RowChange change)
        {
            var row = change.Row;
            Rows.Enqueue(row);
            First.TrySetResult();
            return Task.CompletedTask;
        }
    }

    private sealed class NeverAsked : IErasureProofVerifier
    {
        public FleetError? Verify(ErasureProof proof, ImmutableArray<byte> publicKey, ImmutableArray<byte> signature) =>
            throw new InvalidOperationException("No device is erased here.");
    }
}
