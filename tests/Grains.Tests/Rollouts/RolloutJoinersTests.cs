using System.Collections.Immutable;
using Muster.Contracts;
using Muster.Contracts.Commit;
using Muster.Contracts.Devices;
using Muster.Contracts.Rollouts;
using Muster.Contracts.Strategies;
using Muster.Domain;
using Muster.Domain.Devices;
using Muster.Domain.Operators;
using Muster.Domain.Rollouts;
using Muster.Domain.Strategies;

namespace Muster.Grains.Tests.Rollouts;

/// <summary>Devices that come to match after the freeze, through coordinator, shares and feed.</summary>
public sealed partial class RolloutJoinersTests(RolloutSilo silo) : IClassFixture<RolloutSilo>
{
    private static readonly TimeSpan Look = TimeSpan.FromSeconds(10);

    [Fact]
    public async Task Joiners_ThatEnterServiceOrAreMovedThere_AreOfferedTheChangeInTheLastWave()
    {
        const string Site = "late";
        silo.Fleet.Add(Site, 6);
        var moved = silo.Fleet.Add("late-elsewhere", 1)[0];
        var rollout = await StartedAsync(Site);
        await silo.UntilAsync(Site, _ => silo.Fleet.Offered(Site).Length == 4);
        var entered = silo.Fleet.Enter(Site);
        silo.Fleet.MoveTo(moved, Site);
        silo.Clock.Advance(Look);
        var counted = await silo.UntilAsync(Site, now => now.Plan.LateJoiners == 2);
        await EndFrozenAsync(Site, wave: 0);
        await silo.UntilAsync(Site, now => now.Plan.Waves[1].Totals.InProgress == 2);
        await silo.SettleAsync(Site);

        var early = new[] { entered, moved }.Select(silo.Fleet.OffersOf).ToArray();
        var waits = await ExplainAsync(rollout, entered);
        var ended = await silo.UntilAsync(Site, now => now.Plan.IsTerminal, () => silo.Fleet.End(Site, ChangeOutcome.Succeeded));

        Assert.Equal((8, WaveState.Pending), (counted.Plan.Members, counted.Plan.Waves[2].State));
        Assert.Equal([0, 0], early);
        Assert.Equal((2, WaitingOn.EarlierWave), (waits.Wave, Assert.Single(waits.WaitingOn)));
        Assert.Equal((RolloutState.Succeeded, 2), (ended.Plan.State, ended.Plan.Waves[2].Totals.Succeeded));
        Assert.All(silo.Fleet.KeysOf(Site), key => Assert.Equal(1, silo.Fleet.OffersOf(key)));
        Assert.Equal(0, ended.Plan.LeftOut);
        Assert.Equal(
            [0, 1, 2], silo.Store.FactsOf(RolloutSilo.RecordOf(Site)).OfType<WavePassed>().Select(passed => passed.Wave));
    }

    [Fact]
    public async Task Joiners_OfARolloutThatTakesNone_AreCountedEverywhereAndOfferedNothing()
    {
        const string Site = "late-none";
        var frozen = silo.Fleet.Add(Site, 1);
        var rollout = await StartedAsync(Site, includes: false);
        await silo.UntilAsync(Site, _ => silo.Fleet.OffersOf(frozen[0]) == 1);
        var here = silo.Fleet.Enter(Site, silo.Fleet.PartitionOf(frozen[0]), 1)[0];
        var elsewhere = silo.Fleet.Enter(Site, (silo.Fleet.PartitionOf(frozen[0]) + 1) % PartitionMap.CountMin, 2);
        silo.Clock.Advance(TimeSpan.FromMinutes(1));

        var three = await silo.UntilAsync(Site, now => now.Plan.LeftOut == 3);
        var explained = await ExplainAsync(rollout, here);
        silo.Fleet.MoveTo(here, "late-none-away");
        silo.Fleet.MoveTo(elsewhere[0], "late-none-away");
        silo.Clock.Advance(TimeSpan.FromMinutes(1));
        await silo.UntilAsync(Site, now => now.Plan.LeftOut == 1);
        var ended = await silo.UntilAsync(Site, now => now.Plan.IsTerminal, () => silo.Fleet.End(Site, ChangeOutcome.Succeeded));

        Assert.Single(three.Plan.Shares);
        Assert.Equal((NotMember.JoinedLater, 1), (explained.NotMember, ended.Plan.Members));
        Assert.Equal((RolloutState.Succeeded, 1L), (ended.Plan.State, ended.Plan.LeftOut));
        Assert.All(elsewhere.Add(here), key => Assert.Equal(0, silo.Fleet.OffersOf(key)));
    }

