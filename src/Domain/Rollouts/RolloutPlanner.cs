namespace Muster.Domain.Rollouts;

/// <summary>
/// Decides how a rollout goes on: takes in what the shares report, evaluates the gates, and only then grants offers. Pure
/// and synchronous; the same input gives the same plan, and a report twice, late or missing never grants anything more.
/// </summary>
public static class RolloutPlanner
{
    public static (RolloutPlan Next, RolloutReport Report) Plan(RolloutPlanInput input)
    {
        ArgumentNullException.ThrowIfNull(input);
        if (!input.Plan.IsLive)
        {
            return (input.Plan, new([.. input.Plan.Waves.Select(_ => new WaveReport([]))], [], null));
        }

        var draft = new PlanDraft(input.Rollout, input.Plan, input.Now, PlanDraft.RuleOf(input.Rollout));
        var heard = TakeIn(input, draft);
        if (heard)
        {
            Judge(input, draft);
            EndIfOver(draft);
        }

        // A rollout that was turned round just now has reports of the way there only.
        heard &= draft.Plan.RollBack == input.Plan.RollBack;
        if (heard && draft.Plan.IsOffering && OfferWindow.IsOpen(input.Spec.Windows, input.Now))
        {
            OfferGrants.Add(input.Spec, HeardReports(input, draft.Plan), draft);
        }

        return (draft.Plan, WaitReport.Of(input.Spec, draft, heard));
    }

    private static void Judge(RolloutPlanInput input, PlanDraft draft)
    {
        if (input.Plan.RollBack is not null)
        {
            RollBackPlanner.Evaluate(input.Spec, draft);
            return;
        }

        EvaluateGates(input, draft);
    }

    /// <summary>Settles permits and sums up. False while a partition is silent: then nothing is judged and nothing granted.</summary>
    private static bool TakeIn(RolloutPlanInput input, PlanDraft draft)
    {
        var reports = HeardReports(input, draft.Plan);
        var offers = 0L;
        var shares = draft.Plan.Shares.ToBuilder();
        for (var i = 0; i < shares.Count; i++)
        {
            if (reports.TryGetValue(shares[i].Partition, out var report))
            {
                var settled = Settle(shares[i], report);
                offers += settled.Waves.Sum(grant => grant.Offered) - shares[i].Waves.Sum(grant => grant.Offered);
                shares[i] = settled;
            }
        }

        draft.Set(draft.Plan with
        {
            Shares = shares.ToImmutable(),
            RecentOffers = input.Spec.DevicesPerMinute > 0
                ? OfferPermits.Remember(draft.Plan.RecentOffers, offers, input.Now)
                : [],
        });
        var heard = draft.Plan.Shares.All(share => reports.ContainsKey(share.Partition));
        if (heard)
        {
            SumUp(reports, draft);
            LateJoiners.Count(draft, reports.Values, input.LeftOutElsewhere);
            draft.Set(BurnUp.Draw(draft.Plan, input.Now));
        }

        return heard;
    }

    private static void SumUp(Dictionary<int, ShareReport> reports, PlanDraft draft)
    {
        for (var i = 0; i < draft.Plan.Waves.Length; i++)
        {
            var wave = draft.Plan.Waves[i];
            var next = wave.With(Sum(reports.Values, i));
            draft.SetWave(i, next);
            if (next.FailedWaived < wave.FailedWaived)
            {
                draft.Tell(new AcceptedFailuresLapsed(draft.Rollout, i, next.FailedWaived));
            }
        }
    }

    // An older report than one already taken in is no report.
    private static Dictionary<int, ShareReport> HeardReports(RolloutPlanInput input, RolloutPlan plan)
    {
        var versions = plan.Shares.ToDictionary(share => share.Partition, share => share.ReportVersion);
        var heard = new Dictionary<int, ShareReport>();
        foreach (var report in input.Shares)
        {
            if (versions.TryGetValue(report.Partition, out var version)
                && report.Version >= version
                && report.IsRollingBack == (plan.RollBack is not null)
                && LateJoiners.IsOf(report, plan)
                && report.Waves.Length == plan.Waves.Length
                && (!heard.TryGetValue(report.Partition, out var other) || report.Version > other.Version))
            {
                heard[report.Partition] = report;
            }
        }

        return heard;
    }

