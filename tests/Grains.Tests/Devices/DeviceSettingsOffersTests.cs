using System.Collections.Immutable;
using Muster.Contracts.Devices;
using Muster.Contracts.Gateways;
using Muster.Domain.Devices;

namespace Muster.Grains.Tests.Devices;

/// <summary>Settings of a rollout through the device's grain: committed, told, and decided by the inventory.</summary>
public sealed class DeviceSettingsOffersTests(DeviceSilo silo)
{
    private static readonly SettingSet Wanted = [new DeviceSetting("root.Network.SSH.Enabled", "no")];

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task OfferAsync_OfSettings_IsToldAndSucceedsWithTheInventoryThatReportsThem()
    {
        var unit = await new Unit(silo).EnrolAsync();
        await unit.Grain.InventoryAsync(Reported(unit, 1, "yes"));

        Assert.Equal(OfferStatus.Offered, (await unit.Grain.OfferAsync(Offer())).Status);
        var told = (await unit.Gateway.NextAsync<DesiredMessage>(Cancel)).Desired;
        Assert.Equal((1L, null, Wanted), (told.Generation, told.Os, told.Settings));
        Assert.Null((await unit.Grain.ReportAsync(unit.Report("boot-1", 1, 1, ChangeStep.Installing))).Error);
        Assert.NotNull((await unit.Grain.OfferAsync(Offer())).DeliveredAt);
        Assert.Null((await unit.Grain.InventoryAsync(Reported(unit, 2, "no", generation: 1))).Error);

        var again = await unit.Grain.OfferAsync(Offer());
        Assert.Equal((OfferStatus.Closed, ChangeOutcome.Succeeded), (again.Status, again.Outcome));
        Assert.Equal(
            ["DeviceInventoryTaken", "ChangeOffered", "ChangeDelivered", "DeviceInventoryTaken", "ChangeClosed"],
            (await unit.FactsAsync())[4..]);
        Assert.Equal((0, "active"), ((await unit.GetAsync()).Installs, (await unit.GetAsync()).Track));
    }

    [Fact]
    public async Task OfferAsync_OfSettings_IsInTheRecordForTheNextActivation()
    {
        var unit = await new Unit(silo).EnrolAsync();
        await unit.Grain.OfferAsync(Offer("kept"));

        var read = (await unit.OtherGrain.GetAsync()).Device!;
        await unit.OtherGrain.InventoryAsync(Reported(unit, 1, "yes", generation: 1));
        var ended = (await unit.OtherGrain.GetAsync()).Device!;

        Assert.Equal((Wanted, Wanted, ChangeKind.Settings), (read.Desired.Settings, read.Change!.Settings, read.Change.Kind));
        Assert.Equal((ChangeOutcome.Failed, "SETTINGS_DIFFER"), (ended.LastChange!.Outcome, ended.LastChange.Reason));
        Assert.True(ended.Desired.OrdersNothing);
    }

    [Fact]
    public async Task OfferAsync_OfSettingsBehindAFence_LeavesNothing()
    {
        var unit = await new Unit(silo).EnrolAsync();
        await silo.Fences.RaiseAsync([silo.Partitions.OfDevice($"default/{unit.Id}")], "rollout/default/fenced-settings", 3, Cancel);

        var late = await unit.Grain.OfferAsync(Offer("fenced-settings", epoch: 2));

        Assert.Equal(OfferStatus.Fenced, late.Status);
        Assert.Equal(0, (await unit.GetAsync()).Desired.Generation);
    }

    [Fact]
    public async Task OfferAsync_OfSettingsThatTheDeviceHas_IsSkippedAlsoInAPreview()
    {
        var unit = await new Unit(silo).EnrolAsync();
        await unit.Grain.InventoryAsync(Reported(unit, 1, "no"));

        var preview = await unit.Grain.PreviewOfferAsync(Offer());
        var reply = await unit.Grain.OfferAsync(Offer());

        Assert.Equal((false, "ALREADY_HAS_SETTINGS"), (preview!.WouldOffer, preview.Reason));
        Assert.Equal((ChangeOutcome.Skipped, "ALREADY_HAS_SETTINGS"), (reply.Outcome, reply.Reason));
    }

    [Fact]
    public async Task HelloAsync_WhileSettingsAreAwaited_IsAnsweredWithThemAgain()
    {
        var unit = await new Unit(silo).EnrolAsync();
        await unit.Grain.OfferAsync(Offer());
        await unit.Gateway.NextAsync<DesiredMessage>(Cancel);

        await unit.Grain.HelloAsync(unit.Hello("boot-2", 1));

        Assert.Equal(Wanted, (await unit.Gateway.NextAsync<DesiredMessage>(Cancel)).Desired.Settings);
    }

    private static OfferChange Offer(string rollout = "spring", long epoch = 0) =>
        new(Unit.Rollout(rollout), epoch, OsTarget.None, "", [], AllowTrackChange: false) { Settings = Wanted };

    private static ReportInventory Reported(Unit unit, long sequence, string ssh, long generation = 0) =>
        unit.Inventory("boot-1", sequence, ImmutableArray.Create(new DeviceSetting("root.Network.SSH.Enabled", ssh))) with
        {
            Generation = generation,
        };
}
