using Microsoft.Extensions.Time.Testing;
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
    public async Task Select_AfterARoundThatASilentPartitionUsedUp_BeginsWithTheOthers()
    {
        var clock = new SteppedClock(Start);
        var round = new ShareRound(NeighbourGrain.Create<IGrainFactory>((_, _) => NeighbourGrain.Create<IRolloutPartitionGrain>((_, _) =>
        {
            clock.Advance(TimeSpan.FromSeconds(15));
            return Task.FromException<ShareReport>(new TimeoutException("silent on purpose"));
        })));
        var rollout = RolloutOf(partitions: 2 * RolloutFreeze.FanOutMax);

        var asked = round.Select(rollout.Plan, clock.GetUtcNow());
        var hasMoved = await round.AskAsync(rollout, asked, clock, clock.GetUtcNow().AddSeconds(2));
        var wasCutShort = round.IsCutShort;
        var next = round.Select(rollout.Plan, clock.GetUtcNow());

        Assert.True(wasCutShort);
        Assert.False(hasMoved); // or the next round would begin at once, and so on for as long as it is silent
        Assert.Equal([.. asked[1..], asked[0]], next);
    }

    /// <summary>One that has permits to use, one that may have news: neither waits for all of the other.</summary>
    [Fact]
    public void Select_OfPartitionsWithPermitsAndWithout_TakesThemByTurns()
    {
        var rollout = RolloutOf(partitions: 6);
        var shares = rollout.Plan.Shares.Select(share => share.Partition < 4 ? share with { Waves = [new WaveGrant(2, 1, 1)] } : share);

        var asked = new ShareRound(NeighbourGrain.Create<IGrainFactory>((_, _) => throw new InvalidOperationException("Nobody is asked.")))
            .Select(rollout.Plan with { Shares = [.. shares] }, Start);

        Assert.Equal([0, 4, 1, 5, 2, 3], asked);
    }

    /// <summary>A slow share holds up the end of the round and no other share.</summary>
    [Fact]
    public async Task AskAsync_BesideASlowPartition_AsksTheNextAsSoonAsAnyHasAnswered()
    {
        var slow = new TaskCompletionSource<ShareReport>();
        var answered = 0;
        var round = new ShareRound(NeighbourGrain.Create<IGrainFactory>((_, arguments) =>
            NeighbourGrain.Create<IRolloutPartitionGrain>((_, _) =>
            {
                var count = Interlocked.Increment(ref answered);
                return count == 1 ? slow.Task : Task.FromResult(new ShareReport(count, 1, []));
            })));
        var rollout = RolloutOf(partitions: 3 * RolloutFreeze.FanOutMax);

        var asking = round.AskAsync(rollout, round.Select(rollout.Plan, Start), new SteppedClock(Start), Start.AddSeconds(2));

        Assert.Equal(3 * RolloutFreeze.FanOutMax, answered);
        Assert.False(asking.IsCompleted);
        slow.SetResult(new ShareReport(0, 1, []));
        await asking;
        Assert.False(round.IsCutShort);
    }

    /// <summary>A round ends in its time, and the next one takes what comes meanwhile and does not ask twice.</summary>
    [Fact]
    public async Task AskAsync_BesideAPartitionThatTakesLong_EndsInTimeAndTakesItsAnswerInTheNextRound()
    {
        var slow = new TaskCompletionSource<ShareReport>();
        var asked = 0;
        var round = new ShareRound(NeighbourGrain.Create<IGrainFactory>((_, _) => NeighbourGrain.Create<IRolloutPartitionGrain>((_, _) =>
            Interlocked.Increment(ref asked) == 1 ? slow.Task : Task.FromResult(new ShareReport(1, 1, [])))));
        var rollout = RolloutOf(partitions: 2);
        var clock = new FakeTimeProvider(Start);

        var asking = round.AskAsync(rollout, [0, 1], clock, Start.AddMilliseconds(50));
        Assert.False(asking.IsCompleted);
        clock.Advance(TimeSpan.FromMilliseconds(50));
        Assert.True(await asking);
        Assert.True(round.IsCutShort && round.IsAsking);
        Assert.DoesNotContain(0, round.Select(rollout.Plan, clock.GetUtcNow()));
        slow.SetResult(new ShareReport(0, 1, []));
        var changed = await round.AskAsync(rollout, [], clock, clock.GetUtcNow().AddMinutes(1));

        Assert.True(changed);
        Assert.False(round.IsCutShort || round.IsAsking);
        Assert.Equal([0, 1], round.Reports.Select(report => report.Partition).Order());
        Assert.Equal(2, asked);
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
