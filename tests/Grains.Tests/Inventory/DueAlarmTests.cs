using Muster.Contracts.Commit;
using Muster.Contracts.Inventory;
using Muster.Grains.Inventory;

namespace Muster.Grains.Tests.Inventory;

/// <summary>When a due list looks. No time passes here: it sleeps as long as it says.</summary>
public sealed class DueAlarmTests
{
    private static readonly DateTimeOffset Noon = new(2026, 6, 1, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public void Sleep_ThroughTenYearsOfDates_IsNeverASecondTooLongAndSeldomForNothing()
    {
        var end = Noon.AddYears(10);
        var periods = Enumerable.Range(0, 200).Select(n => TimeSpan.FromHours(1 + (n * n * 0.37))).ToArray();
        var table = new DueTable();
        var (dates, versions) = (new DateTimeOffset[periods.Length], new long[periods.Length]);
        var alarm = new DueAlarm();
        var (fired, looks, latest) = (0, 0L, TimeSpan.Zero);
        for (var record = 0; record < periods.Length; record++)
        {
            Next(record, Noon);
        }

        for (var now = Noon; now < end; now += alarm.Sleep(now))
        {
            looks++;
            alarm.Begin(now);
            var due = table.DueBy(now, DueListGrain.DueMax);
            foreach (var key in due.Records)
            {
                var record = int.Parse(key.Key, System.Globalization.CultureInfo.InvariantCulture);
                latest = now - dates[record] > latest ? now - dates[record] : latest;
                fired++;
                Next(record, now);
            }

            alarm.End(due);
        }

        Assert.Equal(periods.Sum(period => Math.Floor((end - Noon) / period)), fired, tolerance: fired / 1_000.0);
        Assert.InRange(latest, TimeSpan.Zero, DueAlarm.Pace);

        // One after each date, which finds that it has moved, and otherwise the longest sleeps.
        Assert.InRange(looks, fired, (2 * fired) + ((end - Noon) / DueAlarm.SleepMax));

        void Next(int record, DateTimeOffset now)
        {
            dates[record] = now + periods[record];
            table.Apply(new RecordKey("years", $"{record}"), ++versions[record], dates[record]);
            alarm.Wake(dates[record]);
        }
    }

    [Fact]
    public void Sleep_WhenAnEarlierDateIsTold_EndsThere()
    {
        var alarm = Asleep(until: Noon.AddSeconds(25));

        alarm.Wake(Noon.AddSeconds(28));
        Assert.InRange(alarm.Sleep(Noon), TimeSpan.FromSeconds(25), TimeSpan.FromSeconds(25.1));

        alarm.Wake(Noon.AddSeconds(5));
        Assert.InRange(alarm.Sleep(Noon.AddSeconds(2)), TimeSpan.FromSeconds(3), TimeSpan.FromSeconds(3.1));
    }

    [Fact]
    public void Sleep_WhenADateIsToldThatHasPassed_IsOverASecondAfterTheLastLook()
    {
        var alarm = Asleep(until: null);

        alarm.Wake(Noon.AddDays(-1));

        Assert.Equal(TimeSpan.FromSeconds(0.4), alarm.Sleep(Noon.AddSeconds(0.6)));
        Assert.Equal(TimeSpan.Zero, alarm.Sleep(Noon.AddSeconds(17)));
    }

    [Fact]
    public void Sleep_WithNothingToWaitFor_IsTheLongest() => Assert.Equal(DueAlarm.SleepMax, Asleep(until: null).Sleep(Noon));

    [Fact]
    public void Sleep_AfterAFailedLookOrWhileSomethingIsDue_IsASecond()
    {
        var alarm = new DueAlarm();
        alarm.Begin(Noon);
        alarm.End(null);
        Assert.Equal(DueAlarm.Pace, alarm.Sleep(Noon));

        alarm.Begin(Noon.AddSeconds(1));
        alarm.End(new DueRecords([new RecordKey("years", "1")], Noon.AddDays(1)));
        Assert.Equal(DueAlarm.Pace, alarm.Sleep(Noon.AddSeconds(1)));
    }

    [Fact]
    public void Sleep_WhenTheCalendarIsSet_IsNotLongerThanTheLongest()
    {
        var alarm = Asleep(until: Noon.AddDays(1));

        Assert.Equal(DueAlarm.SleepMax, alarm.Sleep(Noon.AddYears(-1)));
        Assert.Equal(TimeSpan.Zero, alarm.Sleep(Noon.AddYears(1)));
    }

    [Fact]
    public void Wake_WhileALookIsUnderWay_Counts()
    {
        var alarm = new DueAlarm();
        alarm.Begin(Noon);
        alarm.Wake(Noon.AddSeconds(7));
        alarm.End(new DueRecords([], Noon.AddSeconds(20)));

        Assert.InRange(alarm.Sleep(Noon), TimeSpan.FromSeconds(7), TimeSpan.FromSeconds(7.1));
    }

    private static DueAlarm Asleep(DateTimeOffset? until)
    {
        var alarm = new DueAlarm();
        alarm.Begin(Noon);
        alarm.End(new DueRecords([], until));
        return alarm;
    }
}
