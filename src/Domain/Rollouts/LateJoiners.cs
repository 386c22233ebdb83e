using Muster.Domain.Devices;

namespace Muster.Domain.Rollouts;

/// <summary>Why a device that matches and is in service is no member of a started rollout.</summary>
public enum LeftOutReason : byte
{
    /// <summary>It was not looked at yet.</summary>
    Unspecified = 0,

    /// <summary>The rollout takes nobody after its freeze.</summary>
    NotIncluded = 1,

    /// <summary>It came when joining had ended.</summary>
    JoiningEnded = 2,

    /// <summary>Its site needs a strategy that the rollout is not from.</summary>
    StrategyRequired = 3,

    /// <summary><see cref="RolloutLimits.LateJoinersPerPartitionMax"/> have joined in its partition already.</summary>
    TooMany = 4,

    /// <summary>It runs a newer version than the image's, or has not told which, and the rollout has too few approvals for that.</summary>
    DowngradeNotApproved = 5,
}

/// <summary>Whether devices that come to match after the freeze may join now.</summary>
public enum Joining : byte
{
    /// <summary>They are only counted.</summary>
    Never = 0,

    /// <summary>They join as the share finds them.</summary>
    Open = 1,

    /// <summary>Who matches now joins, and nobody after him.</summary>
    Ending = 2,

    /// <summary>Their wave has started: a share that does not know, because its store went back, lets nobody in either.</summary>
    Ended = 3,
}

/// <summary>
/// Devices that come to match a rollout's filter after its freeze (rollouts.md 5). Where the spec says so they join a trailing wave with
/// the gate of the last listed, under the same rate, budget and windows, until the waves before it have passed; the others are left out
/// and counted.
/// </summary>
public static class LateJoiners
{
    /// <summary>The waves of a rollout with the one for those that join, if its spec says so.</summary>
    public static ImmutableArray<WaveCut> AddWave(ImmutableArray<WaveCut> cuts, RolloutSpec spec)
    {
        ArgumentNullException.ThrowIfNull(spec);
        return spec.IncludeLateJoiners ? cuts.Add(WaveOf(spec)) : cuts;
    }

    /// <summary>By the committed plan.</summary>
    public static Joining JoiningOf(RolloutPlan plan)
    {
        ArgumentNullException.ThrowIfNull(plan);
        return plan switch
        {
            { JoinersWave: null } or { RollBack: not null } or { IsLive: false } => Joining.Never,

            // Also while it is cancelled: of a share that does not know nothing is heard, and the rollout would not end.
            _ when HasStarted(plan) => Joining.Ended,
            { State: RolloutState.Cancelling } => Joining.Never,
            { JoiningEndedAt: null } => Joining.Open,
            _ => Joining.Ending,
        };
    }

    /// <summary>
    /// The share with more members, all in the wave of late joiners, behind those that it has: whoever is a member keeps his place. Nobody
    /// joins when joining has ended here, or the rollout is rolled back here.
    /// </summary>
    public static RolloutShare Join(RolloutShare share, ImmutableArray<DeviceId> devices)
    {
        ArgumentNullException.ThrowIfNull(share);
        return devices.IsEmpty || !IsOpen(share) ? share : share with
        {
            Joiners = (share.Joiners.IsDefault ? [] : share.Joiners).AddRange(devices),
            Members = share.Members.AddRange(Enumerable.Repeat(MemberStatus.Waiting, devices.Length)),
        };
    }

    /// <summary>From here on nobody joins; again it changes nothing.</summary>
    public static RolloutShare End(RolloutShare share)
    {
        ArgumentNullException.ThrowIfNull(share);
        return share.JoiningHasEnded ? share : share with { JoiningHasEnded = true };
    }

    /// <summary>Whether the share may have more members.</summary>
    public static bool IsOpen(RolloutShare share)
    {
        ArgumentNullException.ThrowIfNull(share);
        return !share.JoiningHasEnded && !RollBackRules.HasBegun(share);
    }

