using Microsoft.Extensions.Logging;
using Muster.Contracts.Inventory;

namespace Muster.Grains.Rollouts;

/// <summary>Devices that match after the freeze where the rollout has no share: they are counted, and nothing is stored there.</summary>
internal sealed partial class RolloutGrain
{
    /// <summary>People read the number; a count looks at every device of the partition.</summary>
    private static readonly TimeSpan CountInterval = TimeSpan.FromMinutes(1);

    private readonly Dictionary<int, long> _elsewhere = [];
    private Task _counting = Task.CompletedTask;
    private DateTimeOffset? _countedAt;

    private bool _hasCounted;

    /// <summary>Null until all have been asked once; then of those that have answered.</summary>
    private long? LeftOutElsewhere => _hasCounted ? _elsewhere.Values.Sum() : null;

    /// <summary>Begins to, when it is time; a round does not wait for the answers.</summary>
    private void CountElsewhere()
    {
        var now = _clock.GetUtcNow();
        if (!_counting.IsCompleted || now - _countedAt < CountInterval || _record.State.Rollout is not { Spec.RetryOf: null } rollout)
        {
            return;
        }

        _countedAt = now;
        _counting = CountElsewhereAsync(rollout.Spec.Filter);
    }

    private async Task CountElsewhereAsync(string filter)
    {
        foreach (var chunk in Enumerable.Range(0, _partitions.Count).Except(Plan.Shares.Select(share => share.Partition))
            .Chunk(RolloutFreeze.FanOutMax))
        {
            try
            {
                var counts = await Task.WhenAll(chunk.Select(partition =>
                    MatchingDevices.CountByImageAsync(GrainFactory.GetInventory(partition), _tenant, filter)));
                foreach (var (partition, images) in chunk.Zip(counts))
                {
                    _elsewhere[partition] = images.Sum(image => (long)image.Devices);
                }
            }
            catch (Exception fault)
            {
                // What was counted before stands until they answer.
                LogNotCounted(fault, _id.Value);
            }
        }

        _hasCounted = true;
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Who matches rollout {RolloutId} without being a member was not counted everywhere")]
    private partial void LogNotCounted(Exception fault, string rolloutId);
}
