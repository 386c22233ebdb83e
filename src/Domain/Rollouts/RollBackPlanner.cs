namespace Muster.Domain.Rollouts;

/// <summary>
/// The way back of a rollout (rollouts.md 19): the waves in reverse, each when nobody of the one before who can be reached is in progress
/// or could be offered the way back at once. Waves that had not started have nobody to bring back. The failure gate counts here too; it
/// suspends, whatever it does on the way there.
/// </summary>
internal static class RollBackPlanner
{
    /// <summary>Turns the plan round. The epoch grows: offers of the way there that are not made yet never are.</summary>
    /// <param name="draft">The plan.</param>
    /// <param name="wave">The wave whose failure gate orders it; null for an operator.</param>
    /// <param name="reason">Why, as the operator says.</param>
    /// <param name="text">The same as a sentence.</param>
    public static void Begin(PlanDraft draft, int? wave, string reason, string text)
    {
        var plan = draft.Plan;
        draft.Set(plan with
        {
            State = RolloutState.RollingBack,
            Epoch = plan.Epoch + 1,
            IsAborting = false,
            RollBack = new RollBackPlan(
                draft.Now, wave, plan.Shares.Sum(share => share.Waves.Sum(grant => grant.Offered + grant.Outstanding))),
            Waves = [.. plan.Waves.Select(Turn)],
        });
        draft.Tell(
            new RolloutRollingBack(draft.Rollout, draft.Plan.Epoch, wave, reason), PlanReasons.RollingBack, wave, text);
        OpenNext(draft);
    }

    /// <summary>Judges what the shares report, of which every one has turned round.</summary>
    public static void Evaluate(RolloutSpec spec, PlanDraft draft)
    {
        for (var i = draft.Plan.Waves.Length - 1; i >= 0 && draft.Plan.State == RolloutState.RollingBack; i--)
        {
            var wave = draft.Plan.Waves[i];
            if (wave.IsOpen && WaveGate.FailureFires(spec.FailureGate, wave))
            {
                draft.Suspend(i, PlanReasons.FailureGate,
                    $"Wave {i}: {wave.Totals.FailedNow} of {wave.Totals.FinishedNow} devices failed on their way back.");
            }
        }

        while (draft.Plan.State == RolloutState.RollingBack)
        {
            var open = draft.Plan.Waves.Select(wave => wave.State).ToImmutableArray().IndexOf(WaveState.Running);
            if (open < 0 || !IsQuiet(draft.Plan, open))
            {
                break;
            }

            var wave = draft.Plan.Waves[open];
            draft.SetWave(open, wave with { State = WaveState.Passed, PassedAt = draft.Now });
            draft.Tell(new WaveRolledBack(draft.Rollout, open, wave.Totals), PlanReasons.WaveRolledBack, open,
                $"Wave {open} is back as far as it can be reached: {Counts(wave.Totals)}.");
            OpenNext(draft);
        }

        EndIfOver(draft);
    }

    private static WavePlan Turn(WavePlan wave) => wave with
    {
        State = wave.StartedAt is not null && wave.Cut.Members > 0 ? WaveState.Pending : WaveState.Skipped,
        Forward = new WayThere(wave.State, wave.StartedAt, wave.PassedAt, wave.Totals),
        StartedAt = null,
        PassedAt = null,
        SoakEndsAt = null,
        SuccessGateWaived = false,
        FailedWaived = 0,
        FinishedWaived = 0,
        AwaitingSince = null,
        Approval = null,

        // Until the shares have turned round nobody knows who waits for what.
        Totals = ShareTotals.Zero with { Members = wave.Cut.Members, Waiting = wave.Cut.Members },
    };

    private static void OpenNext(PlanDraft draft)
    {
        var next = draft.Plan.Waves.Select(wave => wave.State).ToImmutableArray().LastIndexOf(WaveState.Pending);
        if (next < 0)
        {
            return;
        }

        draft.SetWave(next, draft.Plan.Waves[next] with { State = WaveState.Running, StartedAt = draft.Now });
        draft.Tell(new WaveRollingBack(draft.Rollout, next), PlanReasons.WaveRollingBack, next,
            $"The devices of wave {next} are offered what they ran before.");
    }

    /// <summary>
    /// Who is left of the wave is away, with the offer or without one, busy with something else, or in a back-off: it does not hold up the
    /// others. Who waits for a budget per value has its turn as soon as others have had theirs, and is waited for, unless all of those
    /// are away: one camera that is gone would hold up the fleet for the other that watches the same door.
    /// </summary>
    private static bool IsQuiet(RolloutPlan plan, int wave) =>
        plan.Waves[wave].Totals is { Ready: 0 } totals
        && totals.InProgress == totals.InProgressAway
        && (totals.GroupFull == 0 || AreAllAway(plan))
        && plan.Shares.All(share => share.Waves[wave].Outstanding == 0);

    private static bool AreAllAway(RolloutPlan plan) =>
        plan.Waves.Any(wave => wave.Totals.InProgress > 0)
        && plan.Waves.All(wave => wave.Totals.InProgress == wave.Totals.InProgressAway);

    private static void EndIfOver(PlanDraft draft)
    {
        var plan = draft.Plan;
        if (plan.State != RolloutState.RollingBack
            || !plan.Waves.All(wave => wave.State is WaveState.Passed or WaveState.Skipped && wave.Totals.Terminal == wave.Cut.Members))
        {
            return;
        }

        var sum = plan.Waves.Aggregate(ShareTotals.Zero, (total, wave) => total.Plus(wave.Totals));
        draft.Set(plan with { State = RolloutState.RolledBack, EndedAt = draft.Now });
        draft.Tell(
            new RolloutRolledBack(draft.Rollout, sum.Succeeded, sum.FailedAll, NoWayBack(sum)), PlanReasons.RolledBack, null,
            $"Rolled back: {Counts(sum)}.");
    }

    private static string Counts(ShareTotals totals) =>
        $"{totals.Succeeded} are back, {totals.FailedNow} failed, {NoWayBack(totals)} have no way back, "
        + $"{totals.Skipped - NoWayBack(totals)} had nothing to go back from, {totals.Untouched} were never touched, "
        + $"{totals.Removed} removed of {totals.Members}";

    private static int NoWayBack(ShareTotals totals) => totals.Skips?.Of(MemberReason.NoWayBack) ?? 0;
}
