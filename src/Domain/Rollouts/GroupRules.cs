namespace Muster.Domain.Rollouts;

/// <summary>
/// Who of a group may be in progress. A seat is taken before the permit of its member is committed, and given back after its end is: so
/// there are never more members in progress than seats, whoever crashes when.
/// </summary>
public static class GroupRules
{
    /// <summary>
    /// A share commits the permit of a seat well within this time, or never: from then on it is asked, when somebody else is refused,
    /// whether the member still needs it, and again after as long.
    /// </summary>
    public static readonly TimeSpan DoubtAfter = TimeSpan.FromSeconds(10);

    /// <summary>
    /// Gives seats as far as there are. Who has one already gets another number: what is said late of the old one, that it is given back or
    /// that nobody needs it, is not said of the new one.
    /// </summary>
    /// <param name="bucket">As it is.</param>
    /// <param name="partition">Who asks.</param>
    /// <param name="want">What for.</param>
    /// <param name="known">Members of the group that are known.</param>
    /// <param name="now">The time.</param>
    public static (GroupBucket Next, ImmutableArray<SeatTaken> Taken) Take(
        GroupBucket bucket, int partition, SeatWant want, int known, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(bucket);
        ArgumentNullException.ThrowIfNull(want);
        var seats = bucket.SeatsOf(want.Group).ToBuilder();
        var (room, number) = (ValueBudget.SeatsOf(want.Limit, known), bucket.LastNumber);
        var taken = ImmutableArray.CreateBuilder<SeatTaken>(want.Members.Length);
        foreach (var member in want.Members)
        {
            var at = IndexOf(seats, partition, member);
            // Above its limit, after a claim, nobody begins: not even who has kept a seat that he did not need.
            if (!want.IsClaim && (at < 0 ? seats.Count >= room : seats.Count > room))
            {
                continue;
            }

            var seat = new Seat(partition, member, ++number, now);
            taken.Add(new SeatTaken(member, number));
            if (at < 0)
            {
                seats.Add(seat);
            }
            else
            {
                seats[at] = seat;
            }
        }

        return number == bucket.LastNumber
            ? (bucket, taken.ToImmutable())
            : (With(bucket, want.Group, seats.ToImmutable()) with { LastNumber = number }, taken.ToImmutable());
    }

    /// <summary>
    /// The members do not need their seats any more, says their share by itself or when it is asked; a seat that they have since then is
    /// another one.
    /// </summary>
    public static GroupBucket Return(GroupBucket bucket, int partition, ImmutableArray<SeatReturn> returned)
    {
        ArgumentNullException.ThrowIfNull(bucket);
        foreach (var seat in returned)
        {
            bucket = Without(
                bucket,
                seat.Group,
                one => one.Partition == partition && one.Member == seat.Member && one.Number == seat.Number);
        }

        return bucket;
    }

    private static GroupBucket Without(GroupBucket bucket, GroupName group, Predicate<Seat> isGone)
    {
        var seats = bucket.SeatsOf(group);
        var left = seats.RemoveAll(isGone);
        return left.Length == seats.Length ? bucket : With(bucket, group, left);
    }

    private static GroupBucket With(GroupBucket bucket, GroupName group, ImmutableArray<Seat> seats)
    {
        var others = bucket.Groups.RemoveAll(one => one.Group == group);
        return bucket with { Groups = seats.IsEmpty ? others : others.Add(new GroupSeats(group, seats)) };
    }

    private static int IndexOf(ImmutableArray<Seat>.Builder seats, int partition, int member)
    {
        for (var i = 0; i < seats.Count; i++)
        {
            if (seats[i].Partition == partition && seats[i].Member == member)
            {
                return i;
            }
        }

        return -1;
    }
}

/// <summary>
/// How many members the groups have, as far as their partitions have told. In memory only: what is forgotten is told again with the next
/// question, and until then a percentage is of fewer.
/// </summary>
public sealed class GroupSizes
{
    private readonly Dictionary<GroupName, Dictionary<int, int>> _byPartition = [];

    /// <summary>Members of another freeze are other members: what was told of them is not of these.</summary>
    public void Clear() => _byPartition.Clear();

    /// <summary>Takes in what a partition tells, and says how many are known now.</summary>
    public int Tell(GroupName group, int partition, int members)
    {
        if (!_byPartition.TryGetValue(group, out var known))
        {
            _byPartition.Add(group, known = []);
        }

        known[partition] = members;
        return known.Values.Sum();
    }
}
