using Muster.Contracts.Commit;

namespace Muster.Grains.Rollouts;

/// <summary>
/// Holds up the trimming of a partition's feed for a rollout's share: what it has not committed stays to be read. Costs two requests when
/// an activation begins and two for every thousand entries. The coordinator lets go when the rollout is over.
/// </summary>
internal sealed class FeedHold(IDurableReaders readers, int partition, string name)
{
    /// <summary>
    /// A share that nobody drives any more holds up this much at most: twice what alarms, and a quarter of what makes the store refuse
    /// commits. It then asks the devices that have its permits, which is how it also gets over a store that went back.
    /// </summary>
    public const long LagMax = 2 * FeedLimits.LagAlarm;

    /// <summary>As often as the partition's tail trims: more seldom keeps more entries, more often gains nothing.</summary>
    public const int EntriesBetweenAdvances = 1_024;

    private readonly DurableReader _reader = new(name) { LagMax = LagMax };
    private FeedPosition? _held;

    /// <summary>The share has committed what it read up to the position.</summary>
    public async Task FollowAsync(FeedPosition committed)
    {
        if (_held is not { } held)
        {
            await RegisterAsync(committed);
        }
        else if (committed.Sequence - held.Sequence >= EntriesBetweenAdvances)
        {
            var reply = await readers.AdvanceAsync(partition, _reader, committed, CancellationToken.None);
            if (reply.Status == ReaderStatus.Unknown)
            {
                await RegisterAsync(committed);
            }

            _held = committed;
        }
    }

    /// <summary>From a place that has nothing to do with the one before.</summary>
    public async Task ResetAsync(FeedPosition position)
    {
        await LeaveAsync();
        await RegisterAsync(position);
    }

    public async Task LeaveAsync()
    {
        await readers.LeaveAsync(partition, name, CancellationToken.None);
        _held = null;
    }

    private async Task RegisterAsync(FeedPosition position)
    {
        // One that is refused is told so by the feed, should it come to miss anything: it tries again after the next thousand entries.
        var reply = await readers.RegisterAsync(partition, _reader, position, CancellationToken.None);
        _held = reply.Status == ReaderStatus.Held ? reply.Position : position;
    }
}
