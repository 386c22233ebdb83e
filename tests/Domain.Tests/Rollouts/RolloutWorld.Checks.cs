using System.Collections.Immutable;
using Muster.Domain.Devices;
using Muster.Domain.Rollouts;

namespace Muster.Domain.Tests.Rollouts;

/// <summary>What has to be so at the end of a wave, and of a rollout.</summary>
internal sealed partial class RolloutWorld
{
    private void Commit(RolloutPlan plan, ImmutableArray<DomainEvent> facts)
    {
        _replay = facts.Aggregate(_replay, (replay, fact) => replay.Apply(fact, _now));
        if (RolloutReplay.Of(plan) is var committed && _replay != committed)
        {
            throw new InvalidOperationException($"the facts tell of another rollout: {_replay} and not {committed}");
        }

        var wrong = PlanChecks.Check(plan).AddRange(PlanChecks.CheckStep(_spec, _committed, plan));
        Demand(wrong.IsEmpty, string.Join(' ', wrong));
        Demand(
            plan.Waves.All(wave => wave.Totals.Installing >= 0 && wave.Totals.AwaitingInstall >= 0
                && wave.Totals.Installing + wave.Totals.AwaitingInstall <= wave.Totals.InProgress
                && (wave.Totals.Installing == 0 || !_spec.InstallWindows.IsEmpty)),
            "more devices install than are in progress, or some do without install windows");
        if (plan.State == RolloutState.Succeeded)
        {
            CheckEnd();
            CheckJoined(plan);
        }

        if (plan.State == RolloutState.RolledBack)
        {
            CheckBack();
        }

        _committed = plan;
        _fence = Math.Max(_fence, plan.Epoch); // raised in all partitions before the acknowledgement
    }

    /// <summary>Only a gate that says so aborts, and at its end no device is in progress.</summary>
    private void CheckAborted(RolloutReport report)
    {
        foreach (var aborting in report.Facts.OfType<RolloutAborting>())
        {
            var gate = _spec.FailureGate;
            var enough = aborting.Totals.FailedNow >= gate.FailureCount
                || (aborting.Totals.FinishedNow >= gate.MinFinished
                    && aborting.Totals.FailedNow * 100 >= gate.FailurePercent * aborting.Totals.FinishedNow);
            var isWaived = _memory.Waves[aborting.Wave].FinishedWaived > 0; // then the gate counts from there on
            Demand(gate.Action == FailureAction.Abort && (enough || isWaived), "aborted by no gate");
        }

        if (report.Facts.Any(fact => fact is RolloutAborted or RolloutCancelled))
        {
            var busy = _shares.Sum(share => share.Members.Count(member => member.State == MemberState.InProgress));
            Demand(busy == 0, $"ended with {busy} devices in progress");
        }
    }

    /// <summary>No attempt twice, none too many, and none before its back-off is over.</summary>
    private void CheckAttempt(WorldMember member, int retry)
    {
        Demand(!member.IsGivenUp || WayBack.Is(retry), "offered to a member that was given up");
        Demand(WayBack.CountOf(retry) < (_spec.Retries?.MaxAttempts ?? 1), "more attempts than allowed");
        if (WayBack.Is(retry) != WayBack.Is(member.Retry))
        {
            Demand(retry == WayBack.FirstRetry, "went back more than once");
            return;
        }

        Demand(
            member.State == MemberState.Waiting ? retry >= member.Retry : retry == member.Retry + 1,
            "a closed attempt was offered again");
        if (member is { MayRetry: true, EndedAt: { } endedAt })
        {
            var backoff = Math.Min(_spec.Retries!.Backoff.Ticks << WayBack.CountOf(member.Retry), _spec.Retries.BackoffMax.Ticks);
            Demand(_now - endedAt >= TimeSpan.FromTicks(backoff * 3 / 4), "offered before its back-off was over");
        }
    }

    /// <summary>An approval holds for the wait that it was given in, and no longer.</summary>
    private void CheckApproved(RolloutReport report)
    {
        foreach (var fact in report.Facts)
        {
            switch (fact)
            {
                case WaveApprovalWaitBroken broken:
                    _approved.Remove(broken.Wave);
                    break;
                case RolloutSuspended suspended when _memory.Waves[suspended.Wave].PassedAt is null:
                    _approved.Remove(suspended.Wave);
                    break;
                case WavePassed passed when _memory.Waves[passed.Wave].Cut is { Members: > 0, Spec: var spec }:
                    Demand(!_spec.Waves[spec].NeedsApproval || _approved.Contains(passed.Wave), "passed a manual gate by itself");
                    break;
                default:
                    break;
            }
        }
    }

    /// <summary>Only a gate that says so, or an operator, turns a rollout round.</summary>
    private void CheckRolledBack(RolloutReport report, RolloutPlan next)
    {
        Demand(
            !report.Facts.Any(fact => fact is RolloutRollingBack) || _spec.FailureGate.Action == FailureAction.RollBack,
            "rolled back by no gate");
        Demand(
            report.Facts.OfType<WaveRolledBack>().All(
                fact => fact.Totals is { Ready: 0 } totals
                    && totals.InProgress == totals.InProgressAway
                    && (totals.GroupFull == 0 || next.Waves.All(wave => wave.Totals.InProgress == wave.Totals.InProgressAway))),
            "left a wave with devices in progress, or that could be offered the way back");
    }

    /// <summary>Nobody who was touched is left where the rollout brought him without having been offered the way back.</summary>
    private void CheckBack()
    {
        foreach (var member in _shares.SelectMany(share => share.Members)
            .Where(member => member is { IsGivenUp: false, WasTouched: true, State: not MemberState.Removed }))
        {
            Demand(member.State != MemberState.InProgress, "rolled back too early");
            Demand(!member.RunsTarget || WayBack.Is(member.Retry), "left somebody where he was brought");
        }
    }

    private void CheckEnd()
    {
        foreach (var member in _shares.SelectMany(share => share.Members).Where(member => !member.IsGivenUp))
        {
            Demand(member.State > MemberState.InProgress, "succeeded too early");
            Demand(
                _regressions || !member.MayRetry || member.Retry + 1 == (_spec.Retries?.MaxAttempts ?? 1),
                "succeeded although a device had attempts left");
        }
    }

    private void CheckPassed(RolloutReport report)
    {
        foreach (var passed in report.Facts.OfType<WavePassed>().Where(fact => fact.Reason == PlanReasons.WavePassed))
        {
            var gate = _spec.Waves[_memory.Waves[passed.Wave].Cut.Spec];
            var counted = passed.Totals.Members - passed.Totals.Removed - passed.Totals.Skipped;
            var truth = _shares.SelectMany(share => share.Members)
                .Count(member => member.Wave == passed.Wave && (member.State == MemberState.Succeeded || member.HadSucceeded));
            Demand(passed.Totals.Succeeded * 100 >= gate.SuccessPercent * counted, "advanced below its threshold");
            Demand(_regressions || passed.Totals.Succeeded <= truth, "counted a success that is none");
        }
    }
}
