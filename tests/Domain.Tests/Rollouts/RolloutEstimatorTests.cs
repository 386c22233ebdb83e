using System.Globalization;
using Muster.Domain.Devices;
using Muster.Domain.Rollouts;
using static Muster.Domain.Tests.Rollouts.RolloutBuilder;

namespace Muster.Domain.Tests.Rollouts;

/// <summary>When a rollout ends, by the planner itself from where it is.</summary>
public sealed class RolloutEstimatorTests
{
    private static readonly RolloutSpec TwoWaves = Spec(Wave(Amount.Count(10), 90, soakSeconds: 7_200), Wave(Amount.Percent(100), 90));

    private static readonly RolloutSpec Nights = Spec(Wave(Amount.Percent(100), 90)) with
    {
        InstallWindows = [new OfferWindow("0 22 * * *", TimeSpan.FromHours(4), "UTC")],
        InProgressTimeout = TimeSpan.FromMinutes(1),
        InProgressPolicy = TimeoutPolicy.LeaveOut,
        MaxUnavailable = Amount.Count(2),
    };

    [Fact]
    public void Of_TheLastWaveThatSoaks_IsTheEndOfItsSoak()
    {
        var spec = Spec(Wave(Amount.Percent(100), 90, soakSeconds: 7_200));
        var soaking = Step(spec, Granted(Started(spec, 10), 10), 60, Totals(10, succeeded: 10)).Next;

        var estimate = RolloutEstimator.Of(RolloutOf(spec, soaking), Start.AddMinutes(31));

        Assert.Equal((Start.AddSeconds(7_260), EstimateStop.Unspecified), (estimate.EndsAt, estimate.Stop));
        Assert.StartsWith("ends about 2026-03-01 10:01:00Z: 0 devices have no outcome", estimate.Text, StringComparison.Ordinal);
    }

    /// <summary>The rate alone needs 100 minutes for the rest; the last of them take theirs.</summary>
    [Fact]
    public void Of_ARolloutWithARate_HasToOfferToAllFirst()
    {
        var spec = Spec(Wave(Amount.Percent(100), 90)) with { DevicesPerMinute = 10 };
        var running = Step(spec, Started(spec, 1_000), 1, Totals(1_000)).Next;

        var estimate = RolloutEstimator.Of(RolloutOf(spec, running), Start.AddSeconds(1));

        Assert.InRange(estimate.EndsAt!.Value, Start.AddMinutes(105), Start.AddMinutes(200));
    }

    [Fact]
    public void Of_ARolloutWithABudget_TakesAsLongAsTheDevicesHaveTaken()
    {
        // Ten at a time that have taken half an hour each: nine more rounds of them, or more, since the slowest of each take longer.
        var spec = Spec(Wave(Amount.Percent(100), 90)) with { MaxUnavailable = Amount.Count(10) };
        var offered = Step(spec, Granted(Started(spec, 100), 10), 1, Totals(100, inProgress: 10)).Next;
        var ended = Step(spec, offered, 1_800, Totals(100, succeeded: 10)).Next;

        var estimate = RolloutEstimator.Of(RolloutOf(spec, ended), Start.AddSeconds(1_800));

        Assert.Contains("a device has taken 30 min so far", estimate.Text, StringComparison.Ordinal);
        Assert.InRange(estimate.EndsAt!.Value, Start.AddMinutes(30 + 240), Start.AddMinutes(30 + 420));
    }

    [Fact]
    public void Of_ARolloutWithWindows_WaitsForTheNextOnes()
    {
        var spec = Spec(Wave(Amount.Percent(100), 90)) with { Windows = [new OfferWindow("0 22 * * *", TimeSpan.FromHours(2), "UTC")] };
        var (waiting, report) = Step(spec, Started(spec, 10), 1, Totals(10));

        var estimate = RolloutEstimator.Of(RolloutOf(spec, waiting), Start.AddSeconds(1));
        var wait = Assert.Single(WaveExplanation.Of(RolloutOf(spec, waiting), report.Waves, 0, 0)!.Waits);

        Assert.InRange(estimate.EndsAt!.Value, Start.AddHours(14), Start.AddHours(16));
        Assert.Equal((WaitingOn.Window, Start.AddHours(14)), (wait.On, wait.Until));
        Assert.EndsWith("the next one opens at 2026-03-01 22:00:00Z", wait.Text, StringComparison.Ordinal);
    }

