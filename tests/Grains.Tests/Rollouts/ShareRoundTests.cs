using System.Globalization;
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

        var asked = round.Select(rollout, clock.GetUtcNow());
        var hasMoved = await round.AskAsync(rollout, asked, clock, clock.GetUtcNow().AddSeconds(2));
        var wasCutShort = round.IsCutShort;
        var next = round.Select(rollout, clock.GetUtcNow());

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
            .Select(rollout with { Plan = rollout.Plan with { Shares = [.. shares] } }, Start);

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

        var asking = round.AskAsync(rollout, round.Select(rollout, Start), new SteppedClock(Start), Start.AddSeconds(2));

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
        Assert.DoesNotContain(0, round.Select(rollout, clock.GetUtcNow()));
        slow.SetResult(new ShareReport(0, 1, []));
        var changed = await round.AskAsync(rollout, [], clock, clock.GetUtcNow().AddMinutes(1));

        Assert.True(changed);
        Assert.False(round.IsCutShort || round.IsAsking);
        Assert.Equal([0, 1], round.Reports.Select(report => report.Partition).Order());
        Assert.Equal(2, asked);
    }

    /// <summary>Who is quiet is left alone until there is news, its time has come, or the sweep has.</summary>
    [Fact]
    public async Task Select_OfQuietPartitions_TakesThoseThatHaveSomething()
    {
        var (round, rollout, clock) = await AskAllAsync(
            partition => partition == 1 ? Start.AddSeconds(4) : DateTimeOffset.MaxValue);

        Assert.Empty(round.Select(rollout, clock.GetUtcNow()));
        round.Hear(2, isUrgent: true);
        Assert.True(round.HasNews(clock.GetUtcNow()));
        Assert.Equal([2], round.Select(rollout, clock.GetUtcNow()));
        clock.Advance(TimeSpan.FromSeconds(4));
        Assert.Equal([1, 2], round.Select(rollout, clock.GetUtcNow()).Order());
        clock.Advance(TimeSpan.FromSeconds(6));
        Assert.Equal([0, 1, 2], round.Select(rollout, clock.GetUtcNow()).Order());
    }

    /// <summary>Shares look at who can be reached every two seconds, and not sooner.</summary>
    [Fact]
    public async Task Hear_OfWhoCanBeReached_IsWorthAskingTwoSecondsAfterTheLastTime()
    {
        var (round, rollout, clock) = await AskAllAsync(_ => DateTimeOffset.MaxValue);

        round.Hear(1, isUrgent: false);
        Assert.False(round.HasNews(clock.GetUtcNow()));
        Assert.Empty(round.Select(rollout, clock.GetUtcNow()));
        clock.Advance(MemberIndex.ReachInterval);
        Assert.True(round.HasNews(clock.GetUtcNow()));
        Assert.Equal([1], round.Select(rollout, clock.GetUtcNow()));
    }

    /// <summary>News may overtake the answer to the question that they came behind.</summary>
    [Fact]
    public async Task Hear_WhileThePartitionIsBeingAsked_IsAskedForAgain()
    {
        var answer = new TaskCompletionSource<ShareReport>();
        var round = new ShareRound(NeighbourGrain.Create<IGrainFactory>((_, _) =>
            NeighbourGrain.Create<IRolloutPartitionGrain>((_, _) => answer.Task)));
        var rollout = RolloutOf(partitions: 1);
        var clock = new FakeTimeProvider(Start);

        var asking = round.AskAsync(rollout, round.Select(rollout, Start), clock, Start.AddMinutes(1));
        round.Hear(0, isUrgent: true);
        answer.SetResult(new ShareReport(0, 1, []) { QuietUntil = DateTimeOffset.MaxValue });
        await asking;

        Assert.Equal([0], round.Select(rollout, Start));
        await round.AskAsync(rollout, [0], clock, Start.AddMinutes(1));
        Assert.Empty(round.Select(rollout, Start));
    }

    /// <summary>A share does by itself what follows from an order, and is told of each: by whatever the order is known.</summary>
    [Theory]
    [InlineData("decision")]
    [InlineData("state")]
    [InlineData("epoch")]
    [InlineData("wave")]
    [InlineData("joining")]
    [InlineData("window")]
    public async Task Select_AfterADecision_TakesAll(string what)
    {
        var (round, rollout, clock) = await AskAllAsync(_ => DateTimeOffset.MaxValue);
        Assert.Empty(round.Select(rollout, clock.GetUtcNow()));

        var plan = rollout.Plan;
        var ordered = what switch
        {
            "decision" => rollout with { Plan = plan with { DecisionsMade = 1 } },
            "state" => rollout with { Plan = plan with { State = RolloutState.Paused } },
            "epoch" => rollout with { Plan = plan with { Epoch = 2 } },
            "wave" => rollout with { Plan = plan with { Waves = [OpenWave] } },
            "joining" => rollout with { Plan = plan with { Waves = [JoinersWave] } },
            _ => rollout with { Spec = rollout.Spec with { Windows = [new OfferWindow("0 2 * * *", TimeSpan.FromHours(1), "Etc/UTC")] } },
        };

        Assert.Equal([0, 1, 2], round.Select(ordered, clock.GetUtcNow()).Order());
    }

    /// <summary>Its answer is on its way, and until it is here the next round need not be made at once.</summary>
    [Fact]
    public async Task HasNews_OfAPartitionThatIsBeingAsked_IsFalseUntilItAnswers()
    {
        var answer = new TaskCompletionSource<ShareReport>();
        var round = new ShareRound(NeighbourGrain.Create<IGrainFactory>((_, _) =>
            NeighbourGrain.Create<IRolloutPartitionGrain>((_, _) => answer.Task)));
        var clock = new FakeTimeProvider(Start);
        var rollout = RolloutOf(partitions: 1);

        var asking = round.AskAsync(rollout, [0], clock, Start.AddMinutes(1));
        round.Hear(0, isUrgent: true);
        Assert.False(round.HasNews(Start));
        answer.SetResult(new ShareReport(0, 1, []));
        await asking;

        Assert.True(round.HasNews(Start));
    }

    [Fact]
    public async Task Select_AfterAPartitionDidNotAnswer_TakesItAgain()
    {
        var isSilent = false;
        var (round, rollout, clock) = await AskAllAsync(
            _ => isSilent ? throw new TimeoutException("silent on purpose") : DateTimeOffset.MaxValue);

        isSilent = true;
        round.Hear(1, isUrgent: true);
        await round.AskAsync(rollout, round.Select(rollout, clock.GetUtcNow()), clock, clock.GetUtcNow().AddMinutes(1));

        Assert.False(round.HasNews(clock.GetUtcNow())); // or it would be asked four times a second
        Assert.Equal([1], round.Select(rollout, clock.GetUtcNow()));
    }

    private static async Task<(ShareRound Round, Rollout Rollout, FakeTimeProvider Clock)> AskAllAsync(Func<int, DateTimeOffset> quietUntil)
    {
        var clock = new FakeTimeProvider(Start);
        var round = new ShareRound(NeighbourGrain.Create<IGrainFactory>((_, arguments) =>
        {
            var partition = int.Parse(((string)arguments[0]!).Split('/')[^1], CultureInfo.InvariantCulture);
            return NeighbourGrain.Create<IRolloutPartitionGrain>((_, _) =>
                Task.FromResult(new ShareReport(partition, 1, []) { QuietUntil = quietUntil(partition) }));
        }));
        var rollout = RolloutOf(partitions: 3);
        await round.AskAsync(rollout, round.Select(rollout, Start), clock, Start.AddMinutes(1));
        return (round, rollout, clock);
    }

    private static WavePlan OpenWave => new()
    {
        Cut = new WaveCut(0, "", ConnectedOnly: false, Members: 0, PassedOver: 0, Spec: 0),
        State = WaveState.Running,
        StartedAt = Start,
    };

    private static WavePlan JoinersWave => OpenWave with { StartedAt = null, Cut = OpenWave.Cut with { TakesJoiners = true } };

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
