using System.Collections.Immutable;
using System.Globalization;
using CsCheck;
using Muster.Domain.Devices;
using Muster.Domain.Rollouts;
using static Muster.Domain.Tests.Rollouts.RolloutBuilder;

namespace Muster.Domain.Tests.Devices;

/// <summary>When devices may begin to install, and how long they have had for it, over changes of the clock too.</summary>
public sealed class InstallTimesTests
{
    private const string Berlin = "Europe/Berlin";

    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    private static readonly OfferWindow Nights = new("0 22 * * *", TimeSpan.FromHours(4), Berlin);

    private static readonly string[] Recurrences =
        ["30 2 * * *", "0 1,2,3 * * *", "0 22 * * *", "15 0 * * SUN", "30 */3 * * *", "0 * * * *"];

    private static readonly Gen<OfferWindow> AnyWindow = Gen.Select(
        Gen.Int[0, Recurrences.Length - 1], Gen.Int[5, 90],
        (recurrence, minutes) => new OfferWindow(Recurrences[recurrence], TimeSpan.FromMinutes(minutes), Berlin));

    /// <summary>2026-03-29: 02:00 becomes 03:00; 2026-10-25: 03:00 becomes 02:00, both at 01:00Z.</summary>
    [Theory]
    [InlineData("2026-03-27T20:00:00Z")]
    [InlineData("2026-10-23T20:00:00Z")]
    public void End_OfAnyTimeAroundAChangeOfTheClock_IsWhenTheMinutesThatCountAddUpToIt(string around) => Gen.Select(
            AnyWindow.Array[1, 3], Gen.Int[0, 2_880], Gen.Int[1, 300], Gen.Int[-1, 2_880])
        .Sample(
            (windows, after, length, begins) =>
            {
                ImmutableArray<OfferWindow> all = [.. windows];
                var from = At(around) + (after * Minute);
                var since = begins < 0 ? (DateTimeOffset?)null : from + (begins * Minute);
                var (time, left) = (from, length);
                while (left > 0)
                {
                    left -= since <= time || OfferWindow.IsOpen(all, time) ? 1 : 0;
                    time += Minute;
                }

                Assert.Equal(time, InstallTimes.End(all, from, length * Minute, since));
            },
            iter: 60);

    [Theory]
    [InlineData("2026-03-27T20:00:00Z")]
    [InlineData("2026-10-23T20:00:00Z")]
    public void Next_AroundAChangeOfTheClock_IsEveryMinuteInWhichAWindowIsOpen(string around) => Gen.Select(
            AnyWindow.Array[1, 3], Gen.Int[0, 2_880])
        .Sample(
            (windows, after) =>
            {
                ImmutableArray<OfferWindow> all = [.. windows];
                var now = At(around) + (after * Minute);
                var next = InstallTimes.Next(all, now);

                Assert.InRange(next.Length, 1, InstallTimes.IntervalsMax);
                Assert.True(next[0].OpensAt >= now);
                Assert.All(next.Zip(next.Skip(1)), pair => Assert.True(pair.First.ClosesAt < pair.Second.OpensAt
                    || (pair.First.ClosesAt == pair.Second.OpensAt && pair.First.ClosesAt - pair.First.OpensAt >= TimeSpan.FromDays(1))));
                for (var time = now; time < next[^1].ClosesAt && time < now.AddDays(3); time += Minute)
                {
                    var isTold = next.Any(interval => interval.OpensAt <= time && time < interval.ClosesAt);
                    Assert.Equal(OfferWindow.IsOpen(all, time), isTold);
                }
            },
            iter: 40);

    /// <summary>Whoever asks between two of them is told the same time, so that an activation goes on where another one was.</summary>
    [Theory]
    [InlineData(0, 1)]
    [InlineData(23.9, 1)]
    [InlineData(24, 2)]
    [InlineData(100, 5)]
    [InlineData(-1, 1)] // a clock that was set back
    public void NextRenewal_OfNights_IsAWholeNumberOfDaysBehindTheDelivery(double hours, int days)
    {
        var delivered = At("2026-06-01T09:17:31Z");

        Assert.Equal(delivered.AddDays(days), InstallTimes.NextRenewal([Nights], delivered, delivered.AddHours(hours)));
    }

