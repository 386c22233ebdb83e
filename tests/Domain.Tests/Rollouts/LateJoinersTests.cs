using System.Collections.Immutable;
using Muster.Domain.Devices;
using Muster.Domain.Inventory;
using Muster.Domain.Policies;
using Muster.Domain.Rollouts;
using static Muster.Domain.Tests.Rollouts.RolloutBuilder;

namespace Muster.Domain.Tests.Rollouts;

/// <summary>Devices that come to match after the freeze: the trailing wave, and who is left out.</summary>
public sealed class LateJoinersTests
{
    private static readonly RolloutSpec Late = Spec(Wave(Amount.Count(2)), Wave(Amount.Percent(100), successPercent: 50)) with
    {
        IncludeLateJoiners = true,
    };

    [Fact]
    public void Start_WithLateJoiners_HasOneMoreWaveWithTheGateOfTheLastListed()
    {
        var plan = Started(Late, 2, 3);

        Assert.Equal((3, 2, 5, 0), (plan.Waves.Length, plan.JoinersWave, plan.Members, plan.LateJoiners));
        Assert.Equal((WaveState.Pending, 1, 0), (plan.Waves[2].State, plan.Waves[2].Cut.Spec, plan.Waves[2].Cut.Members));
        Assert.Equal(Joining.Open, LateJoiners.JoiningOf(plan));
        Assert.Null(Started(Late with { IncludeLateJoiners = false }, 2, 3).JoinersWave);
    }

    /// <summary>A member that was frozen is in its wave of the freeze, however the last wave looks.</summary>
    [Fact]
    public void WaveOf_AFrozenMember_IsNeverTheWaveOfLateJoiners()
    {
        ImmutableArray<MemberPoint> points = [.. Enumerable.Range(0, 40).Select(i => MemberPoint.Of(Device(i), 7, connected: i % 2 == 0))];
        var cuts = LateJoiners.AddWave(WaveCutter.Cut([Wave(Amount.Count(4), connectedOnly: true)], points), Late);
        var grown = cuts.SetItem(2, cuts[2] with { Members = 9 });

        Assert.Equal(3, cuts.Length);
        Assert.All(points, point => Assert.InRange(WaveCut.WaveOf(grown, point), 0, 1));
        Assert.All(points, point => Assert.Equal(WaveCut.WaveOf(cuts, point), WaveCut.WaveOf(grown, point)));
    }

    [Fact]
    public void Plan_WhenOthersJoin_CountsThemAtOnceAndOffersThemNothingBeforeTheirTurn()
    {
        var (plan, report) = Plan(Started(Late, 2, 3), 1, ended: false, Totals(2), Totals(3), Totals(2));

        Assert.Equal((7, 5, 2), (plan.Members, plan.FrozenMembers, plan.LateJoiners));
        Assert.Equal([2L, 0, 0], plan.Shares[0].Waves.Select(grant => grant.Granted));
        Assert.Equal(2, report.Facts.OfType<LateJoinersCounted>().Single().Members);
        Assert.Equal([WaitingOn.EarlierWave], report.Waves[2].WaitingOn);
        Assert.Empty(PlanChecks.Check(plan));
        Assert.Empty(PlanChecks.CheckStep(Late, Started(Late, 2, 3), plan));
    }

    [Fact]
    public void JoiningOf_ARolloutThatIsCancelledAfterTheirWaveStarted_TellsSharesThatItHasEnded()
    {
        var (passed, _) = Plan(Started(Late, 2, 3), 1, ended: false, Totals(2, succeeded: 2), Totals(3, succeeded: 3), Totals(1));
        var (started, _) = Plan(passed, 2, ended: true, Totals(2, succeeded: 2), Totals(3, succeeded: 3), Totals(1));

        Assert.Equal(Joining.Never, LateJoiners.JoiningOf(passed with { State = RolloutState.Cancelling }));
        Assert.Equal(Joining.Ended, LateJoiners.JoiningOf(started with { State = RolloutState.Cancelling }));
        Assert.Equal(Joining.Never, LateJoiners.JoiningOf(started with { State = RolloutState.Cancelled }));
    }

