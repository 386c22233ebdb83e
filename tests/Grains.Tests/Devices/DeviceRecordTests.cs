using Muster.Domain;
using Muster.Domain.Devices;
using Muster.Grains.Devices;

namespace Muster.Grains.Tests.Devices;

public sealed class DeviceRecordTests
{
    private static readonly DeviceSetting Ssh = new("ssh", "no");

    [Fact]
    public void WithCold_OfAnEarlierVersion_ReadsItsSettings()
    {
        var read = (DeviceRecord)Record().WithCold(new DeviceSettings([Ssh]));

        Assert.Equal([Ssh], read.Device!.Settings);
        Assert.Equal(SettingSet.Of([Ssh]), read.Cold);
    }

    [Fact]
    public void WithCold_OfNone_IsADeviceWithoutSettings() =>
        Assert.Same(SettingSet.Empty, ((DeviceRecord)Record().WithCold(null)).Device!.Settings);

    [Fact]
    public void WithCold_OfSomethingElse_IsRefused() =>
        Assert.Throws<InvalidOperationException>(() => Record().WithCold("text"));

    private static DeviceRecord Record() => new()
    {
        Device = new Device
        {
            Tenant = TenantId.Default,
            Id = DeviceId.TryParse("A1", out var id) ? id : throw new FormatException(),
            State = DeviceState.InService,
            StateChangedAt = DateTimeOffset.UnixEpoch,
            CreatedAt = DateTimeOffset.UnixEpoch,
            Expected = new ExpectedDevice("P3265-V", "active", "", "", EnrollmentApproval.Automatic),
            RequestId = "r",
        },
    };
}
