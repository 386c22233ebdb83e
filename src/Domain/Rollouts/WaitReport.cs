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
        var reports = ImmutableArray.CreateBuilder<WaveReport>(plan.Waves.Length);
        for (var i = 0; i < plan.Waves.Length; i++)
        {
            var isReady = plan.IsOffering && plan.Waves[i].IsOpen && plan.Waves[i].Totals.Ready > 0;
            reports.Add(opensAt is null || !isReady
                ? new([.. Reasons(plan, i, heard, budgetSpent, rateSpent)])
                : new([.. Reasons(plan, i, heard, budgetSpent: false, rateSpent: false), WaitingOn.Window]) { WindowOpensAt = opensAt });
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

    private static DateTimeOffset? NextLookAt(RolloutPlan plan, bool rateSpent, DateTimeOffset? opensAt)
    {
        var soak = plan.Waves.Min(wave => wave.SoakEndsAt);
        var rate = rateSpent && !plan.RecentOffers.IsEmpty ? plan.RecentOffers[0].At + RolloutLimits.RateWindow : (DateTimeOffset?)null;
        DateTimeOffset?[] looks = [soak, rate, opensAt];
        return looks.Min();
    }
}
