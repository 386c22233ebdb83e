using System.Collections.Immutable;
using Muster.Contracts;
using Muster.Contracts.Commit;
using Muster.Contracts.Rollouts;
using Muster.Domain;
using Muster.Domain.Devices;
using Muster.Domain.Operators;
using Muster.Domain.Rollouts;

namespace Muster.Grains.Tests.Rollouts;

/// <summary>Rollouts that are rolled back, through coordinator, shares, fences and feed.</summary>
public sealed class RolloutRollBackTests(RolloutSilo silo) : IClassFixture<RolloutSilo>
{
    private static readonly string Old = new('9', 64);

    private static readonly RollBackRollout Back = new(RolloutSilo.Anna, [OperatorRole.Operator], "boot loops");

    [Fact]
    public async Task RollBackAsync_OfTwoWaves_BringsTheLaterOneBackFirstAndTouchesNobodyElse()
    {
        var rollout = await StartedAsync("back", devices: 20, waves: [Wave(4, 100), Wave(8, 50), Wave(20, 50)]);
        await silo.UntilAsync("back", _ => silo.Fleet.Offered("back").Length == 4);
        var first = silo.Fleet.Offered("back");
        EndAll("back");
        await silo.UntilAsync("back", _ => silo.Fleet.Offered("back").Length == 12);
        ImmutableArray<string> second = [.. silo.Fleet.Offered("back").Except(first)];
        second.ToList().ForEach(silo.Fleet.Deliver);
        silo.Fleet.EndOne(second[0], ChangeOutcome.Succeeded);
        silo.Fleet.EndOne(second[1], ChangeOutcome.Failed, "flash");
        await silo.SettleAsync("back");

        var ordered = await rollout.RollBackAsync(Back);
        await silo.SettleAsync("back");

        // Who is in progress comes to his end first; the first wave has its turn behind that.
        Assert.Equal(RolloutState.RollingBack, ordered.Rollout!.Plan.State);
        Assert.Equal([2, 1], new[] { second[0], second[1] }.Select(silo.Fleet.OffersOf));
        Assert.All(first, key => Assert.Equal(1, silo.Fleet.OffersOf(key)));
        silo.Fleet.End("back", ChangeOutcome.Succeeded);
        await silo.UntilAsync("back", _ => second.Count(key => silo.Fleet.OffersOf(key) == 2) == 7);
        Assert.All(first, key => Assert.Equal(1, silo.Fleet.OffersOf(key)));
        var ended = await silo.UntilAsync("back", now => now.Plan.IsTerminal, () => EndAll("back"));

        Assert.Equal((RolloutState.RolledBack, 12), (ended.Plan.State, silo.Fleet.Offered("back").Length));
        Assert.All(first.Concat(second), key => Assert.Equal(Old, silo.Fleet.RunningOf(key)));
        Assert.Equal([WaveState.Passed, WaveState.Passed, WaveState.Skipped], ended.Plan.Waves.Select(wave => wave.State));
        Assert.Equal([4, 7, 0], ended.Plan.Waves.Select(wave => wave.Totals.Succeeded));
        Assert.Equal(1, ended.Plan.Waves[1].Totals.Skips!.Of(MemberReason.NothingToRollBack));
        Assert.Equal(8, ended.Plan.Waves[2].Totals.Untouched);
        Assert.Equal(4, ended.Plan.Waves[0].Forward!.Totals.Succeeded);
        Assert.Empty((await rollout.RollBackAsync(Back)).Rollout!.Plan.Decisions.Except(ended.Plan.Decisions));
    }

