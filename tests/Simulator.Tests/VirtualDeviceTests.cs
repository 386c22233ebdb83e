using Google.Protobuf.WellKnownTypes;
using Muster.Protocol;
using Muster.Protocol.Device.V1;
using Muster.Simulator.Devices;

namespace Muster.Simulator.Tests;

public sealed class VirtualDeviceTests
{
    private static readonly DateTimeOffset Now = new(2026, 5, 1, 12, 0, 0, TimeSpan.Zero);

    private readonly VirtualDevice _device = new(
        new DeviceMemory("ACCC8E000001", "P3265-V", "12.10.50"),
        [new Setting { Name = "Network.SSH.Enabled", Value = "no" }],
        (nonce, boot) => System.Text.Encoding.UTF8.GetBytes($"{nonce}/{boot}"));

    [Fact]
    public void Connected_UntilAcknowledged_RepeatsHelloWithTheSameStamp()
    {
        var first = Single<Hello>(_device.Connected());
        var second = Single<Hello>(_device.Connected());
        Run(_device.Acknowledged(new Ack { Kind = Topics.Hello, Stamp = first.Stamp }));
        var third = Single<Hello>(_device.Connected());

        Assert.True(first.FactoryDefault);
        Assert.Equal(first.Stamp, second.Stamp);
        Assert.Equal(2, third.Stamp.Sequence);
    }

    [Fact]
    public void Acknowledged_Hello_SendsInventoryOnceInABoot()
    {
        var hello = Single<Hello>(_device.Connected());
        var steps = Run(_device.Acknowledged(new Ack { Kind = Topics.Hello, Stamp = hello.Stamp }));
        var again = Run(_device.Acknowledged(new Ack { Kind = Topics.Hello, Stamp = hello.Stamp }));

        Assert.Equal("Network.SSH.Enabled", Single<Inventory>(steps).Settings.Single().Name);
        Assert.Empty(again);
    }

    [Fact]
    public void Desired_Newer_ReportsDeliveredAndFetchesOnce()
    {
        var steps = Run(_device.Desired(Wanted(3)));

        Assert.Equal([Step.Delivered, Step.Downloading], Reports(steps));
        Assert.Single(steps.OfType<DeviceStep.Fetch>());
        Assert.Empty(Run(_device.Desired(Wanted(3))));
        Assert.Empty(Run(_device.Desired(Wanted(2))));
        Assert.Equal(3, _device.Memory.Generation);
    }

    [Fact]
    public void Desired_WithoutImage_GivesUpWhatIsNotInstalledAndSaysSoOnce()
    {
        Run(_device.Desired(Wanted(1)));
        Run(_device.Downloaded(1, Wanted(1).Os));
        var boot = _device.Memory.BootId;

        var steps = Run(_device.Desired(new Desired { Generation = 2 }));
        var late = Run(_device.Verified(1, Wanted(1).Os));
        var failed = Run(_device.Failed(1, "DOWNLOAD_NOT_ALLOWED", isRefusal: false));

        Assert.IsType<DeviceStep.Save>(steps[0]);
        Assert.Equal((2, Step.Delivered), (Single<Report>(steps).Generation, Single<Report>(steps).Step));
        Assert.Empty(Run(_device.Desired(new Desired { Generation = 2 })));
        Assert.Empty(late);
        Assert.Empty(failed);
        Assert.Equal((boot, 2), (_device.Memory.BootId, Single<Hello>(_device.Connected()).Generation));
    }

    [Fact]
    public void Desired_WithoutImage_BehindAnInstallation_IsNamedAfterTheBoot()
    {
        Run(_device.Desired(Wanted(1)));
        Run(_device.Verified(1, Wanted(1).Os));

        Run(_device.Desired(new Desired { Generation = 2 })); // it reboots, and says hello before anything else
        var hello = Single<Hello>(_device.Connected());

        Assert.Equal((2, Wanted(1).Os.Digest), (hello.Generation, hello.ImageDigest));
    }