    /// <summary>The commit of the share is stored and its activation dies, or it is not stored at all; its coordinator dies, too.</summary>
    [Theory]
    [InlineData("late-lost", true)]
    [InlineData("late-refused", false)]
    public async Task Joiners_WhenTheShareDiesAtItsCommit_JoinOnce(string site, bool isStored)
    {
        silo.Fleet.Add(site, 4);
        await StartedAsync(site);
        await silo.UntilAsync(site, now => now.Plan.Waves[0].Totals.InProgress == 4);
        await silo.SettleAsync(site);
        var entered = silo.Fleet.Enter(site);
        var share = ShareOf(site, entered);
        if (isStored)
        {
            silo.Store.LoseNextAnswer(share);
        }
        else
        {
            silo.Store.FailNextWrite(share);
        }

        silo.Clock.Advance(Look);
        await silo.UntilAsync(site, _ => !silo.Store.IsPending(share));
        await silo.CrashAsync(RolloutSilo.RecordOf(site));
        await silo.CrashAsync(share);
        var counted = await silo.UntilAsync(site, now => now.Plan.LateJoiners > 0, () => silo.Clock.Advance(TimeSpan.FromSeconds(1)));
        var ended = await silo.UntilAsync(site, now => now.Plan.IsTerminal, () => silo.Fleet.End(site, ChangeOutcome.Succeeded));

        Assert.Equal((1, 5), (counted.Plan.LateJoiners, counted.Plan.Members));
        Assert.Equal((RolloutState.Succeeded, 1), (ended.Plan.State, ended.Plan.Waves[^1].Totals.Succeeded));
        Assert.Equal(1, silo.Fleet.OffersOf(entered));
        Assert.Equal(
            [DeviceKey.Parse(entered).Device], silo.Store.FactsOf(share).OfType<RolloutMembersJoined>().SelectMany(fact => fact.Devices));
    }

    /// <summary>Nobody has to look in time: the last look, at all who match, comes before the wave starts.</summary>
    [Fact]
    public async Task Joiners_OfWhomNobodyHasHeard_AreInTheWaveThatStarts()
    {
        const string Site = "late-last";
        silo.Fleet.Add(Site, 4);
        await StartedAsync(Site);
        await silo.UntilAsync(Site, now => now.Plan.Waves[0].Totals.InProgress == 4);
        var silent = silo.Fleet.Add(Site, 1)[0]; // its record tells the feed nothing

        var ended = await silo.UntilAsync(Site, now => now.Plan.IsTerminal, () => silo.Fleet.End(Site, ChangeOutcome.Succeeded));

        Assert.Equal((1, 1), (ended.Plan.LateJoiners, silo.Fleet.OffersOf(silent)));
    }

