using Muster.Contracts;
using Muster.Contracts.Commit;
using Muster.Domain.Devices;
using Muster.Domain.Rollouts;

namespace Muster.Grains.Tests.Rollouts;

/// <summary>Devices that are tried again, and timers that do as they are told.</summary>
public sealed class RolloutAttemptsTests(RolloutSilo silo) : IClassFixture<RolloutSilo>
{
    private static readonly RetryPolicy ThreeTimes = new(3, TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(1));

    [Fact]
    public async Task Members_ThatFailTwiceOfThree_SucceedAtLastWithinTheBudget()
    {
        var devices = silo.Fleet.Add("thrice", 3);
        var rollout = await silo.CreateAsync("thrice", spec => spec with { Retries = ThreeTimes, MaxUnavailable = Amount.Count(2) });
        await rollout.StartAsync(RolloutSilo.Order);
        var step = 0;

        var ended = await silo.UntilAsync("thrice", now => now.Plan.IsTerminal, async () =>
        {
            foreach (var key in devices)
            {
                silo.Fleet.EndOne(key, silo.Fleet.OffersOf(key) < 3 ? ChangeOutcome.Failed : ChangeOutcome.Succeeded);
            }

            silo.Clock.Advance(TimeSpan.FromSeconds(5));
            if (step++ % 20 == 19)
            {
                await silo.CrashAsync(ShareOf("thrice", devices[0]));
            }
        });

        Assert.Equal((RolloutState.Succeeded, 3), (ended.Plan.State, ended.Plan.Waves.Sum(wave => wave.Totals.Succeeded)));
        Assert.All(devices, key => Assert.Equal(3, silo.Fleet.OffersOf(key)));
        Assert.True(silo.Fleet.InProgressMax["thrice"] <= 2);
    }

    [Fact]
    public async Task Members_ThatFailed_AreOfferedAgainWhenTheirBackoffIsOverAndNotBefore()
    {
        var device = Assert.Single(silo.Fleet.Add("backoff", 1));
        await (await silo.CreateAsync("backoff", spec => spec with { Retries = ThreeTimes })).StartAsync(RolloutSilo.Order);
        await silo.UntilAsync("backoff", _ => silo.Fleet.OffersOf(device) == 1);
        var endedAt = silo.Clock.GetUtcNow();
        silo.Fleet.End("backoff", ChangeOutcome.Failed);

        var waiting = await silo.UntilAsync("backoff", now => now.Plan.Waves[0].Totals.Retrying == 1);
        silo.Clock.Advance(TimeSpan.FromSeconds(44));
        await silo.SettleAsync("backoff");
        Assert.Equal(1, silo.Fleet.OffersOf(device));
        await silo.UntilAsync(
            "backoff", _ => silo.Fleet.OffersOf(device) == 2, () => silo.Clock.Advance(TimeSpan.FromMilliseconds(500)));

        Assert.Equal((0, 0), (waiting.Plan.Waves[0].Totals.Terminal, waiting.Plan.Waves[0].Totals.InProgress));
        Assert.True(silo.Fleet.OfferedAt[device] - endedAt >= TimeSpan.FromSeconds(45)); // up to a quarter of a minute is left out
    }

    [Fact]
    public async Task Members_WithAFinalReason_AreTriedOnce()
    {
        var devices = silo.Fleet.Add("final", 2);
        await (await silo.CreateAsync("final", spec => spec with
        {
            Retries = ThreeTimes,
            Waves = [new WaveSpec(Amount.Percent(100), 0, 1, TimeSpan.Zero, false)],
        })).StartAsync(RolloutSilo.Order);
        await silo.UntilAsync("final", _ => silo.Fleet.Offered("final").Length == 2);

        silo.Fleet.EndOne(devices[0], ChangeOutcome.Rejected, "IMAGE_SIGNATURE_INVALID");
        silo.Fleet.EndOne(devices[1], ChangeOutcome.Succeeded);
        var ended = await silo.UntilAsync("final", now => now.Plan.IsTerminal);

        Assert.Equal((1, 1), (ended.Plan.Waves[0].Totals.Rejected, ended.Plan.Waves[0].Totals.Succeeded));
        Assert.Equal(1, silo.Fleet.OffersOf(devices[0]));
    }

