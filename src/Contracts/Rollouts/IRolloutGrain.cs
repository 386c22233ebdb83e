using Muster.Domain;
using Muster.Domain.Rollouts;
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
}

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
    [property: Id(3)] bool ValidateOnly);

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
    [property: Id(2)] string Reason);

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
    public static RolloutReply Refused(FleetError error) => new(null, [], 0, error);
}