    [Fact]
    public async Task FailureGate_WithTheActionRollBack_TakesBackWhatWasNotDeliveredAndSurvivesCrashes()
    {
        await StartedAsync("gate", devices: 8, waves: [Wave(8, 100)], change: spec => spec with
        {
            FailureGate = new FailureGate(1, null, 1) { Action = FailureAction.RollBack },
            MaxUnavailable = Amount.Count(4),
        });
        await silo.UntilAsync("gate", _ => silo.Fleet.Offered("gate").Length == 4);
        var touched = silo.Fleet.Offered("gate");
        silo.Fleet.WithoutWayBack.Add(touched[1]);
        silo.Fleet.Deliver(touched[3]);
        silo.Fleet.EndOne(touched[0], ChangeOutcome.Succeeded);
        silo.Fleet.EndOne(touched[1], ChangeOutcome.Succeeded);
        silo.Fleet.EndOne(touched[2], ChangeOutcome.Failed, "flash");

        await silo.UntilAsync("gate", now => now.Plan.RollBack is { Wave: 0 });
        var more = silo.Fleet.Offered("gate").Except(touched).ToImmutableArray();
        await silo.CrashAsync(RolloutSilo.RecordOf("gate"));
        foreach (var partition in silo.Fleet.PartitionsOf("gate"))
        {
            await silo.CrashAsync(new RecordKey(GrainTypes.RolloutPartition, $"default/gate/{partition}"));
        }

        await silo.SettleAsync("gate");
        var ended = await silo.UntilAsync("gate", now => now.Plan.IsTerminal, () => EndAll("gate"));

        Assert.Equal(RolloutState.RolledBack, ended.Plan.State);
        var totals = ended.Plan.Waves[0].Totals;
        Assert.Equal((2, 1), (totals.Succeeded, totals.Skips!.Of(MemberReason.NoWayBack)));
        Assert.Equal(8 - touched.Length - more.Length, totals.Untouched);
        Assert.Equal([Old, FleetFactory.Digest, Old, Old], touched.Select(silo.Fleet.RunningOf));
        Assert.All(more, key => Assert.Equal((1, Old), (silo.Fleet.OffersOf(key), silo.Fleet.RunningOf(key))));
        Assert.True(silo.Fleet.InProgressMax["gate"] <= 4);
        Assert.Contains(ended.Plan.Decisions, decision => decision is { Reason: PlanReasons.RollingBack, Wave: 0 });
    }

    [Fact]
    public async Task RollBackAsync_WithADeviceThatGoesAwayWithItsOffer_BringsTheOtherWavesBackMeanwhile()
    {
        silo.Fleet.Add("away", 1, online: false); // the rollout is not over without it
        var rollout = await StartedAsync("away", devices: 6, waves: [Wave(2, 100), Wave(6, 50)], change: spec => spec with
        {
            MaxUnavailable = Amount.Count(6),
        });
        await silo.UntilAsync("away", _ => silo.Fleet.Offered("away").Length == 2);
        var first = silo.Fleet.Offered("away");
        EndAll("away");
        await silo.UntilAsync("away", _ => silo.Fleet.Offered("away").Length == 6);
        ImmutableArray<string> second = [.. silo.Fleet.Offered("away").Except(first)];
        second.ToList().ForEach(key => silo.Fleet.EndOne(key, ChangeOutcome.Succeeded));
        await rollout.RollBackAsync(Back);
        await silo.UntilAsync("away", _ => second.All(key => silo.Fleet.OffersOf(key) == 2));

        silo.Fleet.SetOnline(second[0], online: false);
        second[1..].ToList().ForEach(key => silo.Fleet.EndOne(key, ChangeOutcome.Succeeded));
        var going = await silo.UntilAsync(
            "away", _ => first.All(key => silo.Fleet.OffersOf(key) == 2), () => silo.Clock.Advance(TimeSpan.FromSeconds(2)));
        first.ToList().ForEach(key => silo.Fleet.EndOne(key, ChangeOutcome.Succeeded));
        await silo.SettleAsync("away");
        Assert.Equal((RolloutState.RollingBack, 1), (going.Plan.State, going.Plan.Waves[1].Totals.InProgress));
        silo.Fleet.SetOnline(second[0], online: true);
        var ended = await silo.UntilAsync("away", now => now.Plan.IsTerminal, () => EndAll("away"));

        Assert.Equal(RolloutState.RolledBack, ended.Plan.State);
        Assert.Equal(Old, silo.Fleet.RunningOf(second[0]));
    }

