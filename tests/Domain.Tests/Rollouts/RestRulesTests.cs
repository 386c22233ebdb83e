using System.Collections.Immutable;
using Muster.Domain.Inventory;
using Muster.Domain.Rollouts;
using static Muster.Domain.Tests.Rollouts.RolloutBuilder;

namespace Muster.Domain.Tests.Rollouts;

public sealed class RestRulesTests
{
    private static readonly RolloutSpec Whole = Spec(Wave(Amount.Percent(100)));

    [Theory]
    [InlineData(MemberStatus.Waiting, true)]
    [InlineData(MemberStatus.Offered, true)]
    [InlineData(MemberStatus.Succeeded, false)]
    [InlineData(MemberStatus.Failed, true)]
    [InlineData(MemberStatus.TimedOut, true)]
    [InlineData(MemberStatus.Rejected, true)]
    [InlineData(MemberStatus.Skipped, true)] // by an earlier version, without a reason
    [InlineData(MemberStatus.Removed, false)]
    [InlineData(MemberStatus.Retrying, true)]
    [InlineData(MemberStatus.Untouched, false)]
    public void IsRest_OfEveryStatus_IsWhoMaySucceedAnotherTime(MemberStatus status, bool expected) =>
        Assert.Equal(expected, RestRules.IsRest(Share(status), 0));

    [Theory]
    [InlineData(MemberReason.Other, true)]
    [InlineData(MemberReason.DeviceNotEnrolled, true)]
    [InlineData(MemberReason.ModelNotCompatible, false)]
    [InlineData(MemberReason.TrackMismatch, true)]
    [InlineData(MemberReason.OsBelowFloor, false)]
    [InlineData(MemberReason.AlreadyRunningTarget, false)]
    [InlineData(MemberReason.Superseded, false)]
    [InlineData(MemberReason.OsBelowMinimum, true)]
    [InlineData(MemberReason.StepRequired, true)]
    [InlineData(MemberReason.OfferUndelivered, true)]
    [InlineData(MemberReason.ChangeTimedOut, true)]
    [InlineData(MemberReason.NoWayBack, false)]
    [InlineData(MemberReason.NothingToRollBack, false)]
    [InlineData(MemberReason.AlreadyHasSettings, false)]
    [InlineData(MemberReason.DowngradeNotApproved, true)] // a retry may have the approval
    [InlineData(MemberReason.StepRevoked, true)] // a retry chooses the steps anew
    public void IsRest_OfASkippedMember_IsWhereItsReasonCanPass(MemberReason reason, bool expected)
    {
        var share = Share(MemberStatus.Skipped) with { Ends = [new MemberEnd(0, reason, Start, IsGivenUp: false)] };

        Assert.Equal(expected, RestRules.IsRest(share, 0));
    }

    /// <summary>By the course alone: the version may be gone, and another made under its name.</summary>
    [Fact]
    public void StrategyOf_ARetry_IsThatOfItsRolloutWhileItHasItsCourse()
    {
        var strategy = new RolloutStrategy(Id, 3, 7);
        var retried = RolloutOf(Whole with { Strategy = strategy }, RolloutPlan.Draft);
        var retry = Whole with { RetryOf = Id, Seed = 99, Filter = "site = Lund" };

        Assert.Equal(strategy, RestRules.StrategyOf(retried, retry));
        Assert.Null(RestRules.StrategyOf(retried, retry with { Waves = [Wave(Amount.Percent(50))] }));
        Assert.Null(RestRules.StrategyOf(retried, retry with { Waves = RestRules.Narrow(retry.Waves, [(0, "site = a")]).Waves }));
        Assert.Null(RestRules.StrategyOf(retried, retry with { ApprovalsRequired = retry.ApprovalsRequired + 1 }));
        Assert.Null(RestRules.StrategyOf(retried with { Spec = Whole }, retry));
        Assert.Null(RestRules.StrategyOf(null, retry));
    }

    [Fact]
    public void IsRest_KnowsEveryStatusAndReason()
    {
        Assert.All(System.Enum.GetValues<MemberStatus>().Where(status => status != MemberStatus.Unspecified), status =>
            RestRules.IsRest(Share(status), 0));
        Assert.Equal(MemberReasons.Count, System.Enum.GetValues<MemberReason>().Length);
    }

    [Fact]
    public void Page_UntilTheLast_HasEveryMemberOfTheRestOnceInOrder()
    {
        var share = Share([.. Enumerable.Range(0, 25).Select(i => i % 3 == 0 ? MemberStatus.Succeeded : MemberStatus.Failed)]);
        var (all, pages) = (new List<int>(), 0);

        for (int? from = 0; from is { } place; pages++)
        {
            var (members, next) = RestRules.Page(share, place, membersMax: 4);
            Assert.True(members.Length <= 4);
            all.AddRange(members);
            from = next;
        }

        Assert.Equal(Enumerable.Range(0, 25).Where(i => i % 3 != 0), all);
        Assert.Equal(4, pages);
        Assert.Equal(([], null), RestRules.Page(Share(MemberStatus.Succeeded), 0, 4));
    }

    [Theory]
    [InlineData(RolloutState.Draft, "ROLLOUT_NOT_ENDED")]
    [InlineData(RolloutState.AwaitingApproval, "ROLLOUT_NOT_ENDED")]
    [InlineData(RolloutState.Running, "ROLLOUT_NOT_ENDED")]
    [InlineData(RolloutState.Paused, "ROLLOUT_NOT_ENDED")]
    [InlineData(RolloutState.Suspended, "ROLLOUT_NOT_ENDED")]
    [InlineData(RolloutState.Cancelling, "ROLLOUT_NOT_ENDED")]
    [InlineData(RolloutState.RollingBack, "ROLLOUT_NOT_ENDED")]
    [InlineData(RolloutState.Succeeded, null)]
    [InlineData(RolloutState.Cancelled, null)]
    [InlineData(RolloutState.Aborted, null)]
    public void Check_OfEveryState_AllowsThoseThatHaveEnded(RolloutState state, string? expected) =>
        Assert.Equal(expected, RestRules.Check(Ended(state), Whole)?.Reason);

