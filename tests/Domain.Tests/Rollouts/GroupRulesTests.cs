using System.Collections.Immutable;
using Muster.Domain.Rollouts;
using static Muster.Domain.Tests.Rollouts.RolloutBuilder;

namespace Muster.Domain.Tests.Rollouts;

/// <summary>Who of a group gets a seat, and how it ends.</summary>
public sealed class GroupRulesTests
{
    private static readonly GroupName Lund = new("site", "Lund");

    private static readonly GroupName Oslo = new("site", "Oslo");

    [Fact]
    public void Take_UpToTheLimit_GivesSeatsInOrderAndRefusesTheRest()
    {
        var (full, first) = Take(new GroupBucket(), 0, Want(Lund, 2, 4, 5, 6));
        var (same, refused) = Take(full, 1, Want(Lund, 2, 0));
        var (both, other) = Take(full, 1, Want(Oslo, 2, 0));

        Assert.Equal([new SeatTaken(4, 1), new SeatTaken(5, 2)], first);
        Assert.Empty(refused);
        Assert.Same(full, same); // nothing to commit
        Assert.Equal([new SeatTaken(0, 3)], other);
        Assert.Equal((2, 1), (both.SeatsOf(Lund).Length, both.SeatsOf(Oslo).Length));
    }

    /// <summary>Two partitions have a member of the same index: they are two members.</summary>
    [Fact]
    public void Take_ForTheSameIndexInAnotherPartition_IsForAnotherMember()
    {
        var (one, _) = Take(new GroupBucket(), 0, Want(Lund, 1, 7));

        Assert.Empty(Take(one, 1, Want(Lund, 1, 7)).Taken);
        Assert.Single(Take(one, 0, Want(Lund, 1, 7)).Taken);
    }

    [Fact]
    public void Take_AgainByWhoHasASeat_IsAnotherSeatInItsPlace()
    {
        var (one, _) = Take(new GroupBucket(), 0, Want(Lund, 1, 7));
        var (again, taken) = Take(one, 0, Want(Lund, 1, 7));

        Assert.Equal([new SeatTaken(7, 2)], taken);
        Assert.Single(again.SeatsOf(Lund));
        Assert.Same(again, GroupRules.Return(again, 0, [new SeatReturn(Lund, 7, 1)])); // said of the first, and late
        Assert.Empty(GroupRules.Return(again, 0, [new SeatReturn(Lund, 7, 2)]).Groups);
    }

    /// <summary>Who is in progress is counted, whatever the limit says, and nobody begins until they are fewer.</summary>
    [Fact]
    public void Take_OfAClaim_CountsAboveTheLimit()
    {
        var (one, _) = Take(new GroupBucket(), 0, Want(Lund, 1, 7));
        var (two, claimed) = Take(one, 1, Want(Lund, 1, 3) with { IsClaim = true });
        var (again, known) = Take(two, 1, Want(Lund, 1, 3) with { IsClaim = true });

        Assert.Equal([new SeatTaken(3, 2)], claimed);
        Assert.Equal([new SeatTaken(3, 3)], known);
        Assert.Equal(2, again.SeatsOf(Lund).Length);
        Assert.Empty(Take(two, 2, Want(Lund, 1, 0)).Taken);
        Assert.Empty(Take(two, 0, Want(Lund, 1, 7)).Taken); // a seat that it kept without a need
        Assert.Empty(Take(GroupRules.Return(two, 0, [new SeatReturn(Lund, 7, 1)]), 2, Want(Lund, 1, 0)).Taken);
    }

    [Fact]
    public void Return_OfAnotherPartition_ChangesNothing()
    {
        var (one, _) = Take(new GroupBucket(), 0, Want(Lund, 1, 7));

        Assert.Same(one, GroupRules.Return(one, 1, [new SeatReturn(Lund, 7, 1)]));
        Assert.Same(one, GroupRules.Return(one, 0, [new SeatReturn(Oslo, 7, 1)]));
    }

    [Theory]
    [InlineData(10, 0, 1)]
    [InlineData(10, 9, 1)]
    [InlineData(10, 19, 1)] // rounded down, as for all members
    [InlineData(10, 20, 2)]
    [InlineData(100, 7, 7)]
    [InlineData(100, 5_000, ValueBudget.SeatsMax)]
    public void SeatsOf_APercentage_IsOfTheMembersThatAreKnown(int percent, int known, int seats) =>
        Assert.Equal(seats, ValueBudget.SeatsOf(Amount.Percent(percent), known));

    /// <summary>
    /// flightctl: n = min(maxUnavailable − busy, available − busy − min(minAvailable, total − 1)) for each value; here all are available,
    /// and as many have to be as maxUnavailable leaves.
    /// </summary>
    [Theory]
    [InlineData(1, 0, 2)]
    [InlineData(1, 1, 2)]
    [InlineData(3, 1, 10)]
    [InlineData(3, 3, 10)]
    [InlineData(5, 0, 3)]
    [InlineData(5, 2, 3)]
    public void Take_WithSomeInProgress_GivesAsManyAsThePublishedBudget(int maxUnavailable, int busy, int total)
    {
        var minAvailable = Math.Max(0, total - maxUnavailable);
        var published = Math.Max(0, Math.Min(maxUnavailable - busy, total - busy - Math.Min(minAvailable, total - 1)));
        var (bucket, _) = Take(new GroupBucket(), 0, Want(Lund, maxUnavailable, [.. Enumerable.Range(0, busy)]));

        var (_, taken) = Take(bucket, 0, Want(Lund, maxUnavailable, [.. Enumerable.Range(busy, total - busy)]));

        Assert.Equal(published, taken.Length);
    }

    [Fact]
    public void Tell_OfPartitions_AddsEachOnce()
    {
        var sizes = new GroupSizes();

        Assert.Equal(4, sizes.Tell(Lund, 0, 4));
        Assert.Equal(4, sizes.Tell(Lund, 0, 4));
        Assert.Equal(10, sizes.Tell(Lund, 1, 6));
        Assert.Equal(3, sizes.Tell(Oslo, 1, 3));
    }

    private static (GroupBucket Next, ImmutableArray<SeatTaken> Taken) Take(GroupBucket bucket, int partition, SeatWant want) =>
        GroupRules.Take(bucket, partition, want, want.Members.Length, Start);

    private static SeatWant Want(GroupName group, int limit, params ImmutableArray<int> members) =>
        new(group, Amount.Count(limit), members.Length, members, IsClaim: false);
}