    private static SharePlan Settle(SharePlan share, ShareReport report) => share with
    {
        ReportVersion = report.Version,
        Waves = [.. share.Waves.Select((grant, i) => grant with
        {
            Seen = Math.Max(grant.Seen, Math.Min(report.Waves[i].GrantSeen, grant.Granted)),
            Offered = Math.Max(grant.Offered, report.Waves[i].Offered),
        })],
    };

    private static ShareTotals Sum(IEnumerable<ShareReport> reports, int wave) =>
        reports.Aggregate(ShareTotals.Zero, (sum, report) => sum.Plus(report.Waves[wave]));

    private static void EvaluateGates(RolloutPlanInput input, PlanDraft draft)
    {
        var spec = input.Spec;

        // A failure gate is evaluated before every grant, also while a wave soaks and after it passed.
        for (var i = 0; i < draft.Plan.Waves.Length && draft.Plan.State == RolloutState.Running; i++)
        {
            var wave = draft.Plan.Waves[i];
            if (wave.IsOpen && WaveGate.FailureFires(spec.FailureGate, wave))
            {
                Stop(input, draft, i);
            }
        }

        if (LateJoiners.IsEnding(draft.Plan))
        {
            LateJoiners.OpenWave(draft, HeardReports(input, draft.Plan).Values);
        }

        // Passing a wave may open one that passes at once in turn.
        for (var i = 0; i < draft.Plan.Waves.Length && draft.Plan.State == RolloutState.Running; i++)
        {
            if (draft.Plan.Waves[i].State is WaveState.Running or WaveState.Soaking or WaveState.AwaitingApproval)
            {
                EvaluateSuccess(spec, draft, i);
            }
        }
    }

    private static void Stop(RolloutPlanInput input, PlanDraft draft, int index)
    {
        var totals = draft.Plan.Waves[index].Totals;
        var text = $"Wave {index}: {totals.FailedNow} of {totals.FinishedNow} finished devices failed";
        switch (input.Spec.FailureGate.Action)
        {
            case FailureAction.Suspend:
                draft.Suspend(index, PlanReasons.FailureGate, $"{text}.");
                break;
            case FailureAction.Abort:
                draft.Abort(index, $"{text}; the rollout is aborted.");
                break;
            case FailureAction.RollBack when input.MayRollBack:
                RollBackPlanner.Begin(draft, index, PlanReasons.FailureGate, $"{text}; the rollout is rolled back.");
                break;
            case FailureAction.RollBack:
                draft.Suspend(index, PlanReasons.FailureGate, $"{text}. Its roll back needs approvals that were not given.");
                break;
            default:
                throw new UnreachableException($"Unknown action {input.Spec.FailureGate.Action} of a failure gate.");
        }
    }

    private static void EvaluateSuccess(RolloutSpec spec, PlanDraft draft, int index)
    {
        var wave = draft.Plan.Waves[index];
        var gate = spec.Waves[wave.Cut.Spec];
        var counts = Counts(wave.Totals);
        if (wave.SuccessGateWaived)
        {
            PassOrAsk(gate, draft, index, PlanReasons.WaveOverridden, $"passes by an operator's decision with {counts}");
            return;
        }

        switch (WaveGate.Success(gate, wave.Totals))
        {
            case GateVerdict.Open:
                PassOrSoak(gate, draft, index);
                break;
            case GateVerdict.BelowThreshold:
                draft.Suspend(index, PlanReasons.BelowSuccessGate,
                    $"Wave {index} cannot reach {gate.SuccessPercent} % any more: {counts}.");
                break;
            case GateVerdict.NoEvidence:
                draft.Suspend(index, PlanReasons.NoEvidence,
                    $"Wave {index} cannot reach the {gate.MinSucceeded} successes that it needs: {counts}.");
                break;
            case GateVerdict.Undecided when wave.State == WaveState.Soaking:
                draft.SetWave(index, wave with { State = WaveState.Running, SoakEndsAt = null });
                draft.Tell(new WaveSoakBroken(draft.Rollout, index), PlanReasons.SoakBroken, index,
                    $"Wave {index} stops soaking: {counts}.");
                break;
            case GateVerdict.Undecided when wave.State == WaveState.AwaitingApproval:
                draft.SetWave(index, wave with { State = WaveState.Running, AwaitingSince = null, Approval = null });
                draft.Tell(new WaveApprovalWaitBroken(draft.Rollout, index), PlanReasons.ApprovalWaitBroken, index,
                    $"Wave {index} waits for no approver any more, and who approved it has to look again: {counts}.");
                break;
            case GateVerdict.Undecided:
                break;
            default:
                throw new UnreachableException("Unknown verdict of a success gate.");
        }
    }

