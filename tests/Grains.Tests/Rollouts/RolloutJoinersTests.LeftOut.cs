using Muster.Contracts.Strategies;
using Muster.Domain.Devices;
using Muster.Domain.Rollouts;
using Muster.Domain.Strategies;

namespace Muster.Grains.Tests.Rollouts;

/// <summary>Who does not join.</summary>
public sealed partial class RolloutJoinersTests
{
    [Fact]
    public async Task Joiners_AtASiteThatNeedsAnotherStrategy_AreLeftOut()
    {
        const string Site = "late-ruled";
        silo.Fleet.Add(Site, 3);
        await Strategies.CreateAsync(new CreateStrategy(
            RolloutSilo.Anna, "r1", RolloutSilo.IdOf("late-strict"), new StrategySpec("", new RolloutSpec
            {
                ImageDigest = "",
                TargetVersion = "",
                Waves = [new WaveSpec(Amount.Count(1), 100, 1, TimeSpan.Zero, ConnectedOnly: false)],
            })));
        var rollout = await StartedAsync(Site, filter: $"site = {Site} OR site = late-guarded");
        await RuleAsync(new SiteRule("late-guarded", RolloutSilo.IdOf("late-strict"), 1));
        await silo.UntilAsync(Site, now => now.Plan.Waves[0].Totals.InProgress == 3);
        var (free, guarded) = (silo.Fleet.Enter(Site), silo.Fleet.Enter("late-guarded"));
        silo.Clock.Advance(Look);

        await silo.UntilAsync(Site, now => now.Plan is { LateJoiners: 1, LeftOut: 1 });
        var explained = await ExplainAsync(rollout, guarded);
        await silo.UntilAsync(Site, now => now.Plan.IsTerminal, () => silo.Fleet.End(Site, ChangeOutcome.Succeeded));
        await RuleAsync();

        Assert.Contains("needs a strategy", explained.Text, StringComparison.Ordinal);
        Assert.Equal([1, 0], new[] { free, guarded }.Select(silo.Fleet.OffersOf));
    }

    /// <summary>A rollout that took nobody back when it started takes nobody back later, without the approvals for that.</summary>
    [Fact]
    public async Task Joiners_WhoWouldGoBackWithoutTheApprovalsForIt_AreLeftOut()
    {
        const string Site = "late-newer";
        silo.Fleet.Add(Site, 2);
        silo.RolloutOptions.ApprovalsToDowngrade = 1;
        try
        {
            var rollout = await StartedAsync(Site);
            await silo.UntilAsync(Site, now => now.Plan.Waves[0].Totals.InProgress == 2);
            var newer = silo.Fleet.Add("late-newer-away", 1)[0];
            silo.Fleet.Runs(newer, "12.9.0");
            silo.Fleet.MoveTo(newer, Site);
            var older = silo.Fleet.Enter(Site);
            var untold = silo.Fleet.Add("late-newer-new", 1)[0];
            silo.Fleet.Runs(untold, "");
            silo.Fleet.MoveTo(untold, Site);
            silo.Clock.Advance(Look);

            await silo.UntilAsync(Site, now => now.Plan is { LateJoiners: 1, LeftOut: 2 });
            var explained = await ExplainAsync(rollout, newer);
            silo.Fleet.Runs(untold, "12.0.0");
            silo.Fleet.MoveTo(untold, Site);
            silo.Clock.Advance(Look);
            await silo.UntilAsync(Site, now => now.Plan is { LateJoiners: 2, LeftOut: 1 });
            await silo.UntilAsync(Site, now => now.Plan.IsTerminal, () => silo.Fleet.End(Site, ChangeOutcome.Succeeded));

            Assert.Contains("newer version", explained.Text, StringComparison.Ordinal);
            Assert.Equal([0, 1, 1], new[] { newer, older, untold }.Select(silo.Fleet.OffersOf));
        }
        finally
        {
            silo.RolloutOptions.ApprovalsToDowngrade = 0;
        }
    }

    [Fact]
    public async Task Joiners_BeyondWhatAPartitionTakes_AreLeftOut()
    {
        const string Site = "late-many";
        silo.Fleet.Add(Site, 1);
        var rollout = await StartedAsync(Site);
        await silo.UntilAsync(Site, now => now.Plan.Waves[0].Totals.InProgress == 1);
        silo.Fleet.Enter(Site, partition: 5, RolloutLimits.LateJoinersPerPartitionMax - 1);
        silo.Clock.Advance(Look);
        await silo.UntilAsync(Site, now => now.Plan.LateJoiners == RolloutLimits.LateJoinersPerPartitionMax - 1);
        var more = silo.Fleet.Enter(Site, partition: 5, 3);
        silo.Clock.Advance(Look);

        var full = await silo.UntilAsync(Site, now => now.Plan.LeftOut == 2);
        var explained = await Task.WhenAll(more.Select(key => ExplainAsync(rollout, key)));
        await rollout.CancelAsync(RolloutSilo.Order);

        Assert.Equal(RolloutLimits.LateJoinersPerPartitionMax, full.Plan.LateJoiners);
        Assert.Equal(2, explained.Count(one => one.Text.Contains("512 devices of its partition", StringComparison.Ordinal)));
    }
}
