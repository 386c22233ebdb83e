using Muster.Contracts.Commit;
using Muster.Contracts.Rollouts;
using Muster.Domain;
using Muster.Domain.Devices;
using Muster.Domain.Operators;
using Muster.Domain.Rollouts;

namespace Muster.Grains.Tests.Rollouts;

/// <summary>What approvers decide, in a silo; the rules are the domain's.</summary>
public sealed class RolloutApprovalTests(RolloutSilo silo) : IClassFixture<RolloutSilo>
{
    private static readonly Actor Bert = Actor.Operator("bert");

    private static readonly Actor Carl = Actor.Operator("carl");

    private static readonly Actor Dora = Actor.Operator("dora");

    [Fact]
    public async Task ApproveWaveAsync_OfAManualGate_LetsTheNextWaveStartAndNotBefore()
    {
        silo.Fleet.Add("manual", 10);
        var rollout = await silo.CreateAsync("manual", spec => spec with
        {
            Waves = [spec.Waves[0] with { NeedsApproval = true }, spec.Waves[1]],
        });
        await rollout.StartAsync(RolloutSilo.Order);

        var waiting = await silo.UntilAsync(
            "manual",
            now => now.Plan.Waves[0].State == WaveState.AwaitingApproval,
            () => silo.Fleet.End("manual", ChangeOutcome.Succeeded));
        var seen = waiting.Plan.ApprovalEtag(0);
        await silo.SettleAsync("manual");
        Assert.Equal(4, silo.Fleet.Offered("manual").Length);
        Assert.Equal([[WaitingOn.Approval], [WaitingOn.EarlierWave]], await WaitsAsync(rollout));
        Assert.Equal("APPROVER_IS_REQUESTER", (await ApproveAsync(rollout, RolloutSilo.Anna, seen)).Error?.Reason);

        // A new coordinator raises the epoch: what was seen before it is not approved any more.
        await silo.CrashAsync(RolloutSilo.RecordOf("manual"));
        var again = await silo.UntilAsync("manual", now => now.Plan.Epoch > waiting.Plan.Epoch);
        Assert.Equal(RolloutErrors.WaveChangedReason, (await ApproveAsync(rollout, Bert, seen)).Error?.Reason);
        silo.Store.FailNextWrite(RolloutSilo.RecordOf("manual"));
        await Assert.ThrowsAsync<StoreUnavailableException>(() => ApproveAsync(rollout, Bert, again.Plan.ApprovalEtag(0)));

        var last = await silo.UntilAsync("manual", now => now.Plan.Epoch > again.Plan.Epoch);
        Assert.Null(last.Plan.Waves[0].Approval);
        Assert.Null((await ApproveAsync(rollout, Bert, last.Plan.ApprovalEtag(0))).Error);
        var ended = await silo.UntilAsync("manual", now => now.Plan.IsTerminal, () => silo.Fleet.End("manual", ChangeOutcome.Succeeded));

        Assert.Equal((RolloutState.Succeeded, Bert), (ended.Plan.State, ended.Plan.Waves[0].Approval?.Approver));
        Assert.Single(silo.Store.FactsOf(RolloutSilo.RecordOf("manual")), fact => fact is WaveApproved);
    }

