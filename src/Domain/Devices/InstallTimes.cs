using Cronos;
using Muster.Domain.Rollouts;

namespace Muster.Domain.Devices;

/// <summary>A time in which a device may begin to install.</summary>
/// <param name="OpensAt">Its first instant.</param>
/// <param name="ClosesAt">The first instant after it.</param>
[GenerateSerializer, Immutable, Alias("muster.install-interval")]
public readonly record struct InstallInterval([property: Id(0)] DateTimeOffset OpensAt, [property: Id(1)] DateTimeOffset ClosesAt);

/// <summary>
/// When a device may begin to install (rollouts.md 13), and how long it has had for it (rollouts.md 9): the time of the timer in progress
/// passes while one of the windows is open, is held while all are shut, and passes always once the device has begun.
/// </summary>
public static class InstallTimes
{
    /// <summary>A week of nights and one more: who hears nothing for so long says hello when they are over.</summary>
    public const int IntervalsMax = 8;

    /// <summary>
    /// A window is open for at least this part of the time in progress: a deadline is found within so many openings of each window, and a
    /// device that needs the time has it within so many nights.
    /// </summary>
    public const int OpeningsMax = 64;

    /// <summary>
    /// Openings of which it is looked whether they come before the window is shut: every hour of three weeks, every day of a year.
    /// </summary>
    private const int OpeningsChecked = 512;

    /// <summary>
    /// Windows that follow one another without a gap are one interval no longer than this, but for one that is longer itself.
    /// </summary>
    private static readonly TimeSpan MergedMax = TimeSpan.FromDays(1);

    /// <summary>So that the times of a day are soon found, for every document: at most a hundred openings of each window.</summary>
    private static readonly TimeSpan DurationMin = TimeSpan.FromMinutes(15);

    private static readonly TimeSpan RenewalMax = TimeSpan.FromDays(1);

    /// <summary>
    /// A quarter of a year: so long a device that is silent may hold its permit, its wave and every other rollout over it, whatever the
    /// windows are.
    /// </summary>
    private static readonly TimeSpan HeldMax = TimeSpan.FromDays(92);

    /// <summary>A leap year's first day: what is found wrong with a spec does not depend on when it is looked at.</summary>
    private static readonly DateTimeOffset CheckedFrom = new(2024, 1, 1, 0, 0, 0, TimeSpan.Zero);

    /// <summary>From these on the time has to be over soon: behind a leap day, and where a window of once a year is far.</summary>
    private static readonly ImmutableArray<DateTimeOffset> HeldFrom =
        [CheckedFrom, CheckedFrom.AddDays(60), CheckedFrom.AddYears(1), CheckedFrom.AddYears(2).AddMonths(6)];

    /// <summary>
    /// The intervals from <paramref name="now"/> on, ascending and without overlap, at most <see cref="IntervalsMax"/>; the first begins
    /// now when a window is open. None when no window ever opens again.
    /// </summary>
    public static ImmutableArray<InstallInterval> Next(ImmutableArray<OfferWindow> windows, DateTimeOffset now) =>
        [.. From(windows, now, MergedMax).Take(IntervalsMax)];

    /// <summary>
    /// When the device may begin, if not now; null when it may, when there are no windows, and when none ever opens again.
    /// </summary>
    public static DateTimeOffset? OpensAt(ImmutableArray<OfferWindow> windows, DateTimeOffset now) =>
        OfferWindow.IsOpen(windows, now) ? null : OfferWindow.NextOpening(windows, now);

    /// <summary>
    /// When the device is to be told the next ones: when half of the time is over that it knows of, and after a day at the latest, so that
    /// a message may get lost.
    /// </summary>
    public static DateTimeOffset RenewalOf(ImmutableArray<InstallInterval> told, DateTimeOffset now)
    {
        var half = told.IsEmpty ? RenewalMax : (told[^1].ClosesAt - now) / 2;
        return now + (half < RenewalMax ? half : RenewalMax);
    }

    /// <summary>
    /// When the next ones are due of a device that was told by somebody who is not there to say when: in steps from its delivery on, so
    /// that devices that were told at different times are told again at different times. That is a step later at most than the one who told
    /// it would have: as if a message got lost.
    /// </summary>
    public static DateTimeOffset NextRenewal(ImmutableArray<OfferWindow> windows, DateTimeOffset deliveredAt, DateTimeOffset now)
    {
        // Never zero: a recurrence has no last opening, so that the eighth time ends long behind what is left of the first; or it has none,
        // and the step is a day.
        var step = (RenewalOf(Next(windows, now), now) - now).Ticks;
        return deliveredAt.AddTicks(step * ((Math.Max(0, (now - deliveredAt).Ticks) / step) + 1));
    }

