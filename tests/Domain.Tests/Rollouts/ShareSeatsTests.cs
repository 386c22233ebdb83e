using System.Collections.Immutable;
using Muster.Domain.Devices;
using Muster.Domain.Rollouts;
using static Muster.Domain.Tests.Rollouts.RolloutBuilder;

namespace Muster.Domain.Tests.Rollouts;

/// <summary>What a share asks for, whom it keeps waiting, and what of that is told.</summary>
public sealed class ShareSeatsTests
{
    private static readonly GroupName Lund = new("site", "Lund");

    private static readonly GroupName Door = new("labels.redundancy_group", "door");

    /// <summary>Members 0 and 1 watch the door in Lund, 2 is in Lund, 3 is nowhere.</summary>
    private static readonly MemberGroups Groups = MemberGroups.Of(2, [[Lund, Door], [Lund, Door], [Lund, null], [null, null]]);

    private static readonly MemberReach[] Online = new MemberReach[4];

    [Fact]
    public void Missing_OfMembersWithoutASeat_IsByGroupAndTellsItsSize()
    {
        var seats = new ShareSeats(0, Groups);

        var lund = Assert.Single(seats.Missing([0, 2, 3], 0, Amount.Percent(10), isClaim: false));
        var door = Assert.Single(seats.Missing([0, 2, 3], 1, Amount.Count(1), isClaim: false));

        Assert.Equal((Lund, 3, Amount.Percent(10)), (lund.Group, lund.MembersHere, lund.Limit));
        Assert.Equal([0, 2], lund.Members);
        Assert.Equal((Door, 2), (door.Group, door.MembersHere));
        Assert.Equal([0], door.Members);
    }

    /// <summary>A device without a value has nobody that it could go down together with.</summary>
    [Fact]
    public void Seated_OfAMemberWithoutAValue_NeedsNothing()
    {
        var seats = new ShareSeats(0, Groups);

        Assert.Equal(
            [MemberReach.GroupFull, MemberReach.GroupFull, MemberReach.GroupFull, MemberReach.Online], seats.Seated(Online));
        Assert.True(seats.IsSeated(3));
    }

    [Fact]
    public void Take_OfARefusal_KeepsTheGroupWaitingForAWhile()
    {
        var seats = new ShareSeats(0, Groups);
        var want = Assert.Single(seats.Missing([0, 1, 2], 0, Amount.Count(1), isClaim: false));

        seats.Take(want, [new SeatTaken(0, 5)], Start);

        Assert.Equal(
            [MemberReach.Online, MemberReach.GroupFull, MemberReach.GroupFull, MemberReach.Online], seats.Mask(Online, Start));
        Assert.Equal((null, Lund), (seats.WaitsFor(0, Start), seats.WaitsFor(2, Start)));
        Assert.Equal(Online, seats.Mask(Online, Start + (2 * ShareSeats.RetryMin)));
        Assert.False(seats.IsSeated(0)); // the door is not asked yet
    }

    [Fact]
    public void Take_OfRefusalsInARow_WaitsLongerUpToAMinute()
    {
        var seats = new ShareSeats(0, Groups);
        var want = Assert.Single(seats.Missing([2], 0, Amount.Count(1), isClaim: false));
        var (now, waits) = (Start, new List<double>());
        for (var i = 0; i < 70; i++)
        {
            seats.Take(want, [], now);
            var from = now;
            while (seats.WaitsFor(2, now) is not null)
            {
                now += TimeSpan.FromSeconds(0.25);
            }

            waits.Add((now - from).TotalSeconds);
        }

        Assert.InRange(waits[0], 3.75, 10);
        Assert.InRange(waits[1], 7.5, 15);
        Assert.All(waits[5..], wait => Assert.InRange(wait, 45, 65));
        Assert.True(waits[5..].Distinct().Count() > 2); // partitions that were refused together come back apart
    }

