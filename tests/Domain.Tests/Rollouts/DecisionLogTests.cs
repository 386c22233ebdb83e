using Muster.Domain.Rollouts;
using static Muster.Domain.Tests.Rollouts.RolloutBuilder;

namespace Muster.Domain.Tests.Rollouts;

/// <summary>The numbers of decisions: what a reader who comes back is told, and what he is told that he missed.</summary>
public sealed class DecisionLogTests
{
    [Fact]
    public void ReadAfter_FromTheStart_GivesAllWithTheirNumbers()
    {
        var page = DecisionLog.ReadAfter(PlanOf(3), DecisionMark.Start);

        Assert.Equal((1L, 3, false, false), (page.First, page.Decisions.Length, page.IsEnded, page.IsRewound));
        Assert.Equal(["1", "2", "3"], page.Decisions.Select(decision => decision.Text));
        Assert.Equal(DecisionMark.Of(3, page.Decisions[2]), page.Next(DecisionMark.Start));
    }

    /// <summary>Whenever a reader comes for them, and however many come meanwhile: as long as there is room each comes once.</summary>
    [Fact]
    public void ReadAfter_ByAReaderThatComesNowAndThen_GivesEachOnce()
    {
        var (plan, mark) = (RolloutPlan.Draft, DecisionMark.Start);
        var told = new List<string>();
        for (var made = 1; made <= 1_000; made++)
        {
            plan = DecisionLog.With(plan, DecisionOf(made));
            if (made % 97 == 0 || made == 1_000)
            {
                var page = DecisionLog.ReadAfter(plan, mark);
                Assert.Equal(mark.Number + 1, page.First);
                told.AddRange(page.Decisions.Select(decision => decision.Text));
                mark = page.Next(mark);
            }
        }

        Assert.Equal(Enumerable.Range(1, 1_000).Select(number => $"{number}"), told);
        Assert.Equal(1_000, mark.Number);
        Assert.Equal(RolloutLimits.DecisionsMax, plan.Decisions.Length);
    }

    [Fact]
    public void ReadAfter_ByAReaderThatWasAwayForTooLong_SaysByItsNumbersWhatIsMissing()
    {
        var early = DecisionLog.ReadAfter(PlanOf(2), DecisionMark.Start).Next(DecisionMark.Start);

        var page = DecisionLog.ReadAfter(PlanOf(RolloutLimits.DecisionsMax + 10), early);

        Assert.Equal((11L, RolloutLimits.DecisionsMax), (page.First, page.Decisions.Length));
        Assert.Equal("11", page.Decisions[0].Text);
    }

    [Fact]
    public void ReadAfter_WithNothingNew_GivesNothingAndLeavesTheMark()
    {
        var plan = PlanOf(5);
        var mark = DecisionLog.ReadAfter(plan, DecisionMark.Start).Next(DecisionMark.Start);

        var page = DecisionLog.ReadAfter(plan with { State = RolloutState.Cancelled }, mark);

        Assert.Equal((0, true), (page.Decisions.Length, page.IsEnded));
        Assert.Equal(mark, page.Next(mark));
    }

    [Fact]
    public void ReadAfter_InAStoreThatWentBack_IsRewound()
    {
        var lost = DecisionLog.ReadAfter(PlanOf(5), DecisionMark.Start).Next(DecisionMark.Start);
        var other = DecisionLog.With(PlanOf(4), DecisionOf(5) with { Text = "another" });

        Assert.True(DecisionLog.ReadAfter(PlanOf(4), lost).IsRewound);
        Assert.True(DecisionLog.ReadAfter(other, lost).IsRewound);
        Assert.True(DecisionLog.ReadAfter(DecisionLog.With(other, DecisionOf(6)), lost).IsRewound);
        Assert.False(DecisionLog.ReadAfter(DecisionLog.With(PlanOf(5), DecisionOf(6)), lost).IsRewound);
    }

    [Fact]
    public void With_InARecordOfAnEarlierVersion_CountsOnFromWhatItKeeps()
    {
        var old = PlanOf(7) with { DecisionsMade = 0 };

        var next = DecisionLog.With(old, DecisionOf(8));

        Assert.Equal((7L, 8L), (old.DecisionCount, next.DecisionCount));
        Assert.Equal(8, DecisionLog.ReadAfter(next, new DecisionMark(7, DecisionMark.Of(7, DecisionOf(7)).Fingerprint)).First);
    }

    [Fact]
    public void CheckStep_WhenANumberWouldBeUsedTwice_SaysSo()
    {
        var spec = Spec(Wave(Amount.Percent(100)));
        var plan = Started(spec, 5);

        Assert.Empty(PlanChecks.CheckStep(spec, plan, plan));
        Assert.NotEmpty(PlanChecks.CheckStep(spec, plan, plan with { DecisionsMade = 1, Decisions = [plan.Decisions[0]] }));
    }

    private static RolloutPlan PlanOf(int decisions) =>
        Enumerable.Range(1, decisions).Aggregate(RolloutPlan.Draft, (plan, number) => DecisionLog.With(plan, DecisionOf(number)));

    private static PlanDecision DecisionOf(int number) => new(Start.AddSeconds(number), Anna, PlanReasons.Paused, null, $"{number}");
}
