using Muster.Contracts.Commit;
using Muster.Contracts.Inventory;
using Muster.Grains.Inventory;
using Muster.Grains.Tests.Lifecycle;

namespace Muster.Grains.Tests.Inventory;

public sealed class DueListGrainTests(LifecycleSilo silo) : IClassFixture<LifecycleSilo>
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task Tick_WhenTheEarliestRecordsFailForEver_CallsTheOthersAllTheSame()
    {
        var records = Enumerable.Range(0, DueListGrain.CallsMax * 3).Select(i => new RecordKey("due-test", $"fails-{i:D4}")).ToArray();
        var script = new DueScript([.. records], _ => throw new InvalidOperationException("It fails on purpose."));
        silo.Neighbours.Due[0] = script;

        await silo.Grains.GetGrain<IDueListGrain>(0).StartAsync();

        await UntilAsync(() => records.All(record => script.CallsOf(record) >= 2));
    }

    [Fact]
    public async Task Tick_WhenRecordsNeverAnswer_CallsTheOthersAndNoneOfThemTwice()
    {
        var records = Enumerable.Range(0, DueListGrain.CallsMax).Select(i => new RecordKey("due-test", $"hangs-{i:D4}")).ToArray();
        var hanging = records[..(DueListGrain.CallsMax - 1)].ToHashSet();
        var script = new DueScript(
            [.. records], record => hanging.Contains(record) ? new TaskCompletionSource().Task : Task.CompletedTask);
        silo.Neighbours.Due[1] = script;

        await silo.Grains.GetGrain<IDueListGrain>(1).StartAsync();

        await UntilAsync(() => script.CallsOf(records[^1]) >= 3);
        Assert.All(hanging, record => Assert.Equal(1, script.CallsOf(record)));
    }

    private static async Task UntilAsync(Func<bool> condition)
    {
        var started = TimeProvider.System.GetTimestamp();
        while (!condition())
        {
            Assert.True(TimeProvider.System.GetElapsedTime(started) < Patience, "It did not come so far in time.");
            await Task.Delay(TimeSpan.FromMilliseconds(50), TestContext.Current.CancellationToken);
        }
    }
}
