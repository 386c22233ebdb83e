using Muster.Contracts;
using Muster.Contracts.Commit;
using Muster.Contracts.Rollouts;
using Muster.Domain.Devices;
using Muster.Domain.Operators;
using Muster.Domain.Rollouts;

namespace Muster.Grains.Tests.Rollouts;

public sealed class RolloutRevocationTests(RolloutSilo silo) : IClassFixture<RolloutSilo>
{
    private static readonly WaveSpec All = new(Amount.Percent(100), 100, 1, TimeSpan.Zero, ConnectedOnly: false);

    private static OrderRollout Order => RolloutSilo.Order;

    [Fact]
    public async Task Revocation_OfTheImageOfARunningRollout_StopsItAndTakesBackWhatWasNotDelivered()
    {
        const string Site = "revoked";
        var devices = silo.Fleet.Add(Site, 40);
        var rollout = await silo.CreateAsync(
            Site, spec => spec with { ImageDigest = FleetFactory.RevocableDigest, MaxUnavailable = Amount.Count(3) });
        await rollout.StartAsync(Order);
        await silo.UntilAsync(Site, _ => silo.Fleet.Offered(Site).Length == 3);
        var delivered = silo.Fleet.Offered(Site)[0];
        silo.Fleet.Delivered[delivered] = silo.Clock.GetUtcNow();

        await silo.Fleet.RevokeAsync(FleetFactory.RevocableDigest);
        var offered = silo.Fleet.Offered(Site);
        var halted = await silo.UntilAsync(Site, now => now.Plan.IsImageRevoked && now.Plan.Waves[0].Totals.InProgress == 1);
        await silo.SettleAsync(Site);

        Assert.Equal(RolloutState.Suspended, halted.Plan.State);
        Assert.Contains(halted.Plan.Decisions, decision => decision.Reason == PlanReasons.ImageRevoked);
        Assert.Equal(offered, silo.Fleet.Offered(Site));
        Assert.All(devices, key => Assert.InRange(silo.Fleet.OffersOf(key), 0, 1));
        Assert.Single(silo.Store.FactsOf(RolloutSilo.RecordOf(Site)), fact => fact is RolloutImageRevoked);
        var resumed = await rollout.ResumeAsync(new ResumeRollout(RolloutSilo.Anna, Override: true, "I want it all the same."));
        Assert.Equal("IMAGE_REVOKED", resumed.Error?.Reason);

        await rollout.CancelAsync(Order);
        silo.Fleet.End(Site, ChangeOutcome.Failed);
        var ended = await silo.UntilAsync(Site, now => now.Plan.IsTerminal);
        Assert.Equal(RolloutState.Cancelled, ended.Plan.State);

        silo.Fleet.Add("revoked-late", 3);
        var late = silo.Grains.GetRollout(Domain.TenantId.Default, RolloutSilo.IdOf("revoked-late"));
        var refused = await late.CreateAsync(new CreateRollout(RolloutSilo.Anna, "r1", ended.Spec with { Filter = "" }, false));
        Assert.Equal("IMAGE_REVOKED", refused.Error?.Reason);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)] // shares that begin anew ask the devices what they were offered
    public async Task Revocation_OfTheImageOfAWayBack_TakesBackWhatWasNotDeliveredAndNothingElse(bool crashes)
    {
        var site = crashes ? "back-anew" : "back";
        var (old, kept) = (DigestOf(crashes ? '3' : '4'), DigestOf('5'));
        var devices = silo.Fleet.Add(site, 8);
        silo.Fleet.Run(devices[..4], old);
        silo.Fleet.Run(devices[4..], kept);
        var rollout = await silo.CreateAsync(
            site, spec => spec with { Waves = [All], MaxUnavailable = Amount.Count(8) });
        await rollout.StartAsync(Order);
        await silo.UntilAsync(site, now => now.Plan.Waves[0].Totals.InProgress == 8);
        devices[..7].ToList().ForEach(key => silo.Fleet.EndOne(key, ChangeOutcome.Succeeded)); // the last is in progress: it goes on
        silo.Fleet.Deliver(devices[7]);
        await rollout.RollBackAsync(new RollBackRollout(RolloutSilo.Anna, [OperatorRole.Operator], "boot loops"));
        await silo.UntilAsync(site, _ => devices[..7].All(key => silo.Fleet.OffersOf(key) == 2));
        silo.Fleet.Deliver(devices[0]);
        await silo.UntilAsync(site, now => now.Plan.Waves[0].Totals.InProgress == 8);

        await silo.Fleet.RevokeAsync(old);
        var deadAsked = silo.Fleet.DeadAsked;
        if (crashes)
        {
            silo.Fleet.Dead.Add(devices[6]); // cannot say its image, and is not asked for it in each round
        }

        foreach (var partition in crashes ? silo.Fleet.PartitionsOf(site) : [])
        {
            await silo.CrashAsync(new RecordKey(GrainTypes.RolloutPartition, $"default/{site}/{partition}"));
        }

        var left = await silo.UntilAsync(
            site, now => now.Plan.Waves[0].Totals.InProgress == 5, () => silo.Clock.Advance(TimeSpan.FromSeconds(2)));
        await silo.SettleAsync(site);

        Assert.Equal(crashes ? 1 : 0, silo.Fleet.DeadAsked - deadAsked);
        silo.Fleet.Dead.Remove(devices[6]);

        // Who has named it is left to finish, and nobody is offered anything anew.
        Assert.Equal(RolloutState.RollingBack, left.Plan.State);
        Assert.All(devices[1..4], key => Assert.Equal(
            WayBack.NoWayBack,
            Assert.IsType<ChangeClosed>(silo.Store.FactsOf(new RecordKey(GrainTypes.Device, key)).Last()).Reason));
        Assert.All(devices[..7], key => Assert.Equal(2, silo.Fleet.OffersOf(key)));
        var ended = await silo.UntilAsync(
            site, now => now.Plan.IsTerminal, () => silo.Fleet.End(site, ChangeOutcome.Succeeded));
        Assert.Equal((RolloutState.RolledBack, 3), (ended.Plan.State, ended.Plan.Waves[0].Totals.Skips!.Of(MemberReason.NoWayBack)));
        Assert.Equal(
            [old, .. Enumerable.Repeat(FleetFactory.Digest, 3), .. Enumerable.Repeat(kept, 4)], devices.Select(silo.Fleet.RunningOf));
    }

    [Fact]
    public async Task Coordinator_OfWhichManyRoundsMove_AsksForItsImageOnceASecond()
    {
        const string Site = "moving";
        silo.Fleet.Add(Site, 40);
        var rollout = await silo.CreateAsync(Site, spec => spec with { Waves = [All], MaxUnavailable = Amount.Count(2) });
        await rollout.StartAsync(Order);
        await silo.UntilAsync(Site, _ => silo.Fleet.Offered(Site).Length >= 2);

        var asked = silo.Fleet.ImageChecks[FleetFactory.Digest];
        var begun = TimeProvider.System.GetTimestamp();
        await silo.UntilAsync(Site, now => now.Plan.IsTerminal, () => silo.Fleet.End(Site, ChangeOutcome.Succeeded));

        var seconds = TimeProvider.System.GetElapsedTime(begun).TotalSeconds;
        Assert.InRange(silo.Fleet.ImageChecks[FleetFactory.Digest] - asked, 1, (int)seconds + 2);
    }

    private static string DigestOf(char digit) => new(digit, 64);
}
