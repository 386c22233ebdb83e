using Muster.Domain.Devices;
using Muster.Domain.Rollouts;

namespace Muster.Grains.Rollouts;

/// <summary>
/// Which members of a share that are busy with other rollouts were told when that this one waits. Some at a time, going on behind the last
/// of them: where there are more than are told within <see cref="ChangeTurns.AskInterval"/>, each has its turn all the same.
/// </summary>
internal sealed class TurnsAsked
{
    /// <summary>Words to devices in one step: they are one-way, and nobody waits for them.</summary>
    public const int AtOnceMax = RolloutLimits.OffersPerGrantMax;

    /// <summary>Nobody is in it while nobody is busy.</summary>
    private readonly Dictionary<int, DateTimeOffset> _askedAt = [];

    private int _next;

    /// <summary>When the next one is to be told, as of the last time that they were taken; null while nobody is busy.</summary>
    public DateTimeOffset? NextAt { get; private set; }

    /// <summary>Those whose time it is, at most <see cref="AtOnceMax"/>; they count as told.</summary>
    /// <param name="members">How many members there are.</param>
    /// <param name="isBusy">Whether a member waits for a device that is busy.</param>
    /// <param name="now">The time.</param>
    public IReadOnlyList<int> Take(int members, Func<int, bool> isBusy, DateTimeOffset now)
    {
        // A share asks in every round, and mostly nobody is busy.
        List<int>? due = null;
        var from = _next;
        NextAt = null;
        for (var step = 0; step < members && (due?.Count ?? 0) < AtOnceMax; step++)
        {
            var member = (from + step) % members;
            if (!isBusy(member))
            {
                _askedAt.Remove(member);
            }
            else if (!_askedAt.TryGetValue(member, out var askedAt) || askedAt + ChangeTurns.AskInterval <= now)
            {
                (due ??= []).Add(member);
                _askedAt[member] = now;
                _next = member + 1;
            }
        }

        if (_askedAt.Count > 0)
        {
            // Where there are more than are told at a time, the others are next.
            NextAt = due?.Count == AtOnceMax ? now : _askedAt.Values.Min() + ChangeTurns.AskInterval;
        }

        return (IReadOnlyList<int>?)due ?? [];
    }
}
