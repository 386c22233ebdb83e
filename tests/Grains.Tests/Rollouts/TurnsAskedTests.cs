using Muster.Domain.Devices;
using Muster.Grains.Rollouts;

namespace Muster.Grains.Tests.Rollouts;

public sealed class TurnsAskedTests
{
    private const int Members = (2 * TurnsAsked.AtOnceMax) + 1;

    private static readonly DateTimeOffset Noon = new(2026, 6, 1, 12, 0, 0, TimeSpan.Zero);

    private readonly TurnsAsked _turns = new();

    [Fact]
    public void Take_OfMoreThanAreToldWithinTheInterval_GoesOnWhereItStopped()
    {
        var told = Enumerable.Range(0, 3).Select(round => Take(Noon + (round * ChangeTurns.AskInterval))).ToList();

        Assert.Equal(Enumerable.Range(0, TurnsAsked.AtOnceMax), told[0]);
        Assert.Equal(Enumerable.Range(TurnsAsked.AtOnceMax, TurnsAsked.AtOnceMax), told[1]);
        Assert.Equal([Members - 1, .. Enumerable.Range(0, TurnsAsked.AtOnceMax - 1)], told[2]);
    }

    [Fact]
    public void Take_WithinTheInterval_TellsNobodyTwiceUnlessHeWasFreeMeanwhile()
    {
        Assert.Equal([2, 5], Take(Noon, 2, 5));
        Assert.Empty(Take(Noon + ChangeTurns.AskInterval - TimeSpan.FromTicks(1), 2, 5));
        Assert.Empty(Take(Noon, 2));
        Assert.Equal([5], Take(Noon, 2, 5));
        Assert.Equal([2, 5], Take(Noon + ChangeTurns.AskInterval, 2, 5).Order());
    }

    [Fact]
    public void Take_WithoutMembers_TellsNobody() => Assert.Empty(_turns.Take(0, _ => true, Noon));

    [Fact]
    public void Take_WhenNobodyIsBusy_AllocatesNothing()
    {
        Func<int, bool> isBusy = _ => false;
        Assert.Empty(_turns.Take(Members, isBusy, Noon));

        var before = GC.GetAllocatedBytesForCurrentThread();
        var told = _turns.Take(Members, isBusy, Noon);

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.Empty(told);
    }

    private IReadOnlyList<int> Take(DateTimeOffset now, params int[] busy) =>
        _turns.Take(Members, member => busy.Length == 0 || busy.Contains(member), now);
}
