using System.Collections.Immutable;
using Muster.Contracts;
using Muster.Contracts.Commit;
using Muster.Contracts.Rollouts;
using Muster.Domain;
using Muster.Domain.Devices;
using Muster.Domain.Rollouts;

namespace Muster.Grains.Tests.Rollouts;

/// <summary>
/// Two live activations of a share, or of a coordinator, while offers go back: no more devices in progress than allowed (I3), none offered
/// twice at once (I2), and none after an order that ends offers was acknowledged (I12).
/// </summary>
public sealed class RolloutTwinsTests(RolloutSilo silo) : IClassFixture<RolloutSilo>
{
    private const int Budget = 2;

    private static readonly WaveSpec All = new(Amount.Percent(100), 100, 1, TimeSpan.Zero, ConnectedOnly: false);

    private static OrderRollout Order => RolloutSilo.Order;

    [Theory]
    [InlineData("pause", RolloutState.Paused)]
    [InlineData("cancel", RolloutState.Cancelled)]
    [InlineData("revoke", RolloutState.Suspended)]
    public async Task Order_WhileTwoSharesHaveTheSamePermitsInMemory_EndsTheOffersOfBoth(string order, RolloutState expected)
    {
        var site = $"twins-{order}";
        var (rollout, partition, devices) = await StartAsync(
            site, spec => order == "revoke" ? spec with { ImageDigest = FleetFactory.RevocableDigest } : spec);
        var gate = silo.Fleet.Hold(devices);
        GoBack(site);
        await silo.UntilAsync(site, _ => gate.Arrived == Budget);
        var other = await TellOtherAsync(site, partition);
        await silo.UntilAsync(site, _ => gate.Arrived == 2 * Budget);

        await (order switch
        {
            "pause" => rollout.PauseAsync(Order),
            "cancel" => rollout.CancelAsync(Order),
            "revoke" => silo.Fleet.RevokeAsync(FleetFactory.RevocableDigest),
            _ => throw new ArgumentOutOfRangeException(nameof(order)),
        });
        gate.Open();
        await IsTakenAsync(other); // the first to commit is; either may be
        var halted = await silo.UntilAsync(site, now => now.Plan.State == expected && now.Plan.Waves[0].Totals.InProgress == 0);
        await silo.SettleAsync(site);

        Assert.Equal((Budget, 0), (OffersOf(site), silo.Fleet.End(site, ChangeOutcome.Succeeded)));
        Assert.Equal(Budget, halted.Plan.Waves[0].Totals.Offered);
        if (order == "pause")
        {
            await rollout.ResumeAsync(new ResumeRollout(RolloutSilo.Anna, false, ""));
            await EndAsync(site, partition, devices, offers: Budget + devices.Length);
        }
    }

    [Fact]
    public async Task Offers_ThatGoBackWhileAnotherShareHasThem_AreMadeAgainByOneOfTheTwo()
    {
        const string Site = "twins";
        var (rollout, partition, devices) = await StartAsync(Site, spec => spec);
        var gate = silo.Fleet.Hold(devices);
        GoBack(Site);
        await silo.UntilAsync(Site, _ => gate.Arrived == Budget);
        var early = RolloutSilo.MessageOf((await rollout.GetAsync()).Rollout!, partition);
        var other = await TellOtherAsync(Site, partition);
        await silo.UntilAsync(Site, _ => gate.Arrived == 2 * Budget);

        gate.Open();
        silo.Fleet.LetNewOnesThrough(devices);
        await IsTakenAsync(other);
        await silo.UntilAsync(Site, now => now.Plan.Waves[0].Totals.Offered == 2 * Budget);
        Assert.Equal(2 * Budget, OffersOf(Site)); // both asked both devices

        // They go back once more, and the other share, which has them, hears of the old permits again, and then of the new ones.
        GoBack(Site);
        Assert.True(await IsTakenAsync(TellOther(Site, partition, early)));
        await silo.UntilAsync(Site, now => now.Plan.Waves[0].Totals.Offered == 3 * Budget);
        Assert.False(await IsTakenAsync(await TellOtherAsync(Site, partition))); // what it would commit is of an older record
        Assert.True(await IsTakenAsync(await TellOtherAsync(Site, partition)));
        Assert.Equal(3 * Budget, OffersOf(Site));

        await EndAsync(Site, partition, devices, offers: (2 * Budget) + devices.Length);
    }

