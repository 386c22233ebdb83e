using Muster.Contracts.Devices;
using Muster.Domain.Devices;
using Muster.Domain.Inventory;
using Muster.Domain.Trust;

namespace Muster.Grains.Tests.Devices;

public sealed class DeviceAlarmEventsTests(DeviceSilo silo)
{
    private static readonly AlarmSignal Open = new(AlarmKind.CasingOpen, "", IsRaised: true, IsMomentary: false);

    private static readonly AlarmSignal Fan = new(AlarmKind.FanFailure, "1", IsRaised: true, IsMomentary: false);

    [Fact]
    public async Task NativeEventAsync_ThatChangesAnAlarm_IsCommittedOnceAndListed()
    {
        var unit = await new Unit(silo).EnrolAsync();

        for (var time = 0; time < 3; time++)
        {
            Assert.Null((await SayAsync(unit, Open)).Error);
        }

        Assert.Equal(1, (await unit.FactsAsync()).Count(fact => fact == nameof(DeviceAlarmChanged)));
        var row = Assert.IsType<DeviceRow>((await silo.EntriesOfAsync(unit.GrainId))[^1].Row);
        Assert.Equal("CASING_OPEN", row.Alarms);
        Assert.NotNull(row.AlarmAt);
    }

    [Fact]
    public async Task NativeEventAsync_OfAFlappingContact_KeepsToThePaceAndLosesNoState()
    {
        var unit = await new Unit(silo).EnrolAsync();
        for (var change = 0; change < 41; change++)
        {
            Assert.Null((await SayAsync(unit, Open with { IsRaised = change % 2 == 0 })).Error);
        }

        Assert.Equal(
            DeviceAlarms.ChangesAtOnce, (await unit.FactsAsync()).Count(fact => fact == nameof(DeviceAlarmChanged)));
        Assert.Empty((await unit.GetAsync()).Alarms);
    }

    [Fact]
    public async Task NativeEventAsync_OfAQuarantinedDevice_RaisesAndDoesNotEndUntilItIsReleased()
    {
        var unit = await new Unit(silo).EnrolAsync();
        await SayAsync(unit, Open);
        await unit.Grain.QuarantineAsync(new QuarantineDevice(Unit.Anna, "odd"));

        Assert.Equal("DEVICE_QUARANTINED", (await SayAsync(unit, Open with { IsRaised = false })).Error?.Reason);
        Assert.Null((await SayAsync(unit, Fan)).Error);
        Assert.Null((await SayAsync(unit, Fan with { Source = "2", IsRaised = false })).Error);
        Assert.Equal([AlarmKind.CasingOpen, AlarmKind.FanFailure], (await unit.GetAsync()).Alarms.Select(alarm => alarm.Kind));
        await unit.Grain.ReleaseAsync(new ReleaseDevice(Unit.Anna, "was a cat"));

        Assert.Null((await SayAsync(unit, Open with { IsRaised = false })).Error);
        Assert.Equal(AlarmKind.FanFailure, Assert.Single((await unit.GetAsync()).Alarms).Kind);
    }

    [Fact]
    public async Task NativeEventAsync_OfASuspectedDevice_DoesNotEndWhatOnlyWaitsForItsCommit()
    {
        await using var own = new DeviceSilo();
        await own.InitializeAsync();
        var unit = await new Unit(own).EnrolAsync();
        for (var change = 0; change < DeviceAlarms.ChangesAtOnce; change++)
        {
            await SayAsync(unit, Open with { IsRaised = change % 2 == 0 });
        }

        await SayAsync(unit, Fan);
        await own.Grains.GetDeviceTrust(unit.Tenant, unit.Id).SuspectAsync(new SuspectClone(SuspicionKind.OlderConnectionAlive, "seen"));

        Assert.Equal("DEVICE_QUARANTINED", (await SayAsync(unit, Fan with { IsRaised = false })).Error?.Reason);
        own.Clock.Advance(2 * DeviceAlarms.PaceInterval);
        Assert.Null((await SayAsync(unit, Open)).Error);
        Assert.Equal([AlarmKind.FanFailure, AlarmKind.CasingOpen], (await unit.GetAsync()).Alarms.Select(alarm => alarm.Kind));
    }

    [Theory]
    [InlineData(false, "DEVICE_NOT_ENROLLED")]
    [InlineData(true, "IDENTITY_MISMATCH")]
    public async Task NativeEventAsync_OfADeviceThatHasNotProvedItself_IsRefused(bool isEnrolled, string reason)
    {
        var unit = new Unit(silo);
        await unit.ExpectAsync();
        await unit.ConnectAsync();
        if (isEnrolled)
        {
            await unit.Grain.HelloAsync(unit.Hello("boot-1", 1));
        }

        var identity = isEnrolled ? unit.Identity with { Key = default } : unit.Identity;
        var reply = await unit.Grain.NativeEventAsync(new ReportNativeEvent(identity, unit.Session(), null));

        Assert.Equal(reason, reply.Error?.Reason);
    }

    private static Task<UpReply> SayAsync(Unit unit, AlarmSignal signal) =>
        unit.Grain.NativeEventAsync(new ReportNativeEvent(unit.Identity, unit.Session(), signal));
}
