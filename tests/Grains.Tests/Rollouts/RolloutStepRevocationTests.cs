using System.Collections.Immutable;
using Muster.Contracts;
using Muster.Contracts.Commit;
using Muster.Contracts.Devices;
using Muster.Contracts.Rollouts;
using Muster.Domain.Devices;
using Muster.Domain.Operators;
using Muster.Domain.Rollouts;

namespace Muster.Grains.Tests.Rollouts;

/// <summary>The image of a step is revoked while members are on their way to it.</summary>
public sealed class RolloutStepRevocationTests(RolloutSilo silo) : IClassFixture<RolloutSilo>
{
    [Theory]
    [InlineData("nothing")]
    [InlineData("shares")] // they ask the devices what they were offered
    [InlineData("coordinator")]
    public async Task Revocation_OfAStepsImage_TakesBackItsOffersThatWereNotDeliveredAndNothingElse(string crashes)
    {
        var site = $"step-{crashes}";
        var late = silo.Fleet.Add(site, 1, online: false)[0];
        silo.Fleet.StepsLeft[late] = 1;
        var (_, steps, devices) = await StartAsync(site, 1, 1, 0); // the third needs no step
        silo.Fleet.Deliver(devices[1]);

        await silo.Fleet.RevokeAsync(steps[0]);
        await CrashAsync(site, crashes);
        var left = await UntilAsync(site, now => now.Plan.Waves[0].Totals is { InProgress: 2, Skipped: 1 });
        await silo.SettleAsync(site);

        Assert.Equal(RolloutState.Running, left.Plan.State);
        Assert.Equal([steps[0]], left.Plan.RevokedSteps);
        Assert.Single(left.Plan.Decisions, decision => decision.Reason == PlanReasons.StepRevoked);
        Assert.Equal([(ChangeOutcome.Skipped, DeviceChanges.StepRevoked)], EndsOf(devices[0]));
        Assert.All(devices, key => Assert.Equal(1, silo.Fleet.OffersOf(key)));

        // Who comes later is not taken there, and the others go on: one is at the step already, the other needs none.
        silo.Fleet.SetOnline(late, true);
        var ended = await UntilEndAsync(site);
        Assert.Equal((RolloutState.Succeeded, 2), (ended.Plan.State, ended.Plan.Waves[0].Totals.Succeeded));
        var skips = ended.Plan.Waves[0].Totals.Skips!;
        Assert.Equal((1, 1), (skips.Of(MemberReason.StepRevoked), skips.Of(MemberReason.StepRequired)));
        Assert.Equal(0, silo.Fleet.OffersOf(late));
    }

    [Fact]
    public async Task ExplainDeviceAsync_OfAMemberWhoseStepWasRevoked_SaysSo()
    {
        const string Site = "step-explained";
        var (rollout, steps, devices) = await StartAsync(Site, 1, 1);
        silo.Fleet.Deliver(devices[1]);
        await silo.Fleet.RevokeAsync(steps[0]);
        await UntilAsync(Site, now => now.Plan.Waves[0].Totals is { InProgress: 1, Skipped: 1 });

        var left = (await rollout.ExplainDeviceAsync(DeviceKey.Parse(devices[0]).Device)).Explanation!;
        var named = (await rollout.ExplainDeviceAsync(DeviceKey.Parse(devices[1]).Device)).Explanation!;

        Assert.Equal((MemberStatus.Skipped, DeviceChanges.StepRevoked), (left.Status, left.Reason));
        Assert.Matches("^Attempt 1 of 1 in wave 0: Skipped at 2026-.*Z: STEP_REVOKED\\.$", left.Text);
        Assert.Equal(MemberStatus.Offered, named.Status);
        Assert.Contains("has it since", named.Text, StringComparison.Ordinal);
    }

    /// <summary>
    /// Whoever is about to write dies, before his commit or behind it: the coordinator with its decision, and a share that has had an
    /// offer taken back and has not told anybody. The one after it says and does it once.
    /// </summary>
    [Theory]
    [InlineData(GrainTypes.Rollout, false)]
    [InlineData(GrainTypes.Rollout, true)]
    [InlineData(GrainTypes.RolloutPartition, false)]
    [InlineData(GrainTypes.RolloutPartition, true)]
    public async Task Revocation_WhereWhoeverWritesDies_TakesBackOnce(string kind, bool isTaken)
    {
        var site = $"step-dies-{kind[^3..]}-{isTaken}".ToLowerInvariant();
        var (_, steps, devices) = await StartAsync(site, 1, 1, 0);
        silo.Fleet.Deliver(devices[1]);
        await silo.SettleAsync(site);
        var struck = 0;
        silo.Store.Faults = step =>
            step.StartsWith($"write {kind}/default/{site}", StringComparison.Ordinal) && Interlocked.Increment(ref struck) == 1
                ? isTaken ? StoreFault.Unanswered : StoreFault.Lost
                : StoreFault.None;

        await silo.Fleet.RevokeAsync(steps[0]);
        await UntilAsync(site, now => now.Plan.Waves[0].Totals is { InProgress: 2, Skipped: 1 });
        silo.Store.Faults = null;
        var ended = await UntilEndAsync(site);

        Assert.InRange(struck, 1, int.MaxValue); // a share that comes anew may have read of the end instead of writing it
        AssertTakenBackOnce(ended, devices[0], site);
    }

