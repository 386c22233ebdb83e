using Muster.Domain.Devices;

namespace Muster.Domain.Rollouts;

/// <summary>Says of every wave what it waits for, and when time alone can change something.</summary>
internal static class WaitReport
{
    public static RolloutReport Of(RolloutSpec spec, PlanDraft draft, bool heard)
    {
        var plan = draft.Plan;
        var budgetSpent = OfferPermits.UnavailableMax(spec.MaxUnavailable, plan.FrozenMembers) <= OfferPermits.Busy(plan);
        var rateSpent = OfferPermits.RateRoom(spec, plan) <= 0;
        var opensAt = OfferWindow.IsOpen(spec.Windows, draft.Now) ? null : OfferWindow.NextOpening(spec.Windows, draft.Now);
        var installsAt = InstallsAt(spec, plan, draft.Now);
        var reports = ImmutableArray.CreateBuilder<WaveReport>(plan.Waves.Length);
        for (var i = 0; i < plan.Waves.Length; i++)
        {
            var isReady = plan.IsOffering && plan.Waves[i].IsOpen && plan.Waves[i].Totals.Ready > 0;
            var report = opensAt is null || !isReady
                ? new WaveReport([.. Reasons(plan, i, heard, budgetSpent, rateSpent)])
                : new([.. Reasons(plan, i, heard, budgetSpent: false, rateSpent: false), WaitingOn.Window]) { WindowOpensAt = opensAt };
            reports.Add(WithInstalls(report, plan.Waves[i].Totals, installsAt));
        }

        return new(reports.MoveToImmutable(), draft.Facts, NextLookAt(plan, rateSpent, opensAt));
    }

    private static IEnumerable<WaitingOn> Reasons(RolloutPlan plan, int index, bool heard, bool budgetSpent, bool rateSpent)
    {
        var wave = plan.Waves[index];
        if (plan.IsTerminal
            || wave.State == WaveState.Skipped
            || (wave.State == WaveState.Passed && wave.Totals.Terminal == wave.Cut.Members))
        {
            yield break;
        }

        if (!heard)
        {
            yield return WaitingOn.Reports;
        }

        if (plan.State is RolloutState.Paused or RolloutState.Suspended)
        {
            yield return WaitingOn.Resume;
        }

        if (wave.State == WaveState.Pending)
        {
            if (plan.RollBack is not null || plan.JoinersWave != index || plan.JoiningEndedAt is null)
            {
                yield return plan.RollBack is null ? WaitingOn.EarlierWave : WaitingOn.LaterWave;
            }
            else if (heard)
            {
                // Not every share has looked for the last time.
                yield return WaitingOn.Reports;
            }

            yield break;
        }

        if (wave.State == WaveState.Soaking)
        {
            yield return WaitingOn.Soak;
        }

        if (wave is { State: WaveState.AwaitingApproval, Approval: null })
        {
            yield return WaitingOn.Approval;
        }

        foreach (var reason in ReasonsOfDevices(wave.Totals))
        {
            yield return reason;
        }

        if (wave.Totals.Ready > 0 && plan.IsOffering && budgetSpent)
        {
            yield return WaitingOn.Budget;
        }

        if (wave.Totals.Ready > 0 && plan.IsOffering && rateSpent)
        {
            yield return WaitingOn.Rate;
        }
    }

    private static IEnumerable<WaitingOn> ReasonsOfDevices(ShareTotals totals)
    {
        if (totals.InProgress > 0)
        {
            yield return WaitingOn.Outcomes;
        }

        if (totals.WaitingOffline > 0)
        {
            yield return WaitingOn.Offline;
        }

        if (totals.WaitingBusy > 0)
        {
            yield return WaitingOn.Busy;
        }

        if (totals.GroupFull > 0)
        {
            yield return WaitingOn.GroupBudget;
        }

        if (totals.Retrying > totals.RetryingOnline + totals.RetryingGroupFull)
        {
            yield return WaitingOn.Retry;
        }
    }

    /// <summary>Who is asked to give the change up is waited for himself, and not his window.</summary>
    private static DateTimeOffset? InstallsAt(RolloutSpec spec, RolloutPlan plan, DateTimeOffset now) =>
        plan.State != RolloutState.Cancelling && plan.Waves.Any(wave => wave.Totals.AwaitingInstall > 0)
            ? InstallTimes.OpensAt(spec.InstallWindows, now)
            : null;

    /// <summary>Who has not begun waits for the window that opens then; outcomes come from the others alone.</summary>
    private static WaveReport WithInstalls(WaveReport report, ShareTotals totals, DateTimeOffset? opensAt)
    {
        var at = report.WaitingOn.IndexOf(WaitingOn.Outcomes);
        if (opensAt is null || at < 0 || totals.AwaitingInstall == 0)
        {
            return report;
        }

        var others = totals.InProgress > totals.AwaitingInstall ? report.WaitingOn : report.WaitingOn.RemoveAt(at);
        return report with { WaitingOn = others.Insert(at, WaitingOn.InstallWindow), InstallWindowOpensAt = opensAt };
    }

    private static DateTimeOffset? NextLookAt(RolloutPlan plan, bool rateSpent, DateTimeOffset? opensAt)
    {
        var soak = plan.Waves.Min(wave => wave.SoakEndsAt);
        var rate = rateSpent && !plan.RecentOffers.IsEmpty ? plan.RecentOffers[0].At + RolloutLimits.RateWindow : (DateTimeOffset?)null;
        DateTimeOffset?[] looks = [soak, rate, opensAt];
        return looks.Min();
    }
}
