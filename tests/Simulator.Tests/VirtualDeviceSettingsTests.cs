using Muster.Protocol;
using Muster.Protocol.Device.V1;
using Muster.Simulator.Devices;

namespace Muster.Simulator.Tests;

/// <summary>A virtual device that is told to set something.</summary>
public sealed class VirtualDeviceSettingsTests
{
    private const string Ssh = "Network.SSH.Enabled";

    private static readonly DeviceMemory Factory = new("ACCC8E000001", "P3265-V", "12.10.50");

    [Fact]
    public void Desired_Settings_AreSetOnceAndReportedWithTheirGeneration()
    {
        var device = Device(DeviceTraits.Sound);

        var steps = Run(device.Desired(Wanted(3, Ssh, "yes")));
        var again = Run(device.Desired(Wanted(3, Ssh, "yes")));
        var inventory = Single<Inventory>(steps);
        var repeated = Single<Inventory>(Run(device.Connected()));

        Assert.Equal([Step.Delivered, Step.Installing], Reports(steps));
        Assert.Equal((3L, "yes"), (inventory.Generation, inventory.Settings.Single().Value));
        Assert.Contains(steps, step => step is DeviceStep.Tell { Event: "settings_applied" });
        Assert.Empty(again);
        Assert.Equal(inventory, repeated);
    }

    [Fact]
    public void Desired_Settings_OutliveTheProcess()
    {
        var device = Device(DeviceTraits.Sound);
        Run(device.Desired(Wanted(3, Ssh, "yes")));

        var restarted = new VirtualDevice(device.Memory, [new Setting { Name = Ssh, Value = "no" }], (_, _) => []);
        var hello = Single<Hello>(restarted.Connected());
        var inventory = Single<Inventory>(Run(restarted.Acknowledged(new Ack { Kind = Topics.Hello, Stamp = hello.Stamp })));

        Assert.Equal((3L, 3L, "yes"), (hello.Generation, inventory.Generation, inventory.Settings.Single().Value));
    }

    [Fact]
    public void Desired_OfASettingThatItDoesNotHave_IsRejectedOnce()
    {
        var device = Device(DeviceTraits.Sound);

        var steps = Run(device.Desired(Wanted(1, "root.Unknown", "yes")));

        Assert.Equal([Step.Delivered, Step.Rejected], Reports(steps));
        Assert.Equal("SETTING_REFUSED", steps.OfType<DeviceStep.Publish>().Select(step => step.Message).OfType<Report>().Last().Reason);
        Assert.DoesNotContain(steps, step => step is DeviceStep.Publish { Message: Inventory });
        Assert.Empty(Run(device.Desired(Wanted(1, "root.Unknown", "yes"))));
    }

    [Fact]
    public void Desired_ByALiar_IsReportedAsDoneWithTheOldValues()
    {
        var device = Device(new DeviceTraits { Fault = DeviceFault.LyingSettings });

        var steps = Run(device.Desired(Wanted(1, Ssh, "yes")));
        var inventory = Single<Inventory>(steps);

        Assert.Equal((1L, "no"), (inventory.Generation, inventory.Settings.Single().Value));
        Assert.DoesNotContain(steps, step => step is DeviceStep.Tell { Event: "settings_applied" });
    }

    private static VirtualDevice Device(DeviceTraits traits) =>
        new(Factory, [new Setting { Name = Ssh, Value = "no" }], (_, _) => [], traits);

    private static Desired Wanted(long generation, string name, string value) =>
        new() { Generation = generation, Settings = { new Setting { Name = name, Value = value } } };

    private static List<DeviceStep> Run(IEnumerable<DeviceStep> steps) => [.. steps];

    private static T Single<T>(IEnumerable<DeviceStep> steps) =>
        steps.OfType<DeviceStep.Publish>().Select(step => step.Message).OfType<T>().Single();

    private static List<Step> Reports(IEnumerable<DeviceStep> steps) =>
        [.. steps.OfType<DeviceStep.Publish>().Select(step => step.Message).OfType<Report>().Select(report => report.Step)];
}
