namespace Muster.Domain.Warranty;

/// <summary>Answers what a warranty is on any date, and when it wants to be looked at. Pure arithmetic over calendar months.</summary>
public static class WarrantyClock
{
    /// <summary>
    /// The last day covered; null without a warranty. It is the day before the same day of the month, so a term that starts on
    /// 2024-05-10 for 12 months covers 2025-05-09 and ends with it. When the last month has no such day, the term ends with
    /// that month's last day: from 2025-01-31 for one month covers 2025-02-28, never less than the calendar has.
    /// </summary>
    public static DateOnly? LastDay(WarrantyTerm term)
    {
        if (term.Months == 0)
        {
            return null;
        }

        var anniversary = term.StartsOn.AddMonths(term.Months);
        return anniversary.Day == term.StartsOn.Day ? anniversary.AddDays(-1) : anniversary;
    }

    /// <summary>The first instant that is not covered any more: midnight UTC after the last day.</summary>
    public static DateTimeOffset? EndsAt(WarrantyTerm term) =>
        LastDay(term) is { } last ? new DateTimeOffset(last.AddDays(1), TimeOnly.MinValue, TimeSpan.Zero) : null;

    /// <summary>Where the warranty is on a day.</summary>
    public static WarrantyStatus StatusOn(WarrantyTerm term, DateOnly day) => LastDay(term) switch
    {
        null => WarrantyStatus.Unspecified,
        _ when day < term.StartsOn => WarrantyStatus.NotStarted,
        { } last when day > last => WarrantyStatus.Ended,
        _ => WarrantyStatus.Active,
    };

    /// <summary>When the record wants to be looked at: a proposal that is not handed on, or an end that is not told yet.</summary>
    public static DateTimeOffset? NextDueAt(WarrantyCover cover)
    {
        ArgumentNullException.ThrowIfNull(cover);
        if (cover.ProposalPending)
        {
            return cover.ProposalDueAt;
        }

        return LastDay(cover.Term) is { } last && cover.EndedOn != last ? EndsAt(cover.Term) : null;
    }

    /// <summary>The day of UTC that an instant belongs to.</summary>
    public static DateOnly DayOf(DateTimeOffset now) => DateOnly.FromDateTime(now.UtcDateTime);
}
