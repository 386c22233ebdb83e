using Google.Protobuf.WellKnownTypes;
using Muster.Protocol.Device.V1;
using Muster.Simulator.Devices;

namespace Muster.Simulator.Tests;

/// <summary>A virtual device that may begin to install at some times only.</summary>
public sealed class VirtualDeviceInstallsTests
{
    private const string Ssh = "Network.SSH.Enabled";

    private static readonly DateTimeOffset Now = new(2026, 5, 1, 12, 0, 0, TimeSpan.Zero);

    private readonly VirtualDevice _device = new(
        new DeviceMemory("ACCC8E000001", "P3265-V", "12.10.50"), [new Setting { Name = Ssh, Value = "no" }], (_, _) => []);

    [Fact]
    public void Verified_BeforeTheWindow_WaitsAndInstallsInIt()
    {
        Run(_device.Desired(Image(From(10, 14)), Now));
        Run(_device.Downloaded(1, Image(null).Os));

        var verified = Run(_device.Verified(1, Image(null).Os, Now));
        var wait = verified.OfType<DeviceStep.Wait>().Single();
        var early = Run(wait.Then(wait.Until.AddTicks(-1)));
        var installed = Run(wait.Then(wait.Until));

        Assert.Equal(Now.AddHours(10), wait.Until);
        Assert.DoesNotContain(Step.Installing, Reports([.. verified, .. early]));
        Assert.Equal([Step.Installing, Step.Rebooting], Reports(installed));
        Assert.Equal("d", _device.Memory.Digest);
        Assert.Empty(Run(wait.Then(wait.Until))); // another wait of the same: it has booted since
    }

    [Fact]
    public void Verified_WithinAWindow_InstallsAtOnceAndAfterItsEndWaitsForTheNext()
    {
        Run(_device.Desired(Image(From(-2, 0), From(22, 24)), Now.AddHours(-1)));

        var shut = Run(_device.Verified(1, Image(null).Os, Now));
        var open = Run(shut.OfType<DeviceStep.Wait>().Single().Then(Now.AddHours(23)));

        Assert.Equal(Now.AddHours(22), shut.OfType<DeviceStep.Wait>().Single().Until);
        Assert.Contains(Step.Installing, Reports(open));
    }

    [Fact]
    public void Verified_WhenAllWindowsAreOver_SaysHelloAndIsToldTheNextOnes()
    {
        Run(_device.Desired(Image(From(-2, -1)), Now.AddHours(-2)));

        var over = Run(_device.Verified(1, Image(null).Os, Now));
        var told = Run(_device.Desired(Image(From(1, 2)), Now));
        var open = Run(_device.Desired(Image(From(0, 1)), Now));

        Assert.Contains(over, step => step is DeviceStep.Reboot);
        Assert.Equal(Now.AddHours(1), told.OfType<DeviceStep.Wait>().Single().Until);
        Assert.Contains(Step.Installing, Reports(open));
    }

    [Fact]
    public void Wait_OfAGenerationThatIsNotWantedAnyMore_EndsInNothing()
    {
        Run(_device.Desired(Image(From(10, 14)), Now));
        var wait = Run(_device.Verified(1, Image(null).Os, Now)).OfType<DeviceStep.Wait>().Single();

        Run(_device.Desired(new Desired { Generation = 2 }, Now));

        Assert.Empty(Run(wait.Then(wait.Until)));
    }

    [Fact]
    public void Settings_BeforeTheWindow_AreSetInItOnce()
    {
        var wanted = new Desired { Generation = 1, Settings = { new Setting { Name = Ssh, Value = "yes" } } };
        wanted.InstallTimes = Times(From(10, 14));

        var taken = Run(_device.Desired(wanted, Now));
        var wait = taken.OfType<DeviceStep.Wait>().Single();
        var set = Run(wait.Then(wait.Until));

        Assert.Equal([Step.Delivered], Reports(taken));
        Assert.Equal([Step.Installing], Reports(set));
        Assert.Equal((1, "yes"), (_device.Memory.AppliedGeneration, _device.Memory.Changed[Ssh]));
        Assert.Empty(Run(wait.Then(wait.Until)));
    }

    private static InstallInterval From(int opens, int closes) => new()
    {
        OpensAt = Timestamp.FromDateTimeOffset(Now.AddHours(opens)), ClosesAt = Timestamp.FromDateTimeOffset(Now.AddHours(closes)),
    };

    private static InstallTimes Times(params InstallInterval[] intervals) => new() { Intervals = { intervals } };

    private static Desired Image(params InstallInterval[]? intervals) => new()
    {
        Generation = 1,
        Os = new OsTarget { Digest = "d", Version = "12.11.0" },
        InstallTimes = intervals is null ? null : Times(intervals),
    };

    private static List<DeviceStep> Run(IEnumerable<DeviceStep> steps) => [.. steps];

    private static List<Step> Reports(IEnumerable<DeviceStep> steps) =>
        [.. steps.OfType<DeviceStep.Publish>().Select(step => step.Message).OfType<Report>().Select(report => report.Step)];
}
