using Muster.Domain.Devices;
using Muster.Domain.Rollouts;

namespace Muster.Grains.Tests.Rollouts;

/// <summary>Devices that may begin to install at night only: their time is held by day, and those that have begun go on.</summary>
public sealed class RolloutInstallWindowsTests(RolloutSilo silo) : IClassFixture<RolloutSilo>
{
    /// <summary>When the first window of a site's rollout opens.</summary>
    private readonly Dictionary<string, DateTimeOffset> _nights = [];

    [Fact]
    public async Task Timer_OfADeviceThatWaits_CountsTheTimeInWhichItMayInstall()
    {
        var device = await DeliveredAsync("held");
        var night = NightOf("held");

        await AtAsync("held", night.AddMinutes(-1));
        var early = await silo.UntilAsync("held", _ => true);
        await AtAsync("held", night.AddMinutes(30));
        var open = await silo.UntilAsync("held", _ => true);
        await AtAsync("held", night.AddHours(2).AddMinutes(-1));
        var late = await silo.UntilAsync("held", _ => true);
        silo.Clock.Advance(TimeSpan.FromMinutes(1));
        var over = await silo.UntilAsync("held", now => now.Plan.Waves[0].Totals.InProgress == 0);

        Assert.All([early, open, late], now => Assert.Equal(1, now.Plan.Waves[0].Totals.InProgress));
        Assert.Equal(1, over.Plan.Waves[0].Totals.TimedOut);
        Assert.Equal(1, silo.Fleet.OffersOf(device));
        Assert.Equal([NightsOf(night, hours: 4)], silo.Fleet.Offers.Last().InstallWindows);
    }

    [Fact]
    public async Task Timer_OfADeviceThatInstallsWhenTheWindowShuts_GoesOnAndItsSuccessCounts()
    {
        var device = await DeliveredAsync("begun", hours: 1);
        var night = NightOf("begun");

        await AtAsync("begun", night.AddMinutes(50));
        silo.Fleet.Install(device, InstallStart.InWindow);
        var installs = await silo.UntilAsync("begun", now => now.Plan.Waves[0].Totals.Installing == 1);
        await AtAsync("begun", night.AddMinutes(110)); // it is shut since the hour, and its time runs on
        silo.Fleet.EndOne(device, ChangeOutcome.Succeeded);
        var ended = await silo.UntilAsync("begun", now => now.Plan.IsTerminal);

        Assert.Equal((1, 0), (installs.Plan.Waves[0].Totals.InProgress, installs.Plan.Waves[0].Totals.AwaitingInstall));
        Assert.Equal((RolloutState.Succeeded, 1), (ended.Plan.State, ended.Plan.Waves[0].Totals.Succeeded));
        Assert.Equal(0, ended.Plan.Waves[0].Totals.Installing);
    }

    /// <summary>By the window alone its second hour would be the next night's.</summary>
    [Fact]
    public async Task Timer_OfADeviceThatBeganInItsWindow_RunsOnAlthoughItIsShut()
    {
        var device = await DeliveredAsync("runs", hours: 1);
        var night = NightOf("runs");

        await AtAsync("runs", night.AddMinutes(50));
        silo.Fleet.Install(device, InstallStart.InWindow);
        await AtAsync("runs", night.AddHours(2).AddMinutes(-1));
        var late = await silo.UntilAsync("runs", _ => true);
        silo.Clock.Advance(TimeSpan.FromMinutes(1));
        var over = await silo.UntilAsync("runs", now => now.Plan.Waves[0].Totals.InProgress == 0);

        Assert.Equal(1, late.Plan.Waves[0].Totals.InProgress);
        Assert.Equal(1, over.Plan.Waves[0].Totals.TimedOut);
    }

    [Fact]
    public async Task Timer_OfADeviceThatBeganOutsideOfItsWindows_RunsOnAlthoughTheyAreShut()
    {
        var device = await DeliveredAsync("outside");
        var began = silo.Clock.GetUtcNow();
        silo.Fleet.Install(device, InstallStart.OutsideWindow);

        await AtAsync("outside", began.AddHours(2).AddMinutes(-1));
        var late = await silo.UntilAsync("outside", _ => true);
        await silo.CrashAsync(new(Contracts.GrainTypes.RolloutPartition, $"default/outside/{silo.Fleet.PartitionsOf("outside")[0]}"));
        silo.Clock.Advance(TimeSpan.FromMinutes(1));
        var over = await silo.UntilAsync("outside", now => now.Plan.Waves[0].Totals.InProgress == 0);

        Assert.Equal(1, late.Plan.Waves[0].Totals.InProgress);
        Assert.Equal(1, over.Plan.Waves[0].Totals.TimedOut);
        Assert.True(silo.Clock.GetUtcNow() < NightOf("outside"));
    }

    private DateTimeOffset NightOf(string site) => _nights[site];

    private static OfferWindow NightsOf(DateTimeOffset night, int hours) =>
        new($"{night.Minute} {night.Hour} * * *", TimeSpan.FromHours(hours), "UTC");

    private async Task<string> DeliveredAsync(string site, int hours = 4)
    {
        // Twelve hours from now, by a clock that other tests move too.
        var now = silo.Clock.GetUtcNow();
        var night = new DateTimeOffset(now.Date, TimeSpan.Zero).AddHours(now.Hour + 12);
        _nights[site] = night;
        var device = Assert.Single(silo.Fleet.Add(site, 1));
        var rollout = await silo.CreateAsync(site, spec => spec with
        {
            InstallWindows = [NightsOf(night, hours)],
            InProgressTimeout = TimeSpan.FromHours(2),
            Waves = [new WaveSpec(Amount.Percent(100), 0, 1, TimeSpan.Zero, false)],
        });
        await rollout.StartAsync(RolloutSilo.Order);
        await silo.UntilAsync(site, _ => silo.Fleet.OffersOf(device) == 1);
        silo.Fleet.Deliver(device);
        await silo.SettleAsync(site);
        return device;
    }

    private async Task AtAsync(string site, DateTimeOffset time)
    {
        silo.Clock.Advance(time - silo.Clock.GetUtcNow());
        await silo.SettleAsync(site);
    }
}
