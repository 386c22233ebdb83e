using Muster.Contracts.Commit;
using Muster.Contracts.Inventory;
using Muster.Contracts.Rollouts;
using Muster.Domain.Rollouts;
using Muster.Domain.Strategies;

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

    /// <summary>Where the devices are that match, by the site rules.</summary>
    public async Task<SiteTally> CountSitesAsync(SiteRules rules)
    {
        var all = SiteTally.Of(rules, []);
        foreach (var chunk in Enumerable.Range(0, partitions.Count).Chunk(FanOutMax))
        {
            var counted = await Task.WhenAll(chunk.Select(partition => MatchingDevices.CountSitesAsync(
                rules, grains.GetInventory(partition), rollout.Tenant, rollout.Spec.Filter)));
            all = counted.Aggregate(all, (sum, part) => sum.Plus(part));
        }

        return all;
    }

    /// <param name="freeze">Names the attempt.</param>
    /// <param name="rules">What the members' sites are counted by.</param>
    public async Task<FrozenMembers> RunAsync(Guid freeze, SiteRules rules)
    {
        var command = new FreezeMembers(freeze, rollout.Spec.Filter, rollout.Spec.Seed)
        {
            SiteRules = rules.Rules.IsEmpty ? null : rules,
        };
        var holders = ImmutableArray.CreateBuilder<int>();
        var all = MemberHistogram.Empty;
        var sites = SiteTally.Of(rules, []);
        foreach (var chunk in Enumerable.Range(0, partitions.Count).Chunk(FanOutMax))
        {
            var histograms = await Task.WhenAll(chunk.Select(partition => Share(partition).FreezeAsync(command)));
            foreach (var (partition, histogram) in chunk.Zip(histograms).Where(pair => pair.Second.Total > 0))
            {
                holders.Add(partition);
                all = all.Plus(histogram);

                // One that does not say leaves all of it unknown.
                sites = histogram.Sites is { } counted && counted.Revision == rules.Revision ? sites?.Plus(counted) : null;
            }
        }

        return new FrozenMembers(all.Total == 0 ? [] : await CutAsync(all, holders.ToImmutable()), holders.ToImmutable())
        {
            Sites = sites,
        };
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