    private static void PassOrSoak(WaveSpec gate, PlanDraft draft, int index)
    {
        var wave = draft.Plan.Waves[index];
        if (wave.State == WaveState.Running && gate.Soak > TimeSpan.Zero)
        {
            var endsAt = draft.Now + gate.Soak;
            draft.SetWave(index, wave with { State = WaveState.Soaking, SoakEndsAt = endsAt });
            draft.Tell(new WaveSoaking(draft.Rollout, index, endsAt), PlanReasons.WaveSoaking, index,
                $"Wave {index} reached {gate.SuccessPercent} % and soaks for {gate.Soak}: {Counts(wave.Totals)}.");
        }
        else if (wave.State != WaveState.Soaking || wave.SoakEndsAt <= draft.Now)
        {
            PassOrAsk(gate, draft, index, PlanReasons.WavePassed,
                $"passes its gate of {gate.SuccessPercent} %: {Counts(wave.Totals)}");
        }
    }

    /// <summary>Passes the wave, unless it has a manual gate and nobody has decided yet.</summary>
    private static void PassOrAsk(WaveSpec gate, PlanDraft draft, int index, string reason, string text)
    {
        var wave = draft.Plan.Waves[index];
        if (!gate.NeedsApproval)
        {
            draft.PassWave(index, reason, $"Wave {index} {text}.");
        }
        else if (wave.Approval is { } approval)
        {
            draft.PassWave(index, reason, $"Wave {index} {text}; approved by {approval.Approver}.");
        }
        else if (wave.State != WaveState.AwaitingApproval)
        {
            draft.AwaitApproval(index, $"Wave {index} waits for an approver: {Counts(wave.Totals)}.");
        }
    }

    private static string Counts(ShareTotals totals) =>
        $"{totals.Succeeded} succeeded, {totals.FailedAll} failed, {totals.Skipped} skipped, {totals.Removed} removed of {totals.Members}"
        + (totals.Retrying > 0 ? $", {totals.Retrying} to try again" : "");

    private static void EndIfOver(PlanDraft draft)
    {
        var plan = draft.Plan;
        if (plan.State == RolloutState.Running
            && plan.Waves.All(wave => wave.State == WaveState.Passed && wave.Totals.Terminal == wave.Cut.Members))
        {
            var succeeded = plan.Waves.Sum(wave => wave.Totals.Succeeded);
            draft.Set(plan with { State = RolloutState.Succeeded, EndedAt = draft.Now });
            draft.Tell(new RolloutSucceeded(draft.Rollout, plan.Members, succeeded), PlanReasons.Succeeded, null,
                $"All waves passed: {succeeded} of {plan.Members} devices succeeded.");
        }
        else if (plan is { State: RolloutState.Cancelling, IsAborting: true } && OfferPermits.Busy(plan) == 0)
        {
            draft.Set(plan with { State = RolloutState.Aborted, EndedAt = draft.Now });
            draft.Tell(new RolloutAborted(draft.Rollout), PlanReasons.Aborted, null, "No device is in progress any more.");
        }
        else if (plan.State == RolloutState.Cancelling && OfferPermits.Busy(plan) == 0)
        {
            draft.Set(plan with { State = RolloutState.Cancelled, EndedAt = draft.Now });
            draft.Tell(new RolloutCancelled(draft.Rollout), PlanReasons.Cancelled, null, "No device is in progress any more.");
        }
    }
}
