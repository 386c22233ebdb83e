using System.Collections.Immutable;
using System.Globalization;
using Muster.Domain.Rollouts;
using Orleans;
using static Muster.Domain.Tests.Rollouts.RolloutBuilder;

namespace Muster.Domain.Tests.Rollouts;

/// <summary>When windows are open, on days on which the clock is changed above all.</summary>
public sealed class OfferWindowTests
{
    private static readonly OfferWindow Nights = new("0 22 * * MON-FRI", TimeSpan.FromHours(6), "Europe/Stockholm");

    [Theory]
    [InlineData("2026-06-01T19:59:59Z", false)] // a Monday, 21:59:59 there
    [InlineData("2026-06-01T20:00:00Z", true)]
    [InlineData("2026-06-02T01:59:59Z", true)]
    [InlineData("2026-06-02T02:00:00Z", false)]
    [InlineData("2026-12-01T20:30:00Z", false)] // winter: 21:30
    [InlineData("2026-12-01T21:00:00Z", true)]
    [InlineData("2026-06-06T20:30:00Z", false)] // a Saturday
    [InlineData("2026-06-06T01:30:00Z", true)] // Friday's, past midnight
    public void IsOpen_ByTheZonesClock_FromItsStartForItsDuration(string now, bool isOpen) =>
        Assert.Equal(isOpen, OfferWindow.IsOpen([Nights], At(now)));

    [Theory]

    // 2026-03-29: 02:00 becomes 03:00 (01:00Z). A start in the hour that is not there is at its end, and lasts as long as ever.
    [InlineData("30 2 * * *", "2026-03-28T12:00:00Z", "2026-03-29T01:00:00Z", "2026-03-29T03:00:00Z")]

    // 2026-10-25: 03:00 becomes 02:00 (01:00Z). A start that the clock shows twice is the first, and there is no second that day.
    [InlineData("30 2 * * *", "2026-10-24T12:00:00Z", "2026-10-25T00:30:00Z", "2026-10-25T02:30:00Z")]
    [InlineData("30 2 * * *", "2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z", "2026-10-26T03:30:00Z")]

    // Over both, a window that began before lasts as long as ever too: two hours, not one or three.
    [InlineData("0 1 * * *", "2026-03-28T12:00:00Z", "2026-03-29T00:00:00Z", "2026-03-29T02:00:00Z")]
    [InlineData("30 1 * * *", "2026-10-24T12:00:00Z", "2026-10-24T23:30:00Z", "2026-10-25T01:30:00Z")]
    public void NextOpening_OverAChangeOfTheClock_OpensOnceAndLastsAsLongAsEver(string recurrence, string now, string opens, string closes)
    {
        ImmutableArray<OfferWindow> windows = [new(recurrence, TimeSpan.FromHours(2), "Europe/Stockholm")];
        var second = TimeSpan.FromSeconds(1);

        Assert.Equal(At(opens), OfferWindow.NextOpening(windows, At(now)));
        Assert.False(OfferWindow.IsOpen(windows, At(opens) - second));
        Assert.True(OfferWindow.IsOpen(windows, At(opens)));
        Assert.True(OfferWindow.IsOpen(windows, At(closes) - second));
        Assert.False(OfferWindow.IsOpen(windows, At(closes)));
    }

    [Fact]
    public void IsOpen_OfARecurrenceWithinTheDay_OpensInBothHoursThatTheClockShowsTwice()
    {
        ImmutableArray<OfferWindow> windows = [new("30 */1 * * *", TimeSpan.FromMinutes(10), "Europe/Stockholm")];

        Assert.True(OfferWindow.IsOpen(windows, At("2026-10-25T00:30:00Z")));
        Assert.True(OfferWindow.IsOpen(windows, At("2026-10-25T01:30:00Z")));
    }

    [Fact]
    public void IsOpen_OfSeveral_IsWhenAnyIsAndWithoutAnyAlways()
    {
        var noon = new OfferWindow("0 12 * * *", TimeSpan.FromHours(1), "America/New_York");

        Assert.True(OfferWindow.IsOpen([Nights, noon], At("2026-06-06T16:30:00Z")));
        Assert.True(OfferWindow.IsOpen([], At("2026-06-06T16:30:00Z")));
        Assert.True(OfferWindow.IsOpen(default, At("2026-06-06T16:30:00Z")));
        Assert.Equal(At("2026-06-06T16:00:00Z"), OfferWindow.NextOpening([Nights, noon], At("2026-06-06T05:00:00Z")));
        Assert.Null(OfferWindow.NextOpening([], Start));
    }

