using System.Globalization;
using Muster.Domain.Devices;

namespace Muster.Domain.Rollouts;

/// <summary>
/// Says of one device where it is in a rollout and why. It decides nothing anew: what a member waits for is <see cref="ShareRules"/>', the
/// planner's report of its wave, and what <see cref="DeviceChanges"/> would answer to an offer.
/// </summary>
public static class DeviceExplainer
{
    /// <summary>What a wave waits for because of members, any of which may be another than the one that is asked about.</summary>
    private static readonly ImmutableArray<WaitingOn> OfOthers =
        [WaitingOn.Outcomes, WaitingOn.Offline, WaitingOn.Busy, WaitingOn.Retry, WaitingOn.Soak,
        WaitingOn.GroupBudget, WaitingOn.InstallWindow];

    /// <summary>What only a member waits for that could use a permit.</summary>
    private static readonly ImmutableArray<WaitingOn> OfPermits = [WaitingOn.Budget, WaitingOn.Rate, WaitingOn.Window];

    /// <param name="rollout">As it is committed.</param>
    /// <param name="waves">What the planner's last report says that each wave waits for; empty when there was none yet.</param>
    /// <param name="seen">The device.</param>
    public static DeviceExplanation Explain(Rollout rollout, ImmutableArray<WaveReport> waves, MemberSighting seen)
    {
        ArgumentNullException.ThrowIfNull(rollout);
        ArgumentNullException.ThrowIfNull(seen);
        if (seen.Member is not { } member)
        {
            return NoMember(rollout, seen);
        }

        var known = new DeviceExplanation
        {
            Device = seen.Device,
            Wave = member.Wave,
            Status = member.Status,
            Attempt = WayBack.CountOf(member.Retry) + 1,
            MaxAttempts = rollout.Spec.Retries?.MaxAttempts ?? 1,
            BusyWith = seen.Preview?.BusyWith ?? "",
            KeptFor = seen.Preview?.KeptFor ?? "",
        };
        var explained = member.Status switch
        {
            MemberStatus.Waiting or MemberStatus.Retrying => Waiting(known, rollout, waves, member, seen.Preview),
            MemberStatus.Offered => Offered(known, rollout.Spec.Timers, member, seen.Preview),
            MemberStatus.Succeeded or MemberStatus.Failed or MemberStatus.TimedOut or MemberStatus.Rejected or MemberStatus.Skipped
                or MemberStatus.Removed => Ended(known, member, seen.Preview),
            MemberStatus.Untouched => known,
            _ => throw new UnreachableException($"A member is {member.Status}."),
        };
        return explained with
        {
            Text = $"{WayOf(member)}ttempt {known.Attempt} of {known.MaxAttempts} in wave {member.Wave}: {StepOf(member, seen.Preview)}"
                + TextOf(explained, rollout)
                + (explained.WaitingOn.Contains(WaitingOn.GroupBudget) ? GroupOf(rollout, member) : ""),
        };
    }

    private static string GroupOf(Rollout rollout, MemberPlace member)
    {
        var budget = rollout.Spec.MaxUnavailablePer.FirstOrDefault(one => one.Field == member.FullGroup?.Field);
        return member.FullGroup is { } group ? $" Of the devices with {group} no more than {budget.Limit} are offered it at a time." : "";
    }

    /// <summary>Where it is on the path to the rollout's image; nothing for one that needs no steps, or has an outcome.</summary>
    private static string StepOf(MemberPlace member, OfferPreview? preview) => (member.Status, preview) switch
    {
        (not (MemberStatus.Waiting or MemberStatus.Retrying or MemberStatus.Offered), _) or (_, null) => "",
        (_, { StepsLeft: > 0 } step) =>
            $"step {step.StepsTaken + 1} of {step.StepsTaken + 1 + step.StepsLeft}, to {step.StepVersion}; ",
        (_, { StepsTaken: > 0 } last) => $"step {last.StepsTaken + 1} of {last.StepsTaken + 1}, to the image itself; ",
        _ => "",
    };

    private static string WayOf(MemberPlace member) => WayBack.Is(member.Retry) ? "Way back, a" : "A";

