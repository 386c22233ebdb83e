using Muster.Contracts.Devices;
using Muster.Contracts.Rollouts;
using Muster.Domain.Devices;
using Muster.Domain.Rollouts;

namespace Muster.Grains.Rollouts;

/// <summary>Members that are busy with other rollouts: their devices hear now and then that this one waits (rollouts.md 7).</summary>
internal sealed partial class RolloutPartitionGrain
{
    /// <summary>Words to devices in one step: they are one-way, and nobody waits for them.</summary>
    private const int TurnsAskedMax = RolloutLimits.OffersPerGrantMax;

    /// <summary>When each of them was told last; nobody is in it while nobody is busy.</summary>
    private readonly Dictionary<int, DateTimeOffset> _turnsAsked = [];

    private async Task AwaitTurnsAsync(AdvanceShare command)
    {
        var now = _clock.GetUtcNow();
        if (!command.IsOffering || command.Rank is not { } rank || !OfferWindow.IsOpen(command.Windows, now))
        {
            return;
        }

        var told = 0;
        for (var i = 0; i < _members!.Reach.Length && told < TurnsAskedMax; i++)
        {
            if (_members.Reach[i] != MemberReach.Busy
                || command.OpenedAt[_members.Waves[i]] is null
                || ShareRules.WaitOf(_share!, i, MemberReach.Busy, now) != MemberWait.Busy)
            {
                _turnsAsked.Remove(i);
            }
            else if (!_turnsAsked.TryGetValue(i, out var askedAt) || askedAt + ChangeTurns.AskInterval <= now)
            {
                told++;
                _turnsAsked[i] = now;
                await GrainFactory.GetDevice(_tenant, _members.Points[i].Device).AwaitTurnAsync(new AwaitTurn(_rollout, rank));
            }
        }
    }
}
