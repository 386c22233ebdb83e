using Muster.Contracts.Commit;
using Muster.Contracts.Devices;
using Muster.Contracts.Gateways;
using Muster.Contracts.Inventory;
using Muster.Domain;
using Muster.Domain.Devices;
using Muster.Domain.Inventory;
using Muster.Grains.Inventory;

namespace Muster.Grains.Tests.Inventory;

/// <summary>The inventory behind real device grains.</summary>
public sealed class InventoryGrainTests : InventorySilo
{
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

        await Silo.DeactivateAsync(((GrainReference)inventory).GrainId);

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
        var watcher = Silo.Client.CreateObjectReference<IRowWatcher>(told);
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
        var watcher = Silo.Client.CreateObjectReference<IRowWatcher>(told);
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
        var watcher = Silo.Client.CreateObjectReference<IRowWatcher>(told);
        await inventory.WatchAsync(watcher, Query("connected = true"));
        var observer = Silo.Client.CreateObjectReference<IGatewayObserver>(new Closed());
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
        var watcher = Silo.Client.CreateObjectReference<IRowWatcher>(new Told());
        var query = Query("labels.n = 1");
        var first = await inventory.WatchAsync(watcher, query);
        var began = TimeProvider.System.GetUtcNow();

        await EditAsync("A", 1);
        var matching = await inventory.GetChangedSinceAsync(query, first!.Position, began);
        await EditAsync("A", 2);
        await Silo.DeactivateAsync(((GrainReference)inventory).GrainId);
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
    public async Task FindChangedAsync_OfAPosition_TellsWhatMatchesNowAndTheNamesOfTheOthers()
    {
        await ExpectAsync("A");
        var inventory = InventoryOf("A");
        var watcher = Silo.Client.CreateObjectReference<IRowWatcher>(new Told());
        var query = Query("labels.n = 1");
        var first = await inventory.WatchAsync(watcher, query);
        var observer = Silo.Client.CreateObjectReference<IGatewayObserver>(new Closed());
        var session = new SessionPresence(
            TenantId.Default, Id("A"), 7, true, TimeProvider.System.GetUtcNow(), null, DisconnectReason.Unspecified);

        await inventory.ReportPresenceAsync(new PresenceReport("g", observer, false, [session]));
        var unchanged = await inventory.FindChangedAsync(query, first!.Position);
        await EditAsync("A", 1);
        await inventory.ListAsync(query);
        var matching = await inventory.FindChangedAsync(query, first.Position);
        var behind = await inventory.FindChangedAsync(query, matching!.Next);
        await EditAsync("A", 2);
        await inventory.ListAsync(query);
        var others = await inventory.FindChangedAsync(query, matching.Next);

        Assert.Equal((0, 0, first.Position), (unchanged!.Rows.Length, unchanged.Others.Length, unchanged.Next));
        Assert.Equal((Id("A").Value, true), (Assert.Single(matching.Rows).Row.Name, matching.IsAtEnd));
        Assert.Empty(matching.Others);
        Assert.Equal((0, 0), (behind!.Rows.Length, behind.Others.Length));
        Assert.Equal((0, Id("A").Value), (others!.Rows.Length, Assert.Single(others.Others)));
        Assert.Null(await inventory.FindChangedAsync(query, first.Position with { Fingerprint = 1 }));
    }

    [Fact]
    public async Task GetChangedSinceAsync_OfDevicesThatCameAndWent_TellsThemToo()
    {
        await ExpectAsync("A");
        var inventory = InventoryOf("A");
        var watcher = Silo.Client.CreateObjectReference<IRowWatcher>(new Told());
        var first = await inventory.WatchAsync(watcher, Query(""));
        var observer = Silo.Client.CreateObjectReference<IGatewayObserver>(new Closed());
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
    public async Task ListAsync_OfARecordOfAFutureVersion_NamesItAndShowsNoShorterList()
    {
        await ExpectAsync("A");
        await using var raw = await StackExchange.Redis.ConnectionMultiplexer.ConnectAsync(Redis.ConnectionString);
        var partition = PartitionOf("A");
        var (key, field) = ($"{{p{partition}}}:c", "r:muster.device/default/A");
        var bytes = (byte[])(await raw.GetDatabase().HashGetAsync(key, field))!;
        bytes[0] = 2;
        await raw.GetDatabase().HashSetAsync(key, field, bytes);

        var list = await Assert.ThrowsAsync<RecordUnreadableException>(() => InventoryOf("A").ListAsync(Query("")));

        Assert.Contains("muster.device/default/A", list.Message, StringComparison.Ordinal);
        Assert.Contains("newer version", list.Message, StringComparison.Ordinal);
        await Silo.DeactivateAsync(((GrainReference)Silo.Client.GetDevice(TenantId.Default, Id("A"))).GrainId);
        await Assert.ThrowsAsync<RecordUnreadableException>(() => Silo.Client.GetDevice(TenantId.Default, Id("A")).GetAsync());
    }

    [Fact]
    public async Task ListAsync_OfAStoreThatWentBack_ShowsWhatIsThereAndAsksForHellos()
    {
        var inventory = InventoryOf("A");
        await ExpectAsync("A");
        Assert.Single((await inventory.ListAsync(Query(""))).Rows);
        var gateway = new Closed();
        var observer = Silo.Client.CreateObjectReference<IGatewayObserver>(gateway);
        var session = new SessionPresence(
            TenantId.Default, Id("A"), 7, true, TimeProvider.System.GetUtcNow(), null, DisconnectReason.Unspecified);
        await inventory.ReportPresenceAsync(new PresenceReport("g", observer, false, [session]));
        await using var raw = await StackExchange.Redis.ConnectionMultiplexer.ConnectAsync(Redis.ConnectionString);
        var partition = PartitionOf("A");

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

        var partition = PartitionOf("A");
        await using var raw = await StackExchange.Redis.ConnectionMultiplexer.ConnectAsync(Redis.ConnectionString);
        var mark = (long)await raw.GetDatabase().HashGetAsync($"{{p{partition}}}:c", "t");
        Assert.InRange(mark, TailTrims.EntriesBetweenTrims - 512 - 1, TailTrims.EntriesBetweenTrims);
        Assert.Single((await inventory.ListAsync(Query($"labels.n = {TailTrims.EntriesBetweenTrims}"))).Rows);
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
}
