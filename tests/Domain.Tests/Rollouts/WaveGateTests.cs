using Muster.Domain.Rollouts;
using static Muster.Domain.Tests.Rollouts.RolloutBuilder;

namespace Muster.Domain.Tests.Rollouts;

public sealed class WaveGateTests
{
    [Theory]
    [InlineData(100, 5, 4, 0, 1, 0, GateVerdict.Open)] // hawkBit: 4 ok and 1 cancelled finish the group
    [InlineData(100, 5, 3, 1, 0, 1, GateVerdict.BelowThreshold)]
    [InlineData(80, 5, 4, 1, 0, 0, GateVerdict.Open)] // exactly at the threshold
    [InlineData(81, 5, 4, 1, 0, 0, GateVerdict.BelowThreshold)]
    [InlineData(90, 10, 9, 0, 0, 0, GateVerdict.Open)] // the tenth cannot change it any more
    [InlineData(90, 10, 8, 1, 0, 0, GateVerdict.Undecided)]
    [InlineData(90, 10, 0, 2, 0, 0, GateVerdict.BelowThreshold)] // said as soon as it cannot be reached
    [InlineData(33, 3, 1, 2, 0, 0, GateVerdict.Open)] // 100 >= 99, no rounding
    [InlineData(34, 3, 1, 2, 0, 0, GateVerdict.BelowThreshold)] // 100 < 102
    [InlineData(100, 5, 0, 0, 5, 0, GateVerdict.NoEvidence)] // all skipped
    [InlineData(0, 5, 0, 5, 0, 0, GateVerdict.NoEvidence)] // whatever the percentage
    [InlineData(100, 5, 0, 0, 0, 5, GateVerdict.Open)] // nobody remains
    public void Success_ForTotals_IsExact(
        int percent, int members, int succeeded, int failed, int skipped, int removed, GateVerdict expected)
    {
        var totals = Totals(members, succeeded, failed, skipped: skipped, removed: removed);

        Assert.Equal(expected, WaveGate.Success(Wave(Amount.Count(members), percent), totals));
    }

    [Theory]
    [InlineData(3, 5, 2, 3, GateVerdict.NoEvidence)]
    [InlineData(3, 2, 2, 0, GateVerdict.Open)] // every remaining member if fewer
    [InlineData(3, 5, 3, 2, GateVerdict.Open)]
    public void Success_WithMinSucceeded_NeedsThatManyOrAllThatRemain(
        int minSucceeded, int members, int succeeded, int skipped, GateVerdict expected)
    {
        var gate = Wave(Amount.Count(members), 50, minSucceeded);

        Assert.Equal(expected, WaveGate.Success(gate, Totals(members, succeeded, skipped: skipped)));
    }

    [Theory]
    [InlineData(null, 23, 1, 3, 1, true)] // hawkBit: 1 of 4 is 25 %
    [InlineData(null, 25, 1, 3, 1, true)] // at the threshold we fire
    [InlineData(null, 26, 1, 3, 1, false)]
    [InlineData(null, 10, 5, 3, 1, false)] // too few finished
    [InlineData(null, 10, 4, 3, 1, true)]
    [InlineData(2, null, 1, 90, 1, false)]
    [InlineData(2, null, 1, 90, 2, true)]
    [InlineData(null, 1, 1, 5, 0, false)]
    [InlineData(null, null, 1, 0, 5, false)]
    public void FailureFires_ForTotals_IsExact(int? count, int? percent, int minFinished, int succeeded, int failed, bool expected)
    {
        var wave = new WavePlan
        {
            Cut = new WaveCut(0, "", false, 100, 0, 0),
            State = WaveState.Running,
            Totals = Totals(100, succeeded, failed),
        };

        Assert.Equal(expected, WaveGate.FailureFires(new FailureGate(count, percent, minFinished), wave));
    }

    [Fact]
    public void FailureFires_ForTimedOutAndRejected_CountsThemAsFailed()
    {
        var wave = new WavePlan
        {
            Cut = new WaveCut(0, "", false, 10, 0, 0),
            State = WaveState.Passed,
            Totals = Totals(10, failed: 1, timedOut: 1, rejected: 1),
        };

        Assert.True(WaveGate.FailureFires(new FailureGate(3, null, 1), wave));
    }
}
