using Muster.Domain.Inventory;
using Muster.Domain.Strategies;

namespace Muster.Domain.Rollouts;

/// <summary>
/// The rest of a rollout that has ended: its members that did not succeed with the change, and may with another offer. A rollout that
/// retries it has those of them that match when it starts.
/// </summary>
public static class RestRules
{
    /// <summary>Why the rest of a rollout cannot be retried by this spec; null when it can.</summary>
    /// <param name="retried">The rollout to retry.</param>
    /// <param name="spec">Of the rollout that retries it.</param>
    public static FleetError? Check(Rollout retried, RolloutSpec spec)
    {
        ArgumentNullException.ThrowIfNull(retried);
        ArgumentNullException.ThrowIfNull(spec);
        var plan = retried.Plan;
        if (!plan.IsTerminal)
        {
            return RolloutErrors.NotEnded(retried.Id.Value, plan.State);
        }

        // On the way back members begin anew: who had succeeded before is not told from the others any more.
        if (plan.Members == 0 || plan.RollBack is not null)
        {
            return RolloutErrors.HasNoRest(retried.Id.Value, plan.State);
        }

        if (!plan.EndsAreKept)
        {
            return RolloutErrors.MembersUnknown(retried.Id.Value);
        }

        return spec.ImageDigest == retried.Spec.ImageDigest && Equals(spec.Settings, retried.Spec.Settings)
            ? null
            : RolloutErrors.SpecInvalid([new("retry_of", $"is '{retried.Id}', which changes something else than this rollout")]);
    }

    /// <summary>
    /// The version of a strategy that a retry goes by, although it names none: the one of the rollout that it retries, whose course it has;
    /// also one that is not kept any more. Null for a course of its own.
    /// </summary>
    /// <param name="retried">The rollout to retry; null for none.</param>
    /// <param name="spec">Of the rollout that retries it.</param>
    public static RolloutStrategy? StrategyOf(Rollout? retried, RolloutSpec spec)
    {
        ArgumentNullException.ThrowIfNull(spec);

        // Nobody joins a rest: that alone makes no other course of it.
        return retried is not null && StrategyCourse.Of(retried.Spec) with { IncludeLateJoiners = false } == StrategyCourse.Of(spec)
            ? retried.Spec.Strategy
            : null;
    }

    /// <summary>The draft's spec as it is edited: what it retries is not stated again, and its seed need not be.</summary>
    /// <param name="draft">As it is.</param>
    /// <param name="wanted">As the editor writes it.</param>
    /// <param name="keepsSeed">He does not say a seed.</param>
    public static RolloutSpec Complete(RolloutSpec draft, RolloutSpec wanted, bool keepsSeed)
    {
        ArgumentNullException.ThrowIfNull(draft);
        ArgumentNullException.ThrowIfNull(wanted);
        return wanted with
        {
            RetryOf = wanted.RetryOf ?? draft.RetryOf,
            Seed = keepsSeed ? draft.Seed : wanted.Seed,
        };
    }

    /// <summary>What matches both filters: neither lets anybody in whom the other did not mean. Each can be read by itself.</summary>
    public static string Both(string? filter, string? more) =>
        string.IsNullOrWhiteSpace(more) ? filter ?? "" : string.IsNullOrWhiteSpace(filter) ? more : $"({filter}) AND ({more})";

    /// <summary>The waves with more filters, each beside the one that its wave has; the problems name the place in the list.</summary>
    /// <param name="waves">As they are.</param>
    /// <param name="filters">At most one for a wave; each can be read by itself.</param>
    public static (ImmutableArray<WaveSpec> Waves, ImmutableArray<SpecProblem> Problems) Narrow(
        ImmutableArray<WaveSpec> waves, ImmutableArray<(int Wave, string Filter)> filters)
    {
        var problems = ImmutableArray.CreateBuilder<SpecProblem>();
        for (var i = 0; i < filters.Length; i++)
        {
            var (wave, filter) = filters[i];
            if (wave < 0 || wave >= waves.Length)
            {
                problems.Add(new($"wave_filters[{i}].wave", $"there is no wave {wave}; the {waves.Length} waves count from 0"));
                continue;
            }

            var both = Both(waves[wave].Filter, filter);
            if (InventoryFilter.Parse(both, InventoryFields.Device).Error is { } unreadable)
            {
                problems.Add(new(
                    $"wave_filters[{i}].filter",
                    $"together with the filter that wave {wave} has: {unreadable.Message} Give the waves anew, with simpler filters"));
            }

            waves = waves.SetItem(wave, waves[wave] with { Filter = both });
        }

        return (waves, problems.ToImmutable());
    }

    /// <summary>The member belongs to the rest: it did not succeed, is not out of the rollout, and was not left out for ever.</summary>
    public static bool IsRest(RolloutShare share, int member)
    {
        ArgumentNullException.ThrowIfNull(share);
        return share.Members[member] switch
        {
            // One that is offered the change is told so too late for the end of its rollout: the device itself says what became of it.
            MemberStatus.Waiting or MemberStatus.Offered or MemberStatus.Failed or MemberStatus.TimedOut or MemberStatus.Rejected
                or MemberStatus.Retrying => true,
            MemberStatus.Skipped => CanPass(MemberList.Find(share.Ends, member)?.Reason ?? MemberReason.Other),
            MemberStatus.Succeeded or MemberStatus.Removed or MemberStatus.Untouched => false,
            var status => throw new UnreachableException($"A member is {status}."),
        };
    }

    /// <summary>The members of the rest from a place in the order on, and where the next page begins; null behind the last.</summary>
    public static (ImmutableArray<int> Members, int? Next) Page(RolloutShare share, int from, int membersMax)
    {
        ArgumentNullException.ThrowIfNull(share);
        var page = ImmutableArray.CreateBuilder<int>();
        for (var i = from; i < share.Members.Length; i++)
        {
            if (!IsRest(share, i))
            {
                continue;
            }

            if (page.Count == membersMax)
            {
                return (page.ToImmutable(), i);
            }

            page.Add(i);
        }

        return (page.ToImmutable(), null);
    }

    /// <summary>The same change may be for the device another time: it may have become another device, or the rollout another.</summary>
    private static bool CanPass(MemberReason reason) => reason switch
    {
        MemberReason.Other or MemberReason.DeviceNotEnrolled or MemberReason.TrackMismatch or MemberReason.OsBelowMinimum
            or MemberReason.StepRequired or MemberReason.OfferUndelivered or MemberReason.ChangeTimedOut
            or MemberReason.DowngradeNotApproved or MemberReason.StepRevoked => true,

        // It has the change, its model is what it is, and a floor never falls. The last two are of the way back.
        MemberReason.AlreadyRunningTarget or MemberReason.AlreadyHasSettings or MemberReason.ModelNotCompatible
            or MemberReason.OsBelowFloor or MemberReason.NoWayBack or MemberReason.NothingToRollBack
            or MemberReason.Superseded => false,

        // A reason of a later version: the device says it once more.
        _ => true,
    };
}
