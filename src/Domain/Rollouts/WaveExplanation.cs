using System.Globalization;

namespace Muster.Domain.Rollouts;

/// <summary>One thing that a wave waits for.</summary>
/// <param name="On">What it is; the planner's word.</param>
/// <param name="Count">How many devices, offers or approvals it is about; 0 where there is nothing to count.</param>
/// <param name="Until">When it ends by itself at the latest; null when something else has to happen.</param>
/// <param name="Text">The same in words, with the numbers.</param>
public sealed record WaveWait(WaitingOn On, long Count, DateTimeOffset? Until, string Text);

/// <summary>
/// Why a wave started and what it waits for (rollouts.md 25). It decides nothing anew: the reasons are the planner's report, the numbers
/// are those of the plan, read by the functions that the planner reads them by.
/// </summary>
/// <param name="Wave">Zero-based.</param>
/// <param name="State">Where it is; <see cref="WaveState.Pending"/> before the start.</param>
/// <param name="Why">The decisions behind it, oldest first: what started it, and what became of it since.</param>
/// <param name="IsLogCut">The log has no room for all decisions of the rollout; the oldest are in the feed only.</param>
/// <param name="Waits">What it waits for now; empty when for nothing.</param>
/// <param name="Success">Its success gate; null before the start, and since the rollout is rolled back.</param>
/// <param name="Failures">Its failure gate; null before the start.</param>
public sealed record WaveExplanation(
    int Wave,
    WaveState State,
    ImmutableArray<PlanDecision> Why,
    bool IsLogCut,
    ImmutableArray<WaveWait> Waits,
    SuccessReading? Success,
    FailureReading? Failures)
{
    /// <summary>Explains a wave of the rollout as it is; null when there is no such wave.</summary>
    /// <param name="rollout">The rollout with its newest plan.</param>
    /// <param name="reports">The planner's last report by wave; shorter when it has not planned yet.</param>
    /// <param name="wave">Zero-based.</param>
    /// <param name="approvalsNeeded">Of the spec, before the start.</param>
    public static WaveExplanation? Of(Rollout rollout, ImmutableArray<WaveReport> reports, int wave, int approvalsNeeded)
    {
        ArgumentNullException.ThrowIfNull(rollout);
        var (spec, plan) = (rollout.Spec, rollout.Plan);
        if (plan.IsDraft)
        {
            return wave >= 0 && wave < spec.Waves.Length
                ? new(wave, WaveState.Pending, [], false, [BeforeStart(rollout, approvalsNeeded)], null, null)
                : null;
        }

        if (wave < 0 || wave >= plan.Waves.Length)
        {
            return null;
        }

        var known = plan.Waves[wave];
        var report = reports.IsDefault || wave >= reports.Length ? new WaveReport(NotPlanned(plan)) : reports[wave];
        return new(
            wave,
            known.State,
            [.. plan.Decisions.Where(decision => IsBehind(decision, wave))],
            plan.Decisions.Length >= RolloutLimits.DecisionsMax,
            [.. report.WaitingOn.Select(reason => reason switch
            {
                WaitingOn.Window => WindowOf(report.WindowOpensAt),
                WaitingOn.InstallWindow => InstallWindowOf(known.Totals, report.InstallWindowOpensAt),
                WaitingOn.Outcomes when report.InstallWindowOpensAt is not null =>
                    OutcomesOf(known.Totals.InProgress - known.Totals.AwaitingInstall, steps: null),
                _ => WaitOf(reason, spec, plan, wave),
            })],
            plan.RollBack is null ? WaveGate.ReadSuccess(spec.Waves[known.Cut.Spec], known.Totals) : null,
            WaveGate.ReadFailures(spec.FailureGate, known));
    }

    private static ImmutableArray<WaitingOn> NotPlanned(RolloutPlan plan) => plan.IsLive ? [WaitingOn.Reports] : [];

    private static bool IsBehind(PlanDecision decision, int wave) => decision switch
    {
        { Wave: { } about } when about == wave => true,
        { Wave: { } about } when about == wave - 1 => decision.Reason is PlanReasons.WavePassed
            or PlanReasons.WaveOverridden or PlanReasons.WaveEmpty or PlanReasons.WaveApproved,
        { Wave: { } about, Reason: PlanReasons.WaveRolledBack } => about == wave + 1,
        { Reason: PlanReasons.RollingBack } => true,
        _ => wave == 0 && decision.Reason == PlanReasons.Started,
    };

    private static WaveWait BeforeStart(Rollout rollout, int approvalsNeeded)
    {
        var given = rollout.ValidApprovals.Length;
        return rollout.Plan.State == RolloutState.AwaitingApproval
            ? new(WaitingOn.Approval, approvalsNeeded - given, null, Text($"{given} of {approvalsNeeded} approvals are given"))
            : new(WaitingOn.Start, 0, null, "nobody has started the rollout");
    }

    // Whatever the planner may come to report: an explanation says less rather than nothing.
    private static WaveWait WaitOf(WaitingOn on, RolloutSpec spec, RolloutPlan plan, int index)
    {
        var wave = plan.Waves[index];
        var totals = wave.Totals;
        return on switch
        {
            WaitingOn.Reports when wave is { Cut.TakesJoiners: true, State: WaveState.Pending } && plan.JoiningEndedAt is not null =>
                new(on, 0, null, "not every partition has said who joined"),
            WaitingOn.Reports => new(on, 0, null, "not every partition has reported since the coordinator came back"),
            WaitingOn.Outcomes => OutcomesOf(totals.InProgress, totals.StepsInProgress),
            WaitingOn.Offline => new(on, totals.WaitingOffline, null, Text($"{totals.WaitingOffline} devices have no session")),
            WaitingOn.Busy => new(
                on, totals.WaitingBusy, null, Text($"{totals.WaitingBusy} devices are busy with another change")),
            WaitingOn.GroupBudget => new(on, totals.GroupFull, null, Text(
                $"{totals.GroupFull} devices wait for others with the same value: {string.Join(", ", spec.MaxUnavailablePer)} at a time")),
            WaitingOn.Retry => new(on, totals.Retrying, null, Text($"{totals.Retrying} devices failed and wait for their next attempt")),
            WaitingOn.Soak => new(on, 0, wave.SoakEndsAt, Text($"its open gate is watched until {wave.SoakEndsAt:u}")),
            WaitingOn.Approval => new(on, 1, null, Text($"an approver has to decide, since {wave.AwaitingSince:u}")),
            WaitingOn.Budget => BudgetOf(spec, plan),
            WaitingOn.Rate => RateOf(spec, plan, totals),
            WaitingOn.EarlierWave => EarlierOf(plan),
            WaitingOn.LaterWave => LaterOf(plan, index),
            WaitingOn.Resume => new(on, 0, null, $"the rollout is {plan.State}: {LastStop(plan)}"),
            _ => new(on, 0, null, on.ToString()),
        };
    }

    private static WaveWait WindowOf(DateTimeOffset? opensAt) => new(
        WaitingOn.Window,
        0,
        opensAt,
        opensAt is { } at
            ? Text($"no window is open in which devices may be offered the image; the next one opens at {at:u}")
            : "no window is open in which devices may be offered the image");

    private static WaveWait OutcomesOf(int devices, StepTotals? steps) => new(
        WaitingOn.Outcomes,
        devices,
        null,
        Text($"{devices} devices in progress have no outcome yet") + (steps is not { Below: > 0 }
            ? ""
            : Text($"; {steps.Below} of them are at a step, and have {steps.Steps} before the image")));

    private static WaveWait InstallWindowOf(ShareTotals totals, DateTimeOffset? opensAt) => new(
        WaitingOn.InstallWindow,
        totals.AwaitingInstall,
        opensAt,
        Text($"{totals.AwaitingInstall} devices in progress wait for their install window; the next one opens at {opensAt:u}"));

    private static WaveWait BudgetOf(RolloutSpec spec, RolloutPlan plan)
    {
        var (busy, most) = (OfferPermits.Busy(plan), OfferPermits.UnavailableMax(spec.MaxUnavailable, plan.FrozenMembers));
        return new(WaitingOn.Budget, busy, null, Text($"{busy} devices are in progress or about to be, and the budget is {most}"));
    }

    private static WaveWait RateOf(RolloutSpec spec, RolloutPlan plan, ShareTotals totals)
    {
        var (made, rate) = (OfferPermits.InWindow(plan), OfferPermits.Rate(spec, plan));
        var until = plan.RecentOffers.IsEmpty ? (DateTimeOffset?)null : plan.RecentOffers[0].At + RolloutLimits.RateWindow;
        var steps = totals.Steps is not { Below: > 0 } waiting
            ? ""
            : Text($"; {waiting.Below} that wait have {waiting.Steps} steps before the image, each an offer of its own");
        return new(WaitingOn.Rate, made, until, Text($"{made} offers in the last 60 s, and the rate is {rate}") + steps);
    }

    private static WaveWait EarlierOf(RolloutPlan plan)
    {
        // A report may be a moment older than the plan.
        var earlier = Math.Min(plan.Waves.TakeWhile(wave => wave.State == WaveState.Passed).Count(), plan.Waves.Length - 1);
        return new(WaitingOn.EarlierWave, 1, null, Text($"wave {earlier} is {plan.Waves[earlier].State}"));
    }

    private static WaveWait LaterOf(RolloutPlan plan, int index)
    {
        var later = plan.Waves.Select((wave, i) => (wave.State, Index: i)).LastOrDefault(wave =>
            wave.Index > index && wave.State is WaveState.Running or WaveState.Suspended or WaveState.Pending);
        return new(WaitingOn.LaterWave, 1, null, Text($"wave {later.Index} is {later.State}, and goes back before it"));
    }

    private static string LastStop(RolloutPlan plan) => plan.Decisions.LastOrDefault(decision => decision.Reason
        is PlanReasons.Paused or PlanReasons.FailureGate or PlanReasons.BelowSuccessGate or PlanReasons.NoEvidence
        or PlanReasons.ImageRevoked)?.Text ?? "why is not in the log any more";

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
