using Muster.Contracts;
using Muster.Contracts.Commit;
using Muster.Domain.Devices;
using Muster.Domain.Rollouts;

namespace Muster.Grains.Tests.Rollouts;

/// <summary>Several rollouts over the same devices.</summary>
public sealed class RolloutTurnsTests(RolloutSilo silo) : IClassFixture<RolloutSilo>
{
    private const string Site = "turns";
    private const string Lesser = "turns-lesser";
    private const string Urgent = "turns-urgent";

    private static readonly WaveSpec All = new(Amount.Percent(100), 100, 1, TimeSpan.Zero, ConnectedOnly: false);

    [Fact]
    public async Task Rollouts_ThatWaitForTheSameDevices_GetThemByPriority()
    {
        var devices = silo.Fleet.Add(Site, 4);
        await StartAsync(Site, 0);
        await UntilAsync(Site, now => now.Plan.Waves[0].Totals.Offered == 4);
        await StartAsync(Lesser, 0);
        await StartAsync(Urgent, 5);
        await UntilAsync(Lesser, now => now.Plan.Waves[0].Totals.WaitingBusy == 4 && silo.Fleet.CountTurnsAsked(Lesser) == 4);
        await UntilAsync(Urgent, now => now.Plan.Waves[0].Totals.WaitingBusy == 4 && silo.Fleet.CountTurnsAsked(Urgent) == 4);

        await EndAsync(Site);
        await UntilAsync(Urgent, now => now.Plan.Waves[0].Totals.Offered == 4);
        await EndAsync(Urgent);
        silo.Clock.Advance(ChangeTurns.KeptFor);
        await UntilAsync(Lesser, now => now.Plan.Waves[0].Totals.Offered == 4);
        var last = await EndAsync(Lesser);

        Assert.Equal(4, last.Plan.Waves[0].Totals.Succeeded);
        var offers = silo.Fleet.Offers.Where(offer => offer.Rollout.Value.StartsWith(Site, StringComparison.Ordinal));
        Assert.Equal(
            [.. Enumerable.Repeat(Site, 4), .. Enumerable.Repeat(Urgent, 4), .. Enumerable.Repeat(Lesser, 4)],
            offers.Select(offer => offer.Rollout.Value));
        Assert.All(devices, key => Assert.Equal(3, silo.Fleet.OffersOf(key)));
        Assert.All(
            silo.Fleet.TurnsAsked, asked => Assert.Equal(asked.Command.Rollout.Value == Urgent ? 5 : 0, asked.Command.Rank.Priority));
    }

    private async Task StartAsync(string rollout, int priority)
    {
        var grain = await silo.CreateAsync(rollout, spec => spec with { Filter = $"site = {Site}", Waves = [All], Priority = priority });
        Assert.Null((await grain.StartAsync(RolloutSilo.Order)).Error);
        silo.Clock.Advance(TimeSpan.FromSeconds(1));
    }

    private async Task<Rollout> EndAsync(string rollout)
    {
        silo.Fleet.End(Site, ChangeOutcome.Succeeded);
        silo.Clock.Advance(TimeSpan.FromSeconds(3)); // who is free is asked for every 2 s
        return await UntilAsync(rollout, now => now.Plan.IsTerminal);
    }

    /// <summary>All of them are called when they are due.</summary>
    private Task<Rollout> UntilAsync(string rollout, Func<Rollout, bool> expected) => silo.UntilAsync(rollout, expected, async () =>
    {
        foreach (var other in new[] { Site, Lesser, Urgent })
        {
            if (silo.Store.DueAtOf(RolloutSilo.RecordOf(other)) <= silo.Clock.GetUtcNow())
            {
                await silo.Grains.GetGrain<IDueGrain>(GrainId.Create(GrainTypes.Rollout, $"default/{other}"))
                    .OnDueAsync(TestContext.Current.CancellationToken);
            }
        }
    });
}