    private static DeviceExplanation NoMember(Rollout rollout, MemberSighting seen)
    {
        var inService = seen.Row is { State: DeviceState.InService };
        var (why, text) = (rollout.Plan, seen) switch
        {
            (_, { Row: null }) => (NotMember.UnknownDevice, $"There is no device '{seen.Device}'."),
            ({ IsDraft: true }, { Matches: true }) when inService && rollout.Spec.RetryOf is { } retried => (
                NotMember.NotStarted,
                $"The members are frozen at the start: those of rollout '{retried}' that did not succeed, if they match then."),
            ({ IsDraft: true }, { Matches: true }) when inService => (
                NotMember.NotStarted, "The members are frozen at the start; as it is now, the device would be one."),
            ({ IsTerminal: true, StartedAt: null }, _) => (
                NotMember.NotStarted,
                $"The rollout was cancelled at {At(rollout.Plan.EndedAt)} before its start: it never had members."),
            (_, { Matches: false }) => (
                NotMember.FilterDoesNotMatch, $"The filter '{rollout.Spec.Filter}' does not match the device."),
            _ when !inService => (
                NotMember.NotInService,
                $"It is {seen.Row!.State} since {At(seen.Row.StateChangedAt)}; only devices in service are members."),
            _ when rollout.Spec.RetryOf is { } retried => (
                NotMember.NotAmongTheRest,
                $"It matches, and was not among the members of rollout '{retried}' that had not succeeded, or did not match at the start."),
            _ => Later(rollout.Plan, seen.LeftOut),
        };
        return new DeviceExplanation { Device = seen.Device, NotMember = why, Text = text };
    }

    private static (NotMember Why, string Text) Later(RolloutPlan plan, LeftOutReason reason)
    {
        var since = $"It matches now, and did not when the members were frozen at {At(plan.StartedAt)}";
        return reason switch
        {
            LeftOutReason.StrategyRequired => (
                NotMember.JoinedLater, $"{since}; its site needs a strategy that the rollout is not from, so it is left out."),
            LeftOutReason.DowngradeNotApproved => (
                NotMember.JoinedLater,
                $"{since}; it runs a newer version, or has not told which, and the rollout has too few approvals, so it is left out."),
            LeftOutReason.TooMany => (
                NotMember.JoinedLater,
                $"{since}; {RolloutLimits.LateJoinersPerPartitionMax} devices of its partition have joined, and others are left out."),
            _ when plan is { JoinersWave: not null, JoiningEndedAt: null, RollBack: null, IsLive: true }
                and not { State: RolloutState.Cancelling } => (
                NotMember.JoinsSoon, $"{since}; it joins wave {plan.JoinersWave} within some ten seconds."),
            _ when plan is { JoiningEndedAt: { } ended } => (
                NotMember.JoinedLater, $"{since}, nor when joining ended at {At(ended)}; who joins later is left out."),
            _ => (NotMember.JoinedLater, $"{since}; who joins later is left out."),
        };
    }

    private static DeviceExplanation Waiting(
        DeviceExplanation known, Rollout rollout, ImmutableArray<WaveReport> waves, MemberPlace member, OfferPreview? preview)
    {
        if (rollout.Plan.IsTerminal || rollout.Plan.State == RolloutState.Cancelling)
        {
            return known;
        }

        var waits = ImmutableArray.CreateBuilder<WaitingOn>();
        var report = waves.IsDefault || member.Wave >= waves.Length ? [WaitingOn.Reports] : waves[member.Wave].WaitingOn;
        waits.AddRange(report.Except(OfOthers).Where(on => member.Wait == MemberWait.Permit || !OfPermits.Contains(on)));
        switch (member.Wait)
        {
            case MemberWait.Backoff:
                waits.Add(WaitingOn.Retry);
                break;
            case MemberWait.Offline:
                waits.Add(WaitingOn.Offline);
                break;
            case MemberWait.Busy:
                waits.Add(WaitingOn.Busy);
                break;
            case MemberWait.GroupFull:
                waits.Add(WaitingOn.GroupBudget);
                break;
            case MemberWait.Permit when waits.Count == 0:
                waits.Add(WaitingOn.Permit);
                break;
        }

        // Whatever it waits for first: this is how it will end as the device is now.
        var isUnfit = preview is { Verdict: OfferVerdict.Closed, Outcome: ChangeOutcome.Skipped or ChangeOutcome.Removed };
        if (isUnfit)
        {
            waits.Add(WaitingOn.Precondition);
        }

        return known with
        {
            WaitingOn = waits.ToImmutable(),
            Reason = isUnfit ? preview!.Reason : "",
            Until = member.Wait switch
            {
                MemberWait.Backoff => member.DueAt,
                MemberWait.Offline when member.TurnAt is { } turn => rollout.Spec.Timers.DeadlineOf(turn, deliveredAt: null),
                MemberWait.Permit when waits.Contains(WaitingOn.Window) => waves[member.Wave].WindowOpensAt,
                _ => null,
            },
        };
    }

