using Muster.Contracts.Rollouts;
using Muster.Domain;
using Muster.Domain.Devices;
using Muster.Domain.Rollouts;
using Muster.Grains.Rollouts;
using Muster.Grains.Tests.Lifecycle;

namespace Muster.Grains.Tests.Rollouts;

public sealed class ShareRoundTests
{
    private static readonly DateTimeOffset Start = new(2026, 6, 1, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public async Task Select_AfterARoundThatSilentPartitionsUsedUp_BeginsWithTheOthers()
    {
        var clock = new SteppedClock(Start);
        var round = new ShareRound(NeighbourGrain.Create<IGrainFactory>((_, _) => NeighbourGrain.Create<IRolloutPartitionGrain>((_, _) =>
        {
            clock.Advance(TimeSpan.FromSeconds(15));
            return Task.FromException<ShareReport>(new TimeoutException("silent on purpose"));
        })));
        var rollout = RolloutOf(partitions: 2 * RolloutFreeze.FanOutMax);

        var asked = round.Select(rollout.Plan, clock.GetUtcNow());
        await round.AskAsync(rollout, asked, clock, clock.GetUtcNow().AddSeconds(2));
        var next = round.Select(rollout.Plan, clock.GetUtcNow());

        Assert.Equal(asked[RolloutFreeze.FanOutMax..], next[..RolloutFreeze.FanOutMax]);
        Assert.Equal(asked.Order(), next.Order());
    }

    private static Rollout RolloutOf(int partitions) => new()
    {
        Tenant = TenantId.Default,
        Id = RolloutSilo.IdOf("silent"),
        Spec = new RolloutSpec { ImageDigest = FleetFactory.Digest, TargetVersion = "12.1.0", Filter = "", Waves = [] },
        Plan = RolloutPlan.Draft with
        {
            State = RolloutState.Running,
            Shares = [.. Enumerable.Range(0, partitions).Select(partition => new SharePlan(partition, 0, []))],
        },
        CreatedBy = RolloutSilo.Anna,
        CreatedAt = Start,
        RequestId = "r1",
        Image = new RolloutImage(new OsTarget(FleetFactory.Digest, "12.1.0", 1, []), "active", []),
    };
}