    /// <summary>A tick before the window is shut, where least is left of it, of the shortest one; and of one that never opens.</summary>
    [Theory]
    [InlineData("* * * * *", 210)] // half of seven minutes and a tick
    [InlineData("0 0 30 2 *", 86_400)]
    public void NextRenewal_AtTheEndOfAWindow_IsLater(string recurrence, int seconds)
    {
        var now = At("2026-06-01T10:00:01Z").AddTicks(-1);
        ImmutableArray<OfferWindow> windows = [new(recurrence, TimeSpan.FromSeconds(1), "UTC")];

        var next = InstallTimes.NextRenewal(windows, now, now);

        Assert.Equal(InstallTimes.RenewalOf(InstallTimes.Next(windows, now), now), next);
        Assert.InRange(next - now, TimeSpan.FromSeconds(seconds - 1), TimeSpan.FromSeconds(seconds + 1));
    }

    [Fact]
    public void Next_OfNights_IsEightOfThemAndTheRestOfThis()
    {
        var next = InstallTimes.Next([Nights], At("2026-10-23T21:00:00Z"));

        Assert.Equal(
            [
                (At("2026-10-23T21:00:00Z"), At("2026-10-24T00:00:00Z")),
                (At("2026-10-24T20:00:00Z"), At("2026-10-25T00:00:00Z")),
                (At("2026-10-25T21:00:00Z"), At("2026-10-26T01:00:00Z")), // the clock was changed
            ],
            next.Take(3).Select(interval => (interval.OpensAt, interval.ClosesAt)));
        Assert.Equal(InstallTimes.IntervalsMax, next.Length);
    }

    [Fact]
    public void RenewalOf_WhatADeviceWasTold_IsADayLaterOrAtHalfOfIt()
    {
        var now = At("2026-06-01T10:00:00Z");
        ImmutableArray<OfferWindow> hours = [new("0 * * * *", TimeSpan.FromMinutes(30), "UTC")];

        Assert.Equal(now.AddDays(1), InstallTimes.RenewalOf(InstallTimes.Next([Nights], now), now));
        Assert.Equal(now.AddMinutes(225), InstallTimes.RenewalOf(InstallTimes.Next(hours, now), now)); // until 17:30
        Assert.Equal(now.AddDays(1), InstallTimes.RenewalOf([], now));
    }

    [Fact]
    public void Next_OfWindowsWithoutAGap_MergesThemToDays()
    {
        ImmutableArray<OfferWindow> halves =
            [new("0 0 * * *", TimeSpan.FromHours(12), "UTC"), new("0 12 * * *", TimeSpan.FromHours(12), "UTC")];

        var next = InstallTimes.Next(halves, At("2026-06-01T00:00:00Z"));

        Assert.Equal((At("2026-06-01T00:00:00Z"), At("2026-06-02T00:00:00Z")), (next[0].OpensAt, next[0].ClosesAt));
        Assert.Equal(At("2026-06-09T00:00:00Z"), next[^1].ClosesAt);
    }

    [Fact]
    public void DeadlineOf_WithInstallWindows_IsHeldWhileTheyAreShutAndNeverBeginsAnew()
    {
        var timers = new ChangeTimers(TimeSpan.FromHours(6), TimeSpan.FromDays(7)) { InstallWindows = [Nights] };
        var delivered = At("2026-06-01T10:00:00Z");

        // Four hours of the first night, two of the second; or on from where it began, what was used of the first night included.
        Assert.Equal(At("2026-06-02T22:00:00Z"), timers.DeadlineOf(delivered, delivered));
        Assert.Equal(At("2026-06-02T02:00:00Z"), timers.DeadlineOf(delivered, delivered, At("2026-06-01T23:00:00Z")));
        Assert.Equal(At("2026-06-02T12:00:00Z"), timers.DeadlineOf(delivered, delivered, At("2026-06-02T10:00:00Z")));
        Assert.Equal(delivered.AddHours(6), timers.DeadlineOf(delivered, delivered, delivered));
        Assert.Equal(delivered.AddDays(7), timers.DeadlineOf(delivered, null));
        Assert.Null((timers with { InProgressPolicy = TimeoutPolicy.Wait }).DeadlineOf(delivered, delivered));
        Assert.False(timers.IsAway(delivered, null, At("2026-06-02T21:59:59Z")));
        Assert.True(timers.IsAway(delivered, null, At("2026-06-02T22:00:00Z")));
        Assert.True(timers.IsAway(null, null, delivered));
    }

