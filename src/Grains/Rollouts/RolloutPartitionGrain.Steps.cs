using Muster.Contracts.Inventory;
using Muster.Contracts.Rollouts;
using Muster.Domain.Devices;
using Muster.Domain.Rollouts;

namespace Muster.Grains.Rollouts;

/// <summary>How many steps are before the members, for estimates alone: what is offered the device itself knows (rollouts.md 23).</summary>
internal sealed partial class RolloutPartitionGrain
{
    /// <summary>By member, and only of a rollout that takes steps; null while nobody has looked.</summary>
    private byte[]? _stepsBefore;
    private DateTimeOffset _stepsLookedAt = DateTimeOffset.MinValue;

    /// <summary>
    /// As the list of devices has them, once a minute. Only the rows of those below the last step are read: fewer with every step that is
    /// taken.
    /// </summary>
    private async Task LookForStepsAsync(AdvanceShare command)
    {
        var now = _clock.GetUtcNow();
        if (command is not { Path.IsDefaultOrEmpty: false, Image: { Conditions: { Steps.IsDefaultOrEmpty: false } conditions } image }
            || RollBackRules.HasBegun(_share!))
        {
            _stepsBefore = null;
            return;
        }

        if (now - _stepsLookedAt < CountInterval && _stepsBefore?.Length == _share!.Members.Length)
        {
            return;
        }

        _stepsLookedAt = now;
        var needs = new ImageNeeds(image.Target, command.AllowTrackChange ? null : image.Track, image.Models, conditions)
        {
            Path = command.Path,
        };
        var below = $"os_version < \"{conditions.Steps[^1]}\"";
        var before = new byte[_share!.Members.Length];
        foreach (var row in await MatchingDevices.ReadAsync(GrainFactory.GetInventory(_partition), _tenant, below))
        {
            if (_members!.TryFind(row.Record.Key, out var member))
            {
                before[member] = (byte)needs.CountSteps(MatchingDevices.SituationOf(row));
            }
        }

        _stepsBefore = before;
    }
}