    [Fact]
    public async Task RollBackAsync_WithADeviceThatBootsIntoTheImageLate_WaitsForItAndBringsItBack()
    {
        var rollout = await StartedAsync("late", devices: 2, waves: [Wave(2, 100)], change: spec => spec with
        {
            MaxUnavailable = Amount.Count(2),
        });
        await silo.UntilAsync("late", _ => silo.Fleet.Offered("late").Length == 2);
        var late = silo.Fleet.Offered("late")[0];
        silo.Fleet.Unsettled[late] = silo.Clock.GetUtcNow().AddMinutes(1);
        silo.Fleet.EndOne(silo.Fleet.Offered("late")[1], ChangeOutcome.Succeeded);
        await rollout.RollBackAsync(Back); // takes the other's offer back
        var waiting = await silo.UntilAsync("late", now => now.Plan.Waves[0].Totals.Succeeded == 1, () => EndAll("late"));
        silo.Clock.Advance(TimeSpan.FromSeconds(5));
        await silo.SettleAsync("late");

        Assert.Equal((RolloutState.RollingBack, 1), (waiting.Plan.State, silo.Fleet.Asked[late]));
        silo.Fleet.BootLate(late);
        var ended = await silo.UntilAsync("late", now => now.Plan.IsTerminal, () =>
        {
            EndAll("late");
            silo.Clock.Advance(TimeSpan.FromSeconds(2));
        });

        Assert.Equal((RolloutState.RolledBack, 2), (ended.Plan.State, ended.Plan.Waves[0].Totals.Succeeded));
        Assert.Equal(Old, silo.Fleet.RunningOf(late));
    }

    [Fact]
    public async Task RollBackAsync_WithADeviceWhoseRecordCannotBeRead_EndsWithoutIt()
    {
        var devices = silo.Fleet.Add("unread", 2);
        silo.Fleet.Dead.Add(devices[0]);
        var rollout = await silo.CreateAsync("unread", spec => spec with
        {
            Waves = [Wave(2, 100)], // it is not over with a device that did not get there
            UndeliveredTimeout = TimeSpan.FromMinutes(5),
            InProgressTimeout = TimeSpan.FromMinutes(10),
            MaxUnavailable = Amount.Count(2),
        });
        Assert.Null((await rollout.StartAsync(RolloutSilo.Order)).Error);
        await silo.UntilAsync("unread", now => now.Plan.Waves[0].Totals is { TimedOut: 1, Succeeded: 1 }, () =>
        {
            EndAll("unread");
            silo.Clock.Advance(TimeSpan.FromMinutes(1));
        });

        Assert.Null((await rollout.RollBackAsync(Back)).Error);
        var ended = await silo.UntilAsync("unread", now => now.Plan.IsTerminal, () =>
        {
            EndAll("unread");
            silo.Clock.Advance(TimeSpan.FromMinutes(1));
        });

        Assert.Equal(RolloutState.RolledBack, ended.Plan.State);
        Assert.Equal((1, 1), (ended.Plan.Waves[0].Totals.TimedOut, ended.Plan.Waves[0].Totals.Succeeded));
        Assert.Equal(Old, silo.Fleet.RunningOf(devices[1]));
    }

    [Fact]
    public async Task AdvanceAsync_ByAnOrderOfTheWayThereThatComesLate_SaysThatTheRollBackTakesTheOfferBack()
    {
        var rollout = await StartedAsync("ordered", devices: 1, waves: [Wave(1, 100)]);
        var started = await silo.UntilAsync("ordered", now => now.Plan.Waves[0].Totals.InProgress == 1);
        var device = Keys("ordered").Single();
        silo.Fleet.Dead.Add(device); // until then it is not taken back
        await rollout.RollBackAsync(Back);
        await silo.UntilAsync("ordered", _ =>
            silo.Store.FactsOf(ShareOf("ordered", device)).Any(fact => fact is RolloutShareTurned));

        silo.Fleet.Dead.Remove(device);
        await silo.Grains.GetRolloutPartition(TenantId.Default, RolloutSilo.IdOf("ordered"), started.Plan.Shares[0].Partition)
            .AdvanceAsync(new AdvanceShare
            {
                Freeze = started.Freeze,
                Epoch = started.Plan.Epoch,
                IsOffering = true,
                Seed = started.Spec.Seed,
                Cuts = [.. started.Plan.Waves.Select(wave => wave.Cut)],
                Granted = [.. started.Plan.Shares[0].Waves.Select(grant => grant.Granted)],
                OpenedAt = [.. started.Plan.Waves.Select(wave => wave.StartedAt)],
                Image = started.Image!,
                AllowTrackChange = false,
                InProgressTimeout = started.Spec.InProgressTimeout,
                UndeliveredTimeout = started.Spec.UndeliveredTimeout,
            });

        var closed = silo.Store.FactsOf(new RecordKey(GrainTypes.Device, device)).OfType<ChangeClosed>();
        Assert.Equal(WayBack.Ordered, Assert.Single(closed).Reason);
    }

