using Muster.Contracts;
using Muster.Contracts.Commit;
using Muster.Contracts.Rollouts;
using Muster.Domain;
using Muster.Domain.Devices;
using Muster.Domain.Rollouts;
using Muster.Grains.Rollouts;

namespace Muster.Grains.Tests.Rollouts;

public sealed class RolloutGrainTests(RolloutSilo silo) : IClassFixture<RolloutSilo>
{
    private static OrderRollout Order => RolloutSilo.Order;

    [Fact]
    public async Task StartAsync_WithTwoWaves_OffersEveryDeviceOnceWaveByWave()
    {
        var devices = silo.Fleet.Add("two-waves", 40);
        var rollout = await silo.CreateAsync("two-waves");

        var started = await rollout.StartAsync(Order);
        await silo.UntilAsync("two-waves", _ => silo.Fleet.Offered("two-waves").Length == 4);
        await silo.SettleAsync("two-waves");
        Assert.Equal(4, silo.Fleet.Offered("two-waves").Length);
        var ended = await silo.UntilAsync(
            "two-waves", now => now.Plan.IsTerminal, () => silo.Fleet.End("two-waves", ChangeOutcome.Succeeded));

        Assert.Equal((RolloutState.Running, 40), (started.Rollout!.Plan.State, started.Rollout.Plan.Members));
        Assert.Equal("12.1.0", started.Rollout.Spec.TargetVersion);
        Assert.Equal(RolloutState.Succeeded, ended.Plan.State);
        Assert.Equal([4, 36], ended.Plan.Waves.Select(wave => wave.Totals.Succeeded));
        Assert.All(devices, key => Assert.Equal(1, silo.Fleet.OffersOf(key)));
        Assert.Null(silo.Store.DueAtOf(RolloutSilo.RecordOf("two-waves")));
        Assert.Equal(2, silo.Store.FactsOf(RolloutSilo.RecordOf("two-waves")).Count(fact => fact is WavePassed));
    }

    [Fact]
    public async Task StartAsync_WhenNothingMatches_IsRefusedAndStaysADraft()
    {
        var rollout = await silo.CreateAsync("nowhere");

        var reply = await rollout.StartAsync(Order);

        Assert.Equal(RolloutErrors.NoDevicesReason, reply.Error?.Reason);
        Assert.Equal(RolloutState.Draft, (await rollout.GetAsync()).Rollout!.Plan.State);
    }

    [Fact]
    public async Task CreateAsync_RepeatedUnknownOrInvalid_IsAnsweredAccordingly()
    {
        silo.Fleet.Add("create", 3);
        var rollout = await silo.CreateAsync("create");
        var spec = (await rollout.GetAsync()).Rollout!.Spec;
        var unborn = silo.Grains.GetRollout(TenantId.Default, RolloutSilo.IdOf("unborn"));

        var repeated = await rollout.CreateAsync(new CreateRollout(RolloutSilo.Anna, "r1", spec, false));
        var reused = await rollout.CreateAsync(new CreateRollout(RolloutSilo.Anna, "r1", spec with { DevicesPerMinute = 7 }, false));
        var other = await rollout.CreateAsync(new CreateRollout(RolloutSilo.Anna, "r2", spec, false));
        var invalid = await unborn.CreateAsync(new CreateRollout(RolloutSilo.Anna, "r1", spec with { Filter = "x", Waves = [] }, false));
        var noImage = await unborn.CreateAsync(
            new CreateRollout(RolloutSilo.Anna, "r1", spec with { ImageDigest = new string('b', 64) }, false));
        var validated = await unborn.CreateAsync(new CreateRollout(RolloutSilo.Anna, "r1", spec, true));
        var missing = await unborn.StartAsync(Order);

        Assert.Null(repeated.Error);
        Assert.Equal(RolloutErrors.RequestIdReusedReason, reused.Error?.Reason);
        Assert.Equal(RolloutErrors.ExistsReason, other.Error?.Reason);
        Assert.Equal(["filter", "waves"], invalid.Error!.Metadata.Select(detail => detail.Key));
        Assert.Equal("IMAGE_NOT_FOUND", noImage.Error?.Reason);
        Assert.Equal((3, 3), (validated.Matching, validated.WithoutWayBack)); // what they run is in no catalogue
        Assert.Equal(RolloutErrors.NotFoundReason, missing.Error?.Reason);
    }