    [Fact]
    public void Verified_Image_IsInstalledInANewBootAndNeverTwice()
    {
        var boot = _device.Memory.BootId;
        Run(_device.Desired(Wanted(1)));
        Run(_device.Downloaded(1, Wanted(1).Os));
        var steps = Run(_device.Verified(1, Wanted(1).Os));

        Assert.Equal([Step.Installing, Step.Rebooting], Reports(steps));
        Assert.IsType<DeviceStep.Reboot>(steps[^1]);
        Assert.NotEqual(boot, _device.Memory.BootId);
        var hello = Single<Hello>(_device.Connected());
        Assert.Equal((Wanted(1).Os.Digest, "12.11.77", false), (hello.ImageDigest, hello.OsVersion, hello.FactoryDefault));
        Assert.Empty(Run(_device.Desired(Wanted(1))).OfType<DeviceStep.Fetch>());
        Assert.Empty(Run(_device.Verified(1, Wanted(1).Os)));
    }

    [Fact]
    public void Desired_AfterARestartInTheMiddle_FetchesAgain()
    {
        Run(_device.Desired(Wanted(1)));
        var restarted = new VirtualDevice(_device.Memory, [], (_, _) => []);

        Assert.Single(Run(restarted.Desired(Wanted(1))).OfType<DeviceStep.Fetch>());
    }

    [Fact]
    public void Failed_Image_IsReportedAndNotTriedAgain()
    {
        Run(_device.Desired(Wanted(1)));
        var steps = Run(_device.Failed(1, "IMAGE_UNSIGNED", isRefusal: true));

        Assert.Equal([Step.Rejected], Reports(steps));
        Assert.Empty(Run(_device.Desired(Wanted(1))));
    }

    [Fact]
    public void Commanded_FactoryDefault_ErasesOnceAndProvesInTheNewBoot()
    {
        var command = FactoryDefault(Now.AddDays(1));
        var steps = Run(_device.Commanded(command, Now));
        var boot = _device.Memory.BootId;
        Run(_device.Commanded(command, Now));

        Assert.Contains(steps, step => step is DeviceStep.Tell { Event: "erased" });
        Assert.Equal(boot, _device.Memory.BootId);
        var connected = Run(_device.Connected());
        Assert.True(Single<Hello>(connected).FactoryDefault);
        Assert.Equal($"n1/{boot}", Single<Result>(connected).Proof.ToStringUtf8());
    }

    [Fact]
    public void Desired_OfANewGeneration_WaitsItsPartOfTheSpreadOnce()
    {
        var desired = Wanted(1);
        desired.Os.DelaySeconds = 7;

        var first = Run(_device.Desired(desired)).OfType<DeviceStep.Fetch>().Single();
        var ended = Run(_device.LinkEnded(1));
        var again = Run(_device.Desired(desired)).OfType<DeviceStep.Fetch>().Single();

        Assert.Equal(TimeSpan.FromSeconds(7), first.Delay);
        Assert.Contains(ended, step => step is DeviceStep.Reboot);
        Assert.Equal(TimeSpan.Zero, again.Delay);
    }

    [Fact]
    public void LinkEnded_OfAnOlderGeneration_IsNothing()
    {
        Run(_device.Desired(Wanted(2)));

        Assert.Empty(Run(_device.LinkEnded(1)));
    }

    [Fact]
    public void Commanded_AfterItsTime_IsNotObeyed()
    {
        var command = FactoryDefault(Now);

        Run(_device.Commanded(command, Now.AddSeconds(1)));

        Assert.Equal("", _device.Memory.ErasedNonce);
    }

    [Fact]
    public void Refused_Tombstone_IsLoggedAndRetires()
    {
        var steps = Run(_device.Refused(isTombstone: true, "Banned"));

        Assert.Contains(steps, step => step is DeviceStep.Tell { Event: "tombstone_refused" });
        Assert.True(_device.Memory.IsRetired);
    }

    private static Desired Wanted(long generation) => new()
    {
        Generation = generation,
        Os = new OsTarget { Digest = new string('a', 64), Version = "12.11.77", SizeBytes = 10, Path = "/v1/images/x" },
    };

    private static Command FactoryDefault(DateTimeOffset expiresAt) =>
        new() { Kind = CommandKind.FactoryDefault, Nonce = "n1", ExpiresAt = Timestamp.FromDateTimeOffset(expiresAt) };

    private static List<DeviceStep> Run(IEnumerable<DeviceStep> steps) => [.. steps];

    private static T Single<T>(IEnumerable<DeviceStep> steps) =>
        steps.OfType<DeviceStep.Publish>().Select(step => step.Message).OfType<T>().Single();

    private static List<Step> Reports(IEnumerable<DeviceStep> steps) =>
        [.. steps.OfType<DeviceStep.Publish>().Select(step => step.Message).OfType<Report>().Select(report => report.Step)];
}
