using Muster.Domain.Devices;

namespace Muster.Domain.Tests.Devices;

/// <summary>Which of several rollouts gets a device that all of them wait for.</summary>
public sealed class ChangeTurnsTests
{
    private static readonly ChangeRank Older = new(0, Units.Start.AddDays(-1));
    private static readonly ChangeRank Newer = new(0, Units.Start);
    private static readonly ChangeRank Urgent = new(5, Units.Start);

    [Fact]
    public void IsBefore_OfRanks_IsByPriorityThenByAge()
    {
        Assert.True(Urgent.IsBefore(Older));
        Assert.True(Older.IsBefore(Newer));
        Assert.False(Newer.IsBefore(Newer));
        Assert.All([Urgent, Older, Newer], rank => Assert.True(rank.IsBefore(ChangeRank.Last)));
    }

    [Fact]
    public void Judge_WhileAnotherIsFirst_KeepsTheDeviceForItAMinute()
    {
        var turns = Of(("newer", Newer), ("urgent", Urgent), ("older", Older));

        var (kept, before, until) = turns.Judge(Units.Rollout("newer"), Newer, Units.Start);
        var (_, again, stillUntil) = kept.Judge(Units.Rollout("older"), Older, Units.Start.AddSeconds(59));
        var (over, nobody, _) = kept.Judge(Units.Rollout("older"), Older, Units.Start + ChangeTurns.KeptFor);

        Assert.Equal(["urgent", "older", "newer"], turns.Waiting.Select(waiting => waiting.Rollout.Value));
        Assert.Equal(("urgent", Units.Start + ChangeTurns.KeptFor), (before!.Value.Rollout.Value, until));
        Assert.Equal(("urgent", until), (again!.Value.Rollout.Value, stillUntil));
        Assert.Null(nobody);
        Assert.Equal(["older", "newer"], over.Waiting.Select(waiting => waiting.Rollout.Value)); // who did not come has lost his turn
    }

    [Fact]
    public void Judge_OfTheFirst_LetsItInAndTheNextIsFirstThen()
    {
        var turns = Of(("newer", Newer), ("urgent", Urgent), ("older", Older));
        var kept = turns.Judge(Units.Rollout("newer"), Newer, Units.Start).Next;

        Assert.Null(kept.Judge(Units.Rollout("urgent"), Urgent, Units.Start).Before);
        var taken = kept.Take(Units.Rollout("urgent"));
        var (_, before, until) = taken.Judge(Units.Rollout("newer"), Newer, Units.Start.AddHours(0.1));

        Assert.Equal(("older", Units.Start.AddHours(0.1) + ChangeTurns.KeptFor), (before!.Value.Rollout.Value, until));
    }

    [Fact]
    public void Judge_OfARolloutThatDidNotAskFirst_IsByItsRank()
    {
        var turns = Of(("older", Older));

        Assert.Null(turns.Judge(Units.Rollout("urgent"), Urgent, Units.Start).Before);
        Assert.NotNull(turns.Judge(Units.Rollout("newer"), Newer, Units.Start).Before);
        Assert.NotNull(turns.Judge(Units.Rollout("unranked"), ChangeRank.Last, Units.Start).Before);
        Assert.Null(turns.Judge(Units.Rollout("newer"), Newer, Units.Start + ChangeTurns.RememberedFor).Before);
    }

    [Fact]
    public void Ask_OfMoreThanARolloutsWorth_ForgetsTheLast()
    {
        var turns = Of(("a", Newer), ("b", Newer), ("c", Newer), ("d", Older), ("urgent", Urgent));

        Assert.Equal(["urgent", "d", "a", "b"], turns.Waiting.Select(waiting => waiting.Rollout.Value));
        Assert.Equal(turns.Waiting, turns.Ask(Units.Rollout("e"), Newer, Units.Start).Waiting);
        Assert.Equal(4, turns.Ask(Units.Rollout("d"), Older, Units.Start).Waiting.Length); // again
        Assert.Single(turns.Ask(Units.Rollout("e"), Newer, Units.Start + ChangeTurns.RememberedFor).Waiting);
    }

    private static ChangeTurns Of(params (string Rollout, ChangeRank Rank)[] waiting) => waiting.Aggregate(
        ChangeTurns.None, (turns, one) => turns.Ask(Units.Rollout(one.Rollout), one.Rank, Units.Start));
}