    /// <summary>The device has given it up, and nobody hears: the share reads of it, or asks again.</summary>
    [Fact]
    public async Task Revocation_WhereTheAnswerOfADeviceIsLost_TakesBackOnce()
    {
        const string Site = "step-deaf";
        var (_, steps, devices) = await StartAsync(Site, 1, 1, 0);
        silo.Fleet.Deliver(devices[1]);
        silo.Fleet.DeafToTakeBack.Add(devices[0]);

        await silo.Fleet.RevokeAsync(steps[0]);
        await UntilAsync(Site, now => now.Plan.Waves[0].Totals is { InProgress: 2, Skipped: 1 });
        Assert.DoesNotContain(devices[0], silo.Fleet.DeafToTakeBack);
        AssertTakenBackOnce(await UntilEndAsync(Site), devices[0], Site);
    }

    /// <summary>Nothing is offered then, and what was is given up all the same.</summary>
    [Fact]
    public async Task Revocation_WhileTheRolloutIsPaused_TakesBackAtOnce()
    {
        const string Site = "step-paused";
        var (rollout, steps, devices) = await StartAsync(Site, 1, 1, 0);
        silo.Fleet.Deliver(devices[1]);
        Assert.Null((await rollout.PauseAsync(RolloutSilo.Order)).Error);

        await silo.Fleet.RevokeAsync(steps[0]);
        var paused = await UntilAsync(Site, now => now.Plan.Waves[0].Totals is { InProgress: 2, Skipped: 1 });
        Assert.Equal(RolloutState.Paused, paused.Plan.State);
        Assert.Null((await rollout.ResumeAsync(new ResumeRollout(RolloutSilo.Anna, false, ""))).Error);
        var ended = await UntilEndAsync(Site);

        Assert.Equal((RolloutState.Succeeded, 2), (ended.Plan.State, ended.Plan.Waves[0].Totals.Succeeded));
        Assert.Equal([(ChangeOutcome.Skipped, DeviceChanges.StepRevoked)], EndsOf(devices[0]));
        Assert.Equal([1, 2, 1], devices.Select(silo.Fleet.OffersOf));
    }

    /// <summary>What devices are asked to give up ends by their answer, of which a withdrawal would know nothing.</summary>
    [Fact]
    public async Task Revocation_WhileTheRolloutIsCancelled_LeavesWhatDevicesAreAskedToGiveUp()
    {
        const string Site = "step-cancelled";
        var (rollout, steps, devices) = await StartAsync(Site, 1, 1);
        Assert.Null((await rollout.CancelAsync(RolloutSilo.Order)).Error);
        await UntilAsync(Site, _ => devices.All(silo.Fleet.Recalled.Contains));

        await silo.Fleet.RevokeAsync(steps[0]);
        await UntilAsync(Site, now => !now.Plan.RevokedSteps.IsEmpty);
        await CrashAsync(Site, "shares"); // what they were answered is forgotten, and asked again
        await silo.SettleAsync(Site);
        Assert.All(devices, key => Assert.Empty(EndsOf(key)));

        silo.Fleet.End(Site, ChangeOutcome.Withdrawn, reason: OfferHandover.CancelledReason);
        var ended = await UntilAsync(Site, now => now.Plan.IsTerminal);
        Assert.Equal((RolloutState.Cancelled, 0), (ended.Plan.State, ended.Plan.Waves[0].Totals.Skipped));
    }

    /// <summary>There are no steps on the way back: what is not named is taken back because the rollout is.</summary>
    [Fact]
    public async Task Revocation_WhileTheRolloutIsRolledBack_ChangesNothing()
    {
        const string Site = "step-back";
        var (rollout, steps, devices) = await StartAsync(Site, 1, 1);
        silo.Fleet.Deliver(devices[1]);
        Assert.Null((await rollout.RollBackAsync(new RollBackRollout(RolloutSilo.Anna, [OperatorRole.Operator], "boot loops"))).Error);

        await silo.Fleet.RevokeAsync(steps[0]);
        await UntilAsync(Site, _ => EndsOf(devices[0]) is not []);
        await silo.SettleAsync(Site);
        var ended = await UntilEndAsync(Site);

        Assert.Equal([(ChangeOutcome.Withdrawn, WayBack.Ordered)], EndsOf(devices[0]));
        Assert.Equal(RolloutState.RolledBack, ended.Plan.State);
        Assert.Empty(ended.Plan.RevokedSteps);
        Assert.All(devices, key => Assert.Equal(Old, silo.Fleet.RunningOf(key)));
    }

