using Muster.Contracts;
using Muster.Contracts.Commit;
using Muster.Contracts.Rollouts;
using Muster.Domain.Devices;
using Muster.Domain.Rollouts;

namespace Muster.Grains.Tests.Rollouts;

/// <summary>Offers that no connection got.</summary>
public sealed class RolloutHandoverTests(RolloutSilo silo) : IClassFixture<RolloutSilo>
{
    private static OrderRollout Order => RolloutSilo.Order;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Offer_ThatNoConnectionGot_GivesItsPermitBackAndIsMadeAgain(bool crashes)
    {
        var site = crashes ? "handover-crash" : "handover";
        silo.Fleet.Add(site, 3);
        await StartAsync(site, spec => spec with
        {
            Waves = [new WaveSpec(Amount.Percent(100), 100, 1, TimeSpan.Zero, ConnectedOnly: false)],
            MaxUnavailable = Amount.Count(1),
            FailureGate = new FailureGate(1, null, 1),
        });
        await silo.UntilAsync(site, _ => silo.Fleet.Offered(site).Length == 1);
        var first = Assert.Single(silo.Fleet.Offered(site));
        silo.Fleet.SetOnline(first, false);
        silo.Fleet.EndOne(first, ChangeOutcome.Withdrawn, OfferHandover.Reason);
        if (crashes)
        {
            foreach (var partition in silo.Fleet.PartitionsOf(site))
            {
                await silo.CrashAsync(new RecordKey(GrainTypes.RolloutPartition, $"default/{site}/{partition}"));
            }
        }

        silo.Clock.Advance(TimeSpan.FromSeconds(3)); // presence is asked for every 2 s
        var other = await silo.UntilAsync(site, _ => silo.Fleet.Offered(site).Length == 2);
        silo.Fleet.SetOnline(first, true);
        silo.Clock.Advance(TimeSpan.FromSeconds(3));
        var ended = await silo.UntilAsync(site, now => now.Plan.IsTerminal, () => silo.Fleet.End(site, ChangeOutcome.Succeeded));

        Assert.Equal(0, other.Plan.Waves[0].Totals.FailedNow);
        Assert.Equal((RolloutState.Succeeded, 3), (ended.Plan.State, ended.Plan.Waves[0].Totals.Succeeded));
        Assert.Equal((2, 4L), (silo.Fleet.OffersOf(first), ended.Plan.Waves[0].Totals.Offered));
        Assert.All(silo.Fleet.Offers.Where(offer => offer.Rollout.Value == site), offer => Assert.Equal(0, offer.Retry));
        Assert.True(silo.Fleet.InProgressMax[site] <= 1);
    }

    [Fact]
    public async Task CancelAsync_TakesBackAtOnceWhatNoConnectionGotAndWaitsForTheOthers()
    {
        const string Site = "handover-cancel";
        silo.Fleet.Add(Site, 4);
        var rollout = await StartAsync(Site, spec => spec);
        await silo.UntilAsync(Site, now => now.Plan.Waves[0].Totals.Offered == 4);
        var offered = silo.Fleet.Offered(Site);
        silo.Fleet.Deliver(offered[0]);
        silo.Fleet.NotHandedOver.UnionWith([offered[2], offered[3]]);

        await rollout.CancelAsync(Order);
        var cancelling = await silo.UntilAsync(Site, now => now.Plan.Waves[0].Totals.InProgress == 2);
        await silo.SettleAsync(Site);
        Assert.Equal(RolloutState.Cancelling, cancelling.Plan.State);
        Assert.Equal([0, 1, 1, 1], offered.Select(key => silo.Fleet.CancelledAsks.GetValueOrDefault(key)));
        silo.Fleet.End(Site, ChangeOutcome.Succeeded);
        var ended = await silo.UntilAsync(Site, now => now.Plan.IsTerminal);

        Assert.Equal((RolloutState.Cancelled, 2), (ended.Plan.State, ended.Plan.Waves[0].Totals.Succeeded));
        Assert.All(offered, key => Assert.Equal(1, silo.Fleet.OffersOf(key)));
    }

    private async Task<IRolloutGrain> StartAsync(string site, Func<RolloutSpec, RolloutSpec> change)
    {
        var rollout = await silo.CreateAsync(site, change);
        await rollout.StartAsync(Order);
        return rollout;
    }
}
