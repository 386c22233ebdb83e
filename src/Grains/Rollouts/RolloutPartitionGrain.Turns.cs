using Muster.Contracts.Devices;
using Muster.Contracts.Rollouts;
using Muster.Domain.Rollouts;

namespace Muster.Grains.Rollouts;

/// <summary>Members that are busy with other rollouts: their devices hear now and then that this one waits (rollouts.md 7).</summary>
internal sealed partial class RolloutPartitionGrain
{
    private readonly TurnsAsked _turns = new();

    private async Task AwaitTurnsAsync(AdvanceShare command)
    {
        var now = _clock.GetUtcNow();
        if (command.Rank is not { } rank || !AwaitsTurns(command, now))
        {
            return;
        }

        foreach (var member in _turns.Take(_members!.Reach.Length, IsBusy, now))
        {
            await GrainFactory.GetDevice(_tenant, _members.Points[member].Device).AwaitTurnAsync(new AwaitTurn(_rollout, rank));
        }

        bool IsBusy(int member) => _members.Reach[member] == MemberReach.Busy
            && command.OpenedAt[_members.Waves[member]] is not null
            && ShareRules.WaitOf(_share!, member, MemberReach.Busy, now) == MemberWait.Busy;
    }

    private static bool AwaitsTurns(AdvanceShare command, DateTimeOffset now) =>
        command is { IsOffering: true, Rank: not null } && OfferWindow.IsOpen(command.Windows, now);
}