    [Fact]
    public async Task Joiners_WhoComeWhenTheirWaveHasStarted_AreLeftOutAndSoIsEverybodyAfterTheEnd()
    {
        const string Site = "late-over";
        silo.Fleet.Add(Site, 3);
        var rollout = await StartedAsync(Site);
        await silo.UntilAsync(Site, now => now.Plan.Waves[0].Totals.InProgress == 3);
        var first = silo.Fleet.Enter(Site);
        await EndFrozenAsync(Site, wave: 0);
        await silo.UntilAsync(Site, now => now.Plan.Waves[^1].Totals.InProgress == 1);
        var second = silo.Fleet.Enter(Site);
        silo.Clock.Advance(TimeSpan.FromMinutes(1));
        var late = await silo.UntilAsync(Site, now => now.Plan.LeftOut == 1);
        var explained = await ExplainAsync(rollout, second);
        await silo.CrashAsync(ShareOf(Site, second));
        await silo.SettleAsync(Site);
        silo.Clock.Advance(TimeSpan.FromMinutes(1));
        await silo.SettleAsync(Site);
        var ended = await silo.UntilAsync(Site, now => now.Plan.IsTerminal, () => silo.Fleet.End(Site, ChangeOutcome.Succeeded));
        var third = silo.Fleet.Enter(Site);
        silo.Clock.Advance(TimeSpan.FromDays(30));
        await silo.CrashAsync(RolloutSilo.RecordOf(Site));
        await silo.SettleAsync(Site);

        Assert.Equal((1, 4), (late.Plan.LateJoiners, late.Plan.Members));
        Assert.Equal(NotMember.JoinedLater, explained.NotMember);
        Assert.Contains("when joining ended", explained.Text, StringComparison.Ordinal);
        Assert.Equal((RolloutState.Succeeded, 1L), (ended.Plan.State, ended.Plan.LeftOut));
        Assert.Equal([1, 0, 0], new[] { first, second, third }.Select(silo.Fleet.OffersOf));
        var plan = (await rollout.GetAsync()).Rollout!.Plan;
        Assert.Equal((ended.Plan.Epoch, 4, 1L), (plan.Epoch, plan.Members, plan.LeftOut));
        Assert.Equal(ended.Plan.Decisions, plan.Decisions);
    }

    /// <summary>Rows are newer than the feed was read: an old entry is not taken for the joiner's leaving.</summary>
    [Fact]
    public async Task Joiners_ThatLeftServiceAndCameBackWhileTheShareLooked_StayMembers()
    {
        const string Site = "late-race";
        silo.Fleet.Add(Site, 4);
        var rollout = await StartedAsync(Site);
        await silo.UntilAsync(Site, now => now.Plan.Waves[0].Totals.InProgress == 4);
        var entered = silo.Fleet.Enter(Site);
        silo.Fleet.BeforeRows[silo.Fleet.PartitionOf(entered)] = () =>
        {
            silo.Fleet.Quarantine(entered);
            silo.Fleet.Release(entered);
        };
        silo.Clock.Advance(Look);
        await silo.UntilAsync(Site, now => now.Plan.LateJoiners == 1, () => silo.Clock.Advance(TimeSpan.FromSeconds(1)));
        var joined = await ExplainAsync(rollout, entered);
        silo.Fleet.Quarantine(entered);
        await silo.UntilAsync(
            Site, now => now.Plan.Waves[^1].Totals.Removed == 1, () => silo.Clock.Advance(TimeSpan.FromSeconds(1)));
        silo.Fleet.Release(entered);
        silo.Clock.Advance(Look);
        await silo.SettleAsync(Site);
        var ended = await silo.UntilAsync(Site, now => now.Plan.IsTerminal, () => silo.Fleet.End(Site, ChangeOutcome.Succeeded));

        Assert.Empty(silo.Fleet.BeforeRows);
        Assert.Equal(MemberStatus.Waiting, joined.Status);

        // Who left does not join again.
        Assert.Equal((1, 0L, 0), (ended.Plan.LateJoiners, ended.Plan.LeftOut, silo.Fleet.OffersOf(entered)));
    }