    [Fact]
    public async Task Pause_WhileADeviceWaitsForItsRetry_OffersItNothingUntilTheResumption()
    {
        var device = Assert.Single(silo.Fleet.Add("pauses", 1));
        var rollout = await silo.CreateAsync("pauses", spec => spec with { Retries = ThreeTimes });
        await rollout.StartAsync(RolloutSilo.Order);
        await silo.UntilAsync("pauses", _ => silo.Fleet.OffersOf(device) == 1);
        silo.Fleet.End("pauses", ChangeOutcome.Failed);
        await silo.UntilAsync("pauses", now => now.Plan.Waves[0].Totals.Retrying == 1);

        await rollout.PauseAsync(RolloutSilo.Order);
        silo.Clock.Advance(TimeSpan.FromMinutes(2));
        await silo.SettleAsync("pauses");
        Assert.Equal(1, silo.Fleet.OffersOf(device));

        await rollout.ResumeAsync(new(RolloutSilo.Anna, false, ""));
        await silo.UntilAsync("pauses", _ => silo.Fleet.OffersOf(device) == 2);
    }

    [Theory]
    [InlineData(TimeoutPolicy.Fail, 2, 0)]
    [InlineData(TimeoutPolicy.LeaveOut, 0, 2)]
    public async Task Timers_OfMembersThatAreAwayOrSilent_EndThemAsTheirPolicySays(TimeoutPolicy policy, int timedOut, int skipped)
    {
        var site = $"policy-{policy}".ToLowerInvariant();
        var devices = silo.Fleet.Add(site, 2);
        silo.Fleet.Add(site, 1, online: false);
        await (await silo.CreateAsync(site, spec => spec with
        {
            Waves = [new WaveSpec(Amount.Percent(100), 0, 1, TimeSpan.Zero, false)],
            InProgressTimeout = TimeSpan.FromMinutes(5),
            InProgressPolicy = policy,
            UndeliveredTimeout = TimeSpan.FromMinutes(5),
            UndeliveredPolicy = policy,
        })).StartAsync(RolloutSilo.Order);
        await silo.UntilAsync(site, _ => silo.Fleet.Offered(site).Length == 2);
        silo.Fleet.Deliver(devices[0]);
        silo.Fleet.EndOne(devices[1], ChangeOutcome.Succeeded);
        await silo.SettleAsync(site);

        silo.Clock.Advance(TimeSpan.FromMinutes(6));
        var totals = (await silo.UntilAsync(site, now => now.Plan.IsTerminal)).Plan.Waves[0].Totals;

        Assert.Equal((1, timedOut, skipped), (totals.Succeeded, totals.TimedOut, totals.Skipped));
        Assert.Equal(
            (skipped / 2, skipped / 2),
            (totals.Skips?.Of(MemberReason.ChangeTimedOut) ?? 0, totals.Skips?.Of(MemberReason.OfferUndelivered) ?? 0));
    }

    /// <summary>What it took at the last moment would be in the feed by the time its permit serves another.</summary>
    [Fact]
    public async Task Offers_WhoseTimeIsOver_AreAskedForAMinuteLongAndNotMade()
    {
        var device = Assert.Single(silo.Fleet.Add("unsaid", 1));
        silo.Fleet.Dead.Add(device);
        await (await silo.CreateAsync("unsaid", spec => spec with
        {
            Waves = [new WaveSpec(Amount.Percent(100), 0, 1, TimeSpan.Zero, false)],
            UndeliveredTimeout = TimeSpan.FromMinutes(5),
        })).StartAsync(RolloutSilo.Order);
        await silo.UntilAsync("unsaid", _ => PermitsOf("unsaid", device) == 1);
        var asked = silo.Fleet.DeadAsked;

        silo.Clock.Advance(TimeSpan.FromMinutes(5));
        await silo.UntilAsync("unsaid", _ => silo.Fleet.DeadAsked >= asked + 2);
        silo.Fleet.Dead.Remove(device);
        var ended = await silo.UntilAsync("unsaid", now => now.Plan.IsTerminal, () => silo.Fleet.End("unsaid", ChangeOutcome.Succeeded));

        Assert.Equal((1, 1), (ended.Plan.Waves[0].Totals.Succeeded, silo.Fleet.OffersOf(device)));
        Assert.Equal(2, PermitsOf("unsaid", device)); // the first was not used
    }

