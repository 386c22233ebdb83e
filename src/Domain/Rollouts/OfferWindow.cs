using Cronos;

namespace Muster.Domain.Rollouts;

/// <summary>A recurring time in which devices may be offered the change, or may begin to install it (rollouts.md 13).</summary>
/// <param name="Recurrence">
/// When it opens, by the zone's clock: five fields of cron (minute, hour, day of the month, month, day of the week).
/// </param>
/// <param name="Duration">How long it is open then, in time that passes: over a change of the clock as long as on any other day.</param>
/// <param name="TimeZone">An IANA name such as <c>Europe/Stockholm</c>.</param>
[GenerateSerializer, Immutable, Alias("muster.offer-window")]
public sealed record OfferWindow(
    [property: Id(0)] string Recurrence,
    [property: Id(1)] TimeSpan Duration,
    [property: Id(2)] string TimeZone)
{
    /// <summary>
    /// What the two texts say, once somebody has asked: shares ask it of every device, each time. It does not change, so that whoever reads
    /// it first may write it; it is neither stored nor compared, nor is it that of a window with other texts.
    /// </summary>
    private Reading? _reading;

    private OfferWindow(OfferWindow other) =>
        (Recurrence, Duration, TimeZone) = (other.Recurrence, other.Duration, other.TimeZone);

    /// <summary>One for each day of a fortnight: more than that is no window, it is a calendar.</summary>
    public const int WindowsMax = 14;

    /// <summary>Longer than any recurrence that means something.</summary>
    public const int RecurrenceCharactersMax = 100;

    /// <summary>As fine as a recurrence is.</summary>
    public static readonly TimeSpan DurationMin = TimeSpan.FromMinutes(1);

    /// <summary>A window of more than a week has no recurrence.</summary>
    public static readonly TimeSpan DurationMax = TimeSpan.FromDays(7);

    /// <summary>
    /// True while one of them is open, or when there are none. A start that the clock leaps over is at the first time after the leap; one
    /// that the clock shows twice is the first of the two, unless the recurrence repeats within a day (<c>*</c>, <c>-</c> or <c>/</c> in
    /// minute or hour), which begins at both.
    /// </summary>
    public static bool IsOpen(ImmutableArray<OfferWindow> windows, DateTimeOffset now) =>
        windows.IsDefaultOrEmpty || windows.Any(window => window.IsOpen(now));

    /// <summary>When the next one opens after <paramref name="now"/>; null when none ever does.</summary>
    public static DateTimeOffset? NextOpening(ImmutableArray<OfferWindow> windows, DateTimeOffset now) =>
        windows.IsDefaultOrEmpty ? null : windows.Min(window => window.NextOpening(now));

    internal static void Check(ImmutableArray<OfferWindow> windows, string name, ImmutableArray<SpecProblem>.Builder problems)
    {
        if (windows.IsDefault)
        {
            return;
        }

        if (windows.Length > WindowsMax)
        {
            problems.Add(new(name, $"has at most {WindowsMax} windows"));
            return;
        }

        for (var i = 0; i < windows.Length; i++)
        {
            windows[i].Check($"{name}[{i}]", problems);
        }
    }

    /// <summary>By what it says.</summary>
    public bool Equals(OfferWindow? other) =>
        other is not null && (Recurrence, Duration, TimeZone) == (other.Recurrence, other.Duration, other.TimeZone);

    public override int GetHashCode() => HashCode.Combine(Recurrence, Duration, TimeZone);

    /// <summary>What it says, for who asks for many openings; of a window that was checked.</summary>
    internal (CronExpression Recurrence, TimeZoneInfo Zone) Read()
    {
        var reading = _reading ??= new Reading(CronExpression.Parse(Recurrence), TimeZoneInfo.FindSystemTimeZoneById(TimeZone));
        return (reading.Recurrence, reading.Zone);
    }

    private void Check(string field, ImmutableArray<SpecProblem>.Builder problems)
    {
        if (Duration < DurationMin || Duration > DurationMax)
        {
            problems.Add(new(field + ".duration", $"is from 1 minute to {DurationMax.TotalDays:0} days"));
        }

        // The database of zones is data of the host; its rules are looked up by name, and the same name gives the same rules.
        if (!TimeZoneInfo.TryFindSystemTimeZoneById(TimeZone ?? "", out var zone) || !zone.HasIanaId)
        {
            problems.Add(new(field + ".time_zone", $"'{TimeZone}' is no IANA time zone that this host knows, such as Europe/Stockholm"));
            return;
        }

        // H is a jitter of the library's own: the same spec would open at other times after an update.
        if (Recurrence is not { Length: > 0 and <= RecurrenceCharactersMax }
            || Recurrence.Replace("THU", "", StringComparison.OrdinalIgnoreCase).Contains('H', StringComparison.OrdinalIgnoreCase)
            || Recurrence.Contains('@', StringComparison.Ordinal)
            || !CronExpression.TryParse(Recurrence, out var recurrence))
        {
            problems.Add(new(field + ".recurrence", $"'{Recurrence}' is no recurrence of five fields such as 0 22 * * MON-FRI"));
        }
        else if (recurrence.GetNextOccurrence(DateTimeOffset.UnixEpoch, zone) is null)
        {
            problems.Add(new(field + ".recurrence", $"'{Recurrence}' is never: no such day is in any year"));
        }
    }

    private bool IsOpen(DateTimeOffset now)
    {
        var (recurrence, zone) = Read();
        return recurrence.GetOccurrences(now - Duration, now, zone, fromInclusive: false, toInclusive: true).Any();
    }

    private DateTimeOffset? NextOpening(DateTimeOffset now)
    {
        var (recurrence, zone) = Read();
        return recurrence.GetNextOccurrence(now, zone)?.ToUniversalTime();
    }

    private sealed record Reading(CronExpression Recurrence, TimeZoneInfo Zone);
}
