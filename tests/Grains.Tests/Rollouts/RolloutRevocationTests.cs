using Muster.Contracts.Rollouts;
using Muster.Domain.Devices;
using Muster.Domain.Rollouts;

namespace Muster.Grains.Tests.Rollouts;

public sealed class RolloutRevocationTests(RolloutSilo silo) : IClassFixture<RolloutSilo>
{
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
}
