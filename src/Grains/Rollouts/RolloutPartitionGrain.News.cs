using Microsoft.Extensions.Logging;
using Muster.Contracts.Commit;
using Muster.Contracts.Inventory;
using Muster.Contracts.Rollouts;
using Muster.Domain.Rollouts;

namespace Muster.Grains.Rollouts;

/// <summary>
/// Until when nobody has to ask the share: what happens in its partition the partition tells the coordinator, and what it does by the clock
/// it knows itself.
/// </summary>
internal sealed partial class RolloutPartitionGrain
{
    /// <summary>A partition on a silo of an earlier version tells nobody, and is not asked for it each time.</summary>
    private static readonly TimeSpan DeafInterval = TimeSpan.FromMinutes(1);

    private DateTimeOffset _listensFrom = DateTimeOffset.MinValue;

    /// <summary>Null when it has to be asked again and again. The last thing of a step: what came since is news.</summary>
    private async Task<DateTimeOffset?> ListenAsync(AdvanceShare command)
    {
        var now = _clock.GetUtcNow();
        if (!command.HearsNews || now < _listensFrom || !IsQuiet(command, now))
        {
            return null;
        }

        var needsReach = NeedsReach(command);
        var next = NextAt(command, needsReach, now);
        if (next <= now)
        {
            return next;
        }

        var position = new FeedPosition(_share!.Position, _share.PositionFingerprint);
        try
        {
            var reply = await GrainFactory.GetInventory(_partition)
                .ListenAsync(new ListenForNews(_tenant, _rollout, position, needsReach ? _members!.ReachMark : null));
            return reply switch
            {
                ListenReply.Listening => next,
                ListenReply.ReachHasChanged => ShareClock.Earlier(next, _members!.ReachDueAt),
                ListenReply.FeedHasNews => DateTimeOffset.MinValue,
                _ => null,
            };
        }
        catch (Exception fault)
        {
            LogDeaf(fault, _rollout.Value, _partition);
            _listensFrom = now + DeafInterval;
            return null;
        }
    }

    /// <summary>
    /// Nothing is left to do at once, or with every step: no device has to be asked once more, no seat is on its way back, and no device on
    /// its way back has an offer of which the image may be revoked.
    /// </summary>
    private bool IsQuiet(AdvanceShare command, DateTimeOffset now) =>
        _lookingForSteps.IsCompleted
        && _seats is not { IsReturning: true }
        && KnowsBudgets(command)
        && (_share!.Open.IsEmpty || !RollBackRules.HasBegun(_share))
        && !_share.Open.Any(offer => IsAsked(offer, command, now));

    /// <summary>When the clock alone gives it something to do; far away when it never does.</summary>
    private DateTimeOffset NextAt(AdvanceShare command, bool needsReach, DateTimeOffset now)
    {
        var members = ShareClock.NextAt(_share!, _members!.Waves, _members.Reach, command.OpenedAt, command.Timers, now);
        DateTimeOffset?[] others =
        [
            NextLookAt(command),
            NextCountOfSteps(command),
            needsReach ? _members.BusyUntil : null,
            _seats?.NextAt(now),
            AwaitsTurns(command, now) ? _turns.NextAt : null,
        ];
        return others.Aggregate(members, ShareClock.Earlier) ?? DateTimeOffset.MaxValue;
    }

    [LoggerMessage(
        Level = LogLevel.Debug,
        Message = "Rollout {RolloutId}: partition {Partition} does not say when it has news, and its share is asked all the time")]
    private partial void LogDeaf(Exception fault, string rolloutId, int partition);
}