    /// <summary>
    /// The version below which nobody may be taken who joins: the image's, where the installation asks for approvals of downgrades that the
    /// rollout has not got, because none of its frozen members is one. Empty where everybody may join.
    /// </summary>
    public static string DowngradesTo(Rollout rollout, ApprovalPolicy policy)
    {
        ArgumentNullException.ThrowIfNull(rollout);
        return policy.CountsDowngradesOf(rollout.Spec)
            && rollout.ValidApprovals.Length < RolloutApprovals.Needed(rollout.Spec, policy.ToRollBack)
                ? rollout.Spec.TargetVersion
                : "";
    }

    /// <summary>
    /// A member that another rollout has taken to a newer version since the start keeps it, as nobody joins who runs one. Of a rollout that
    /// was started as one that takes devices back nobody does: that was asked at its start.
    /// </summary>
    public static bool KeepsNewer(Rollout rollout, ApprovalPolicy policy)
    {
        ArgumentNullException.ThrowIfNull(rollout);
        return rollout.Downgrades == 0 && DowngradesTo(rollout, policy).Length > 0;
    }

    /// <summary>How many may still join.</summary>
    public static int RoomOf(RolloutShare share)
    {
        ArgumentNullException.ThrowIfNull(share);
        return Math.Max(0, RolloutLimits.LateJoinersPerPartitionMax - (share.Members.Length - share.FrozenCount));
    }

    /// <summary>
    /// Whether the report may be as the plan is: once the wave of late joiners has started, one from before is none, whatever its version,
    /// because its members may be fewer.
    /// </summary>
    internal static bool IsOf(ShareReport report, RolloutPlan plan) =>
        report.JoiningHasEnded || plan.RollBack is not null || !HasStarted(plan);

    internal static void Check(RolloutSpec spec, ImmutableArray<SpecProblem>.Builder problems)
    {
        if (spec is { IncludeLateJoiners: true, RetryOf: { } retried })
        {
            problems.Add(new(
                "include_late_joiners",
                $"cannot be with retry_of: the rest of '{retried}' is known, and nobody joins it; create a rollout of its own for others"));
        }

        if (spec is { IncludeLateJoiners: true, MaxUnavailablePer.IsDefaultOrEmpty: false })
        {
            // Groups are of the members that were frozen: a late joiner would be in none, and no budget would be kept with him.
            problems.Add(new("include_late_joiners", "cannot be with max_unavailable_per yet: use max_unavailable, or a rollout for each"));
        }
    }

    /// <summary>
    /// Takes in how many have joined and how many are left out. A plan that was lost with its coordinator counts them again; they were
    /// members of their shares before they were told of.
    /// </summary>
    internal static void Count(PlanDraft draft, IReadOnlyCollection<ShareReport> reports, long? elsewhere)
    {
        var plan = draft.Plan;
        if (elsewhere is { } others && reports.All(report => report.LeftOut is not null))
        {
            draft.Set(plan with { LeftOut = others + reports.Sum(report => (long)report.LeftOut!.Value) });
        }

        if (plan.JoinersWave is not { } index || plan.Waves[index] is not { } wave || wave.Totals.Members == wave.Cut.Members)
        {
            return;
        }

        var members = wave.Totals.Members;
        draft.SetWave(index, wave with { Cut = wave.Cut with { Members = members } });
        draft.Set(draft.Plan with { Members = plan.FrozenMembers + members });
        draft.Tell(new LateJoinersCounted(draft.Rollout, index, members));
    }

    /// <summary>The waves before that of late joiners have passed, and it opens as soon as no share lets anybody in any more.</summary>
    internal static bool IsEnding(RolloutPlan plan) =>
        plan is { State: RolloutState.Running, JoiningEndedAt: not null, JoinersWave: { } wave }
        && plan.Waves[wave].State == WaveState.Pending;

    /// <summary>Opens the wave of late joiners when it has come to that.</summary>
    internal static void OpenWave(PlanDraft draft, IReadOnlyCollection<ShareReport> reports)
    {
        if (IsEnding(draft.Plan) && reports.All(report => report.JoiningHasEnded))
        {
            draft.OpenWave(draft.Plan.JoinersWave!.Value);
        }
    }

    private static bool HasStarted(RolloutPlan plan) => plan.JoinersWave is { } wave && plan.Waves[wave].StartedAt is not null;

    private static WaveCut WaveOf(RolloutSpec spec) =>
        new(ulong.MaxValue, "", ConnectedOnly: false, Members: 0, PassedOver: 0, spec.Waves.Length - 1) { TakesJoiners = true };
}
