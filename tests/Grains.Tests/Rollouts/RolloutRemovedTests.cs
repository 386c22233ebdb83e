using Muster.Contracts;
using Muster.Contracts.Commit;
using Muster.Contracts.Rollouts;
using Muster.Domain.Devices;
using Muster.Domain.Rollouts;

namespace Muster.Grains.Tests.Rollouts;

/// <summary>Members whose devices leave service (rollouts.md 6).</summary>
public sealed class RolloutRemovedTests(RolloutSilo silo) : IClassFixture<RolloutSilo>
{
    private static OrderRollout Order => RolloutSilo.Order;

    [Fact]
    public async Task Members_ThatLeaveService_LeaveNumeratorAndDenominator()
    {
        silo.Fleet.Add("leave", 3);
        var away = silo.Fleet.Add("leave", 1, online: false);
        await (await silo.CreateAsync("leave")).StartAsync(Order);
        silo.Fleet.Quarantine(away[0]);

        var ended = await silo.UntilAsync("leave", now => now.Plan.IsTerminal, () => silo.Fleet.End("leave", ChangeOutcome.Succeeded));

        Assert.Equal((RolloutState.Succeeded, 1), (ended.Plan.State, ended.Plan.Waves.Sum(wave => wave.Totals.Removed)));
        Assert.Equal([MemberStatus.Waiting], RemovedOf("leave"));
    }

    /// <summary>Behind its outcome too; said once, although its share reads the feed again after a crash.</summary>
    [Fact]
    public async Task Members_ThatLeaveServiceBehindTheirOutcome_LeaveNumeratorAndDenominatorAndAreNamedOnce()
    {
        const string Site = "leave-late";
        var devices = silo.Fleet.Add(Site, 4);
        await (await silo.CreateAsync(Site, spec => spec with
        {
            Waves = [new WaveSpec(Amount.Percent(100), 50, 1, TimeSpan.Zero, ConnectedOnly: false)],
            FailureGate = new FailureGate(4, null, 1),
        })).StartAsync(Order);
        await silo.UntilAsync(Site, now => now.Plan.Waves.Sum(wave => wave.Totals.Offered) == 4);
        silo.Fleet.EndOne(devices[0], ChangeOutcome.Succeeded);
        silo.Fleet.EndOne(devices[1], ChangeOutcome.Failed);
        await silo.UntilAsync(Site, now => now.Plan.Waves.Sum(wave => wave.Totals.Finished) == 2);

        silo.Fleet.Quarantine(devices[0]);
        silo.Fleet.Quarantine(devices[1]);
        await silo.UntilAsync(
            Site,
            now => now.Plan.Waves.Sum(wave => wave.Totals.Removed) == 2,
            () => silo.Clock.Advance(TimeSpan.FromSeconds(1))); // who has ended is asked about now and then
        foreach (var partition in silo.Fleet.PartitionsOf(Site))
        {
            await silo.CrashAsync(new RecordKey(GrainTypes.RolloutPartition, $"default/{Site}/{partition}"));
        }

        var ended = await silo.UntilAsync(Site, now => now.Plan.IsTerminal, () => silo.Fleet.End(Site, ChangeOutcome.Succeeded));

        Assert.Equal((2, 0, 2), (ended.Plan.Waves.Sum(wave => wave.Totals.Succeeded), ended.Plan.Waves.Sum(wave => wave.Totals.FailedAll),
            ended.Plan.Waves.Sum(wave => wave.Totals.Removed)));
        Assert.Equal([MemberStatus.Succeeded, MemberStatus.Failed], RemovedOf(Site).Order());
    }

    private IEnumerable<MemberStatus> RemovedOf(string rollout) => silo.Fleet.PartitionsOf(rollout)
        .SelectMany(partition => silo.Store.FactsOf(new RecordKey(GrainTypes.RolloutPartition, $"default/{rollout}/{partition}")))
        .OfType<RolloutMemberRemoved>()
        .Select(fact => fact.Before);
}