    [Theory]
    [InlineData("0 0 30 2 *", "Europe/Stockholm", 60, "windows[0].recurrence")] // no such day
    [InlineData("0 22 * *", "Europe/Stockholm", 60, "windows[0].recurrence")]
    [InlineData("H 22 * * *", "Europe/Stockholm", 60, "windows[0].recurrence")]
    [InlineData("@daily", "Europe/Stockholm", 60, "windows[0].recurrence")]
    [InlineData("", "Europe/Stockholm", 60, "windows[0].recurrence")]
    [InlineData("0 22 * * *", "Europe/Atlantis", 60, "windows[0].time_zone")]
    [InlineData("0 22 * * *", "", 60, "windows[0].time_zone")]
    [InlineData("0 22 * * *", "Europe/Stockholm", 59, "windows[0].duration")]
    [InlineData("0 22 * * *", "Europe/Stockholm", 700_000, "windows[0].duration")]
    public void Validate_OfAWindowThatCannotBe_NamesTheField(string recurrence, string zone, int seconds, string field)
    {
        var spec = Spec(Wave(Amount.Percent(100))) with { Windows = [new(recurrence, TimeSpan.FromSeconds(seconds), zone)] };

        Assert.Equal(field, Assert.Single(RolloutSpecRules.Validate(spec)).Field);
    }

    [Fact]
    public void Validate_OfWindows_AcceptsThoseThatOpenAndNotTooMany()
    {
        var spec = Spec(Wave(Amount.Percent(100))) with { Windows = [Nights, Nights with { Recurrence = "0 4 29 2 THU" }] };

        Assert.Empty(RolloutSpecRules.Validate(spec));
        Assert.Equal(
            ["windows"],
            RolloutSpecRules.Validate(spec with { Windows = [.. Enumerable.Repeat(Nights, OfferWindow.WindowsMax + 1)] })
                .Select(problem => problem.Field));
        Assert.Equal(spec, spec with { Windows = [.. spec.Windows] });
    }

    /// <summary>What one has read of its texts is not taken over by a window with others, and changes nothing of what it is.</summary>
    [Fact]
    public void With_OfAWindowThatWasAsked_GoesByItsOwnTexts()
    {
        var (now, hour) = (At("2026-06-01T00:00:00Z"), TimeSpan.FromHours(1));
        var morning = new OfferWindow("0 9 * * *", hour, "UTC");

        var asked = OfferWindow.NextOpening([morning], now);
        var (evening, abroad) = (morning with { Recurrence = "0 21 * * *" }, morning with { TimeZone = "Europe/Stockholm" });

        Assert.Equal(
            (now.AddHours(9), now.AddHours(21), now.AddHours(7)),
            (asked, OfferWindow.NextOpening([evening], now), OfferWindow.NextOpening([abroad], now)));
        Assert.Equal(new OfferWindow("0 9 * * *", hour, "UTC"), morning);
        Assert.Equal(new OfferWindow("0 9 * * *", hour, "UTC").GetHashCode(), morning.GetHashCode());
        Assert.All([evening, abroad, morning with { Duration = 2 * hour }, null], other => Assert.NotEqual(morning, other));
    }

    [Fact]
    public void Plan_WhileNoWindowIsOpen_GrantsNothingAndSaysUntilWhen()
    {
        var spec = Spec(Wave(Amount.Percent(100))) with
        {
            Windows = [new("0 22 * * *", TimeSpan.FromHours(2), "Europe/Stockholm")],
            DevicesPerMinute = 1,
        };
        var plan = Started(spec, 5); // at 08:00Z on the first of March

        var (closed, report) = Step(spec, plan, 1, Totals(5));
        var (open, _) = Step(spec, closed, 13 * 3_600, Totals(5));

        Assert.Equal(0, closed.Shares[0].Waves[0].Granted);
        Assert.Equal([WaitingOn.Window], report.Waves[0].WaitingOn);
        Assert.Equal(At("2026-03-01T21:00:00Z"), report.Waves[0].WindowOpensAt);
        Assert.Equal(At("2026-03-01T21:00:00Z"), report.NextLookAt);
        Assert.Equal(1, open.Shares[0].Waves[0].Granted);
    }

    /// <summary>Both are written by hand, because what a window has read of its texts is neither compared nor copied.</summary>
    [Fact]
    public void Equals_AndACopy_KnowEveryPropertyThatIsStored()
    {
        var stored = typeof(OfferWindow).GetProperties()
            .Where(property => property.IsDefined(typeof(IdAttribute), inherit: false))
            .ToList();

        Assert.NotEmpty(stored);
        Assert.All(stored, property =>
        {
            var other = Nights with { };
            property.SetValue(other, property.PropertyType == typeof(string) ? "other"
                : property.PropertyType == typeof(TimeSpan) ? TimeSpan.FromDays(3)
                : throw new NotSupportedException($"Say here what another {property.Name} is."));

            Assert.NotEqual(Nights, other);
            Assert.NotEqual(Nights.GetHashCode(), other.GetHashCode());
            Assert.Equal(property.GetValue(other), property.GetValue(other with { }));
            Assert.Equal(other, other with { });
        });
    }

    private static DateTimeOffset At(string text) => DateTimeOffset.Parse(text, CultureInfo.InvariantCulture);
}