    /// <summary>Who had it all the same, too late, is brought back with the others.</summary>
    [Fact]
    public async Task RollBack_OfAMemberWhoseStepWasRevoked_BringsItBackWhereItBootsIntoTheStep()
    {
        const string Site = "step-late";
        var (rollout, steps, devices) = await StartAsync(Site, 1, 0);
        silo.Fleet.Deliver(devices[1]);
        await silo.Fleet.RevokeAsync(steps[0]);
        await UntilAsync(Site, now => now.Plan.Waves[0].Totals is { InProgress: 1, Skipped: 1 });
        silo.Fleet.BootLate(devices[0]);

        Assert.Null((await rollout.RollBackAsync(new RollBackRollout(RolloutSilo.Anna, [OperatorRole.Operator], "boot loops"))).Error);
        var ended = await UntilEndAsync(Site);

        Assert.Equal((RolloutState.RolledBack, 2), (ended.Plan.State, ended.Plan.Waves[0].Totals.Succeeded));
        Assert.Equal([2, 2], devices.Select(silo.Fleet.OffersOf));
        Assert.All(devices, key => Assert.Equal(Old, silo.Fleet.RunningOf(key)));
    }

    /// <summary>The share has decided to take the offer back, and the device names it before it is asked.</summary>
    [Fact]
    public async Task Revocation_WhenTheDeviceNamesItsOfferAtTheSameMoment_LetsItGoOn()
    {
        const string Site = "step-named";
        var (_, steps, devices) = await StartAsync(Site, 1, 1);
        silo.Fleet.BeforeTakeBack[devices[1]] = () => silo.Fleet.Deliver(devices[1]);

        await silo.Fleet.RevokeAsync(steps[0]);
        await UntilAsync(Site, now => now.Plan.Waves[0].Totals is { InProgress: 1, Skipped: 1 });
        await silo.SettleAsync(Site);
        Assert.False(silo.Fleet.BeforeTakeBack.ContainsKey(devices[1]));
        var ended = await UntilEndAsync(Site);

        Assert.Equal((RolloutState.Succeeded, 1), (ended.Plan.State, ended.Plan.Waves[0].Totals.Succeeded));
        Assert.Equal([ChangeOutcome.StepTaken, ChangeOutcome.Succeeded], EndsOf(devices[1]).Select(end => end.Outcome));
    }

    /// <summary>Each takes its own members along, and one that is revoked again nobody.</summary>
    [Fact]
    public async Task Revocation_OfBothStepsOfAPath_LeavesOutWhoIsOnTheWayToEach()
    {
        const string Site = "step-both";
        var (_, steps, devices) = await StartAsync(Site, 2, 1, 0);
        Assert.Equal(2, steps.Length);

        await silo.Fleet.RevokeAsync(steps[0]);
        await UntilAsync(Site, now => now.Plan.Waves[0].Totals is { InProgress: 2, Skipped: 1 });
        await silo.Fleet.RevokeAsync(steps[0]);
        await silo.SettleAsync(Site);
        Assert.Equal([1, 0, 0], devices.Select(key => EndsOf(key).Length));
        await silo.Fleet.RevokeAsync(steps[1]);
        var left = await UntilAsync(Site, now => now.Plan.Waves[0].Totals is { InProgress: 1, Skipped: 2 });

        Assert.Equal(steps, left.Plan.RevokedSteps);
        Assert.Equal(steps, silo.Store.FactsOf(RolloutSilo.RecordOf(Site)).OfType<RolloutStepRevoked>().Select(fact => fact.Digest));
        Assert.All(devices[..2], key => Assert.Equal([(ChangeOutcome.Skipped, DeviceChanges.StepRevoked)], EndsOf(key)));
        var ended = await UntilEndAsync(Site);
        Assert.Equal((RolloutState.Succeeded, 1), (ended.Plan.State, ended.Plan.Waves[0].Totals.Succeeded));
    }

    /// <summary>Each coordinator looks after its own path.</summary>
    [Fact]
    public async Task Revocation_OfAStepOfTwoRollouts_TakesItFromBoth()
    {
        const string Site = "step-first";
        const string Other = "step-second";
        var (rollout, steps, devices) = await StartAsync(Site, 1, 0);
        var image = (await rollout.GetAsync()).Rollout!.Spec.ImageDigest;
        var (_, _, others) = await StartAsync(Other, image, 1, 0);

        await silo.Fleet.RevokeAsync(steps[0]);
        foreach (var (site, first) in new[] { (Site, devices[0]), (Other, others[0]) })
        {
            var left = await UntilAsync(site, now => now.Plan.Waves[0].Totals is { InProgress: 1, Skipped: 1 });
            Assert.Equal([steps[0]], left.Plan.RevokedSteps);
            Assert.Equal([(ChangeOutcome.Skipped, DeviceChanges.StepRevoked)], EndsOf(first));
            Assert.Equal(RolloutState.Succeeded, (await UntilEndAsync(site)).Plan.State);
        }
    }