    /// <summary>
    /// Devices may begin from 22 o'clock on, and each is left out when its minute is over: of three thousand that take as long as is
    /// assumed one is faster. So nothing in it is chance. It is 08:10.
    /// </summary>
    [Theory]
    [InlineData(1, 1, 0, "2026-03-01 08:11:00Z")] // installs, and goes on although the window is shut
    [InlineData(1, 0, 0, "2026-03-01 22:01:00Z")]
    [InlineData(2, 0, 3, "2026-03-01 22:03:00Z")] // two at a time from 22 o'clock on: 2, 2 and 1
    [InlineData(2, 1, 3, "2026-03-01 22:02:00Z")] // a place is free at 08:11, and taken by one that waits: 2 and 2
    [InlineData(2, 1, 4, "2026-03-01 22:03:00Z")]
    [InlineData(2, 2, 4, "2026-03-01 22:02:00Z")] // both places are: 2 and 2
    public void Of_DevicesWithInstallWindows_KnowsWhichInstallAlready(int inProgress, int installing, int waiting, string expected)
    {
        var spec = Nights;
        var totals = Totals(6 + inProgress + waiting, succeeded: 6, inProgress: inProgress) with { Installing = installing };
        var running = Step(spec, Granted(Started(spec, totals.Members), 6 + inProgress), 600, totals).Next;

        var estimate = RolloutEstimator.Of(RolloutOf(spec, running), Start.AddSeconds(600));

        Assert.Equal(expected, estimate.EndsAt?.ToString("u", CultureInfo.InvariantCulture));
        var others = $"; of {inProgress} in progress {installing} install already, the others may from 2026-03-01 22:00:00Z on";
        Assert.Equal(installing < inProgress, estimate.Text.Contains(others, StringComparison.Ordinal));
    }

    /// <summary>Who waits is asked to give the change up, and does so at once.</summary>
    [Fact]
    public void Of_ACancelledRolloutWithInstallWindows_NamesNoWindow()
    {
        var running = Step(Nights, Granted(Started(Nights, 8), 8), 600, Totals(8, succeeded: 6, inProgress: 2)).Next;
        var cancelled = RolloutLifecycle.Cancel(running, Order()).Next;

        var estimate = RolloutEstimator.Of(RolloutOf(Nights, cancelled), Start.AddSeconds(600));

        Assert.True(estimate.EndsAt < Start.AddHours(1), estimate.Text);
        Assert.DoesNotContain("install already", estimate.Text, StringComparison.Ordinal);
    }