    [Fact]
    public async Task StartAsync_WithTooFewApprovalsOfTheSpecAsItIs_FreezesNothing()
    {
        silo.Fleet.Add("signed", 6);
        var rollout = await silo.CreateAsync("signed", spec => spec with { ApprovalsRequired = 2 });
        var created = (await rollout.GetAsync()).Rollout!;
        await ApproveSpecAsync(rollout, Bert, created.Spec.Fingerprint);

        var edited = await rollout.UpdateAsync(new UpdateRollout(
            Carl, created.Spec with { MaxUnavailable = Amount.Count(3) }, created.Spec.Fingerprint));
        var stale = await ApproveSpecAsync(rollout, Dora, created.Spec.Fingerprint);
        var own = await ApproveSpecAsync(rollout, Carl, edited.Rollout!.Spec.Fingerprint);
        await ApproveSpecAsync(rollout, Bert, edited.Rollout.Spec.Fingerprint);
        var early = await rollout.StartAsync(RolloutSilo.Order);
        await silo.CrashAsync(RolloutSilo.RecordOf("signed"));
        var approved = await ApproveSpecAsync(rollout, Dora, edited.Rollout.Spec.Fingerprint);

        Assert.Equal((RolloutState.AwaitingApproval, 2), (created.Plan.State, edited.ApprovalsNeeded));
        Assert.Equal((RolloutState.AwaitingApproval, 0), (edited.Rollout.Plan.State, edited.Rollout.ValidApprovals.Length));
        Assert.Equal("12.1.0", edited.Rollout.Spec.TargetVersion);
        Assert.Equal(RolloutErrors.SpecChangedReason, stale.Error?.Reason);
        Assert.Equal("APPROVER_IS_REQUESTER", own.Error?.Reason);
        Assert.Equal(RolloutErrors.NotApprovedReason, early.Error?.Reason);
        Assert.Equal(RolloutState.Draft, approved.Rollout!.Plan.State);
        await rollout.StartAsync(RolloutSilo.Order);
        var ended = await silo.UntilAsync("signed", now => now.Plan.IsTerminal, () => silo.Fleet.End("signed", ChangeOutcome.Succeeded));
        Assert.Equal(RolloutState.Succeeded, ended.Plan.State);
        Assert.Equal(RolloutErrors.WrongStateReason, (await rollout.UpdateAsync(new UpdateRollout(Carl, created.Spec, ""))).Error?.Reason);
    }

    [Fact]
    public async Task StartAsync_WhenTheInstallationAsksForMore_FollowsItsSetting()
    {
        silo.Fleet.Add("floor", 4);
        var rollout = await silo.CreateAsync("floor");
        silo.RolloutOptions.ApprovalsToStart = 1;
        try
        {
            var asked = await rollout.GetAsync();
            var refused = await rollout.StartAsync(RolloutSilo.Order);
            await ApproveSpecAsync(rollout, Bert, asked.Rollout!.Spec.Fingerprint);
            silo.RolloutOptions.ApprovalsToStart = 2;
            var more = await rollout.StartAsync(RolloutSilo.Order);
            silo.RolloutOptions.ApprovalsToStart = 0;
            var started = await rollout.StartAsync(RolloutSilo.Order);

            Assert.Equal((RolloutState.AwaitingApproval, 1), (asked.Rollout!.Plan.State, asked.ApprovalsNeeded));
            Assert.Equal(RolloutErrors.NotApprovedReason, refused.Error?.Reason);
            Assert.Equal(RolloutErrors.NotApprovedReason, more.Error?.Reason);
            Assert.Equal(RolloutState.Running, started.Rollout?.Plan.State);
        }
        finally
        {
            silo.RolloutOptions.ApprovalsToStart = 0;
        }
    }

    [Fact]
    public async Task FailureGate_WithTheActionAbort_OffersNothingMoreAndEndsWithTheDevicesInProgress()
    {
        silo.Fleet.Add("abort", 10);
        var rollout = await silo.CreateAsync("abort", spec => spec with
        {
            FailureGate = new FailureGate(1, null, 1) { Action = FailureAction.Abort },
        });
        await rollout.StartAsync(RolloutSilo.Order);
        await silo.UntilAsync("abort", _ => silo.Fleet.Offered("abort").Length == 4);

        silo.Fleet.End("abort", ChangeOutcome.Failed, countMax: 1);
        var aborting = await silo.UntilAsync("abort", now => now.Plan.State == RolloutState.Cancelling);
        await silo.CrashAsync(RolloutSilo.RecordOf("abort"));
        await silo.SettleAsync("abort");
        var resumed = await rollout.ResumeAsync(new ResumeRollout(RolloutSilo.Anna, true, "go on"));
        Assert.Equal(RolloutState.Cancelling, (await rollout.GetAsync()).Rollout!.Plan.State);
        silo.Fleet.End("abort", ChangeOutcome.Succeeded);
        var ended = await silo.UntilAsync("abort", now => now.Plan.IsTerminal);

        Assert.True(aborting.Plan.Epoch > 1);
        Assert.Equal(RolloutErrors.WrongStateReason, resumed.Error?.Reason);
        Assert.Equal((RolloutState.Aborted, 4), (ended.Plan.State, silo.Fleet.Offered("abort").Length));
        Assert.Equal([PlanReasons.FailureGate, PlanReasons.Aborted], ended.Plan.Decisions.TakeLast(2).Select(decision => decision.Reason));
    }

