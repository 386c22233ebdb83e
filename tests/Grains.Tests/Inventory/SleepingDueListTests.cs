using Microsoft.Extensions.DependencyInjection;
using Muster.Contracts.Inventory;
using Muster.Grains.Inventory;

namespace Muster.Grains.Tests.Inventory;

/// <summary>Due lists that sleep until the next date, with the real inventory and store. Nobody nudges: the poll finds the dates.</summary>
public sealed class SleepingDueListTests
{
    /// <summary>
    /// Late on a machine that others use, and still so early that the longest sleep cannot have been what ended; to the second it is shown
    /// by <see cref="DueAlarmTests"/>.
    /// </summary>
    private static readonly TimeSpan LatestMax = DueAlarm.SleepMax / 2;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory, InlineData(false), InlineData(true)]
    public async Task Date_CommittedWhileTheListSleeps_IsCalledWhenItHasCome(bool isEmbedded)
    {
        var bells = new Bells();
        await using var silo = await StartAsync(bells, isEmbedded);
        var partition = Bells.PartitionOf("one");
        await silo.Grains.GetDueList(partition).StartAsync();
        await AsleepAsync(silo, partition);
        var dueAt = TimeProvider.System.GetUtcNow().AddSeconds(2);

        await Bells.SetAsync(silo.Store, "one", dueAt);

        await AssertRungAsync(bells, "one", dueAt);
    }

    [Theory, InlineData(false), InlineData(true)]
    public async Task Date_EarlierThanTheOneThatIsSleptFor_IsCalledFirst(bool isEmbedded)
    {
        var bells = new Bells();
        await using var silo = await StartAsync(bells, isEmbedded);
        var partition = Bells.PartitionOf("late");
        var early = Bells.Beside("late");
        await Bells.SetAsync(silo.Store, "late", TimeProvider.System.GetUtcNow().AddHours(1));
        await silo.Grains.GetDueList(partition).StartAsync();
        await AsleepAsync(silo, partition);
        var dueAt = TimeProvider.System.GetUtcNow().AddSeconds(2);

        await Bells.SetAsync(silo.Store, early, dueAt);

        await AssertRungAsync(bells, early, dueAt);
        Assert.Null(bells.RungAt("late"));
    }

    [Fact]
    public async Task Date_WhenListAndInventoryEndedMeanwhile_IsCalledAfterTheListIsStarted()
    {
        var bells = new Bells();
        await using var silo = await StartAsync(bells, isEmbedded: false);
        var partition = Bells.PartitionOf("one");
        await silo.Grains.GetDueList(partition).StartAsync();
        await AsleepAsync(silo, partition);
        await silo.EndAsync(silo.Grains.GetDueList(partition));
        await silo.EndAsync(silo.Grains.GetInventory(partition));
        var dueAt = TimeProvider.System.GetUtcNow().AddSeconds(2);
        await Bells.SetAsync(silo.Store, "one", dueAt);

        // As the other silos do when they have declared it dead.
        await silo.Grains.GetDueList(partition).StartAsync();

        await AssertRungAsync(bells, "one", dueAt);
    }

    [Fact]
    public async Task Date_WhenOnlyTheInventoryEnded_IsToldByTheNextOne()
    {
        var bells = new Bells();
        await using var silo = await StartAsync(bells, isEmbedded: false);
        var partition = Bells.PartitionOf("one");
        await silo.Grains.GetDueList(partition).StartAsync();
        await AsleepAsync(silo, partition);
        await silo.EndAsync(silo.Grains.GetInventory(partition));
        var dueAt = TimeProvider.System.GetUtcNow().AddSeconds(2);
        await Bells.SetAsync(silo.Store, "one", dueAt);

        // As the committing silo does.
        await silo.Grains.GetInventory(partition).NudgeAsync();

        await AssertRungAsync(bells, "one", dueAt);
    }

    private static Task<StoreSilo> StartAsync(Bells bells, bool isEmbedded) =>
        StoreSilo.StartAsync(isEmbedded, services => services.AddSingleton(bells).AddSingleton<IIncomingGrainCallFilter>(bells));

    /// <summary>The list has looked and found nothing that is due.</summary>
    private static Task AsleepAsync(StoreSilo silo, int partition)
    {
        var bells = silo.Services.GetRequiredService<Bells>();
        return StoreSilo.UntilAsync(() => bells.LooksForNothing(partition) > 0);
    }

    private static async Task AssertRungAsync(Bells bells, string name, DateTimeOffset dueAt)
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        timeout.CancelAfter(LatestMax + TimeSpan.FromSeconds(2));
        while (bells.RungAt(name) is null)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(20), timeout.Token);
        }

        // The store keeps milliseconds.
        Assert.InRange(bells.RungAt(name)!.Value, dueAt.AddMilliseconds(-1), dueAt + LatestMax);
    }
}