    /// <summary>Whether a time is over is asked without its end, and answered as by its end.</summary>
    [Theory]
    [InlineData(TimeoutPolicy.Fail)]
    [InlineData(TimeoutPolicy.LeaveOut)]
    [InlineData(TimeoutPolicy.Wait)]
    public void IsOver_AtAnyTime_IsBehindTheDeadline(TimeoutPolicy policy)
    {
        var offered = At("2026-06-01T09:00:00Z");
        foreach (var windows in (ImmutableArray<OfferWindow>[])[[], [Nights]])
        {
            var timers = new ChangeTimers(TimeSpan.FromHours(6), TimeSpan.FromHours(9))
            {
                InProgressPolicy = policy, UndeliveredPolicy = policy, InstallWindows = windows,
            };
            var ends = timers with { InProgressPolicy = TimeoutPolicy.Fail };
            foreach (var (delivered, since) in (
                (DateTimeOffset?, DateTimeOffset?)[])[(null, null), (offered, null), (offered, offered.AddHours(14)), (offered, offered)])
            {
                for (var now = offered; now < offered.AddDays(3); now += TimeSpan.FromMinutes(30))
                {
                    var isOver = timers.DeadlineOf(offered, delivered, since) <= now;
                    var isAway = delivered is null || ends.DeadlineOf(offered, delivered, since) <= now;
                    Assert.Equal((isOver, isAway), (timers.IsOver(offered, delivered, since, now), timers.IsAway(delivered, since, now)));
                }
            }
        }
    }

    [Theory]
    [InlineData("0 0 30 2 *", 60, "install_windows[0].recurrence")] // no such day
    [InlineData("0 22 * * *", 14, "install_windows[0].duration")] // a quarter of an hour at least
    [InlineData("*/30 * * * *", 31, "install_windows[0].duration")] // opens again before it shuts
    [InlineData("0 0,12 31,1 12,1 *", 800, "install_windows[0].duration")] // the same, at the end of a month only
    [InlineData("0 0 29 2 *", 300, "install_windows")] // a silent device would hold its place for years
    [InlineData("0 0 1 1 *", 300, "install_windows")] // nearly a year
    [InlineData("0 0 1 * *", 30, "install_windows")] // eight months, until it had its four hours
    public void Validate_OfAnInstallWindowThatCannotBe_SaysWhatToDo(string recurrence, int minutes, string field)
    {
        var spec = Spec(Wave(Amount.Percent(100))) with
        {
            InstallWindows = [new(recurrence, TimeSpan.FromMinutes(minutes), Berlin)],
            InProgressTimeout = TimeSpan.FromHours(4),
        };

        Assert.Equal(field, Assert.Single(RolloutSpecRules.Validate(spec)).Field);
    }

    [Fact]
    public void Validate_OfInstallWindows_AcceptsThoseThatFollowOneAnotherAndNotTooMany()
    {
        var spec = Spec(Wave(Amount.Percent(100))) with
        {
            InstallWindows = [Nights, new("*/30 * * * *", TimeSpan.FromMinutes(30), Berlin)],
            InProgressTimeout = TimeSpan.FromHours(4),
        };

        Assert.Empty(RolloutSpecRules.Validate(spec));
        Assert.Empty(RolloutSpecRules.Validate(
            spec with { InstallWindows = [new("0 0 1 1,4,7,10 *", TimeSpan.FromHours(5), Berlin)] }));
        Assert.Equal(
            ["install_windows"],
            RolloutSpecRules.Validate(spec with { InstallWindows = [.. Enumerable.Repeat(Nights, OfferWindow.WindowsMax + 1)] })
                .Select(problem => problem.Field));
        Assert.Equal(spec, spec with { InstallWindows = [.. spec.InstallWindows] });
        Assert.NotEqual(spec.Fingerprint, (spec with { InstallWindows = [] }).Fingerprint);
    }

    private static DateTimeOffset At(string text) => DateTimeOffset.Parse(text, CultureInfo.InvariantCulture);
}