    [Fact]
    public async Task AdvanceAsync_ByACancellationOfTheWayThereThatComesLate_AsksNobodyToGiveUpHisWayBack()
    {
        var rollout = await StartedAsync("heard", devices: 2, waves: [Wave(2, 100)], change: spec => spec with
        {
            MaxUnavailable = Amount.Count(2),
        });
        await silo.UntilAsync("heard", _ => silo.Fleet.Offered("heard").Length == 2);
        var (first, other) = (silo.Fleet.Offered("heard")[0], silo.Fleet.Offered("heard")[1]);
        silo.Fleet.Deliver(other); // the cancellation waits for it
        silo.Fleet.EndOne(first, ChangeOutcome.Succeeded);
        await silo.UntilAsync("heard", now => now.Plan.Waves[0].Totals is { Succeeded: 1, InProgress: 1 });
        var cancelling = (await rollout.CancelAsync(RolloutSilo.Order)).Rollout!;
        await rollout.RollBackAsync(Back);
        await silo.UntilAsync(
            "heard", now => now.Plan.Waves[0].Totals.InProgress == 2 && silo.Fleet.OffersOf(first) == 2);

        silo.Fleet.NotHandedOver.Add(first); // asked, it would give its offer up at once, and is never offered the way back again
        var partition = silo.Partitions.OfDevice(first);
        await silo.Grains.GetRolloutPartition(TenantId.Default, RolloutSilo.IdOf("heard"), partition)
            .AdvanceAsync(RolloutSilo.MessageOf(cancelling, partition));
        Assert.DoesNotContain(first, silo.Fleet.CancelledAsks.Keys);
        var ended = await silo.UntilAsync("heard", now => now.Plan.IsTerminal, () => EndAll("heard"));

        Assert.Equal((RolloutState.Cancelling, RolloutState.RolledBack), (cancelling.Plan.State, ended.Plan.State));
        Assert.Equal(2, ended.Plan.Waves[0].Totals.Succeeded);
        Assert.Equal([Old, Old], new[] { first, other }.Select(silo.Fleet.RunningOf));
    }

    [Fact]
    public async Task PauseAsync_OfTheWayBack_OffersNothingUntilItIsResumed()
    {
        silo.Fleet.Add("held", 1, online: false); // the rollout is not over without it
        var rollout = await StartedAsync("held", devices: 6, waves: [Wave(2, 100), Wave(6, 50)], change: spec => spec with
        {
            MaxUnavailable = Amount.Count(2),
        });
        await silo.UntilAsync("held", now => now.Plan.Waves.Sum(wave => wave.Totals.Succeeded) == 6, () => EndAll("held"));
        await rollout.RollBackAsync(Back);
        await silo.UntilAsync("held", _ => Offers("held") >= 7);

        var paused = await rollout.PauseAsync(RolloutSilo.Order);
        var before = Offers("held");
        await silo.SettleAsync("held");
        Assert.Equal((RolloutState.Paused, before), (paused.Rollout!.Plan.State, Offers("held")));
        var resumed = await rollout.ResumeAsync(new ResumeRollout(RolloutSilo.Anna, false, ""));
        var ended = await silo.UntilAsync("held", now => now.Plan.IsTerminal, () => EndAll("held"));

        Assert.Equal((RolloutState.RollingBack, RolloutState.RolledBack), (resumed.Rollout!.Plan.State, ended.Plan.State));
        Assert.All(silo.Fleet.Offered("held"), key => Assert.Equal(Old, silo.Fleet.RunningOf(key)));
    }

