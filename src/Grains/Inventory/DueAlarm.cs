using Muster.Contracts.Inventory;

namespace Muster.Grains.Inventory;

/// <summary>When a due list looks next. Pure, so that years can be run through it.</summary>
internal sealed class DueAlarm
{
    /// <summary>At most this late (design D7), and so the shortest time between two looks.</summary>
    public static readonly TimeSpan Pace = TimeSpan.FromSeconds(1);

    /// <summary>
    /// The longest sleep. Earlier dates are told, so this is only for what nobody can tell: an inventory that ended with its silo, and a
    /// calendar that was set. 256 looks in that time cost nothing.
    /// </summary>
    public static readonly TimeSpan SleepMax = TimeSpan.FromSeconds(30);

    /// <summary>A timer's clock is coarser than the calendar: it must not look a moment too early and then wait for a second.</summary>
    private static readonly TimeSpan Grain = TimeSpan.FromMilliseconds(10);

    private DateTimeOffset _lookedAt;
    private DateTimeOffset _next = DateTimeOffset.MaxValue;

    /// <summary>A look begins: what was told before is in its answer.</summary>
    public void Begin(DateTimeOffset now) => (_lookedAt, _next) = (now, DateTimeOffset.MaxValue);

    /// <summary>A look ended. As long as something is due, or the look failed, the next follows at once.</summary>
    public void End(DueRecords? answer) => Wake(
        answer is { Records.IsEmpty: true } ? answer.NextAt ?? DateTimeOffset.MaxValue : DateTimeOffset.MinValue);

    /// <summary>There is a date; the earliest counts.</summary>
    public void Wake(DateTimeOffset at) => _next = at < _next ? at : _next;

    /// <summary>How long to sleep from now.</summary>
    public TimeSpan Sleep(DateTimeOffset now)
    {
        var until = _next - _lookedAt;
        until = until < Pace ? Pace : until > SleepMax ? SleepMax : until + Grain;
        var sleep = _lookedAt - now + until;
        return sleep < TimeSpan.Zero ? TimeSpan.Zero : sleep > SleepMax ? SleepMax : sleep;
    }
}