    /// <summary>A grant for them all at once, and not one for each.</summary>
    [Fact]
    public void Take_OfRefusalsOfSeveralGroups_ComesBackForThemTogetherAndApartFromOtherPartitions()
    {
        var groups = MemberGroups.Of(
            1, Enumerable.Range(0, 40).Select(i => ImmutableArray.Create<GroupName?>(new GroupName("site", $"{i}"))));
        var ends = new List<double>();
        for (var partition = 0; partition < 4; partition++)
        {
            var seats = new ShareSeats(partition, groups);
            foreach (var want in seats.Missing(Enumerable.Range(0, 40), 0, Amount.Count(1), isClaim: false))
            {
                seats.Take(want, [], Start.AddMilliseconds(want.Members[0]));
            }

            ends.AddRange(Enumerable.Range(0, 40).Select(member => Enumerable.Range(0, 200).Select(i => i / 10.0)
                .First(after => seats.WaitsFor(member, Start.AddSeconds(after)) is null)).Distinct());
        }

        Assert.InRange(ends.Count, 4, 8); // one or two times for each partition
        Assert.True(ends.Distinct().Count() >= 3);
    }

    [Fact]
    public void Return_OfASeat_LetsTheNextOfTheGroupAskAtOnce()
    {
        var seats = new ShareSeats(0, Groups);
        seats.Take(Assert.Single(seats.Missing([0, 1], 1, Amount.Count(1), isClaim: false)), [new SeatTaken(0, 5)], Start);

        Assert.Empty(seats.Leave(new HashSet<int> { 0 }));
        var spare = Assert.Single(seats.Leave(new HashSet<int>()));
        Assert.Equal(spare, Assert.Single(seats.Leave(new HashSet<int>()))); // until the group has it
        seats.Return(spare);

        Assert.Equal(new SeatReturn(Door, 0, 5), spare);
        Assert.Null(seats.WaitsFor(1, Start));
        Assert.False(seats.IsSeated(0, 1));
        Assert.Empty(seats.Leave(new HashSet<int>()));
    }

    /// <summary>The group may hear at any time that the seat is free: who needs one again asks for another.</summary>
    [Fact]
    public void Leave_OfASeat_LeavesItsMemberWithoutOne()
    {
        var seats = new ShareSeats(0, Groups);
        var want = Assert.Single(seats.Missing([2], 0, Amount.Count(1), isClaim: false));
        seats.Take(want, [new SeatTaken(2, 5)], Start);

        seats.Leave(new HashSet<int>());
        var another = Assert.Single(seats.Missing([2], 0, Amount.Count(1), isClaim: false));
        seats.Take(another, [new SeatTaken(2, 6)], Start);

        Assert.Equal([2], another.Members);
        Assert.True(seats.IsSeated(2));
        Assert.Empty(seats.Leave(new HashSet<int> { 2 })); // the first is no seat any more
    }

    [Fact]
    public void Totals_OfMembersWhoseGroupIsFull_AreNotReady()
    {
        var share = ShareRules.Freeze(Guid.Empty, 0, 4);
        share = ShareRules.Close(share, 1, 0, new MemberOutcome(ChangeOutcome.Failed, 0, "", Start) { WasMade = true, RetryAt = Start });
        MemberReach[] reach = [MemberReach.Online, MemberReach.GroupFull, MemberReach.GroupFull, MemberReach.Offline];

        var totals = Assert.Single(ShareCount.Totals(share, [0, 0, 0, 0], reach, 1, Timers, Start));

        Assert.Equal((1, 1, 1, 1), (totals.Ready, totals.WaitingGroupFull, totals.RetryingGroupFull, totals.WaitingOffline));
        Assert.Equal((0, totals.Plus(totals).GroupFull), (totals.InProgress, 2 * totals.GroupFull));
    }

    [Fact]
    public void Plan_WithNobodyReadyButThoseOfFullGroups_GrantsNothingAndSaysSo()
    {
        var spec = Spec(Wave(Amount.Percent(100))) with { MaxUnavailablePer = [new ValueBudget("site", Amount.Count(1))] };
        var started = Started(spec, 4);
        var full = Totals(4, inProgress: 1) with { Offered = 1, WaitingGroupFull = 3 };

        var (plan, report) = Step(spec, Granted(started, 1), 1, full);

        Assert.Equal([WaitingOn.Outcomes, WaitingOn.GroupBudget], report.Waves[0].WaitingOn);
        Assert.Equal(1, plan.Shares[0].Waves[0].Granted);
        var wait = WaveExplanation.Of(RolloutOf(spec, plan), report.Waves, 0, 0)!.Waits.Single(one => one.On == WaitingOn.GroupBudget);
        Assert.Equal((3L, "3 devices wait for others with the same value: site=1 at a time"), (wait.Count, wait.Text));
    }

