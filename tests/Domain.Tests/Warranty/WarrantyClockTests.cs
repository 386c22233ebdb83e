using Muster.Domain.Warranty;

namespace Muster.Domain.Tests.Warranty;

public sealed class WarrantyClockTests
{
    [Theory]
    [InlineData("2024-05-10", 12, "2025-05-09")]
    [InlineData("2024-05-01", 60, "2029-04-30")]
    [InlineData("2024-01-01", 1, "2024-01-31")]
    [InlineData("2023-01-28", 1, "2023-02-27")]
    [InlineData("2023-01-29", 1, "2023-02-28")]
    [InlineData("2023-01-30", 1, "2023-02-28")]
    [InlineData("2023-01-31", 1, "2023-02-28")]
    [InlineData("2024-01-29", 1, "2024-02-28")]
    [InlineData("2024-01-30", 1, "2024-02-29")]
    [InlineData("2024-01-31", 1, "2024-02-29")]
    [InlineData("2024-02-29", 12, "2025-02-28")]
    [InlineData("2024-02-29", 48, "2028-02-28")]
    [InlineData("2024-03-31", 1, "2024-04-30")]
    [InlineData("2024-03-01", 240, "2044-02-29")]
    public void LastDay_ByCalendarMonths_FollowsTheMonthEndRule(string startsOn, int months, string lastDay)
    {
        var term = new WarrantyTerm(Day(startsOn), months);

        Assert.Equal(Day(lastDay), WarrantyClock.LastDay(term));
    }

    [Fact]
    public void LastDay_OfEveryStartInFourYears_NeverFallsBelowTheCalendarsMonths()
    {
        for (var start = new DateOnly(2023, 1, 1); start.Year < 2027; start = start.AddDays(1))
        {
            foreach (var months in new[] { 1, 2, 3, 12, 13, 36, 60 })
            {
                var last = WarrantyClock.LastDay(new WarrantyTerm(start, months));

                // The day after is the same day of the month, or the first of the next when there is none.
                Assert.NotNull(last);
                var after = last.Value.AddDays(1);
                Assert.True(after.Day == start.Day || (after.Day == 1 && last.Value.Day < start.Day), $"{start} {months}");
                Assert.Equal(start.AddMonths(months).Month, after.Day == start.Day ? after.Month : last.Value.Month);
            }
        }
    }

    [Theory]
    [InlineData("2024-05-09", WarrantyStatus.NotStarted)]
    [InlineData("2024-05-10", WarrantyStatus.Active)]
    [InlineData("2025-05-09", WarrantyStatus.Active)]
    [InlineData("2025-05-10", WarrantyStatus.Ended)]
    [InlineData("0001-01-01", WarrantyStatus.NotStarted)]
    [InlineData("9999-12-31", WarrantyStatus.Ended)]
    public void StatusOn_AnyDay_IsDecidedByFirstAndLastDay(string day, WarrantyStatus status)
    {
        var term = new WarrantyTerm(new DateOnly(2024, 5, 10), 12);

        Assert.Equal(status, WarrantyClock.StatusOn(term, Day(day)));
    }

    [Fact]
    public void StatusOn_WithoutMonths_IsNoWarranty()
    {
        Assert.Equal(WarrantyStatus.Unspecified, WarrantyClock.StatusOn(WarrantyTerm.None, new DateOnly(2024, 1, 1)));
        Assert.Null(WarrantyClock.EndsAt(WarrantyTerm.None));
    }

    [Fact]
    public void EndsAt_IsMidnightUtcAfterTheLastDay()
    {
        var term = new WarrantyTerm(new DateOnly(2024, 5, 10), 12);

        Assert.Equal(new DateTimeOffset(2025, 5, 10, 0, 0, 0, TimeSpan.Zero), WarrantyClock.EndsAt(term));
    }

    private static DateOnly Day(string text) => DateOnly.ParseExact(text, "yyyy-MM-dd", System.Globalization.CultureInfo.InvariantCulture);
}
