using Muster.Contracts.Commit;
using Muster.Contracts.Inventory;
using Muster.Contracts.Rollouts;
using Muster.Domain.Rollouts;

namespace Muster.Grains.Rollouts;

/// <summary>Freezes the members of a rollout in all partitions and cuts them into waves.</summary>
internal sealed class RolloutFreeze(IGrainFactory grains, PartitionMap partitions, Rollout rollout)
{
    /// <summary>Partitions that work at a time: enough to fill the silos, few enough to leave them room.</summary>
    public const int FanOutMax = 32;

    /// <summary>The devices that match, by what they run.</summary>
    public async Task<ImmutableArray<ImageCount>> CountAsync()
    {
        var counts = new List<ImageCount>();
        foreach (var chunk in Enumerable.Range(0, partitions.Count).Chunk(FanOutMax))
        {
            var counted = await Task.WhenAll(chunk.Select(partition =>
                MatchingDevices.CountByImageAsync(grains.GetInventory(partition), rollout.Tenant, rollout.Spec.Filter)));
            counts = [.. ImageCount.Top(counted.SelectMany(count => count).Concat(counts))];
        }

        return [.. counts];
    }

    public async Task<FrozenMembers> RunAsync(Guid freeze)
    {
        var command = new FreezeMembers(freeze, rollout.Spec.Filter, rollout.Spec.Seed);
        var holders = ImmutableArray.CreateBuilder<int>();
        var all = MemberHistogram.Empty;
        foreach (var chunk in Enumerable.Range(0, partitions.Count).Chunk(FanOutMax))
        {
            var histograms = await Task.WhenAll(chunk.Select(partition => Share(partition).FreezeAsync(command)));
            foreach (var (partition, histogram) in chunk.Zip(histograms).Where(pair => pair.Second.Total > 0))
            {
                holders.Add(partition);
                all = all.Plus(histogram);
            }
        }

        return new FrozenMembers(all.Total == 0 ? [] : await CutAsync(all, holders.ToImmutable()), holders.ToImmutable());
    }

    private async Task<ImmutableArray<WaveCut>> CutAsync(MemberHistogram all, ImmutableArray<int> holders)
    {
        // At most one bucket per wave is asked for, never a message as large as the fleet.
        var buckets = new Dictionary<int, ImmutableArray<MemberPoint>>();
        while (true)
        {
            var result = WaveCutter.Cut(rollout.Spec.Waves, all, buckets);
            if (result.MissingBucket is not { } bucket)
            {
                return result.Cuts;
            }

            var members = ImmutableArray.CreateBuilder<MemberPoint>();
            foreach (var chunk in holders.Chunk(FanOutMax))
            {
                foreach (var points in await Task.WhenAll(chunk.Select(partition => Share(partition).GetBucketAsync(bucket))))
                {
                    members.AddRange(points);
                }
            }

            buckets.Add(bucket, members.ToImmutable());
        }
    }

    private IRolloutPartitionGrain Share(int partition) => grains.GetRolloutPartition(rollout.Tenant, rollout.Id, partition);
}