    private static DeviceExplanation Offered(DeviceExplanation known, ChangeTimers timers, MemberPlace member, OfferPreview? preview)
    {
        var isOpen = preview is { Verdict: OfferVerdict.InProgress, WouldOffer: false };
        var offeredAt = isOpen ? preview!.OfferedAt : member.Offer?.TakenAt;
        var waitedSince = isOpen ? preview!.FirstOfferedAt ?? offeredAt : member.Offer?.Since;
        var deliveredAt = isOpen ? preview!.DeliveredAt : member.Offer?.DeliveredAt;
        var installsSince = isOpen ? preview!.InstallsSince : member.Offer?.InstallsSince;
        var opensAt = isOpen ? preview!.InstallOpensAt : null;
        return known with
        {
            OfferedAt = offeredAt,
            DeliveredAt = deliveredAt,
            InstallsSince = installsSince,
            Step = isOpen ? preview!.Step : ChangeStep.Unspecified,
            WaitingOn = [deliveredAt is null ? WaitingOn.Delivery : opensAt is null ? WaitingOn.Outcomes : WaitingOn.InstallWindow],
            Until = opensAt ?? preview?.GoesBackAt ?? (waitedSince is { } at ? timers.DeadlineOf(at, deliveredAt, installsSince) : null),
            IsHere = preview?.GoesBackAt is not null,
            Recall = preview?.Recall ?? RecallState.None,
        };
    }

    private static DeviceExplanation Ended(DeviceExplanation known, MemberPlace member, OfferPreview? preview)
    {
        if (member.End is { } end)
        {
            return known with { Reason = MemberReasons.NameOf(end.Reason), EndedAt = end.At };
        }

        // The device remembers the end of its last attempts; an offer would be answered with it.
        return preview is { Verdict: OfferVerdict.Closed, EndedAt: { } at }
            ? known with { Reason = preview.Reason, EndedAt = at }
            : known;
    }

    private static string TextOf(DeviceExplanation known, Rollout rollout)
    {
        var until = known.Until is { } at ? $" until {At(at)}" : "";
        switch (known.Status)
        {
            case MemberStatus.Waiting or MemberStatus.Retrying when known.WaitingOn.IsEmpty:
                return $"not offered; the rollout is {rollout.Plan.State}.";
            case MemberStatus.Waiting or MemberStatus.Retrying:
                var busy = known.BusyWith.Length > 0 ? $" It is busy with rollout '{known.BusyWith}'."
                    : known.KeptFor.Length > 0 ? $" It is free, and kept for rollout '{known.KeptFor}', which is first." : "";
                var unfit = known.Reason.Length > 0 ? $" As it is now it will be left out: {known.Reason}." : "";
                return $"waits for {string.Join(", ", known.WaitingOn)}{until}.{busy}{unfit}";
            case MemberStatus.Untouched:
                return "never offered the change, and not touched now that the rollout is rolled back.";
            case MemberStatus.Offered when known.WaitingOn.Contains(WaitingOn.InstallWindow):
                return $"has it since {At(known.DeliveredAt)} and is {known.Step}; {RecallOf(known)}waits for its install window,"
                    + $" which opens at {At(known.Until)}.";
            case MemberStatus.Offered when known.InstallsSince is { } since && !OfferWindow.IsOpen(rollout.Spec.InstallWindows, since):
                return $"has it since {At(known.DeliveredAt)} and is {known.Step}; it reported to install at {At(since)}, outside of its"
                    + $" install windows; {RecallOf(known)}waited for{until}.";
            case MemberStatus.Offered when known.DeliveredAt is { } deliveredAt:
                return $"has it since {At(deliveredAt)} and is {known.Step}; {RecallOf(known)}waited for{until}.";
            case MemberStatus.Offered when known.IsHere:
                return $"offered at {At(known.OfferedAt)}, and no connection has got it; waited for{until}, then it is offered again.";
            case MemberStatus.Offered:
                return $"offered at {At(known.OfferedAt)} and not delivered; {RecallOf(known)}waited for{until}.";
            default:
                var reason = known.Reason.Length > 0 ? $": {known.Reason}" : "";
                return $"{known.Status}{(known.EndedAt is null ? "" : $" at {At(known.EndedAt)}")}{reason}.";
        }
    }

    private static string RecallOf(DeviceExplanation known) => known.Recall switch
    {
        RecallState.None => "",
        RecallState.Asked => "asked to give it up, and has not answered; ",
        RecallState.Refused => "asked to give it up, and goes on; ",
        _ => throw new UnreachableException($"A device that is asked to give a change up is {known.Recall}."),
    };

    private static string At(DateTimeOffset? at) =>
        at?.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture) ?? "a time unknown";
}
