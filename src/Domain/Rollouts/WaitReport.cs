namespace Muster.Domain.Rollouts;

/// <summary>Says of every wave what it waits for, and when time alone can change something.</summary>
internal static class WaitReport
{
    public static RolloutReport Of(RolloutSpec spec, PlanDraft draft, bool heard)
    {
        var plan = draft.Plan;
        var budgetSpent = OfferPermits.UnavailableMax(spec.MaxUnavailable, plan.Members) <= OfferPermits.Busy(plan);
        var rateSpent = OfferPermits.RateRoom(spec.DevicesPerMinute, plan) <= 0;
        var reports = ImmutableArray.CreateBuilder<WaveReport>(plan.Waves.Length);
        for (var i = 0; i < plan.Waves.Length; i++)
        {
            reports.Add(new([.. Reasons(plan, i, heard, budgetSpent, rateSpent)]));
        }

        return new(reports.MoveToImmutable(), draft.Facts, NextLookAt(plan, rateSpent));
    }

    private static IEnumerable<WaitingOn> Reasons(RolloutPlan plan, int index, bool heard, bool budgetSpent, bool rateSpent)
    {
        var wave = plan.Waves[index];
        if (plan.IsTerminal || (wave.State == WaveState.Passed && wave.Totals.Terminal == wave.Cut.Members))
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
            yield return WaitingOn.EarlierWave;
            yield break;
        }

        if (wave.State == WaveState.Soaking)
        {
            yield return WaitingOn.Soak;
        }

        if (wave.Totals.InProgress > 0)
        {
            yield return WaitingOn.Outcomes;
        }

        if (wave.Totals.WaitingOffline > 0)
        {
            yield return WaitingOn.Offline;
        }

        if (wave.Totals.WaitingBusy > 0)
        {
            yield return WaitingOn.Busy;
        }

        if (wave.Totals.WaitingOnline > 0 && plan.State == RolloutState.Running && budgetSpent)
        {
            yield return WaitingOn.Budget;
        }

        if (wave.Totals.WaitingOnline > 0 && plan.State == RolloutState.Running && rateSpent)
        {
            yield return WaitingOn.Rate;
        }
    }

    private static DateTimeOffset? NextLookAt(RolloutPlan plan, bool rateSpent)
    {
        var soak = plan.Waves.Min(wave => wave.SoakEndsAt);
        var rate = rateSpent && !plan.RecentOffers.IsEmpty ? plan.RecentOffers[0].At + RolloutLimits.RateWindow : (DateTimeOffset?)null;
        return soak is null || rate < soak ? rate ?? soak : soak;
    }
}
