using Muster.Domain.Rollouts;
using Orleans.CodeGeneration;

namespace Muster.Contracts.Rollouts;

/// <summary>
/// The seats of those groups of a rollout whose names fall into one bucket (<see cref="GroupBucket"/>). Asked by the rollout's shares;
/// calls back to a share only from a turn that nobody waits for. Key: <c>tenant/rollout/bucket</c>; as many buckets as partitions,
/// and the record of each in the partition of its number.
/// </summary>
[GrainInterfaceType("muster.rollout-groups"), Alias("muster.IRolloutGroupsGrain"), Version(1)]
public interface IRolloutGroupsGrain : IGrainWithStringKey
{
    /// <summary>Takes seats as far as there are; whoever is not in the answer was refused. Committed before it is answered.</summary>
    [Alias("Take"), ResponseTimeout(CallTimeouts.Commit)]
    Task<ImmutableArray<SeatsTaken>> TakeAsync(TakeSeats command);

    /// <summary>Gives seats back, of members whose end is committed. Again it changes nothing.</summary>
    [Alias("Return"), ResponseTimeout(CallTimeouts.Commit)]
    Task ReturnAsync(ReturnSeats command);
}

/// <summary>Asks for seats.</summary>
/// <param name="Freeze">The freeze that the members' indexes are of.</param>
/// <param name="Partition">Who asks.</param>
/// <param name="Wants">Each group once.</param>
[GenerateSerializer, Immutable, Alias("muster.take-seats")]
public sealed record TakeSeats(
    [property: Id(0)] Guid Freeze,
    [property: Id(1)] int Partition,
    [property: Id(2)] ImmutableArray<SeatWant> Wants);

/// <summary>The answer to one want.</summary>
[GenerateSerializer, Immutable, Alias("muster.seats-taken")]
public sealed record SeatsTaken([property: Id(0)] ImmutableArray<SeatTaken> Seats);

/// <summary>Gives seats back.</summary>
[GenerateSerializer, Immutable, Alias("muster.return-seats")]
public sealed record ReturnSeats(
    [property: Id(0)] Guid Freeze,
    [property: Id(1)] int Partition,
    [property: Id(2)] ImmutableArray<SeatReturn> Seats);

/// <summary>Asks a share which of these members need no seat.</summary>
[GenerateSerializer, Immutable, Alias("muster.list-unseated")]
public sealed record ListUnseated([property: Id(0)] Guid Freeze, [property: Id(1)] ImmutableArray<int> Members);
