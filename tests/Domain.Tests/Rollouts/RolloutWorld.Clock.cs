using Muster.Domain.Rollouts;

namespace Muster.Domain.Tests.Rollouts;

/// <summary>A clock that is set, forward or back, while the rollout is under way: that of everybody.</summary>
internal sealed partial class RolloutWorld
{
    private const int JumpMinutesMax = 45;

    /// <summary>
    /// What was said until then has been read. By the clock no offer was made in the time that it leaps over, and none is made in the
    /// future: what it shows to be then was made by now.
    /// </summary>
    private void SetClock()
    {
        foreach (var share in _shares)
        {
            share.AwaitClock(_now);
            foreach (var member in share.Members)
            {
                member.Turns.Forget(); // it is volatile, and heard anew
            }
        }

        var minutes = _random.Next(-JumpMinutesMax, JumpMinutesMax + 1);
        var past = _now - RolloutLimits.RateWindow; // what was over before stays so
        _now += TimeSpan.FromMinutes(minutes);
        past = _now - RolloutLimits.RateWindow > past ? _now - RolloutLimits.RateWindow : past;
        Count(minutes < 0 ? Reached.ClockSetBack : Reached.ClockSetForward);
        for (var i = 0; i < _offerTimes.Count; i++)
        {
            _offerTimes[i] = _offerTimes[i] <= past ? DateTimeOffset.MinValue : _offerTimes[i] > _now ? _now : _offerTimes[i];
        }
    }
}