    /// <summary>Where the silo of a device does not say which step it offers, the offer stays as before.</summary>
    [Fact]
    public async Task Revocation_WhereADeviceDoesNotSayItsStep_LeavesItsOffer()
    {
        const string Site = "step-old";
        var (_, steps, devices) = await StartAsync(Site, 1, 1);
        silo.Fleet.Wordless.Add(devices[1]);

        await silo.Fleet.RevokeAsync(steps[0]);
        await UntilAsync(Site, now => now.Plan.Waves[0].Totals is { InProgress: 1, Skipped: 1 });
        await silo.SettleAsync(Site);
        Assert.Empty(EndsOf(devices[1]));

        var ended = await UntilEndAsync(Site);
        Assert.Equal((RolloutState.Succeeded, 1), (ended.Plan.State, ended.Plan.Waves[0].Totals.Succeeded));
    }

    private static string Old => new('9', 64);

    /// <summary>A device for each count of steps; all of them are offered something.</summary>
    private Task<(IRolloutGrain Rollout, ImmutableArray<string> Steps, ImmutableArray<string> Devices)> StartAsync(
        string site, params int[] stepsLeft) => StartAsync(site, silo.Fleet.AddPath(stepsLeft.Max()).Image, stepsLeft);

    private async Task<(IRolloutGrain Rollout, ImmutableArray<string> Steps, ImmutableArray<string> Devices)> StartAsync(
        string site, string image, params int[] stepsLeft)
    {
        var devices = silo.Fleet.Add(site, stepsLeft.Length);
        foreach (var (key, left) in devices.Zip(stepsLeft))
        {
            silo.Fleet.StepsLeft[key] = left;
        }

        var rollout = await silo.CreateAsync(site, spec => spec with
        {
            ImageDigest = image,
            TakeSteps = true,
            Waves = [new WaveSpec(Amount.Percent(100), 100, 1, TimeSpan.Zero, ConnectedOnly: false)],
        });
        Assert.Null((await rollout.StartAsync(RolloutSilo.Order)).Error);
        var started = await silo.UntilAsync(site, now => now.Plan.Waves[0].Totals.InProgress >= devices.Length);
        return (rollout, [.. started.Spec.Path.Select(step => step.Digest)], devices);
    }

    private Task<Rollout> UntilAsync(string site, Func<Rollout, bool> expected) =>
        silo.UntilAsync(site, expected, () => silo.Clock.Advance(TimeSpan.FromSeconds(2)));

    /// <summary>Whoever has something succeeds with it.</summary>
    private Task<Rollout> UntilEndAsync(string site) => silo.UntilAsync(site, now => now.Plan.IsTerminal, () =>
    {
        silo.Clock.Advance(TimeSpan.FromSeconds(2));
        silo.Fleet.End(site, ChangeOutcome.Succeeded);
    });

    /// <summary>Two others came to the image.</summary>
    private void AssertTakenBackOnce(Rollout ended, string key, string site)
    {
        Assert.Equal((RolloutState.Succeeded, 2), (ended.Plan.State, ended.Plan.Waves[0].Totals.Succeeded));
        Assert.Equal((1, 1L), (ended.Plan.Waves[0].Totals.Skips!.Of(MemberReason.StepRevoked), ended.Plan.Waves[0].Totals.WentBack));
        Assert.Equal([(ChangeOutcome.Skipped, DeviceChanges.StepRevoked)], EndsOf(key));
        Assert.Single(silo.Store.FactsOf(RolloutSilo.RecordOf(site)).OfType<RolloutStepRevoked>());
        Assert.Equal(1, silo.Fleet.OffersOf(key));
    }

    private async Task CrashAsync(string site, string crashes)
    {
        RecordKey[] records = crashes switch
        {
            "coordinator" => [RolloutSilo.RecordOf(site)],
            "shares" =>
            [
                .. silo.Fleet.PartitionsOf(site).Select(
                    partition => new RecordKey(GrainTypes.RolloutPartition, $"default/{site}/{partition}")),
            ],
            _ => [],
        };
        foreach (var record in records)
        {
            await silo.CrashAsync(record);
        }
    }

    private ImmutableArray<(ChangeOutcome Outcome, string Reason)> EndsOf(string key) =>
    [
        .. silo.Store.FactsOf(new RecordKey(GrainTypes.Device, key)).OfType<ChangeClosed>().Select(end => (end.Outcome, end.Reason)),
    ];
}