    [Fact]
    public async Task Offers_OfACoordinatorThatAnotherTookOverFrom_AreRefusedAlsoWhenThoseOfTheOtherWentBack()
    {
        const string Site = "twins-heads";
        var (_, partition, devices) = await StartAsync(Site, spec => spec);
        var gate = silo.Fleet.Hold(devices);
        GoBack(Site);
        await silo.UntilAsync(Site, _ => gate.Arrived == Budget);
        silo.Fleet.LetNewOnesThrough(devices);

        await UntilOtherAsync(Site, () => OffersOf(Site) == 2 * Budget);
        GoBack(Site);
        await UntilOtherAsync(Site, () => OffersOf(Site) == 3 * Budget);
        gate.Open();

        await EndAsync(Site, partition, devices, offers: (2 * Budget) + devices.Length);
        Assert.Contains(silo.Store.FactsOf(RolloutSilo.RecordOf(Site)), fact => fact is RolloutTakenOver);
    }

    /// <summary>All devices are of one partition, so that one share has all permits; as many as the budget allows are offered.</summary>
    private async Task<(IRolloutGrain Rollout, int Partition, ImmutableArray<string> Devices)> StartAsync(
        string site, Func<RolloutSpec, RolloutSpec> change)
    {
        var of = silo.Fleet.Add($"{site}-spare", 100).ToLookup(silo.Partitions.OfDevice).MaxBy(devices => devices.Count())!;
        ImmutableArray<string> devices = [.. of.Take(3 * Budget)];
        foreach (var key in devices)
        {
            silo.Fleet.Move(key, site);
        }

        var rollout = await silo.CreateAsync(site, spec => change(spec with { Waves = [All], MaxUnavailable = Amount.Count(Budget) }));
        Assert.Null((await rollout.StartAsync(Order)).Error);
        await silo.UntilAsync(site, now => now.Plan.Waves[0].Totals.InProgress == Budget);
        return (rollout, of.Key, devices);
    }

    /// <summary>No connection got the offers that are open.</summary>
    private void GoBack(string site) => Assert.Equal(Budget, silo.Fleet.End(site, ChangeOutcome.Withdrawn, reason: OfferHandover.Reason));

    /// <summary>The second activation hears what the first one was told, before the coordinator knows what the first one took.</summary>
    private async Task<Task<ShareReport>> TellOtherAsync(string site, int partition)
    {
        await silo.DeployOtherAsync();
        var now = await silo.Grains.GetRollout(TenantId.Default, RolloutSilo.IdOf(site)).GetAsync();
        return TellOther(site, partition, RolloutSilo.MessageOf(now.Rollout!, partition) with { Seen = [] });
    }

    private async Task<ShareReport> TellOther(string site, int partition, AdvanceShare message)
    {
        var grains = await silo.DeployOtherAsync();
        return await grains.GetRolloutPartition(TenantId.Default, RolloutSilo.IdOf(site), partition).AdvanceAsync(message);
    }

    /// <summary>False when the store refused what it wanted to commit: then it is gone, and the next call has another activation.</summary>
    private static async Task<bool> IsTakenAsync(Task<ShareReport> told)
    {
        var fault = await Record.ExceptionAsync(() => told);
        Assert.True(fault is null or CommitConflictException, $"{fault}");
        return fault is null;
    }

    private int OffersOf(string site) => silo.Fleet.Offers.Count(offer => offer.Rollout.Value == site);

    /// <summary>The rollout's other coordinator works.</summary>
    private async Task UntilOtherAsync(string site, Func<bool> expected)
    {
        var due = (await silo.DeployOtherAsync()).GetGrain<IDueGrain>(GrainId.Create(GrainTypes.Rollout, $"default/{site}"));
        var left = 1_500; // 30 s, far above what it takes
        silo.OtherHears = true;
        try
        {
            while (!expected())
            {
                silo.Fleet.TellNews();
                await due.OnDueAsync(TestContext.Current.CancellationToken);
                Assert.True(left-- > 0, "The other coordinator does not get there.");
                await Task.Delay(TimeSpan.FromMilliseconds(20), TestContext.Current.CancellationToken);
            }
        }
        finally
        {
            silo.OtherHears = false;
        }
    }

    /// <summary>To the end with both shares at work.</summary>
    private async Task EndAsync(string site, int partition, ImmutableArray<string> devices, int offers)
    {
        silo.Fleet.LetNewOnesThrough(devices);
        var ended = await silo.UntilAsync(site, now => now.Plan.IsTerminal, async () =>
        {
            silo.Fleet.End(site, ChangeOutcome.Succeeded, countMax: 1);
            await IsTakenAsync(await TellOtherAsync(site, partition));
        });

        Assert.Equal((RolloutState.Succeeded, devices.Length), (ended.Plan.State, ended.Plan.Waves[0].Totals.Succeeded));
        Assert.Equal((offers, (long)offers), (OffersOf(site), ended.Plan.Waves[0].Totals.Offered));
        Assert.InRange(silo.Fleet.InProgressMax[site], 1, Budget);
    }
}