    [Theory]
    [InlineData(RolloutState.RolledBack)]
    [InlineData(RolloutState.Cancelled)]
    public void Check_OfOneThatWasRolledBack_IsRefused(RolloutState state)
    {
        var back = Ended(state);

        Assert.Equal(
            RolloutErrors.HasNoRestReason,
            RestRules.Check(back with { Plan = back.Plan with { RollBack = new RollBackPlan(Start, null, 3) } }, Whole)?.Reason);
    }

    [Fact]
    public void Check_OfOneThatNeverStartedOrKeptNothing_SaysWhich()
    {
        var ended = Ended(RolloutState.Cancelled);

        Assert.Equal(
            RolloutErrors.HasNoRestReason, RestRules.Check(ended with { Plan = ended.Plan with { Members = 0 } }, Whole)?.Reason);
        Assert.Equal(
            RolloutErrors.MembersUnknownReason,
            RestRules.Check(ended with { Plan = ended.Plan with { EndsAreKept = false } }, Whole)?.Reason);
    }

    [Fact]
    public void Check_OfAnotherChange_IsRefusedAndOfAnotherPaceIsNot()
    {
        var ended = Ended(RolloutState.Succeeded);

        Assert.Equal(
            "retry_of", RestRules.Check(ended, Whole with { ImageDigest = new string('b', 64) })!.Metadata.Single().Key);
        Assert.Null(RestRules.Check(ended, Whole with { DevicesPerMinute = 9, Waves = [Wave(Amount.Count(1))], Seed = 3, Filter = "x" }));
    }

    [Fact]
    public void Complete_OfAnEditedDraft_KeepsWhatItRetriesAndTheSeedThatIsNotSaid()
    {
        var draft = Whole with { RetryOf = Id, Seed = 5 };

        var kept = RestRules.Complete(draft, Whole with { Seed = 6 }, keepsSeed: true);
        var said = RestRules.Complete(draft, Whole with { Seed = 6 }, keepsSeed: false);

        Assert.Equal(draft, kept);
        Assert.Equal(draft with { Seed = 6 }, said);
    }

    [Fact]
    public void Edit_OfWhatIsRetried_IsRefused()
    {
        var rollout = RolloutOf(Whole with { RetryOf = Id }, RolloutPlan.Draft);

        var decision = RolloutApprovals.Edit(rollout, 0, new EditOrder(Bert, Whole, "", Start));

        Assert.Equal("retry_of", decision.Error!.Metadata.Single().Key);
    }

    [Fact]
    public void Narrow_OfSomeWaves_PutsFiltersBesideTheirOwnAndLeavesTheOthers()
    {
        ImmutableArray<WaveSpec> waves =
            [Wave(Amount.Count(1)) with { Filter = "site = Lund OR site = Oslo" }, Wave(Amount.Count(2)), Wave(Amount.Count(3))];

        var (narrowed, problems) = RestRules.Narrow(waves, [(0, "NOT model = Q1656"), (2, "model = Q1656 OR model = M1137")]);

        Assert.Empty(problems);
        Assert.Equal(
            [
                waves[0] with { Filter = "(site = Lund OR site = Oslo) AND (NOT model = Q1656)" },
                waves[1],
                waves[2] with { Filter = "model = Q1656 OR model = M1137" },
            ],
            narrowed);
    }

    /// <summary>Each of the two is within its limits, both together are not: the length, and the comparisons.</summary>
    [Theory]
    [InlineData("site = a", 3_990, 1, "longer than 4000 characters")]
    [InlineData("site = a OR site = b", 10, 99, "more than 100 comparisons")]
    public void Narrow_BeyondALimit_NamesTheFilterAndWhatToDo(string own, int letters, int comparisons, string expected)
    {
        var more = string.Join(" OR ", Enumerable.Repeat($"site = {new string('c', letters)}", comparisons));
        Assert.Null(InventoryFilter.Parse(more, InventoryFields.Device).Error);

        var (_, problems) = RestRules.Narrow([Wave(Amount.Count(1)), Wave(Amount.Count(2)) with { Filter = own }], [(1, more)]);

        var problem = Assert.Single(problems);
        Assert.Equal("wave_filters[0].filter", problem.Field);
        Assert.StartsWith("together with the filter that wave 1 has: ", problem.Text, StringComparison.Ordinal);
        Assert.Contains(expected, problem.Text, StringComparison.Ordinal);
        Assert.EndsWith("Give the waves anew, with simpler filters", problem.Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(2)]
    public void Narrow_OfNoWave_SaysHowManyThereAre(int wave) => Assert.Equal(
        [new SpecProblem("wave_filters[0].wave", $"there is no wave {wave}; the 2 waves count from 0")],
        RestRules.Narrow([Wave(Amount.Count(1)), Wave(Amount.Count(2))], [(wave, "site = a")]).Problems);

    private static RolloutShare Share(params MemberStatus[] members) =>
        ShareRules.Freeze(Guid.Empty, 0, members.Length) with { Members = [.. members] };

    private static Rollout Ended(RolloutState state) => RolloutOf(
        Whole, RolloutPlan.Draft with { State = state, Members = 3, EndsAreKept = true });
}