    [Fact]
    public async Task Timers_WithThePolicyWait_LeaveMembersAlone()
    {
        var device = Assert.Single(silo.Fleet.Add("waits", 1));
        var away = Assert.Single(silo.Fleet.Add("waits", 1, online: false));
        await (await silo.CreateAsync("waits", spec => spec with
        {
            Waves = [new WaveSpec(Amount.Percent(100), 100, 1, TimeSpan.Zero, false)],
            InProgressPolicy = TimeoutPolicy.Wait,
            UndeliveredPolicy = TimeoutPolicy.Wait,
        })).StartAsync(RolloutSilo.Order);
        await silo.UntilAsync("waits", _ => silo.Fleet.Offered("waits").Length == 1);
        silo.Fleet.Deliver(device);
        await silo.SettleAsync("waits");

        silo.Clock.Advance(TimeSpan.FromDays(30));
        await silo.SettleAsync("waits");
        silo.Fleet.SetOnline(away, true);
        silo.Clock.Advance(TimeSpan.FromSeconds(3));
        var ended = await silo.UntilAsync("waits", now => now.Plan.IsTerminal, () => silo.Fleet.End("waits", ChangeOutcome.Succeeded));

        Assert.Equal(2, ended.Plan.Waves[0].Totals.Succeeded);
    }

    [Fact]
    public async Task Offers_WithAWindow_AreMadeWhileItIsOpenAndADeviceThatHasItGoesOn()
    {
        // An hour from now, by a clock that other tests move too.
        var opens = silo.Clock.GetUtcNow().AddHours(1);
        var devices = silo.Fleet.Add("window", 2);
        var rollout = await silo.CreateAsync("window", spec => spec with
        {
            MaxUnavailable = Amount.Count(1),
            Windows = [new OfferWindow($"{opens.Minute} {opens.Hour} * * *", TimeSpan.FromMinutes(30), "UTC")],
            InProgressTimeout = TimeSpan.FromDays(2),
            UndeliveredTimeout = TimeSpan.FromDays(2),
        });
        await rollout.StartAsync(RolloutSilo.Order);
        await silo.SettleAsync("window");
        var waits = (await rollout.GetAsync()).Waves[0];
        Assert.Empty(silo.Fleet.Offered("window"));

        silo.Clock.Advance(TimeSpan.FromHours(1));
        await silo.UntilAsync("window", _ => silo.Fleet.Offered("window").Length == 1);
        silo.Clock.Advance(TimeSpan.FromMinutes(30));
        await silo.SettleAsync("window");
        silo.Fleet.End("window", ChangeOutcome.Succeeded);
        await silo.UntilAsync("window", now => now.Plan.Waves[0].Totals.Succeeded == 1);
        await silo.SettleAsync("window");
        Assert.Single(silo.Fleet.Offered("window"));

        silo.Clock.Advance(TimeSpan.FromHours(24) - TimeSpan.FromMinutes(30));
        await silo.UntilAsync("window", now => now.Plan.IsTerminal, () => silo.Fleet.End("window", ChangeOutcome.Succeeded));

        Assert.Equal([WaitingOn.Window], waits.WaitingOn);
        Assert.Equal(opens.AddTicks(-(opens.Ticks % TimeSpan.TicksPerMinute)), waits.WindowOpensAt);
        Assert.All(devices, key => Assert.Equal(1, silo.Fleet.OffersOf(key)));
    }

    [Fact]
    public async Task Offers_OfWhichNobodyKnowsWhenTheWindowCloses_AreNotRepeated()
    {
        var now = silo.Clock.GetUtcNow();
        var device = Assert.Single(silo.Fleet.Add("shut", 1));
        silo.Fleet.Dead.Add(device);
        var rollout = await silo.CreateAsync("shut", spec => spec with
        {
            Windows = [new OfferWindow($"{now.Minute} {now.Hour} * * *", TimeSpan.FromMinutes(10), "UTC")],
        });
        await rollout.StartAsync(RolloutSilo.Order);
        await silo.UntilAsync("shut", _ => silo.Store.FactsOf(ShareOf("shut", device)).Any(fact => fact is RolloutPermitsTaken));

        silo.Clock.Advance(TimeSpan.FromMinutes(11));
        await silo.SettleAsync("shut");
        silo.Fleet.Dead.Remove(device);
        await silo.UntilAsync("shut", seen => seen.Plan.Waves[0].Totals.Waiting == 1);

        Assert.Equal(0, silo.Fleet.OffersOf(device));
    }

    private int PermitsOf(string site, string device) =>
        silo.Store.FactsOf(ShareOf(site, device)).OfType<RolloutPermitsTaken>().Sum(taken => taken.Devices.Length);

    private static RecordKey ShareOf(string site, string device) =>
        new(GrainTypes.RolloutPartition, $"default/{site}/{new PartitionMap(PartitionMap.CountMin).OfDevice(device)}");
}