    [Fact]
    public async Task StartAsync_WithDevicesThatItIsNotFor_SaysOfEachWhy()
    {
        var devices = silo.Fleet.Add("unfit", 4);
        silo.Fleet.Unfit[devices[0]] = "OS_BELOW_MINIMUM";
        silo.Fleet.Unfit[devices[1]] = "STEP_REQUIRED";
        var rollout = await silo.CreateAsync("unfit");

        await rollout.StartAsync(Order);
        var ended = await silo.UntilAsync("unfit", now => now.Plan.IsTerminal, () => silo.Fleet.End("unfit", ChangeOutcome.Succeeded));

        var totals = ended.Plan.Waves[0].Totals;
        Assert.Equal((2, 2), (totals.Succeeded, totals.Skipped));
        Assert.Equal((1, 1), (totals.Skips!.Of(MemberReason.OsBelowMinimum), totals.Skips.Of(MemberReason.StepRequired)));
        var skips = silo.Fleet.PartitionsOf("unfit")
            .SelectMany(partition => silo.Store.FactsOf(new RecordKey(GrainTypes.RolloutPartition, $"default/unfit/{partition}")))
            .OfType<RolloutMemberSkipped>()
            .Select(fact => ($"default/{fact.Device}", fact.Reason));
        Assert.Equal([(devices[0], "OS_BELOW_MINIMUM"), (devices[1], "STEP_REQUIRED")], skips.Order());
    }

    [Fact]
    public async Task PauseAsync_OnceAcknowledged_NoOfferIsMadeByAnybody()
    {
        silo.Fleet.Add("pause", 30);
        var rollout = await silo.CreateAsync("pause", spec => spec with { MaxUnavailable = Amount.Count(2) });
        await rollout.StartAsync(Order);
        await silo.UntilAsync("pause", _ => silo.Fleet.Offered("pause").Length >= 2);

        var paused = await rollout.PauseAsync(Order);
        var offered = silo.Fleet.Offered("pause").Length;
        silo.Fleet.End("pause", ChangeOutcome.Succeeded);
        await SendAsDeadCoordinatorAsync("pause", paused.Rollout!, paused.Rollout!.Plan.Epoch - 1);
        await silo.SettleAsync("pause");
        Assert.Equal(offered, silo.Fleet.Offered("pause").Length);

        await rollout.ResumeAsync(new ResumeRollout(RolloutSilo.Anna, false, ""));
        var ended = await silo.UntilAsync("pause", now => now.Plan.IsTerminal, () => silo.Fleet.End("pause", ChangeOutcome.Succeeded));
        Assert.Equal((RolloutState.Succeeded, 30), (ended.Plan.State, silo.Fleet.Offered("pause").Length));
        Assert.True(silo.Fleet.InProgressMax["pause"] <= 2);
    }

    [Fact]
    public async Task GetAsync_WhileAnOfferIsNotAnswered_TellsWhatIsCommitted()
    {
        var (asked, answer) = (new TaskCompletionSource(), new TaskCompletionSource());
        var device = Assert.Single(silo.Fleet.Add("slow", 1));
        silo.Fleet.Held[device] = () =>
        {
            asked.SetResult();
            return answer.Task;
        };
        var rollout = await silo.CreateAsync("slow");

        await rollout.StartAsync(Order);
        await asked.Task;
        var meanwhile = await rollout.GetAsync();
        answer.SetResult();
        var ended = await silo.UntilAsync("slow", now => now.Plan.IsTerminal, () => silo.Fleet.End("slow", ChangeOutcome.Succeeded));

        Assert.Equal(RolloutState.Running, meanwhile.Rollout!.Plan.State);
        Assert.Equal(RolloutState.Succeeded, ended.Plan.State);
    }

