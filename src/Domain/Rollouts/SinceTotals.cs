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
        SinceTally? tally = null;
        foreach (var at in since)
        {
            (tally ??= new SinceTally(timers)).Add(at);
        }

        return tally?.Totals;
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
    /// Of those that have named their change, or with install windows of those that install: of the others nobody knows when their time
    /// begins.
    /// </summary>
    internal static DateTimeOffset? BeganAt(OpenOffer offer, ChangeTimers timers) =>
        timers.InstallWindows.IsDefaultOrEmpty ? offer.DeliveredAt : offer.InstallsSince;
}

/// <summary>Counts one member after the other, however many there are, in the room of their totals.</summary>
internal sealed class SinceTally(ChangeTimers timers)
{
    private readonly long _width = SinceTotals.WidthOf(timers).Ticks;
    private readonly int[] _counts = new int[SinceTotals.SlotsMax];
    private long _first = long.MaxValue;
    private long _last = long.MinValue;

    /// <summary>Of those that were added, of which there is at least one.</summary>
    public SinceTotals Totals => new(_first, [.. _counts.AsSpan(0, (int)(_last - _first) + 1)]);

    public void Add(DateTimeOffset at)
    {
        var slot = at.UtcTicks / _width;
        _last = Math.Max(_last, slot);
        BeginAt(Math.Max(Math.Min(_first, slot), _last - SinceTotals.SlotsMax + 1));
        _counts[Math.Max(slot, _first) - _first]++;
    }

    /// <summary>Those before are in the oldest slot then.</summary>
    private void BeginAt(long first)
    {
        if (first == _first)
        {
            return;
        }

        Span<int> moved = stackalloc int[SinceTotals.SlotsMax];
        for (var i = 0; i < _counts.Length; i++)
        {
            if (_counts[i] > 0)
            {
                moved[(int)(Math.Max(_first + i, first) - first)] += _counts[i];
            }
        }

        moved.CopyTo(_counts);
        _first = first;
    }
}