    [Fact]
    public async Task FailureGate_WithTheActionRollBackAndWithoutTheApprovalsThatAreNeededNow_Suspends()
    {
        await StartedAsync("unsigned", devices: 4, waves: [Wave(4, 100)], change: spec => spec with
        {
            FailureGate = new FailureGate(1, null, 1) { Action = FailureAction.RollBack },
        });
        await silo.UntilAsync("unsigned", _ => silo.Fleet.Offered("unsigned").Length == 4);
        silo.RolloutOptions.ApprovalsToStart = 1;
        try
        {
            silo.Fleet.End("unsigned", ChangeOutcome.Failed, countMax: 1);
            var suspended = await silo.UntilAsync("unsigned", now => now.Plan.State == RolloutState.Suspended);
            var rollout = silo.Grains.GetRollout(TenantId.Default, RolloutSilo.IdOf("unsigned"));
            var refused = await rollout.RollBackAsync(Back);
            var own = await rollout.RollBackAsync(Back with { Roles = [OperatorRole.Operator, OperatorRole.Approver] });
            var ordered = await rollout.RollBackAsync(Back with { Actor = Actor.Operator("bert"), Roles = [OperatorRole.Approver] });

            Assert.Contains("approvals", suspended.Plan.Decisions[^1].Text, StringComparison.Ordinal);
            Assert.NotNull(refused.Error);
            Assert.Equal("APPROVER_IS_REQUESTER", own.Error?.Reason);
            Assert.Equal(RolloutState.RollingBack, ordered.Rollout?.Plan.State);
        }
        finally
        {
            silo.RolloutOptions.ApprovalsToStart = 0;
        }
    }

    [Fact]
    public async Task ExplainDeviceAsync_OnTheWayBack_SaysWhereTheDeviceIs()
    {
        var rollout = await StartedAsync("told", devices: 3, waves: [Wave(2, 100), Wave(3, 50)]);
        await silo.UntilAsync("told", _ => silo.Fleet.Offered("told").Length == 2);
        var touched = silo.Fleet.Offered("told");
        var away = touched[1];
        silo.Fleet.EndOne(touched[0], ChangeOutcome.Succeeded);
        silo.Fleet.Deliver(away);
        await silo.UntilAsync("told", now => now.Plan.Waves[0].Totals.Succeeded == 1);
        await rollout.RollBackAsync(Back);
        await silo.UntilAsync("told", _ => silo.Fleet.OffersOf(touched[0]) == 2);
        await silo.SettleAsync("told");

        var back = await ExplainAsync(rollout, touched[0]);
        var there = await ExplainAsync(rollout, away);
        var never = await ExplainAsync(rollout, Keys("told").Single(key => silo.Fleet.OffersOf(key) == 0));

        Assert.StartsWith("Way back, attempt 1 of 1 in wave 0: offered", back.Text, StringComparison.Ordinal);
        Assert.StartsWith("Attempt 1 of 1 in wave 0: has it since", there.Text, StringComparison.Ordinal);
        Assert.Equal((MemberStatus.Untouched, 1), (never.Status, never.Wave));
    }

    [Fact]
    public async Task RollBackAsync_OfARolloutThatIsOver_IsRefused()
    {
        var rollout = await StartedAsync("over", devices: 2, waves: [Wave(2, 100)]);
        await silo.UntilAsync("over", now => now.Plan.IsTerminal, () => EndAll("over"));

        Assert.Equal(RolloutErrors.WrongStateReason, (await rollout.RollBackAsync(Back)).Error?.Reason);
    }

    private static WaveSpec Wave(int count, int percent) =>
        new(Amount.Count(count), percent, 1, TimeSpan.Zero, ConnectedOnly: percent == 100);

    private async Task<IRolloutGrain> StartedAsync(
        string site, int devices, ImmutableArray<WaveSpec> waves, Func<RolloutSpec, RolloutSpec>? change = null)
    {
        silo.Fleet.Add(site, devices);
        var rollout = await silo.CreateAsync(site, spec => (change?.Invoke(spec) ?? spec) with { Waves = waves });
        Assert.Null((await rollout.StartAsync(RolloutSilo.Order)).Error);
        return rollout;
    }

    private static RecordKey ShareOf(string site, string device) =>
        new(GrainTypes.RolloutPartition, $"default/{site}/{new PartitionMap(PartitionMap.CountMin).OfDevice(device)}");

    private void EndAll(string site) => silo.Fleet.End(site, ChangeOutcome.Succeeded);

    private int Offers(string site) => silo.Fleet.Offered(site).Sum(silo.Fleet.OffersOf);

    private ImmutableArray<string> Keys(string site) => silo.Fleet.KeysOf(site);

    private static async Task<DeviceExplanation> ExplainAsync(IRolloutGrain rollout, string key)
    {
        var id = DeviceId.TryParse(key[(key.IndexOf('/', StringComparison.Ordinal) + 1)..], out var parsed)
            ? parsed
            : throw new FormatException(key);
        var reply = await rollout.ExplainDeviceAsync(id);
        Assert.Null(reply.Error);
        return reply.Explanation!;
    }
}