    [Fact]
    public void Plan_WhenTheWavesBeforeHavePassed_WaitsForTheLastLookOfEveryShareAndThenStarts()
    {
        var (passed, told) = Plan(Started(Late, 2, 3), 1, ended: false, Totals(2, succeeded: 2), Totals(3, succeeded: 3), Totals(1));
        var (waits, waiting) = Plan(passed, 2, ended: false, Totals(2, succeeded: 2), Totals(3, succeeded: 3), Totals(2));
        var (started, _) = Plan(waits, 3, ended: true, Totals(2, succeeded: 2), Totals(3, succeeded: 3), Totals(4));
        var (ended, _) = Plan(
            started, 4, ended: true, Totals(2, succeeded: 2), Totals(3, succeeded: 3), Totals(4, succeeded: 2, failed: 2));

        Assert.Equal(Start.AddSeconds(1), passed.JoiningEndedAt);
        Assert.Equal(PlanReasons.JoiningEnded, passed.Decisions[^1].Reason);
        Assert.Single(told.Facts.OfType<RolloutJoiningEnded>());
        Assert.Equal((Joining.Ending, WaveState.Pending), (LateJoiners.JoiningOf(waits), waits.Waves[2].State));
        Assert.Equal([WaitingOn.Reports], waiting.Waves[2].WaitingOn);
        Assert.Equal((WaveState.Running, 4, 4L), (started.Waves[2].State, started.LateJoiners, started.Shares[0].Waves[2].Granted));
        Assert.Equal("Wave 2 of 3 starts with 4 devices that joined after the freeze.", started.Decisions[^1].Text);
        Assert.Equal((RolloutState.Succeeded, 9), (ended.State, ended.Members)); // 50 % of the last listed wave
    }

    [Fact]
    public void Plan_WhenNobodyJoined_PassesTheWaveAtOnceAndSaysSo()
    {
        var (passed, _) = Plan(Started(Late, 2, 3), 1, ended: false, Totals(2, succeeded: 2), Totals(3, succeeded: 3), Totals(0));
        var (ended, _) = Plan(passed, 2, ended: true, Totals(2, succeeded: 2), Totals(3, succeeded: 3), Totals(0));

        Assert.Equal(RolloutState.Running, passed.State);
        Assert.Equal(RolloutState.Succeeded, ended.State);
        Assert.Contains(ended.Decisions, decision => decision is { Wave: 2, Reason: PlanReasons.WaveEmpty }
            && decision.Text.Contains("nobody did", StringComparison.Ordinal));
    }

    /// <summary>The manual gate of the last listed wave is theirs too; approving the wave before does not approve theirs.</summary>
    [Fact]
    public void Plan_WithAManualGate_AsksForAnApproverOfTheLateJoinersToo()
    {
        var spec = Spec(Wave(Amount.Percent(100)) with { NeedsApproval = true }) with { IncludeLateJoiners = true };
        var (asks, _) = Plan(spec, Started(spec, 2), 1, ended: false, Totals(2, succeeded: 2), Totals(1));
        var approved = RolloutApprovals.ApproveWave(RolloutOf(spec, asks), 0, Approval(asks.ApprovalEtag(0))).Next;
        var (passed, _) = Plan(spec, approved, 2, ended: false, Totals(2, succeeded: 2), Totals(1));
        var (started, _) = Plan(spec, passed, 3, ended: true, Totals(2, succeeded: 2), Totals(1));
        var (done, _) = Plan(spec, started, 4, ended: true, Totals(2, succeeded: 2), Totals(1, succeeded: 1));

        Assert.Equal(WaveState.AwaitingApproval, asks.Waves[0].State);
        Assert.Equal((WaveState.Running, WaveState.AwaitingApproval), (started.Waves[1].State, done.Waves[1].State));
        Assert.Equal(RolloutState.Running, done.State);
    }

    /// <summary>Who joins makes no room for others: percentages are of the frozen members.</summary>
    [Fact]
    public void Plan_WithABudgetInPercent_GoesByTheFrozenMembers()
    {
        var spec = Spec(Wave(Amount.Percent(100))) with { IncludeLateJoiners = true, MaxUnavailable = Amount.Percent(20) };
        var (passed, _) = Plan(spec, Started(spec, 10), 1, ended: false, Totals(10, succeeded: 10), Totals(30));
        var (plan, report) = Plan(spec, passed, 2, ended: true, Totals(10, succeeded: 10), Totals(30));

        Assert.Equal((40, 10), (plan.Members, plan.FrozenMembers));
        Assert.Equal(2, plan.Shares[0].Waves[1].Granted);
        Assert.Contains(WaitingOn.Budget, report.Waves[1].WaitingOn);
    }

