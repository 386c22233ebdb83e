using Muster.Contracts.Inventory;

namespace Muster.Grains.Tests.Inventory;

/// <summary>Checks and rebuilds of a partition, beside which it goes on answering.</summary>
public sealed class InventorySweepTests : InventorySilo
{
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
        await using var raw = await StackExchange.Redis.ConnectionMultiplexer.ConnectAsync(Redis.ConnectionString);
        var partition = PartitionOf("A");

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
    public async Task VerifyAsync_WhileItReadsTheRecords_LetsQuestionsAndCommitsThrough()
    {
        var (verified, release) = await BeginAsync(inventory => inventory.VerifyAsync());

        await CommitAndAskAsync();

        release.SetResult();
        Assert.Equal(0, (await verified).Differences);
    }

    [Fact]
    public async Task RebuildAsync_WhileItReadsTheRecords_LetsQuestionsThroughAndLosesNoCommit()
    {
        var (rebuilt, release) = await BeginAsync(async inventory =>
        {
            await inventory.RebuildAsync();
            return true;
        });

        await CommitAndAskAsync();

        release.SetResult();
        await rebuilt;
        Assert.Equal(["A"], await NamesAsync("A", "labels.n = 1"));
    }

    [Fact]
    public async Task RebuildAsync_OfRowsOfWhichOneIsGone_TellsWatchersThatAndNoOther()
    {
        var names = Enumerable.Range(0, 1_000).Select(n => $"D{n}");
        string[] devices = [.. names.Where(name => PartitionOf(name) == PartitionOf("D0")).Take(3)];
        foreach (var device in devices)
        {
            await ExpectAsync(device);
        }

        var inventory = InventoryOf(devices[0]);
        await inventory.ListAsync(Query(""));
        var told = new Told();
        var watcher = Silo.Client.CreateObjectReference<IRowWatcher>(told);
        await inventory.WatchAsync(watcher, Query("model = P3265-V"));
        await using var raw = await StackExchange.Redis.ConnectionMultiplexer.ConnectAsync(Redis.ConnectionString);
        await raw.GetDatabase().HashDeleteAsync($"{{p{PartitionOf(devices[0])}}}:c", $"r:muster.device/default/{devices[1]}");

        await inventory.RebuildAsync();
        await EditAsync(devices[2], 1);
        await inventory.ListAsync(Query(""));

        await told.UntilAsync(2);
        Assert.Equal([(devices[1], true), (devices[2], false)], told.Rows.Select(row => (row.Row.Name, row.HasLeft)));
        GC.KeepAlive(told);
    }

    /// <summary>A sweep that has read the one record and waits until it is released: what comes now only the feed tells it.</summary>
    private async Task<(Task<T> Sweep, TaskCompletionSource Release)> BeginAsync<T>(Func<IInventoryGrain, Task<T>> sweep)
    {
        await ExpectAsync("A");
        Assert.Equal(["A"], await NamesAsync("A", ""));
        var begun = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var release = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Scanner.Between = () =>
        {
            begun.SetResult();
            return release.Task;
        };
        var task = sweep(InventoryOf("A"));
        await begun.Task.WaitAsync(TimeSpan.FromSeconds(10), TestContext.Current.CancellationToken);
        return (task, release);
    }

    private async Task CommitAndAskAsync()
    {
        await EditAsync("A", 1);
        var names = await NamesAsync("A", "labels.n = 1").WaitAsync(TimeSpan.FromSeconds(10), TestContext.Current.CancellationToken);
        Assert.Equal(["A"], names);
    }
}