    [Fact]
    public async Task OnDueAsync_AfterCrashesOfCoordinatorAndShares_GoesOnWithinTheBudget()
    {
        var devices = silo.Fleet.Add("crash", 30);
        var rollout = await silo.CreateAsync("crash", spec => spec with { MaxUnavailable = Amount.Count(3) });
        await rollout.StartAsync(Order);
        var step = 0;

        var ended = await silo.UntilAsync("crash", now => now.Plan.IsTerminal, async () =>
        {
            silo.Fleet.End("crash", ChangeOutcome.Succeeded, countMax: 1);
            if (step++ % 10 == 5)
            {
                await silo.CrashAsync(RolloutSilo.RecordOf("crash"));
                await silo.CrashAsync(new RecordKey(GrainTypes.RolloutPartition, $"default/crash/{step % PartitionMap.CountMin}"));
            }
        });

        Assert.Equal(RolloutState.Succeeded, ended.Plan.State);
        Assert.All(devices, key => Assert.Equal(1, silo.Fleet.OffersOf(key)));
        Assert.True(silo.Fleet.InProgressMax["crash"] <= 3);
        Assert.Contains(silo.Store.FactsOf(RolloutSilo.RecordOf("crash")), fact => fact is RolloutTakenOver);
    }

    [Fact]
    public async Task Members_WhoseOutcomesTheFeedNoLongerTells_AreAskedForThem()
    {
        var devices = silo.Fleet.Add("trimmed", 12);
        await (await silo.CreateAsync("trimmed")).StartAsync(Order);
        await silo.UntilAsync("trimmed", _ => silo.Fleet.Offered("trimmed").Length == 4);

        var ended = await silo.UntilAsync("trimmed", now => now.Plan.IsTerminal, () =>
        {
            // What is told here is behind a place that no share finds again.
            silo.Fleet.End("trimmed", ChangeOutcome.Succeeded);
            silo.Store.Lineage++;
        });

        Assert.Equal(RolloutState.Succeeded, ended.Plan.State);
        Assert.Equal([4, 8], ended.Plan.Waves.Select(wave => wave.Totals.Succeeded));
        Assert.All(devices, key => Assert.Equal(1, silo.Fleet.OffersOf(key)));
    }

    [Fact]
    public async Task Shares_WhileTheirRolloutRuns_HoldTheirFeedsAndLetThemGoAtItsEnd()
    {
        silo.Fleet.Add("holds", 12);
        var devices = silo.Fleet.Add("holds-idle", 40);
        var reader = RolloutKey.ReaderOf(TenantId.Default, RolloutSilo.IdOf("holds"));
        var rollout = await silo.CreateAsync("holds");

        var plan = (await rollout.StartAsync(Order)).Rollout!.Plan;
        var partitions = plan.Shares.Select(share => share.Partition).ToArray();
        var begun = partitions.ToDictionary(partition => partition, partition => silo.Store.HeldBy(partition, reader));
        Assert.All(begun.Values, position => Assert.NotNull(position));
        Assert.Equal(partitions, Enumerable.Range(0, PartitionMap.CountMin).Where(all => silo.Store.HeldBy(all, reader) is not null));

        // Others' facts, so many that every share commits what it read and lets them go.
        for (var i = 0; i < 2 * FeedHold.EntriesBetweenAdvances * PartitionMap.CountMin; i++)
        {
            silo.Fleet.Quarantine(devices[i % devices.Length]);
        }

        var heads = await Task.WhenAll(partitions.Select(partition => silo.Store.GetHeadAsync(partition, default)));
        var moved = partitions[Array.IndexOf(heads, heads.Max())];
        await silo.UntilAsync(
            "holds",
            _ => silo.Store.HeldBy(moved, reader) is { } now && now.Sequence > begun[moved]!.Value.Sequence,
            () => silo.Clock.Advance(TimeSpan.FromSeconds(11)));
        await silo.UntilAsync("holds", now => now.Plan.IsTerminal, () => silo.Fleet.End("holds", ChangeOutcome.Succeeded));

        Assert.All(partitions, partition => Assert.Null(silo.Store.HeldBy(partition, reader)));
    }

    [Fact]
    public async Task Shares_OfARolloutThatIsCancelled_LetTheirFeedsGo()
    {
        silo.Fleet.Add("lets-go", 8);
        var reader = RolloutKey.ReaderOf(TenantId.Default, RolloutSilo.IdOf("lets-go"));
        var rollout = await silo.CreateAsync("lets-go");
        await rollout.StartAsync(Order);
        Assert.Contains(Enumerable.Range(0, PartitionMap.CountMin), partition => silo.Store.HeldBy(partition, reader) is not null);

        await rollout.CancelAsync(Order);
        await silo.UntilAsync("lets-go", now => now.Plan.IsTerminal, () => silo.Fleet.End("lets-go", ChangeOutcome.Succeeded));

        Assert.All(Enumerable.Range(0, PartitionMap.CountMin), partition => Assert.Null(silo.Store.HeldBy(partition, reader)));
    }

