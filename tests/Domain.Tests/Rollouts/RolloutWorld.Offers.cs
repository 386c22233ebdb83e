using Muster.Domain.Devices;
using Muster.Domain.Rollouts;
using static Muster.Domain.Tests.Rollouts.RolloutBuilder;

namespace Muster.Domain.Tests.Rollouts;

/// <summary>Devices are asked to take an offer.</summary>
internal sealed partial class RolloutWorld
{
    /// <summary>What the device answers; null when the answer is lost, with or without an effect.</summary>
    private WorldAnswer? Ask(WorldMember member, OpenOffer offer, int retry)
    {
        var lost = _random.Next(5);
        if (lost == 0)
        {
            return null;
        }

        if (WayBack.Is(retry) && member is { RunsTarget: false, State: not (MemberState.InProgress or MemberState.Removed) }
            && !WayBack.Is(member.Retry))
        {
            return lost == 1 ? null : new WorldAnswer(MemberState.Skipped, retry, WayBack.NothingToRollBack, null, member.Generation);
        }

        var answer = member.GoesOn(retry) ? Try(member, offer, retry) : member.Answer(retry);
        member.IsUnread = lost == 1 && _random.Next(4) == 0; // what made it lose its answer goes on
        return lost == 1 ? null : answer;
    }

    /// <summary>The device is in no offer of this attempt: it takes one, is left out, or waits.</summary>
    private WorldAnswer Try(WorldMember member, OpenOffer offer, int retry)
    {
        (MemberReach Reach, DateTimeOffset? AskAgainAt)? others = null;
        if (!WayBack.Is(retry) && member.Turns.IsSuperseded(Rank))
        {
            Count(Reached.SupersededMember);
            member.Skip(DeviceChanges.Superseded);
        }
        else if (!member.Online)
        {
            others = (MemberReach.Offline, null);
        }
        else if ((others = FindOthers(member, retry)) is null && offer.Epoch == _fence)
        {
            if (IsRevoked(member.StepOf(retry)))
            {
                member.Skip("STEP_REQUIRED");
            }
            else if (_random.Next(20) == 0 && !WayBack.Is(retry))
            {
                member.Skip("TRACK_MISMATCH");
            }
            else
            {
                Offer(member, offer, retry);
            }
        }

        var answer = member.Answer(retry);
        return answer with
        {
            IsOver = answer.IsOver && answer.State != MemberState.Waiting, // it waits for what it is asked about
            Reach = others?.Reach,
            AskAgainAt = others?.AskAgainAt,
        };
    }

    private void Offer(WorldMember member, OpenOffer offer, int retry)
    {
        CheckAttempt(member, retry);
        Demand(!member.IsStepRevoked || WayBack.Is(retry), "offered the way there to who was left out");
        Count(Reached.StepTakenBackTurned, member.IsStepRevoked);
        CheckJoiner(member);
        CheckRecalled();
        Demand(WayBack.Is(retry) == _committed.RollBack is not null, "offered the wrong way");
        Demand(
            !WayBack.Is(retry) || member is { WasTouched: true, RunsTarget: true } || WayBack.Is(member.Retry), "nothing to go back from");
        Demand(OfferWindow.IsOpen(_spec.Windows, _now), "offered while no window was open");
        Demand(member.Turns.Holder is null, "I2: offered while another rollout has the device");
        member.Turns.Take(Id);
        Count(offer.FirstOfferedAt is null ? Reached.FirstOffer : Reached.OfferAgain);
        Demand(member.Offer(offer, retry, _now), "waited for from another time than its first turn");
        _offerTimes.Add(_now);
        Demand(_committed.IsOffering, $"I12: offered while {_committed.State}");
        Demand(_committed.Waves[member.Wave].IsOpen, "offered in a wave that is not open");
        var inProgress = _shares.Sum(one => one.Members.Count(other => other.State == MemberState.InProgress));
        Demand(inProgress <= OfferPermits.UnavailableMax(_spec.MaxUnavailable, _frozen), "I3: budget");
        if (_spec.DevicesPerMinute > 0)
        {
            var recent = _offerTimes.Count(at => at > _now - RolloutLimits.RateWindow);
            var rate = _spec.RateGrowth is not { } growth
                ? _spec.DevicesPerMinute
                : growth.After(_spec.DevicesPerMinute, growth.Step == RateStep.Offered ? _offerTimes.Count : Successes());
            Demand(recent <= rate, "I3: rate");
        }
    }

    /// <summary>How often a device came to succeed: never below what a coordinator can know.</summary>
    private long Successes() => _shares.Sum(share => share.Members.Sum(member => (long)member.Successes));

    /// <summary>What a device says of a permit of which nobody knew whether it became an offer.</summary>
    private void CountUnconfirmed(RolloutShare share, OpenOffer offer, WorldAnswer? answer)
    {
        if (!offer.IsConfirmed && answer is { IsOver: true, EndedAt: not null } over)
        {
            var isKnown = over.Generation <= MemberList.Find(share.Passed, offer.Member)?.Generation;
            Count(isKnown ? Reached.UnconfirmedToldAgain
                : over.State == MemberState.Waiting ? Reached.UnconfirmedWentBack
                : Reached.UnconfirmedEnded);
        }
    }

    private void Count(Reached what, bool isReached = true) => _reached[(int)what] += isReached ? 1 : 0;
}
