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
        var offeredAt = silo.Fleet.OfferedAt[first];
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

        // The device is told since when it is waited for, also by an activation that has read it in the feed alone.
        var again = silo.Fleet.Offers.Where(offer => offer.Rollout.Value == site && offer.FirstOfferedAt is not null);
        Assert.Equal(offeredAt, Assert.Single(again).FirstOfferedAt);
    }

    /// <summary>
    /// The activation that made the offer is gone, and its answer with it; the tail is late. A second activation has the same permit, and
    /// makes the offer again, which had gone back: what it reads then of the first frees no permit.
    /// </summary>
    [Fact]
    public async Task Offer_MadeAgainByASecondActivation_KeepsItsPermitWhateverIsReadLateOfTheFirst()
    {
        const string Site = "handover-late";
        silo.Fleet.Add(Site, 3);
        await StartAsync(Site, spec => spec with
        {
            Waves = [new WaveSpec(Amount.Percent(100), 100, 1, TimeSpan.Zero, ConnectedOnly: false)],
            MaxUnavailable = Amount.Count(1),
        });
        await silo.UntilAsync(Site, _ => silo.Fleet.Offered(Site).Length == 1);
        var first = Assert.Single(silo.Fleet.Offered(Site));
        foreach (var partition in silo.Fleet.PartitionsOf(Site))
        {
            silo.Fleet.LateTails[partition] = true;
            await silo.CrashAsync(new RecordKey(GrainTypes.RolloutPartition, $"default/{Site}/{partition}"));
        }

        silo.Fleet.EndOne(first, ChangeOutcome.Withdrawn, OfferHandover.Reason);
        await silo.UntilAsync(Site, _ => silo.Fleet.OffersOf(first) == 2);
        silo.Fleet.LateTails.Clear();
        await silo.SettleAsync(Site);
        Assert.Equal(first, Assert.Single(silo.Fleet.Offered(Site)));
        var ended = await silo.UntilAsync(Site, now => now.Plan.IsTerminal, () => silo.Fleet.End(Site, ChangeOutcome.Succeeded));

        Assert.Equal((RolloutState.Succeeded, 3), (ended.Plan.State, ended.Plan.Waves[0].Totals.Succeeded));
        Assert.Equal(1, silo.Fleet.InProgressMax[Site]);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task CancelAsync_TakesBackAtOnceWhatNoConnectionGotAsksTheOthersAndWaitsForThem(bool crashes)
    {
        var site = crashes ? "handover-cancel-crash" : "handover-cancel";
        silo.Fleet.Add(site, 4);
        var rollout = await StartAsync(site, spec => spec);
        await silo.UntilAsync(site, now => now.Plan.Waves[0].Totals.Offered == 4);
        var offered = silo.Fleet.Offered(site);
        silo.Fleet.Deliver(offered[0]);
        silo.Fleet.NotHandedOver.UnionWith([offered[2], offered[3]]);

        await rollout.CancelAsync(Order);
        var cancelling = await silo.UntilAsync(
            site, now => now.Plan.Waves[0].Totals.InProgress == 2 && offered.Take(2).All(silo.Fleet.Recalled.Contains));
        await silo.SettleAsync(site);
        Assert.Equal(RolloutState.Cancelling, cancelling.Plan.State);
        Assert.Equal([1, 1, 1, 1], offered.Select(key => silo.Fleet.CancelledAsks.GetValueOrDefault(key)));
        if (crashes)
        {
            foreach (var partition in silo.Fleet.PartitionsOf(site))
            {
                await silo.CrashAsync(new RecordKey(GrainTypes.RolloutPartition, $"default/{site}/{partition}"));
            }

            // Asked once more, and that is all: by the sweep, for nothing has happened.
            silo.Clock.Advance(TimeSpan.FromSeconds(10));
            await silo.UntilAsync(site, _ => offered.Take(2).All(key => silo.Fleet.CancelledAsks[key] == 2));
            await silo.SettleAsync(site);
        }

        silo.Fleet.EndOne(offered[0], ChangeOutcome.Withdrawn, OfferHandover.CancelledReason); // it gives up
        await silo.UntilAsync(site, now => now.Plan.Waves[0].Totals.InProgress == 1);
        silo.Fleet.EndOne(offered[1], ChangeOutcome.Succeeded); // it could not stop
        var ended = await silo.UntilAsync(site, now => now.Plan.IsTerminal);

        Assert.Equal((RolloutState.Cancelled, 1), (ended.Plan.State, ended.Plan.Waves[0].Totals.Succeeded));
        Assert.All(offered.Take(2), key => Assert.Equal(crashes ? 2 : 1, silo.Fleet.CancelledAsks[key]));
        Assert.All(offered, key => Assert.Equal(1, silo.Fleet.OffersOf(key)));
    }

    private async Task<IRolloutGrain> StartAsync(string site, Func<RolloutSpec, RolloutSpec> change)
    {
        var rollout = await silo.CreateAsync(site, change);
        await rollout.StartAsync(Order);
        return rollout;
    }
}
