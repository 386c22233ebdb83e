using Muster.Domain.Devices;

namespace Muster.Domain.Rollouts;

/// <summary>
/// Members in progress by when the time of their change began: a small histogram of absolute times, so that two of them add up whenever
/// they were taken. Equal by value.
/// </summary>
/// <param name="First">The oldest slot: how many times its width after the year 1.</param>
/// <param name="Counts">Members by slot, from that one on. When there are as many as may be, those before are in the oldest.</param>
[GenerateSerializer, Immutable, Alias("muster.since-totals")]
public sealed record SinceTotals([property: Id(0)] long First, [property: Id(1)] ImmutableArray<int> Counts)
{
    /// <summary>
    /// Twice the time that a change has, by slots of a sixteenth of it: estimates are in minutes. Some 40 bytes of a report for each wave.
    /// </summary>
    public const int SlotsMax = 32;

    private const int SlotsByTime = 16;

    /// <summary>How many there are.</summary>
    public int Members => Counts.Sum();

    /// <summary>How long a slot is, of a rollout with these timers.</summary>
    public static TimeSpan WidthOf(ChangeTimers timers)
    {
        ArgumentNullException.ThrowIfNull(timers);
        return TimeSpan.FromTicks(Math.Max(TimeSpan.TicksPerSecond, timers.InProgressMax.Ticks / SlotsByTime));
    }

    /// <summary>Those that began then; null for none.</summary>
    public static SinceTotals? Of(IEnumerable<DateTimeOffset> since, ChangeTimers timers)
    {
        ArgumentNullException.ThrowIfNull(since);
        var width = WidthOf(timers).Ticks;
        var slots = since.Select(at => at.UtcTicks / width).ToList();
        if (slots.Count == 0)
        {
            return null;
        }

        var first = Math.Max(slots.Min(), slots.Max() - SlotsMax + 1);
        var counts = new int[slots.Max() - first + 1];
        foreach (var slot in slots)
        {
            counts[Math.Max(slot, first) - first]++;
        }

        return new(first, [.. counts]);
    }

    /// <summary>The sum of two, either of which may be none.</summary>
    public static SinceTotals? Sum(SinceTotals? left, SinceTotals? right)
    {
        if (left is null || right is null)
        {
            return left ?? right;
        }

        var last = Math.Max(left.Last, right.Last);
        var first = Math.Max(Math.Min(left.First, right.First), last - SlotsMax + 1);
        var counts = new int[last - first + 1];
        foreach (var part in new[] { left, right })
        {
            for (var i = 0; i < part.Counts.Length; i++)
            {
                counts[Math.Max(part.First + i, first) - first] += part.Counts[i];
            }
        }

        return new(first, [.. counts]);
    }

    /// <summary>When each of them began, oldest first: the middle of its slot.</summary>
    public IEnumerable<DateTimeOffset> Times(ChangeTimers timers)
    {
        var width = WidthOf(timers).Ticks;
        return Counts.SelectMany((count, i) => Enumerable.Repeat(
            new DateTimeOffset(((First + i) * width) + (width / 2), TimeSpan.Zero), count));
    }

    public bool Equals(SinceTotals? other) =>
        other is not null && First == other.First && Counts.AsSpan().SequenceEqual(other.Counts.AsSpan());

    public override int GetHashCode() => HashCode.Combine(First, Counts.Sum());

    private long Last => First + Counts.Length - 1;

    /// <summary>
    /// By wave: those that have named their change, or with install windows those that install. Of the others nobody knows when their time
    /// begins.
    /// </summary>
    internal static SinceTotals?[] Count(RolloutShare share, ImmutableArray<byte> waves, int waveCount, ChangeTimers timers)
    {
        var began = share.Open
            .Select(offer => (
                Wave: waves[offer.Member],
                At: timers.InstallWindows.IsDefaultOrEmpty ? offer.DeliveredAt : offer.InstallsSince))
            .Where(offer => offer.At is not null)
            .ToLookup(offer => offer.Wave, offer => offer.At!.Value);
        return [.. Enumerable.Range(0, waveCount).Select(wave => Of(began[(byte)wave], timers))];
    }
}