    [Fact]
    public async Task Offers_WhoseAnswerIsLost_AreRepeatedAndMadeOnce()
    {
        var devices = silo.Fleet.Add("deaf", 6);
        foreach (var key in devices)
        {
            silo.Fleet.Deaf.Add(key);
        }

        await (await silo.CreateAsync("deaf")).StartAsync(Order);
        var ended = await silo.UntilAsync("deaf", now => now.Plan.IsTerminal, () => silo.Fleet.End("deaf", ChangeOutcome.Succeeded));

        Assert.Equal(RolloutState.Succeeded, ended.Plan.State);
        Assert.All(devices, key => Assert.Equal(1, silo.Fleet.OffersOf(key)));
    }

    [Fact]
    public async Task PauseAsync_WhenTheWriteFails_TheNextCallSeesTheStoredState()
    {
        silo.Fleet.Add("lost", 2);
        var rollout = await silo.CreateAsync("lost");
        silo.Store.FailNextWrite(RolloutSilo.RecordOf("lost"));

        await Assert.ThrowsAsync<StoreUnavailableException>(() => rollout.CancelAsync(Order));

        Assert.Equal(RolloutState.Draft, (await rollout.GetAsync()).Rollout!.Plan.State);
        Assert.Equal(RolloutState.Cancelled, (await rollout.CancelAsync(Order)).Rollout!.Plan.State);
    }

    [Fact]
    public async Task Members_ThatAreOffline_HoldNoPermitAndAreSweptUpWhenTheyReturn()
    {
        var online = silo.Fleet.Add("away", 5);
        var away = silo.Fleet.Add("away", 3, online: false);
        await (await silo.CreateAsync("away")).StartAsync(Order);

        var waiting = await silo.UntilAsync(
            "away",
            now => now.Plan.Waves[1].Totals is { Succeeded: 1, WaitingOffline: 3 },
            () => silo.Fleet.End("away", ChangeOutcome.Succeeded));
        Assert.All(away, key => Assert.Equal(0, silo.Fleet.OffersOf(key)));
        foreach (var key in away)
        {
            silo.Fleet.SetOnline(key, true);
        }

        silo.Clock.Advance(TimeSpan.FromSeconds(3)); // presence is asked for every 2 s
        var ended = await silo.UntilAsync("away", now => now.Plan.IsTerminal, () => silo.Fleet.End("away", ChangeOutcome.Succeeded));

        Assert.True(waiting.Plan.Waves[0].Cut.Members == 4 && online.Length == 5);
        Assert.Equal(8, ended.Plan.Waves.Sum(wave => wave.Totals.Succeeded));
    }

    [Fact]
    public async Task Gates_WhenADeviceFails_SuspendUntilAnOverrideWithAReason()
    {
        silo.Fleet.Add("gate", 10);
        var rollout = await silo.CreateAsync("gate");
        await rollout.StartAsync(Order);
        await silo.UntilAsync("gate", _ => silo.Fleet.Offered("gate").Length == 4);
        silo.Fleet.End("gate", ChangeOutcome.Failed, countMax: 1);
        silo.Fleet.End("gate", ChangeOutcome.Succeeded);

        var suspended = await silo.UntilAsync("gate", now => now.Plan.State == RolloutState.Suspended);
        var refused = await rollout.ResumeAsync(new ResumeRollout(RolloutSilo.Anna, false, ""));
        Assert.Equal(4, silo.Fleet.Offered("gate").Length);
        await rollout.ResumeAsync(new ResumeRollout(RolloutSilo.Anna, true, "unit 7 has a broken flash"));
        var ended = await silo.UntilAsync("gate", now => now.Plan.IsTerminal, () => silo.Fleet.End("gate", ChangeOutcome.Succeeded));

        Assert.Equal(PlanReasons.BelowSuccessGate, suspended.Plan.Decisions[^1].Reason);
        Assert.Equal(RolloutErrors.OverrideRequiredReason, refused.Error?.Reason);
        Assert.Equal((RolloutState.Succeeded, 9), (ended.Plan.State, ended.Plan.Waves.Sum(wave => wave.Totals.Succeeded)));
    }

