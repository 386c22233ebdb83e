using Muster.Domain;
using Muster.Domain.Devices;
using Muster.Domain.Operators;
using Muster.Domain.Rollouts;
using Muster.Domain.Strategies;
using Orleans.CodeGeneration;
using Orleans.Concurrency;

namespace Muster.Contracts.Rollouts;

/// <summary>
/// Coordinates one rollout: freezes its members, plans, and grants offers to the partitions. Key: <c>tenant/rollout</c>.
/// </summary>
[GrainInterfaceType("muster.rollout"), Alias("muster.IRolloutGrain"), Version(1)]
public interface IRolloutGrain : IGrainWithStringKey
{
    /// <summary>
    /// Creates a draft, or only says what is wrong with it and how many devices match. The same request id again gives the
    /// same answer.
    /// </summary>
    [Alias("Create")]
    Task<RolloutReply> CreateAsync(CreateRollout command);

    /// <summary>The rollout as it was committed last, with what each wave waits for; never waits for a round of offers.</summary>
    [Alias("Get"), AlwaysInterleave]
    Task<RolloutReply> GetAsync();

    /// <summary>Freezes the members and starts. Acknowledged when no older offer can be made any more.</summary>
    [Alias("Start")]
    Task<RolloutReply> StartAsync(OrderRollout command);

    /// <summary>Once this has answered no further device is offered anything (I12).</summary>
    [Alias("Pause")]
    Task<RolloutReply> PauseAsync(OrderRollout command);

    /// <summary>Goes on; the gates are evaluated before anything is offered.</summary>
    [Alias("Resume")]
    Task<RolloutReply> ResumeAsync(ResumeRollout command);

    /// <summary>Once this has answered no further device is offered anything; devices in progress still end.</summary>
    [Alias("Cancel")]
    Task<RolloutReply> CancelAsync(OrderRollout command);

    /// <summary>
    /// Offers the devices that were offered the change what they ran before. Once this has answered no device is offered the change any
    /// more.
    /// </summary>
    [Alias("RollBack")]
    Task<RolloutReply> RollBackAsync(RollBackRollout command);

    /// <summary>Writes a draft anew, as a whole; approvals of what it was before are void.</summary>
    [Alias("Update")]
    Task<RolloutReply> UpdateAsync(UpdateRollout command);

    /// <summary>Approves the spec of a draft.</summary>
    [Alias("Approve")]
    Task<RolloutReply> ApproveAsync(ApproveRollout command);

    /// <summary>Lets a wave that waits for an approver pass; the gates are evaluated once more before it does.</summary>
    [Alias("ApproveWave")]
    Task<RolloutReply> ApproveWaveAsync(ApproveWave command);

    /// <summary>
    /// Where one device is in the rollout, what it waits for, or how it ended; asks its partition alone, and waits for no round of offers.
    /// </summary>
    [Alias("ExplainDevice"), AlwaysInterleave]
    Task<DeviceExplanationReply> ExplainDeviceAsync(DeviceId device);

    /// <summary>The committed decisions behind a mark, as far as they are kept; waits for no round of offers.</summary>
    [Alias("GetDecisions"), AlwaysInterleave]
    Task<DecisionReply> GetDecisionsAsync(DecisionMark after);

    /// <summary>
    /// A partition has news for the rollout's share there. May be lost, late or told twice: the share is only asked. Interleaves, because
    /// it is noted and nothing else.
    /// </summary>
    /// <param name="partition">Which.</param>
    /// <param name="isUrgent">False when only who can be reached has changed, which shares look at every two seconds.</param>
    [Alias("Hear"), OneWay, AlwaysInterleave]
    Task HearAsync(int partition, bool isUrgent);
}

/// <summary>The explanation, or why not.</summary>
[GenerateSerializer, Immutable, Alias("muster.device-explanation-reply")]
public sealed record DeviceExplanationReply(
    [property: Id(0)] DeviceExplanation? Explanation,
    [property: Id(1)] FleetError? Error);

/// <summary>Creates a rollout.</summary>
/// <param name="Actor">Who orders it.</param>
/// <param name="RequestId">The caller's id of the request (AIP-155); empty for none.</param>
/// <param name="Spec">What is ordered.</param>
/// <param name="ValidateOnly">True to create nothing (AIP-163).</param>
[GenerateSerializer, Immutable, Alias("muster.create-rollout")]
public sealed record CreateRollout(
    [property: Id(0)] Actor Actor,
    [property: Id(1)] string RequestId,
    [property: Id(2)] RolloutSpec Spec,
    [property: Id(3)] bool ValidateOnly)
{
    /// <summary>What all of the spec but the change and its devices is taken from; null when the spec is whole.</summary>
    [Id(85)] public StrategyChoice? Strategy { get; init; }
}

/// <summary>Starts, pauses or cancels a rollout; the reason (may be empty) is kept in its log of decisions.</summary>
[GenerateSerializer, Immutable, Alias("muster.order-rollout")]
public sealed record OrderRollout([property: Id(0)] Actor Actor, [property: Id(1)] string Reason);

/// <summary>Lets a rollout go on.</summary>
/// <param name="Actor">Who.</param>
/// <param name="Override">True to accept what the gates stopped; needs a reason.</param>
/// <param name="Reason">Why.</param>
[GenerateSerializer, Immutable, Alias("muster.resume-rollout")]
public sealed record ResumeRollout(
    [property: Id(0)] Actor Actor,
    [property: Id(1)] bool Override,
    [property: Id(2)] string Reason)
{
    /// <summary>What the caller may do in this call; empty from a gateway of an earlier version.</summary>
    [Id(20)] public ImmutableArray<OperatorRole> Roles { get; init; } = [];
}

/// <summary>The rollout, or why not.</summary>
/// <param name="Rollout">As it is now: the totals are as fresh as the last round of reports.</param>
/// <param name="Waves">What each wave waits for.</param>
/// <param name="Matching">Devices that match; only for a creation with ValidateOnly, else 0.</param>
/// <param name="Error">Null when it was done.</param>
[GenerateSerializer, Immutable, Alias("muster.rollout-reply")]
public sealed record RolloutReply(
    [property: Id(0)] Rollout? Rollout,
    [property: Id(1)] ImmutableArray<WaveReport> Waves,
    [property: Id(2)] int Matching,
    [property: Id(3)] FleetError? Error)
{
    /// <summary>How many operators other than its authors have to approve the spec before the start.</summary>
    [Id(20)] public int ApprovalsNeeded { get; init; }

    /// <summary>Of <see cref="Matching"/>: those that could not be rolled back to what they run now.</summary>
    [Id(64)] public int WithoutWayBack { get; init; }

    /// <summary>How a start would cut the members now; only for a creation with ValidateOnly, else empty.</summary>
    [Id(80)] public ImmutableArray<WaveCut> Planned { get; init; } = [];

    /// <summary>Of <see cref="Matching"/>: those that would be left out as they are now, by reason; null when it is not known.</summary>
    [Id(132)] public SkipTotals? ExpectedSkips { get; init; }

    /// <summary>The versions that some of <see cref="Matching"/> have to run first, ascending; as <see cref="Planned"/>.</summary>
    [Id(133)] public ImmutableArray<RequiredStep> Steps { get; init; } = [];

    public static RolloutReply Refused(FleetError error) => new(null, [], 0, error);
}