    [Fact]
    public async Task RollBackAsync_OfARolloutWithLateJoiners_BringsThemBackFirst()
    {
        const string Site = "late-back";
        var frozen = silo.Fleet.Add(Site, 3);
        var rollout = await StartedAsync(Site);
        await silo.UntilAsync(Site, now => now.Plan.Waves[0].Totals.InProgress == 3);
        var entered = silo.Fleet.Enter(Site);
        await EndFrozenAsync(Site, wave: 0);
        await silo.UntilAsync(Site, _ => silo.Fleet.OffersOf(entered) == 1);
        silo.Fleet.EndOne(entered, ChangeOutcome.Failed, "flash");
        silo.Fleet.BootLate(entered);
        await silo.UntilAsync(Site, now => now.Plan.State == RolloutState.Suspended);

        await rollout.RollBackAsync(new RollBackRollout(RolloutSilo.Anna, [OperatorRole.Operator], "no"));
        await silo.UntilAsync(Site, _ => silo.Fleet.OffersOf(entered) == 2);
        var early = frozen.Select(silo.Fleet.OffersOf).ToArray();
        var ended = await silo.UntilAsync(Site, now => now.Plan.IsTerminal, () => silo.Fleet.End(Site, ChangeOutcome.Succeeded));

        Assert.All(early, offers => Assert.Equal(1, offers));
        Assert.Equal(RolloutState.RolledBack, ended.Plan.State);
        Assert.Equal((1, 3), (ended.Plan.Waves[^1].Totals.Succeeded, ended.Plan.Waves.SkipLast(1).Sum(wave => wave.Totals.Succeeded)));
    }

    [Fact]
    public async Task RollBackAsync_BeforeTheirWave_LeavesJoinersUntouched()
    {
        const string Site = "late-untouched";
        silo.Fleet.Add(Site, 3);
        var rollout = await StartedAsync(Site);
        await silo.UntilAsync(Site, now => now.Plan.Waves[0].Totals.InProgress == 3);
        var entered = silo.Fleet.Enter(Site);
        silo.Clock.Advance(Look);
        await silo.UntilAsync(Site, now => now.Plan.LateJoiners == 1);

        await rollout.RollBackAsync(new RollBackRollout(RolloutSilo.Anna, [OperatorRole.Operator], "no"));
        silo.Fleet.Enter(Site);
        silo.Clock.Advance(Look);
        var ended = await silo.UntilAsync(Site, now => now.Plan.IsTerminal, () => silo.Fleet.End(Site, ChangeOutcome.Succeeded));

        Assert.Equal(RolloutState.RolledBack, ended.Plan.State);
        Assert.Equal((1, WaveState.Skipped), (ended.Plan.Waves[^1].Totals.Untouched, ended.Plan.Waves[^1].State));
        Assert.Equal(0, silo.Fleet.OffersOf(entered));
    }

    [Fact]
    public async Task Retry_OfARolloutWithLateJoiners_HasThoseThatDidNotSucceed()
    {
        const string Site = "late-rest";
        silo.Fleet.Add(Site, 3);
        var rollout = await StartedAsync(Site);
        await silo.UntilAsync(Site, now => now.Plan.Waves[0].Totals.InProgress == 3);
        var entered = silo.Fleet.Enter(Site);
        await EndFrozenAsync(Site, wave: 0);
        await silo.UntilAsync(Site, _ => silo.Fleet.OffersOf(entered) == 1);
        silo.Fleet.EndOne(entered, ChangeOutcome.Failed, "flash");
        await silo.UntilAsync(Site, now => now.Plan.State == RolloutState.Suspended);
        await rollout.CancelAsync(RolloutSilo.Order);
        var spec = (await silo.UntilAsync(Site, now => now.Plan.IsTerminal)).Spec;
        var rest = silo.Grains.GetRollout(TenantId.Default, RolloutSilo.IdOf("late-rest-again"));

        var both = await rest.CreateAsync(new CreateRollout(
            RolloutSilo.Anna, "r1", spec with { RetryOf = RolloutSilo.IdOf(Site) }, ValidateOnly: false));
        await rest.CreateAsync(new CreateRollout(
            RolloutSilo.Anna, "r1", spec with { RetryOf = RolloutSilo.IdOf(Site), IncludeLateJoiners = false }, ValidateOnly: false));
        var started = await rest.StartAsync(RolloutSilo.Order);
        await silo.UntilAsync("late-rest-again", now => now.Plan.IsTerminal, () => silo.Fleet.End(Site, ChangeOutcome.Succeeded));

        Assert.Equal(("ROLLOUT_SPEC_INVALID", "include_late_joiners"), (both.Error?.Reason, both.Error!.Metadata.Single().Key));
        Assert.Equal((1, 2), (started.Rollout!.Plan.Members, silo.Fleet.OffersOf(entered)));
    }

