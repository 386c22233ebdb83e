namespace Muster.Domain.Rollouts;

/// <summary>A member that its budget counts: it is offered the change and without an outcome, or about to be.</summary>
/// <param name="Partition">Whose member.</param>
/// <param name="Member">Its index in the order of that partition.</param>
/// <param name="Number">
/// Names this seat and no other: what is said late of a seat that the member had before says nothing of the one that it has.
/// </param>
/// <param name="TakenAt">When.</param>
[GenerateSerializer, Immutable, Alias("muster.seat")]
public readonly record struct Seat(
    [property: Id(0)] int Partition,
    [property: Id(1)] int Member,
    [property: Id(2)] long Number,
    [property: Id(3)] DateTimeOffset TakenAt);

/// <summary>The seats that are taken in one group, at least one.</summary>
[GenerateSerializer, Immutable, Alias("muster.group-seats")]
public sealed record GroupSeats([property: Id(0)] GroupName Group, [property: Id(1)] ImmutableArray<Seat> Seats);

/// <summary>
/// The taken seats of those groups of a rollout whose names fall into one bucket; there are as many buckets as partitions. A group
/// without a taken seat is not in it, so that a record has never more than what is in progress.
/// </summary>
[GenerateSerializer, Immutable, Alias("muster.group-bucket")]
public sealed record GroupBucket
{
    /// <summary>The freeze that the members' indexes are of.</summary>
    [Id(0)] public Guid Freeze { get; init; }

    [Id(1)] public ImmutableArray<GroupSeats> Groups { get; init; } = [];

    /// <summary>The number of the newest seat.</summary>
    [Id(2)] public long LastNumber { get; init; }

    /// <summary>The group's taken seats.</summary>
    public ImmutableArray<Seat> SeatsOf(GroupName group)
    {
        foreach (var one in Groups)
        {
            if (one.Group == group)
            {
                return one.Seats;
            }
        }

        return [];
    }
}

/// <summary>A partition asks for seats in one group.</summary>
/// <param name="Group">The group.</param>
/// <param name="Limit">Of its budget.</param>
/// <param name="MembersHere">How many members of the group the partition has; fixed by the freeze.</param>
/// <param name="Members">Who is to have one, those first that are to have it first.</param>
/// <param name="IsClaim">They are in progress already: they are counted, also above the limit.</param>
[GenerateSerializer, Immutable, Alias("muster.seat-want")]
public sealed record SeatWant(
    [property: Id(0)] GroupName Group,
    [property: Id(1)] Amount Limit,
    [property: Id(2)] int MembersHere,
    [property: Id(3)] ImmutableArray<int> Members,
    [property: Id(4)] bool IsClaim);

/// <summary>A seat that a member has now.</summary>
[GenerateSerializer, Immutable, Alias("muster.seat-taken")]
public readonly record struct SeatTaken([property: Id(0)] int Member, [property: Id(1)] long Number);

/// <summary>A seat that a partition gives back.</summary>
[GenerateSerializer, Immutable, Alias("muster.seat-return")]
public readonly record struct SeatReturn(
    [property: Id(0)] GroupName Group,
    [property: Id(1)] int Member,
    [property: Id(2)] long Number);
