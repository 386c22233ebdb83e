using Muster.Domain.Devices;

namespace Muster.Domain.Tests.Devices;

/// <summary>Which of several rollouts gets a device that all of them wait for.</summary>
public sealed class ChangeTurnsTests
{
    private static readonly ChangeRank Older = new(0, Units.Start.AddDays(-1));
    private static readonly ChangeRank Newer = new(0, Units.Start);
    private static readonly ChangeRank Urgent = new(5, Units.Start);

    [Fact]
    public void Ask_OfRanks_OrdersByPriorityThenByAge() => Assert.Equal(
        ["urgent", "older", "newer", "unranked"],
        Of(("unranked", ChangeRank.Last), ("newer", Newer), ("older", Older), ("urgent", Urgent))
            .Waiting.Select(waiting => waiting.Rollout.Value));

    [Theory]
    [InlineData(0, 0, "newest,older,newer")]
    [InlineData(1, 0, "older,newest,newer")] // the older of a higher priority keeps its turn
    [InlineData(0, 1, "newest,older,newer")]
    public void Ask_OfOneThatSupersedesOlder_IsBeforeEveryOlderImage(int ofOlder, int ofNewest, string order)
    {
        var older = Older with { Priority = ofOlder, IsOsImage = true };
        var newest = Superseding(1) with { Priority = ofNewest };
        (string, ChangeRank)[] all = [("older", older), ("newer", Newer with { IsOsImage = true }), ("newest", newest)];

        Assert.All([Of(all), Of([.. all.Reverse()])], turns => Assert.Equal(
            order.Split(','), turns.Waiting.Select(waiting => waiting.Rollout.Value)));
    }

    [Fact]
    public void Ask_OfOneThatSupersedesOlder_BesideOtherKinds_IsOneLineForAll()
    {
        (string, ChangeRank)[] all = [("image", Older with { IsOsImage = true }), ("settings", Newer), ("newest", Superseding(1))];

        // The newest takes the place of the image, and the settings wait as they did. Alone beside settings it is by its own age.
        Assert.Equal(["newest", "image", "settings"], Of(all).Waiting.Select(waiting => waiting.Rollout.Value));
        Assert.Equal(["settings", "newest"], Of(all[1..]).Waiting.Select(waiting => waiting.Rollout.Value));
        Assert.Equal(["later", "newest", "image"], Of(all[0], all[2], ("later", Superseding(2))).Waiting.Select(one => one.Rollout.Value));
        Assert.Equal(["unknown", "newest"], Of(("newest", Superseding(1)), ("unknown", Older)).Waiting.Select(one => one.Rollout.Value));
        Assert.Null(Of(all).FindBefore(Units.Rollout("newest"), Superseding(1), Units.Start));
        Assert.Equal("newest", Of(all).FindBefore(Units.Rollout("image"), all[0].Item2, Units.Start)!.Value.Rollout.Value);
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
    public void Judge_WhenTheFirstDoesNotCome_TakesItsTurnAlone()
    {
        var (lesser, rank) = (Units.Rollout("c"), Newer);
        var turns = Of(("a", Urgent with { Priority = 9 }), ("b", Urgent));

        var (first, ofA, untilA) = turns.Judge(lesser, rank, Units.Start);
        var (second, ofB, untilB) = first.Judge(lesser, rank, untilA);
        var (_, still, untilStill) = second.Judge(lesser, rank, untilB.AddSeconds(-1));
        var (last, nobody, _) = second.Judge(lesser, rank, untilB);

        Assert.Equal(["a", "b", "c"], first.Waiting.Select(waiting => waiting.Rollout.Value)); // who is refused waits
        Assert.Equal(("a", Units.Start + ChangeTurns.KeptFor), (ofA!.Value.Rollout.Value, untilA));
        Assert.Equal(("b", untilA + ChangeTurns.KeptFor), (ofB!.Value.Rollout.Value, untilB));
        Assert.Equal(("b", untilB), (still!.Value.Rollout.Value, untilStill));
        Assert.Null(nobody);
        Assert.Null(second.Judge(Units.Rollout("b"), Urgent, untilA).Before);
        Assert.Equal(["c"], last.Waiting.Select(waiting => waiting.Rollout.Value));
    }

    [Fact]
    public void Judge_WhenAHigherOneComesMeanwhile_KeepsTheDeviceForItAsLong()
    {
        var kept = Of(("older", Older)).Judge(Units.Rollout("newer"), Newer, Units.Start).Next;
        var later = Units.Start.AddSeconds(50);

        var (_, before, until) = kept.Ask(Units.Rollout("urgent"), Urgent, later).Judge(Units.Rollout("newer"), Newer, later);

        Assert.Equal(("urgent", later + ChangeTurns.KeptFor), (before!.Value.Rollout.Value, until));
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

    private static ChangeRank Superseding(int days) =>
        new(0, Units.Start.AddDays(days)) { SupersedesOlder = true, IsOsImage = true };

    private static ChangeTurns Of(params (string Rollout, ChangeRank Rank)[] waiting) => waiting.Aggregate(
        ChangeTurns.None, (turns, one) => turns.Ask(Units.Rollout(one.Rollout), one.Rank, Units.Start));
}
