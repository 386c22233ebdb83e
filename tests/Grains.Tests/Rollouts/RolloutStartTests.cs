using Muster.Contracts;
using Muster.Contracts.Commit;
using Muster.Contracts.Rollouts;
using Muster.Domain;
using Muster.Domain.Rollouts;

namespace Muster.Grains.Tests.Rollouts;

/// <summary>Starts that come to nothing: whoever holds up a feed for them lets it go.</summary>
public sealed class RolloutStartTests(RolloutSilo silo) : IClassFixture<RolloutSilo>
{
    [Theory]
    [InlineData("start-share", true)]
    [InlineData("start-plan", false)]
    public async Task StartAsync_ThatFails_LetsAllFeedsGoAndCanBeRepeated(string site, bool inAShare)
    {
        silo.Fleet.Add(site, 40);
        var rollout = await silo.CreateAsync(site);
        var partition = silo.Fleet.PartitionsOf(site)[^1];
        silo.Store.FailNextWrite(
            inAShare ? new RecordKey(GrainTypes.RolloutPartition, $"default/{site}/{partition}") : RolloutSilo.RecordOf(site));

        await Assert.ThrowsAsync<StoreUnavailableException>(() => rollout.StartAsync(RolloutSilo.Order));

        Assert.Empty(HeldFeeds(site));
        Assert.Equal(RolloutState.Draft, (await rollout.GetAsync()).Rollout!.Plan.State);
        var plan = (await rollout.StartAsync(RolloutSilo.Order)).Rollout!.Plan;
        Assert.Equal(RolloutState.Running, plan.State);
        Assert.Equal(plan.Shares.Select(share => share.Partition), HeldFeeds(site));
    }

    /// <summary>A dry run looks at the whole fleet: orders to a rollout that runs do not wait for one.</summary>
    [Fact]
    public async Task CreateAsync_ValidateOnlyUnderTheNameOfOneThatRuns_IsRefusedAndAskedOfADraft()
    {
        const string Site = "dry-while-running";
        silo.Fleet.Add(Site, 3);
        var rollout = await silo.CreateAsync(Site);
        var spec = (await rollout.GetAsync()).Rollout!.Spec;
        var dryRun = new CreateRollout(RolloutSilo.Anna, "", spec, ValidateOnly: true);

        var ofADraft = await rollout.CreateAsync(dryRun);
        await rollout.StartAsync(RolloutSilo.Order);
        var ofARunning = await rollout.CreateAsync(dryRun);

        Assert.Equal((null, 3), (ofADraft.Error, ofADraft.Matching));
        Assert.Equal("ALREADY_EXISTS", ofARunning.Error?.Reason);
    }

    [Fact]
    public async Task StartAsync_ThatFailsBehindItsCommit_KeepsTheFeeds()
    {
        silo.Fleet.Add("start-fence", 40);
        var rollout = await silo.CreateAsync("start-fence");
        silo.Store.FailNextRaise = true;

        await Assert.ThrowsAsync<StoreUnavailableException>(() => rollout.StartAsync(RolloutSilo.Order));

        var plan = (await rollout.GetAsync()).Rollout!.Plan;
        Assert.Equal(RolloutState.Running, plan.State);
        Assert.Equal(plan.Shares.Select(share => share.Partition), HeldFeeds("start-fence"));
    }

    private IEnumerable<int> HeldFeeds(string site)
    {
        var reader = RolloutKey.ReaderOf(TenantId.Default, RolloutSilo.IdOf(site));
        return Enumerable.Range(0, PartitionMap.CountMin).Where(partition => silo.Store.HeldBy(partition, reader) is not null);
    }
}