    [Fact]
    public async Task ResumeAsync_AgainstAGateWhereTheSpecWantsAnApprover_IsNotTheCreators()
    {
        silo.Fleet.Add("override", 6);
        var rollout = await silo.CreateAsync("override", spec => spec with { OverrideNeedsApprover = true });
        await rollout.StartAsync(RolloutSilo.Order);
        await silo.UntilAsync("override", _ => silo.Fleet.Offered("override").Length == 4);
        silo.Fleet.End("override", ChangeOutcome.Failed);
        await silo.UntilAsync("override", now => now.Plan.State == RolloutState.Suspended);
        Task<RolloutReply> ResumeAsync(Actor actor, params OperatorRole[] roles) =>
            rollout.ResumeAsync(new ResumeRollout(actor, true, "a lab's cameras") { Roles = [.. roles] });

        var own = await ResumeAsync(RolloutSilo.Anna, OperatorRole.Operator, OperatorRole.Approver);
        var other = await ResumeAsync(Bert, OperatorRole.Operator);
        var resumed = await ResumeAsync(Bert, OperatorRole.Operator, OperatorRole.Approver);
        var ended = await silo.UntilAsync(
            "override", now => now.Plan.IsTerminal, () => silo.Fleet.End("override", ChangeOutcome.Succeeded));

        Assert.Equal(("APPROVER_IS_REQUESTER", "APPROVER_ROLE_MISSING"), (own.Error?.Reason, other.Error?.Reason));
        Assert.Null(resumed.Error);
        Assert.Equal((RolloutState.Succeeded, 2), (ended.Plan.State, ended.Plan.Waves.Sum(wave => wave.Totals.Succeeded)));
    }

    [Fact]
    public async Task UpdateAsync_WithASpecThatMakesNoSense_ChangesNothing()
    {
        silo.Fleet.Add("nonsense", 2);
        var rollout = await silo.CreateAsync("nonsense");
        var spec = (await rollout.GetAsync()).Rollout!.Spec;

        var refused = await rollout.UpdateAsync(new UpdateRollout(RolloutSilo.Anna, spec with { Filter = "colour = red" }, ""));
        var missing = await silo.Grains.GetRollout(TenantId.Default, RolloutSilo.IdOf("none"))
            .UpdateAsync(new UpdateRollout(RolloutSilo.Anna, spec, ""));

        Assert.Equal(RolloutErrors.SpecInvalidReason, refused.Error?.Reason);
        Assert.Equal(RolloutErrors.NotFoundReason, missing.Error?.Reason);
        Assert.Equal(spec, (await rollout.GetAsync()).Rollout!.Spec);
    }

    /// <summary>What each wave waits for, as an explanation of it says.</summary>
    private static async Task<WaitingOn[][]> WaitsAsync(IRolloutGrain rollout)
    {
        var reply = await rollout.GetAsync();
        return [.. reply.Rollout!.Plan.Waves.Select((_, wave) =>
            WaveExplanation.Of(reply.Rollout, reply.Waves, wave, reply.ApprovalsNeeded)!.Waits.Select(wait => wait.On).ToArray())];
    }

    private static Task<RolloutReply> ApproveSpecAsync(IRolloutGrain rollout, Actor approver, string etag) =>
        rollout.ApproveAsync(new ApproveRollout(approver, [OperatorRole.Approver], etag));

    private static Task<RolloutReply> ApproveAsync(IRolloutGrain rollout, Actor approver, string etag) =>
        rollout.ApproveWaveAsync(new ApproveWave(approver, [OperatorRole.Approver], 0, etag));
}
