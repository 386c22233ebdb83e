using Muster.Contracts.Devices;
using Muster.Domain.Devices;
using Muster.Domain.Inventory;

namespace Muster.Grains.Tests.Devices;

public sealed class DeviceAlarmEventsTests(DeviceSilo silo)
{
    private static readonly AlarmSignal Open = new(AlarmKind.CasingOpen, "", IsRaised: true, IsMomentary: false);

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