    /// <summary>On the way back the next wave waits for those who have their turn when others of their group have had theirs.</summary>
    [Fact]
    public void Plan_OfAWayBack_WaitsForMembersOfFullGroups()
    {
        var spec = Spec(Wave(Amount.Count(2)), Wave(Amount.Percent(100))) with
        {
            MaxUnavailablePer = [new ValueBudget("site", Amount.Count(1))],
        };
        var second = Totals(2, succeeded: 2);
        var running = Step(spec, Granted(Started(spec, 2, 2), 2, 0), 1, Totals(2, succeeded: 2), Totals(2)).Next;
        var back = RollBackOrders.RollBack(RolloutOf(spec, running), 0, [], Order()).Next;

        var held = Turned(spec, back, 2, Totals(2), Totals(2, inProgress: 0) with { WaitingGroupFull = 2 });
        var open = Turned(spec, held, 3, Totals(2), second);

        Assert.Equal((WaveState.Pending, WaveState.Running), (held.Waves[0].State, held.Waves[1].State));
        Assert.Equal((WaveState.Running, WaveState.Passed), (open.Waves[0].State, open.Waves[1].State));
    }

    [Fact]
    public void Explain_AMemberOfAFullGroup_NamesIt()
    {
        var spec = Spec(Wave(Amount.Percent(100))) with { MaxUnavailablePer = [new ValueBudget("site", Amount.Percent(10))] };
        var seen = new MemberSighting
        {
            Device = Device(1),
            Member = new MemberPlace
            {
                Wave = 0, Status = MemberStatus.Waiting, Retry = 0, Wait = MemberWait.GroupFull, TurnAt = Start, FullGroup = Lund,
            },
        };

        var explained = DeviceExplainer.Explain(
            RolloutOf(spec, Started(spec, 5)), [new WaveReport([WaitingOn.Outcomes, WaitingOn.GroupBudget])], seen);

        Assert.Equal([WaitingOn.GroupBudget], explained.WaitingOn);
        Assert.Equal(
            "Attempt 1 of 1 in wave 0: waits for GroupBudget."
            + " Of the devices with site = Lund no more than 10% are offered it at a time.",
            explained.Text);
    }

    /// <summary>Somebody else's group is no reason for one that could use a permit.</summary>
    [Fact]
    public void Explain_AMemberThatCouldUseAPermit_DoesNotWaitForTheGroupsOfOthers()
    {
        var spec = Spec(Wave(Amount.Percent(100))) with { MaxUnavailablePer = [new ValueBudget("site", Amount.Percent(10))] };
        var seen = new MemberSighting
        {
            Device = Device(1),
            Member = new MemberPlace { Wave = 0, Status = MemberStatus.Waiting, Retry = 0, Wait = MemberWait.Permit, TurnAt = Start },
        };

        var explained = DeviceExplainer.Explain(
            RolloutOf(spec, Started(spec, 5)), [new WaveReport([WaitingOn.GroupBudget])], seen);

        Assert.Equal([WaitingOn.Permit], explained.WaitingOn);
    }

    private static RolloutPlan Turned(RolloutSpec spec, RolloutPlan plan, int seconds, params ImmutableArray<ShareTotals> waves)
    {
        var version = plan.Shares[0].ReportVersion + 1;
        ImmutableArray<ShareTotals> settled =
            [.. waves.Select((totals, i) => totals with { GrantSeen = plan.Shares[0].Waves[i].Granted })];
        var report = new ShareReport(0, version, settled) { IsRollingBack = true };
        return RolloutPlanner.Plan(new RolloutPlanInput(Id, spec, plan, [report], Start.AddSeconds(seconds))).Next;
    }
}