    [Fact]
    public void Plan_WithARate_CountsTheOffersOfEarlierWaves()
    {
        var spec = Spec(Wave(Amount.Percent(100))) with { IncludeLateJoiners = true, DevicesPerMinute = 4 };
        var (first, _) = Plan(spec, Started(spec, 3), 1, ended: false, Totals(3), Totals(5));
        var (passed, _) = Plan(spec, first, 2, ended: false, Totals(3, succeeded: 3), Totals(5));
        var (plan, _) = Plan(spec, passed, 3, ended: true, Totals(3, succeeded: 3), Totals(5));
        var (later, _) = Plan(spec, plan, 70, ended: true, Totals(3, succeeded: 3), Totals(5, inProgress: 1));

        Assert.Equal((3L, 1L), (first.Shares[0].Waves[0].Granted, plan.Shares[0].Waves[1].Granted));
        Assert.Equal(4L, later.Shares[0].Waves[1].Granted);
    }

    /// <summary>Once the wave has started, what a share said before is no report: its members would be fewer.</summary>
    [Fact]
    public void Plan_WithAReportFromBeforeTheEnd_DoesNotTakeItForTheWave()
    {
        var (passed, _) = Plan(Started(Late, 2, 3), 1, ended: false, Totals(2, succeeded: 2), Totals(3, succeeded: 3), Totals(1));
        var (started, _) = Plan(passed, 2, ended: true, Totals(2, succeeded: 2), Totals(3, succeeded: 3), Totals(4));

        var (plan, report) = Plan(started, 3, ended: false, Totals(2, succeeded: 2), Totals(3, succeeded: 3), Totals(1));

        Assert.Equal(4, plan.LateJoiners);
        Assert.Contains(WaitingOn.Reports, report.Waves[2].WaitingOn);
    }

    [Fact]
    public void Plan_ThatIsRolledBack_LeavesWhoWasOfferedNothingUntouched()
    {
        var (plan, _) = Plan(Started(Late, 2, 3), 1, ended: false, Totals(2), Totals(3), Totals(2));
        var back = RollBackOrders.RollBack(RolloutOf(Late, plan), 0, [], Order()).Next;

        Assert.Equal((WaveState.Skipped, Joining.Never), (back.Waves[2].State, LateJoiners.JoiningOf(back)));
        Assert.Empty(PlanChecks.Check(back));
        Assert.Empty(PlanChecks.CheckStep(Late, plan, back));
    }

    [Fact]
    public void Check_OfAWaveThatGrowsAfterItsStart_SaysSo()
    {
        var (passed, _) = Plan(Started(Late, 2, 3), 1, ended: false, Totals(2, succeeded: 2), Totals(3, succeeded: 3), Totals(1));
        var (started, _) = Plan(passed, 2, ended: true, Totals(2, succeeded: 2), Totals(3, succeeded: 3), Totals(4));

        Assert.Equal(["A wave that has started got another member."], PlanChecks.CheckStep(Late, started, Grow(started, 2)));
        Assert.Contains("A wave has other members than at the freeze.", PlanChecks.CheckStep(Late, passed, Grow(passed, 1)));
        Assert.Empty(PlanChecks.CheckStep(Late, passed, Grow(passed, 2)));
        Assert.Contains(
            "The wave of late joiners has started and more can join it.", PlanChecks.Check(started with { JoiningEndedAt = null }));
    }

    [Fact]
    public void Plan_WithDevicesThatAreLeftOut_CountsThem()
    {
        var spec = Late with { IncludeLateJoiners = false };
        var plan = Started(spec, 2, 3);
        var totals = ImmutableArray.Create(Totals(2), Totals(3));

        var (known, report) = RolloutPlanner.Plan(new(Id, spec, plan, [Report(plan, 1, false, totals) with { LeftOut = 3 }], Start)
        {
            LeftOutElsewhere = 4,
        });
        var (unknown, _) = RolloutPlanner.Plan(new(Id, spec, known, [Report(known, 2, false, totals) with { LeftOut = 1 }], Start));

        var (silent, _) = RolloutPlanner.Plan(new(Id, spec, known, [Report(known, 2, false, totals) with { LeftOut = null }], Start)
        {
            LeftOutElsewhere = 4,
        });

        Assert.Equal((7L, 7L, 7L), (known.LeftOut, unknown.LeftOut, silent.LeftOut));
        Assert.DoesNotContain(report.Facts, fact => fact is LateJoinersCounted);
    }

