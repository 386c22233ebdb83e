using Microsoft.Extensions.Logging;
using Muster.Contracts.Inventory;
using Muster.Contracts.Rollouts;
using Muster.Domain.Devices;
using Muster.Domain.Rollouts;

namespace Muster.Grains.Rollouts;

/// <summary>How many steps are before the members, for estimates alone: what is offered the device itself knows (rollouts.md 23).</summary>
internal sealed partial class RolloutPartitionGrain
{
    /// <summary>By member, those that were there then, and only of a rollout that takes steps; null while nobody has looked.</summary>
    private byte[]? _stepsBefore;
    private Task _lookingForSteps = Task.CompletedTask;
    private DateTimeOffset _stepsDueAt = DateTimeOffset.MinValue;

    /// <summary>
    /// Begins to look, when it is time: a round does not wait for a figure that people read, and does without it where the list of devices
    /// cannot be read. After the first look the shares of a rollout do not look together.
    /// </summary>
    private void LookForSteps(AdvanceShare command)
    {
        var now = _clock.GetUtcNow();
        if (command is not { Path.IsDefaultOrEmpty: false, Image: { Conditions: { Steps.IsDefaultOrEmpty: false } conditions } image }
            || RollBackRules.HasBegun(_share!))
        {
            _stepsBefore = null;
            return;
        }

        if (!_lookingForSteps.IsCompleted || now < _stepsDueAt || command.IsCancelling || !HasMembersToCome())
        {
            return;
        }

        _stepsDueAt = now + CountInterval + TimeSpan.FromSeconds(_partition % (int)CountInterval.TotalSeconds);
        var needs = new ImageNeeds(image.Target, command.AllowTrackChange ? null : image.Track, image.Models, conditions)
        {
            Path = command.Path,
        };
        _lookingForSteps = LookForStepsAsync(needs, conditions.Steps[^1]);
    }

    /// <summary>When the next look is; null when nobody will.</summary>
    private DateTimeOffset? NextCountOfSteps(AdvanceShare command) =>
        command.Path.IsDefaultOrEmpty || command.IsCancelling || RollBackRules.HasBegun(_share!) || !HasMembersToCome()
        || _stepsDueAt == DateTimeOffset.MinValue
            ? null
            : _stepsDueAt;

    /// <summary>Only the rows of those below the last step are read: fewer with every step that is taken.</summary>
    private async Task LookForStepsAsync(ImageNeeds needs, string lastStep)
    {
        try
        {
            var below = await MatchingDevices.ReadAsync(GrainFactory.GetInventory(_partition), _tenant, $"os_version < \"{lastStep}\"");
            if (_share is not { } share || _members is not { } members)
            {
                return;
            }

            var before = new byte[share.Members.Length];
            foreach (var row in below)
            {
                if (members.TryFind(row.Record.Key, out var member) && member < before.Length)
                {
                    before[member] = (byte)needs.CountSteps(MatchingDevices.SituationOf(row));
                }
            }

            _stepsBefore = before;
        }
        catch (Exception fault)
        {
            // What was counted before stands until the next look.
            LogStepsUnknown(fault, _rollout.Value, _partition);
        }
    }

    private bool HasMembersToCome()
    {
        foreach (var member in _share!.Members)
        {
            if (member is MemberStatus.Waiting or MemberStatus.Retrying or MemberStatus.Offered)
            {
                return true;
            }
        }

        return false;
    }

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "Rollout {RolloutId}: how many steps are before the members of partition {Partition} is not known")]
    private partial void LogStepsUnknown(Exception fault, string rolloutId, int partition);
}
