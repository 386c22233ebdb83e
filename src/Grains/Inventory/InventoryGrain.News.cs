using Microsoft.Extensions.Logging;
using Muster.Contracts.Inventory;
using Muster.Contracts.Rollouts;
using Muster.Domain;

namespace Muster.Grains.Inventory;

/// <summary>
/// What happens here is told to the rollouts that wait for it, so that nobody has to ask in vain. Calls go up the tree here alone, and
/// nobody waits for them.
/// </summary>
internal sealed partial class InventoryGrain
{
    private readonly NewsListeners _news;

    public Task<ListenReply> ListenAsync(ListenForNews command)
    {
        ArgumentNullException.ThrowIfNull(command);

        // What the share has read where the tail is not yet is no news; a position that was never here makes it read once more.
        if (command.After.Sequence <= _position.Sequence
            && _ring.Find(command.After)?.Changes.Any(change => NewsListeners.IsFor(change, command.Tenant, command.Rollout)) != false)
        {
            return Task.FromResult(ListenReply.FeedHasNews);
        }

        var knowsReach = command.Reach is not { } known || known == _tables.Devices.Reach;
        return Task.FromResult(!_news.Put(command, knowsReach ? command.Reach : null, _clock.GetUtcNow()) ? ListenReply.Refused
            : knowsReach ? ListenReply.Listening
            : ListenReply.ReachHasChanged);
    }

    private void Tell(DeviceChange? change)
    {
        if (change is not null)
        {
            _news.Tell(change, _clock.GetUtcNow());
        }
    }

    private void TellReach() => _news.TellReach(_tables.Devices.Reach, _clock.GetUtcNow());

    private void TellAll() => _news.TellAll(_clock.GetUtcNow());

    /// <summary>Not awaited: the coordinator may be waiting for a share that asks this grain.</summary>
    private async Task TellAsync(TenantId tenant, ResourceId rollout, bool isUrgent)
    {
        try
        {
            await GrainFactory.GetRollout(tenant, rollout).HearAsync(_partition, isUrgent);
        }
        catch (Exception fault) when (fault is not OutOfMemoryException)
        {
            // The coordinator asks its quiet shares now and then.
            LogNotHeard(fault, _partition, rollout.Value);
        }
    }

    [LoggerMessage(Level = LogLevel.Debug, Message = "Partition {Partition} could not tell rollout {RolloutId} of its news")]
    private partial void LogNotHeard(Exception fault, int partition, string rolloutId);
}