    [Fact]
    public void Join_AShare_KeepsThePlacesOfItsMembersAndEndsForGood()
    {
        var frozen = ShareRules.Freeze(Guid.Empty, 5, 3);

        var joined = LateJoiners.Join(LateJoiners.Join(frozen, [Device(1)]), [Device(2), Device(3)]);
        var ended = LateJoiners.End(joined);
        var turned = RollBackRules.Begin(joined, [0, 0], Start);

        Assert.Equal((3, 6), (joined.FrozenCount, joined.Members.Length));
        Assert.Equal([Device(1), Device(2), Device(3)], joined.Joiners);
        Assert.Equal(RolloutLimits.LateJoinersPerPartitionMax - 3, LateJoiners.RoomOf(joined));
        Assert.Same(ended, LateJoiners.Join(ended, [Device(4)]));
        Assert.Same(ended, LateJoiners.End(ended));
        Assert.Same(turned, LateJoiners.Join(turned, [Device(4)]));
        Assert.All(turned.Members, status => Assert.Equal(MemberStatus.Untouched, status));
    }

    [Fact]
    public void Validate_OfARestWithLateJoiners_SaysWhatToDo()
    {
        var problem = Assert.Single(RolloutSpecRules.Validate(Late with { RetryOf = Id }));

        Assert.Equal("include_late_joiners", problem.Field);
        Assert.Contains("create a rollout of its own", problem.Text, StringComparison.Ordinal);
        Assert.Empty(RolloutSpecRules.Validate(Late));
    }