    [Fact]
    public async Task CreateAsync_ValidateOnly_ShowsTheWaveThatNobodyIsInYet()
    {
        silo.Fleet.Add("late-plan", 6);
        var rollout = silo.Grains.GetRollout(TenantId.Default, RolloutSilo.IdOf("late-plan"));
        var spec = (await (await silo.CreateAsync("late-planned", spec => spec with { IncludeLateJoiners = true })).GetAsync())
            .Rollout!.Spec with { Filter = "site = late-plan" };

        var planned = await rollout.CreateAsync(new CreateRollout(RolloutSilo.Anna, "", spec, ValidateOnly: true));

        Assert.Equal((6, 3), (planned.Matching, planned.Planned.Length));
        Assert.Equal((true, 0), (planned.Planned[2].TakesJoiners, planned.Planned[2].Members));
    }

    /// <summary>While nothing changes a share asks once in ten seconds, and for nothing but what changed.</summary>
    [Fact]
    public async Task Joiners_WhileNothingChanges_AreLookedForOnceInTenSeconds()
    {
        const string Site = "late-quiet";
        silo.Fleet.Add(Site, 1);
        await StartedAsync(Site);
        await silo.UntilAsync(Site, now => now.Plan.Waves[0].Totals.InProgress == 1);
        silo.Clock.Advance(Look);
        await silo.SettleAsync(Site);
        var (changes, rows) = (silo.Fleet.RowsAsked.ToDictionary(), silo.Fleet.RowsListed);

        await silo.SettleAsync(Site);
        Assert.Equal(changes, silo.Fleet.RowsAsked);

        silo.Clock.Advance(Look);
        await silo.SettleAsync(Site);
        Assert.NotEqual(changes, silo.Fleet.RowsAsked);
        Assert.All(silo.Fleet.RowsAsked, asked => Assert.InRange(asked.Value - changes.GetValueOrDefault(asked.Key), 0, 1));
        Assert.Equal(rows, silo.Fleet.RowsListed);
    }

    private IStrategySetGrain Strategies => silo.Grains.GetStrategySet(TenantId.Default);

    private static async Task<DeviceExplanation> ExplainAsync(IRolloutGrain rollout, string key) =>
        (await rollout.ExplainDeviceAsync(DeviceKey.Parse(key).Device)).Explanation!;

    private RecordKey ShareOf(string site, string key) => new(GrainTypes.RolloutPartition, $"default/{site}/{silo.Fleet.PartitionOf(key)}");

    private async Task RuleAsync(params ImmutableArray<SiteRule> rules) => Assert.Null(
        (await Strategies.UpdateSiteRulesAsync(new UpdateSiteRules(RolloutSilo.Anna, rules, ""))).Error);

    private async Task<IRolloutGrain> StartedAsync(string site, bool includes = true, string? filter = null)
    {
        var rollout = await silo.CreateAsync(site, spec => spec with
        {
            IncludeLateJoiners = includes,
            Filter = filter ?? spec.Filter,
        });
        Assert.Null((await rollout.StartAsync(RolloutSilo.Order)).Error);
        return rollout;
    }

    /// <summary>The wave succeeds; what is offered meanwhile is left in progress.</summary>
    private async Task EndFrozenAsync(string site, int wave)
    {
        silo.Fleet.End(site, ChangeOutcome.Succeeded);
        await silo.UntilAsync(site, now => now.Plan.Waves[wave].State == WaveState.Passed);
    }
}