    [Fact]
    public async Task Timeouts_OfSilentAndUnreachableMembers_EndThemAsTimedOut()
    {
        silo.Fleet.Add("silent", 2);
        silo.Fleet.Add("silent", 2, online: false);
        await (await silo.CreateAsync("silent", spec => spec with
        {
            Waves = [new WaveSpec(Amount.Percent(100), 0, 1, TimeSpan.Zero, false)],
            UndeliveredTimeout = TimeSpan.FromMinutes(5),
        })).StartAsync(Order);
        await silo.UntilAsync("silent", _ => silo.Fleet.Offered("silent").Length == 2);
        silo.Fleet.End("silent", ChangeOutcome.Succeeded, countMax: 1);
        await silo.SettleAsync("silent");

        silo.Clock.Advance(TimeSpan.FromMinutes(6));
        var ended = await silo.UntilAsync("silent", now => now.Plan.IsTerminal);

        Assert.Equal((1, 3), (ended.Plan.Waves[0].Totals.Succeeded, ended.Plan.Waves[0].Totals.TimedOut));
    }

    [Fact]
    public async Task Offers_ToADeviceThatAlwaysFails_TimeOutAndGiveTheirPermitBack()
    {
        var devices = silo.Fleet.Add("dead", 4);
        silo.Fleet.Dead.Add(devices[0]);
        await (await silo.CreateAsync("dead", spec => spec with
        {
            Waves = [new WaveSpec(Amount.Percent(100), 0, 1, TimeSpan.Zero, false)],
            UndeliveredTimeout = TimeSpan.FromMinutes(5),
            MaxUnavailable = Amount.Count(1),
        })).StartAsync(Order);

        var ended = await silo.UntilAsync("dead", now => now.Plan.IsTerminal, () =>
        {
            silo.Fleet.End("dead", ChangeOutcome.Succeeded);
            silo.Clock.Advance(TimeSpan.FromMinutes(1));
        });

        Assert.Equal((3, 1), (ended.Plan.Waves[0].Totals.Succeeded, ended.Plan.Waves[0].Totals.TimedOut));
    }

    [Fact]
    public async Task CancelAsync_WithDevicesInProgress_EndsWhenTheyHaveEnded()
    {
        silo.Fleet.Add("cancel", 10);
        var rollout = await silo.CreateAsync("cancel");
        await rollout.StartAsync(Order);
        await silo.UntilAsync("cancel", _ => silo.Fleet.Offered("cancel").Length == 4);

        var cancelling = await rollout.CancelAsync(Order);
        await silo.SettleAsync("cancel");
        Assert.Equal(RolloutState.Cancelling, (await rollout.GetAsync()).Rollout!.Plan.State);
        silo.Fleet.End("cancel", ChangeOutcome.Succeeded);
        await silo.UntilAsync("cancel", now => now.Plan.State == RolloutState.Cancelled);

        Assert.Equal(RolloutState.Cancelling, cancelling.Rollout!.Plan.State);
        Assert.Equal(4, silo.Fleet.Offered("cancel").Length);
    }

    private async Task SendAsDeadCoordinatorAsync(string site, Rollout rollout, long epoch)
    {
        foreach (var share in rollout.Plan.Shares)
        {
            await silo.Grains.GetRolloutPartition(TenantId.Default, RolloutSilo.IdOf(site), share.Partition).AdvanceAsync(new AdvanceShare
            {
                Freeze = rollout.Freeze,
                Epoch = epoch,
                IsOffering = true,
                Seed = rollout.Spec.Seed,
                Cuts = [.. rollout.Plan.Waves.Select(wave => wave.Cut)],
                Granted = [.. rollout.Plan.Waves.Select(_ => 50L)],
                OpenedAt = [.. rollout.Plan.Waves.Select(_ => rollout.Plan.StartedAt)],
                Image = rollout.Image!,
                AllowTrackChange = false,
                InProgressTimeout = rollout.Spec.InProgressTimeout,
                UndeliveredTimeout = rollout.Spec.UndeliveredTimeout,
            });
        }
    }
}