    /// <summary>
    /// When <paramref name="length"/> is over that counts from <paramref name="from"/>. Without windows it is a plain sum; null when the
    /// windows never open for so long.
    /// </summary>
    /// <param name="windows">When a device may begin; none for always.</param>
    /// <param name="from">Where the time begins.</param>
    /// <param name="length">How much of it there is.</param>
    /// <param name="installsSince">When the device began to install, from which on nothing is held; null while it has not.</param>
    public static DateTimeOffset? End(
        ImmutableArray<OfferWindow> windows, DateTimeOffset from, TimeSpan length, DateTimeOffset? installsSince)
    {
        if (windows.IsDefaultOrEmpty)
        {
            return from + length;
        }

        var left = length;
        foreach (var (opensAt, closesAt) in From(windows, from, length))
        {
            if (installsSince is { } since && since < closesAt)
            {
                return (since < opensAt ? since : opensAt) + left;
            }

            if (closesAt - opensAt >= left)
            {
                return opensAt + left;
            }

            left -= closesAt - opensAt;
        }

        return installsSince + left;
    }

    internal static void Check(RolloutSpec spec, ImmutableArray<SpecProblem>.Builder problems)
    {
        var before = problems.Count;
        OfferWindow.Check(spec.InstallWindows, "install_windows", problems);
        if (problems.Count > before || spec.InstallWindows.IsDefaultOrEmpty)
        {
            return;
        }

        for (var i = 0; i < spec.InstallWindows.Length; i++)
        {
            CheckLength(spec.InstallWindows[i], spec.InProgressTimeout, $"install_windows[{i}]", problems);
        }

        if (problems.Count == before
            && HeldFrom.Any(from => !(End(spec.InstallWindows, from, spec.InProgressTimeout, null) <= from + HeldMax)))
        {
            problems.Add(new(
                "install_windows",
                $"are not open for in_progress_timeout within {HeldMax.TotalDays:0} days: a device that is silent would hold its place for"
                + " longer; let them open more often or for longer, or shorten in_progress_timeout"));
        }
    }

    private static void CheckLength(
        OfferWindow window, TimeSpan inProgress, string field, ImmutableArray<SpecProblem>.Builder problems)
    {
        var least = Math.Max(DurationMin.TotalMinutes, Math.Ceiling((inProgress / OpeningsMax).TotalMinutes));
        if (window.Duration.TotalMinutes < least)
        {
            problems.Add(new(
                field + ".duration",
                $"is at least {DurationMin.TotalMinutes:0} minutes and 1/{OpeningsMax} of in_progress_timeout, here {least:0} minutes: a"
                + " device would need too many openings for its time; lengthen it, or shorten in_progress_timeout"));
        }

        var openings = new Openings(window, CheckedFrom);
        for (var i = 0; i < OpeningsChecked && openings.Next is { } opening; i++)
        {
            openings.Move();
            if (openings.Next < opening + window.Duration)
            {
                problems.Add(new(
                    field + ".duration",
                    $"is longer than it is from one opening to the next ('{window.Recurrence}'): shorten it, or let the window open"
                    + " less often"));
                return;
            }
        }
    }

    /// <summary>
    /// The open times from an instant on, one after the other, without end. Those without a gap between them are one, until it is as
    /// long as the caller cares for; the next begins where it ends.
    /// </summary>
    private static IEnumerable<InstallInterval> From(ImmutableArray<OfferWindow> windows, DateTimeOffset from, TimeSpan longest)
    {
        var openings = windows.Select(window => new Openings(window, after: from - window.Duration)).ToArray();
        InstallInterval? open = null;
        while (openings.MinBy(opening => opening.Next ?? DateTimeOffset.MaxValue) is { Next: { } opensAt } next)
        {
            var closesAt = opensAt + next.Duration;
            if (open is { } known && (opensAt > known.ClosesAt || known.ClosesAt - known.OpensAt >= longest))
            {
                yield return known;
                open = closesAt <= known.ClosesAt ? null : new InstallInterval(Later(opensAt, known.ClosesAt), closesAt);
                from = known.ClosesAt;
            }
            else if (open is { } growing)
            {
                open = growing with { ClosesAt = Later(closesAt, growing.ClosesAt) };
            }
            else if (closesAt > from)
            {
                open = new InstallInterval(Later(opensAt, from), closesAt);
            }

            next.Move();
        }

        if (open is { } last)
        {
            yield return last;
        }
    }

    private static DateTimeOffset Later(DateTimeOffset one, DateTimeOffset other) => one > other ? one : other;

    /// <summary>The openings of one window after an instant, one after the other.</summary>
    private sealed class Openings
    {
        private readonly CronExpression _recurrence;
        private readonly TimeZoneInfo _zone;

        public Openings(OfferWindow window, DateTimeOffset after)
        {
            (_recurrence, _zone) = window.Read();
            Duration = window.Duration;
            Next = After(after);
        }

        public TimeSpan Duration { get; }

        /// <summary>Null when there is none any more.</summary>
        public DateTimeOffset? Next { get; private set; }

        public void Move() => Next = Next is { } last ? After(last) : null;

        private DateTimeOffset? After(DateTimeOffset time) => _recurrence.GetNextOccurrence(time, _zone)?.ToUniversalTime();
    }
}