    /// <summary>It is half past ten in the evening: all may begin, and nobody is said to wait.</summary>
    [Fact]
    public void Of_DevicesWithinTheirInstallWindow_BeginAtOnce()
    {
        var running = Step(
            Nights, Granted(Started(Nights, 10), 9), 14 * 3_600 + 1_800, Totals(10, succeeded: 7, inProgress: 2)).Next;

        var estimate = RolloutEstimator.Of(RolloutOf(Nights, running), Start.AddHours(14.5));

        // Two places, of which the third takes one when a minute is over.
        Assert.Equal(Start.AddHours(14.5).AddMinutes(2), estimate.EndsAt);
        Assert.DoesNotContain("install already", estimate.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void Of_AWaveThatWillNeedAnApprover_SaysFromWhen()
    {
        var spec = TwoWaves with { Waves = [TwoWaves.Waves[0] with { NeedsApproval = true }, TwoWaves.Waves[1]] };
        var soaking = Step(spec, Granted(Started(spec, 10, 90), 10, 0), 60, Totals(10, succeeded: 10), Totals(90)).Next;
        var waiting = Step(spec, soaking, 60 + 7_200, Totals(10, succeeded: 10), Totals(90)).Next;

        var before = RolloutEstimator.Of(RolloutOf(spec, soaking), Start.AddSeconds(60));
        var meanwhile = RolloutEstimator.Of(RolloutOf(spec, waiting), Start.AddSeconds(9_000));

        Assert.Equal((null, EstimateStop.Approval, Start.AddSeconds(7_260)), (before.EndsAt, before.Stop, before.StopsAt));
        Assert.Equal((null, EstimateStop.Approval, null), (meanwhile.EndsAt, meanwhile.Stop, meanwhile.StopsAt));
        Assert.StartsWith("unknown: wave 0 waits for an approver", meanwhile.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void Of_ARolloutWhoseDevicesFail_SaysThatAGateStopsIt()
    {
        var running = Step(TwoWaves, Granted(Started(TwoWaves, 10, 990), 10, 0), 60, Totals(10, succeeded: 9, failed: 1), Totals(990)).Next;
        var second = Step(TwoWaves, running, 7_300, Totals(10, succeeded: 9, failed: 1), Totals(990, succeeded: 20, failed: 15)).Next;

        var estimate = RolloutEstimator.Of(RolloutOf(TwoWaves, second), Start.AddSeconds(7_300));

        Assert.Equal((null, EstimateStop.Gate), (estimate.EndsAt, estimate.Stop));
        Assert.True(estimate.StopsAt > Start.AddSeconds(7_300));
        Assert.Contains("16 of 45 have failed", estimate.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void Of_ACancelledRollout_IsWhenItsDevicesHaveEnded()
    {
        var running = Step(TwoWaves, Granted(Started(TwoWaves, 10, 90), 10, 0), 60, Totals(10, inProgress: 10), Totals(90)).Next;
        var cancelling = RolloutLifecycle.Cancel(running, Order(Start.AddSeconds(90))).Next;

        var estimate = RolloutEstimator.Of(RolloutOf(TwoWaves, cancelling), Start.AddSeconds(90));

        Assert.InRange(estimate.EndsAt!.Value, Start.AddMinutes(5), Start.AddMinutes(62));
    }

    [Theory]
    [InlineData(RolloutState.Draft, EstimateStop.Start)]
    [InlineData(RolloutState.AwaitingApproval, EstimateStop.Start)]
    [InlineData(RolloutState.Paused, EstimateStop.Resume)]
    [InlineData(RolloutState.Suspended, EstimateStop.Resume)]
    public void Of_ARolloutThatSomebodyHasToMove_IsUnknown(RolloutState state, EstimateStop expected)
    {
        var plan = Started(TwoWaves, 10, 90) with { State = state };

        var estimate = RolloutEstimator.Of(RolloutOf(TwoWaves, plan), Start);

        Assert.Equal((null, expected), (estimate.EndsAt, estimate.Stop));
        Assert.StartsWith("unknown: ", estimate.Text, StringComparison.Ordinal);
        Assert.Equal(estimate, RolloutEstimator.WithoutSimulation(RolloutOf(TwoWaves, plan)));
    }

    [Theory]
    [InlineData(RolloutState.Running)]
    [InlineData(RolloutState.Cancelling)]
    public void WithoutSimulation_OfARolloutThatGoesOn_IsNull(RolloutState state) => Assert.Null(
        RolloutEstimator.WithoutSimulation(RolloutOf(TwoWaves, Started(TwoWaves, 10, 90) with { State = state })));

    [Fact]
    public void Of_DevicesThatAreAwayBusyOrToTryAgain_WaitsForThemToo()
    {
        var twice = new RetryPolicy(2, TimeSpan.FromHours(2), TimeSpan.FromHours(2));
        var spec = Spec(Wave(Amount.Percent(100), 50)) with { Retries = twice };
        var totals = Totals(40, succeeded: 20, inProgress: 4) with
        {
            Waiting = 13, WaitingOffline = 5, WaitingBusy = 2, Retrying = 3, RetryingOnline = 1,
        };
        var running = Step(spec, Granted(Started(spec, 40), 30), 600, totals).Next;

        var estimate = RolloutEstimator.Of(RolloutOf(spec, running), Start.AddSeconds(600));

        Assert.True(estimate.EndsAt > Start.AddHours(2), estimate.Text);
        Assert.Contains("5 without a session are taken to be back after half a day on average;", estimate.Text, StringComparison.Ordinal);
    }

    /// <summary>What it costs is bounded, whatever the rollout: this one would take two years.</summary>
    [Fact]
    public void Of_ARolloutOfAMillionDevicesAtOneAMinute_GivesUp()
    {
        var spec = Spec(Wave(Amount.Percent(100), 90)) with { DevicesPerMinute = 1 };
        var running = Step(spec, Started(spec, 1_000_000), 1, Totals(1_000_000)).Next;
        var began = TimeProvider.System.GetTimestamp();

        var estimate = RolloutEstimator.Of(RolloutOf(spec, running), Start);

        Assert.Equal((null, EstimateStop.TooFar), (estimate.EndsAt, estimate.Stop));
        TestContext.Current.TestOutputHelper?.WriteLine($"{TimeProvider.System.GetElapsedTime(began).TotalMilliseconds:0} ms");
    }

    [Theory]
    [InlineData(1_000, 0, 0)]
    [InlineData(100_000, 0, 0)]
    [InlineData(100_000, 500, 2_000)]
    public void Of_ARolloutOfAFleet_KnowsTheEnd(int devices, int perMinute, int budget)
    {
        var spec = Spec(Wave(Amount.Count(20), 90, soakSeconds: 3_600), Wave(Amount.Percent(10), 90), Wave(Amount.Percent(100), 90)) with
        {
            DevicesPerMinute = perMinute,
            MaxUnavailable = budget == 0 ? null : Amount.Count(budget),
        };
        var rest = devices - (devices / 10);
        var second = (devices / 10) - 20;
        var running = Step(spec, Started(spec, 20, second, rest), 1, Totals(20), Totals(second), Totals(rest)).Next;
        var began = TimeProvider.System.GetTimestamp();

        var estimate = RolloutEstimator.Of(RolloutOf(spec, running), Start);

        Assert.NotNull(estimate.EndsAt);
        var took = TimeProvider.System.GetElapsedTime(began).TotalMilliseconds;
        TestContext.Current.TestOutputHelper?.WriteLine($"{devices} devices, {perMinute} a minute: {took:0} ms; {estimate.Text}");
    }

    /// <summary>
    /// A device has taken 20 × 1,799 s / 17 on average, which makes the middle 28.2 minutes, three times as long one in twenty. Of three of
    /// which each is not done after so long, the last one's middle follows: that of one at 0.794, the third root of a half, of what is left
    /// of the distribution. In so many rollouts, which differ in their seed alone, the estimates are as often before it as behind it. They
    /// are whole minutes, rounded up. Counted from now on it would be 48.8 minutes, whenever they began.
    /// </summary>
    [Theory]
    [InlineData(null, 48.8)]
    [InlineData(5, 38.3)] // for 15 minutes: from the middle of their slot of half an hour on
    [InlineData(230, 76.8)] // for 225
    public void Of_TheLastDevices_AreCountedFromWhenTheyBegan(int? minutesAgo, double minutesLeft)
    {
        var spec = Spec(Wave(Amount.Percent(100), 50)) with { InProgressTimeout = TimeSpan.FromHours(8) };
        var now = Start.AddMinutes(30);
        var offered = Step(spec, Granted(Started(spec, 20), 20), 1, Totals(20, inProgress: 20)).Next;
        var totals = Totals(20, succeeded: 17, inProgress: 3) with
        {
            Since = minutesAgo is { } ago ? SinceTotals.Of(Enumerable.Repeat(now.AddMinutes(-ago), 3), spec.Timers) : null,
        };
        var running = Step(spec, offered, 1_800, totals).Next;

        var estimates = Enumerable.Range(1, 201).Select(seed => RolloutEstimator.Of(RolloutOf(spec with { Seed = seed }, running), now))
            .ToList();

        var middle = estimates.Select(estimate => (estimate.EndsAt!.Value - now).TotalMinutes).Order().ElementAt(100);
        Assert.InRange(middle, minutesLeft - 3, minutesLeft + 1 + 3);
        var basis = minutesAgo is null
            ? "; 3 in progress are taken to begin now"
            : "; of 3 in progress 3 are counted from when they began, the longest at least ";
        Assert.All(estimates, estimate => Assert.Contains(basis, estimate.Text, StringComparison.Ordinal));
    }

    /// <summary>Each is left out when its hour is over, and all take longer: so nothing in it is chance.</summary>
    [Theory]
    [InlineData(10, 50)]
    [InlineData(45, 15)]
    [InlineData(90, 0)]
    public void Of_DevicesThatTimeOut_EndsWhenTheTimeOfTheLastIsOver(int minutesAgo, int left)
    {
        var spec = Spec(Wave(Amount.Percent(100), 0)) with
        {
            InProgressTimeout = TimeSpan.FromHours(1), InProgressPolicy = TimeoutPolicy.LeaveOut,
        };
        var now = Start.AddMinutes(600);
        var offered = Step(spec, Granted(Started(spec, 26), 26), 1, Totals(26, inProgress: 26)).Next;

        // The twenty that have ended took ten hours each.
        var totals = Totals(26, succeeded: 20, inProgress: 6) with
        {
            Since = SinceTotals.Of(Enumerable.Repeat(now.AddMinutes(-minutesAgo), 6), spec.Timers),
        };
        var running = Step(spec, offered, 36_000, totals).Next;

        var estimate = RolloutEstimator.Of(RolloutOf(spec, running), now);

        var width = SinceTotals.WidthOf(spec.Timers);
        Assert.InRange(
            estimate.EndsAt!.Value - now, TimeSpan.FromMinutes(left) - width, TimeSpan.FromMinutes(left + 1) + width);
    }

    /// <summary>Whoever else has them, and whose turn it is then: the sentence says that it does not know.</summary>
    [Fact]
    public void Of_DevicesThatAreBusyWithOthers_SaysWhatItDoesNotKnow()
    {
        var spec = Spec(Wave(Amount.Percent(100), 50));
        var totals = Totals(20, succeeded: 10) with { WaitingBusy = 10 };
        var offered = Step(spec, Granted(Started(spec, 20), 10), 1, Totals(20, inProgress: 10)).Next;
        var running = Step(spec, offered, 1_800, totals).Next;

        var estimate = RolloutEstimator.Of(RolloutOf(spec, running), Start.AddSeconds(1_800));
        var none = RolloutEstimator.Of(
            RolloutOf(spec, Step(spec, running, 1_801, totals with { WaitingBusy = 0 }).Next), Start.AddSeconds(1_801));

        // Half an hour there, and as long here: not half a day, as who is away.
        Assert.InRange(estimate.EndsAt!.Value, Start.AddMinutes(30 + 45), Start.AddMinutes(30 + 240));
        Assert.True(none.EndsAt < estimate.EndsAt, $"{none.EndsAt}, {estimate.EndsAt}");
        Assert.Contains(
            "; it may be later, for 10 are busy with other rollouts: when those end there, and whose turn it is then, is not known",
            estimate.Text,
            StringComparison.Ordinal);
        Assert.DoesNotContain("busy", none.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void Of_TheSameRolloutAtTheSameTime_IsTheSame()
    {
        var running = Step(TwoWaves, Started(TwoWaves, 10, 90), 1, Totals(10), Totals(90)).Next;

        Assert.Equal(
            RolloutEstimator.Of(RolloutOf(TwoWaves, running), Start), RolloutEstimator.Of(RolloutOf(TwoWaves, running), Start));
    }
}
