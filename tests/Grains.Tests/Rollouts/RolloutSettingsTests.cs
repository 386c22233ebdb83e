using Muster.Contracts.Rollouts;
using Muster.Domain.Devices;
using Muster.Domain.Rollouts;

namespace Muster.Grains.Tests.Rollouts;

/// <summary>A rollout of settings: the same coordinator and shares, and no image anywhere.</summary>
public sealed class RolloutSettingsTests(RolloutSilo silo) : IClassFixture<RolloutSilo>
{
    private static readonly SettingSet Wanted = [new DeviceSetting("root.Network.SSH.Enabled", "no")];

    private static OrderRollout Order => RolloutSilo.Order;

    [Fact]
    public async Task Rollout_OfSettings_OffersThemWaveByWaveToItsEnd()
    {
        const string Site = "settings";
        var devices = silo.Fleet.Add(Site, 20);
        silo.Fleet.Unfit[devices[0]] = "ALREADY_HAS_SETTINGS";
        var rollout = await silo.CreateAsync(Site, OfSettings);
        var started = await rollout.StartAsync(Order);
        Assert.Null(started.Error);

        var first = await silo.UntilAsync(Site, _ => silo.Fleet.Offered(Site).Length is 3 or 4);
        var ended = await silo.UntilAsync(
            Site, now => now.Plan.IsTerminal, () => silo.Fleet.End(Site, ChangeOutcome.Succeeded));

        Assert.Null(first.Image);
        Assert.Equal((ChangeKind.Settings, "", ""), (ended.Spec.Kind, ended.Spec.ImageDigest, ended.Spec.TargetVersion));
        Assert.Equal(RolloutState.Succeeded, ended.Plan.State);
        Assert.Equal(devices[1..].Order(), silo.Fleet.Offered(Site).Order());
        Assert.All(silo.Fleet.Offers.Where(offer => offer.Rollout.Value == Site), offer =>
            Assert.Equal((Wanted, OsTarget.None), (offer.Settings, offer.Target)));
        Assert.Equal(1, ended.Plan.Waves.Sum(wave => wave.Totals.Skips?.Of(MemberReason.AlreadyHasSettings) ?? 0));
    }

    [Fact]
    public async Task Rollout_OfSettings_IsPausedResumedExplainedAndTakenOverAsAnyOther()
    {
        const string Site = "settings-paused";
        var devices = silo.Fleet.Add(Site, 6);
        var rollout = await silo.CreateAsync(Site, spec => OfSettings(spec) with { MaxUnavailable = Amount.Count(1) });
        await rollout.StartAsync(Order);
        await silo.UntilAsync(Site, _ => silo.Fleet.Offered(Site).Length == 1);

        Assert.Null((await rollout.PauseAsync(Order)).Error);
        silo.Fleet.End(Site, ChangeOutcome.Succeeded);
        await silo.SettleAsync(Site);
        Assert.Single(silo.Fleet.Offered(Site));
        await silo.CrashAsync(RolloutSilo.RecordOf(Site));
        var waiting = devices.First(key => !silo.Fleet.Offered(Site).Contains(key));
        var explained = await rollout.ExplainDeviceAsync(
            Contracts.Devices.DeviceKey.Parse(waiting).Device);
        Assert.Null((await rollout.ResumeAsync(new ResumeRollout(RolloutSilo.Anna, Override: false, ""))).Error);
        var ended = await silo.UntilAsync(
            Site, now => now.Plan.IsTerminal, () => silo.Fleet.End(Site, ChangeOutcome.Succeeded));

        Assert.Equal(MemberStatus.Waiting, explained.Explanation!.Status);
        Assert.Equal(RolloutState.Succeeded, ended.Plan.State);
    }

    [Fact]
    public async Task CreateAsync_OfAnImageAndSettings_SaysWhatIsWrong()
    {
        silo.Fleet.Add("settings-both", 1);
        var rollout = silo.Grains.GetRollout(Domain.TenantId.Default, RolloutSilo.IdOf("settings-both"));
        var spec = new RolloutSpec
        {
            ImageDigest = FleetFactory.Digest,
            TargetVersion = "",
            Waves = [new WaveSpec(Amount.Percent(100), 100, 1, TimeSpan.Zero, ConnectedOnly: false)],
            Settings = Wanted,
        };

        var refused = await rollout.CreateAsync(new CreateRollout(RolloutSilo.Anna, "r1", spec, false));
        var checkedOnly = await rollout.CreateAsync(
            new CreateRollout(RolloutSilo.Anna, "r1", spec with { ImageDigest = "" }, ValidateOnly: true));

        Assert.Equal("ROLLOUT_SPEC_INVALID", refused.Error?.Reason);
        Assert.Equal("settings", Assert.Single(refused.Error!.Metadata).Key);
        Assert.Null(checkedOnly.Error);
        Assert.True(checkedOnly.Matching >= 1);
    }

    private static RolloutSpec OfSettings(RolloutSpec spec) => spec with { ImageDigest = "", Settings = Wanted };
}