    [Fact]
    public void Validate_OfLateJoinersWithBudgetsPerValue_SaysWhatToDo()
    {
        var problem = Assert.Single(RolloutSpecRules.Validate(
            Late with { MaxUnavailablePer = [new ValueBudget("site", Amount.Count(1))] }));

        Assert.Equal("include_late_joiners", problem.Field);
        Assert.Contains("use max_unavailable", problem.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void Run_ASimulationOfASpecWithLateJoiners_IsTheOneWithout()
    {
        var (fleet, assumptions) = (new SimulatedFleet(50, 50), new SimulationAssumptions());

        var late = RolloutSimulation.Run(Late, fleet, assumptions, 0, 5, 1, TestContext.Current.CancellationToken);
        var plain = RolloutSimulation.Run(
            Late with { IncludeLateJoiners = false }, fleet, assumptions, 0, 5, 1, TestContext.Current.CancellationToken);

        Assert.Equal(plain.Waves, late.Waves);
        Assert.Equal(plain.Runs, late.Runs);
    }

    /// <summary>With a gate of 100 % nothing is in progress any more when the last wave before has passed.</summary>
    [Theory]
    [InlineData(50, 0)]
    [InlineData(100, 0)]
    [InlineData(100, 1)]
    public void Estimate_OfARolloutWithLateJoiners_ReachesItsEnd(int successPercent, int soakHours)
    {
        var spec = Late with
        {
            Waves = [Late.Waves[0], Late.Waves[1] with { SuccessPercent = successPercent, Soak = TimeSpan.FromHours(soakHours) }],
        };
        var (plan, _) = Plan(Started(spec, 2, 3), 1, ended: false, Totals(2), Totals(3), Totals(4));

        var estimate = RolloutEstimator.Of(RolloutOf(spec, plan), Start.AddSeconds(2));

        Assert.Equal(EstimateStop.Unspecified, estimate.Stop);
        Assert.Contains("9 devices have no outcome", estimate.Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false, LeftOutReason.NotIncluded, NotMember.JoinedLater, "who joins later is left out")]
    [InlineData(true, LeftOutReason.Unspecified, NotMember.JoinsSoon, "joins wave 2 within")]
    [InlineData(true, LeftOutReason.StrategyRequired, NotMember.JoinedLater, "its site needs a strategy")]
    [InlineData(true, LeftOutReason.DowngradeNotApproved, NotMember.JoinedLater, "it runs a newer version")]
    [InlineData(true, LeftOutReason.TooMany, NotMember.JoinedLater, "512 devices of its partition have joined")]
    public void Explain_ADeviceThatMatchesSinceTheFreeze_SaysWhatBecomesOfIt(
        bool includes, LeftOutReason reason, NotMember expected, string text)
    {
        var spec = Late with { IncludeLateJoiners = includes };
        var seen = Sighting() with { LeftOut = reason };

        var explained = DeviceExplainer.Explain(RolloutOf(spec, Started(spec, 2, 3)), [], seen);

        Assert.Equal(expected, explained.NotMember);
        Assert.Contains(text, explained.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void Explain_ADeviceThatCameWhenJoiningHadEnded_SaysSince()
    {
        var (passed, _) = Plan(Started(Late, 2, 3), 1, ended: false, Totals(2, succeeded: 2), Totals(3, succeeded: 3), Totals(1));

        var explained = DeviceExplainer.Explain(
            RolloutOf(Late, passed), [], Sighting() with { LeftOut = LeftOutReason.JoiningEnded });
        var wave = WaveExplanation.Of(RolloutOf(Late, passed), [new([]), new([]), new([WaitingOn.Reports])], 2, 0)!;

        Assert.Equal(NotMember.JoinedLater, explained.NotMember);
        Assert.Contains("when joining ended at", explained.Text, StringComparison.Ordinal);
        Assert.Contains(wave.Why, decision => decision.Reason == PlanReasons.JoiningEnded);
        Assert.Equal("not every partition has said who joined", wave.Waits.Single().Text);
    }

    /// <summary>Frozen members that go back ask for approvals at the start; who joins later must not go round them.</summary>
    [Fact]
    public void DowngradesTo_WithoutTheApprovalsOfDowngrades_IsTheImagesVersion()
    {
        var (own, approved) = (RolloutOf(Late, Started(Late, 2, 3)), new RolloutApproval(Bert, Start, Late.Fingerprint));
        var settings = own with { Spec = Late with { ImageDigest = "", Settings = [new DeviceSetting("a", "b")] } };

        Assert.Equal("12.1.0", LateJoiners.DowngradesTo(own, new ApprovalPolicy(0, 1)));
        Assert.Equal("", LateJoiners.DowngradesTo(own with { Approvals = [approved] }, new ApprovalPolicy(0, 1)));
        Assert.Equal("12.1.0", LateJoiners.DowngradesTo(own with { Approvals = [approved] }, new ApprovalPolicy(0, 2)));
        Assert.Equal("", LateJoiners.DowngradesTo(own, new ApprovalPolicy(0, 0)));
        Assert.Equal("", LateJoiners.DowngradesTo(settings, new ApprovalPolicy(0, 1)));
    }

    /// <summary>Also when more approvals are asked for since: those of its start were given for what it does.</summary>
    [Fact]
    public void KeepsNewer_OfARolloutThatTakesDevicesBack_IsFalse()
    {
        var own = RolloutOf(Late, Started(Late, 2, 3));

        Assert.True(LateJoiners.KeepsNewer(own, new ApprovalPolicy(0, 1)));
        Assert.False(LateJoiners.KeepsNewer(own with { Downgrades = 2 }, new ApprovalPolicy(0, 2)));
        Assert.False(LateJoiners.KeepsNewer(own, new ApprovalPolicy(0, 0)));
    }

    private static MemberSighting Sighting() => new()
    {
        Device = Device(77),
        Row = new DeviceRow
        {
            Tenant = TenantId.Default,
            Name = Device(77).Value,
            State = DeviceState.InService,
            Model = "P3265-V",
            Site = "Lund",
            Track = "active",
            OsVersion = "12.0.0",
            ImageDigest = "",
            BootId = "",
            Compliance = ComplianceState.Unspecified,
            Generation = 1,
            Rollout = "",
            StateChangedAt = Start,
        },
        Matches = true,
    };

    private static RolloutPlan Grow(RolloutPlan plan, int wave)
    {
        var known = plan.Waves[wave];
        return plan with
        {
            Members = plan.Members + 1,
            Waves = plan.Waves.SetItem(wave, known with { Cut = known.Cut with { Members = known.Cut.Members + 1 } }),
        };
    }

    private static ShareReport Report(RolloutPlan plan, int version, bool ended, ImmutableArray<ShareTotals> waves) => new(
        0,
        version,
        [.. waves.Select((totals, i) => totals with { GrantSeen = plan.Shares[0].Waves[i].Granted })])
    {
        JoiningHasEnded = ended,
    };

    private static (RolloutPlan Next, RolloutReport Report) Plan(
        RolloutPlan plan, int seconds, bool ended, params ImmutableArray<ShareTotals> waves) => Plan(Late, plan, seconds, ended, waves);

    private static (RolloutPlan Next, RolloutReport Report) Plan(
        RolloutSpec spec, RolloutPlan plan, int seconds, bool ended, params ImmutableArray<ShareTotals> waves) => RolloutPlanner.Plan(
        new RolloutPlanInput(Id, spec, plan, [Report(plan, seconds, ended, waves)], Start.AddSeconds(seconds))
        {
            LeftOutElsewhere = 0,
        });
}
