using System.Text.Json;
using Muster.Domain;
using Muster.Domain.Devices;
using Muster.Domain.Identity;
using Muster.Domain.Policies;
using Muster.Grains.Devices;
using Muster.Grains.Inventory.Columns;

namespace Muster.Grains.Tests.Devices;

public sealed class DevicePoolTests
{
    private static readonly string s_digest = new('a', 64);

    private readonly DevicePool _pool = new(new ValuePool());

    [Fact]
    public void Share_TwoDevicesReadFromTheStore_HoldOneCopyOfWhatTheySayAlike()
    {
        var one = _pool.Share(Read("A1"), null);
        var other = _pool.Share(Read("A2"), null);

        Assert.All(Alike(one).Zip(Alike(other)), pair => Assert.Same(pair.First, pair.Second));
        Assert.Same(one.Id.Value, one.Identity!.Device.Value);
        Assert.Same(one.Os!.BootId, one.Boots[^1].BootId);
    }

    [Fact]
    public void Share_AnyDevice_SaysWhatItSaid()
    {
        var read = Read("A1");

        Assert.Equal(JsonSerializer.Serialize(read), JsonSerializer.Serialize(_pool.Share(read, null)));
    }

    [Fact]
    public void Share_PartsThatAreHeldAlready_KeepsTheVeryObjects()
    {
        var held = _pool.Share(Read("A1"), null);

        var next = _pool.Share(held with { Epoch = 7 }, held);

        Assert.Same(held.Settings, next.Settings);
        Assert.Same(held.Identity, next.Identity);
        Assert.Same(held.Os, next.Os);
        Assert.True(held.Labels == next.Labels && held.EarlierChanges == next.EarlierChanges && held.Boots == next.Boots);
        Assert.Equal(7, next.Epoch);
    }

    [Fact]
    public void Share_ImagesThatDifferOnlyInTheirSignature_KeepsBoth()
    {
        var one = _pool.Share(Read("A1"), null);
        var forged = Read("A2");
        forged = forged with { Desired = forged.Desired with { Os = forged.Desired.Os! with { Signature = [4, 5, 7] } } };

        Assert.Equal([4, 5, 7], _pool.Share(forged, null).Desired.Os!.Signature);
        Assert.Equal([4, 5, 6], one.Desired.Os!.Signature);
    }

    [Fact]
    public void Share_SettingsThatARolloutWants_AreOneObjectWhereverTheyStand()
    {
        var (one, other) = (Wanting("no"), Wanting("no"));

        var (first, second) = (_pool.Share(one, null), _pool.Share(other, null));

        Assert.Equal((one.Desired, one.Change), (first.Desired, first.Change));
        Assert.Same(first.Change!.Settings, second.Change!.Settings);
        Assert.Same(first.Desired, second.Desired);
        Assert.Same(first.Change.Settings, first.Desired.Settings);
        Assert.Same(first.Change.Settings, second.LastChange!.Settings);
        Assert.NotSame(first.Desired, _pool.Share(Wanting("yes"), null).Desired);
    }

    [Fact]
    public void Share_MoreValuesThanAPoolHolds_GivesEachItsOwn()
    {
        var values = new SharedValues<string>();
        for (var i = 0; i < SharedValues<string>.ValuesMax; i++)
        {
            values.Share($"{i}");
        }

        var (one, other) = (Copy("late"), Copy("late"));

        Assert.Same(one, values.Share(one));
        Assert.Same(other, values.Share(other));
    }

    private static object[] Alike(Device device) =>
    [
        device.Tenant.Value, device.Expected, device.Model, device.Track, device.OsFloor, device.MovedTo!,
        device.Identity!.Profile, device.Os!.Version, device.Os.ImageDigest, device.Desired, device.Desired.Os!,
        device.Change!.Target, device.Change.Rollout.Value, device.LastChange!.Rollout.Value, device.LastChange.TargetDigest,
        device.EarlierChanges[0].TargetDigest, device.Compliance.Verdicts[0], .. device.Labels, device.Settings.ToNames(),
    ];

    /// <summary>As a record comes from the store: nothing in it is an object of another.</summary>
    private static Device Read(string name) => new()
    {
        Tenant = TenantId.TryParse(Copy("acme"), out var tenant) ? tenant : throw new FormatException(),
        Id = Id(name),
        State = DeviceState.InService,
        StateChangedAt = DateTimeOffset.UnixEpoch,
        CreatedAt = DateTimeOffset.UnixEpoch,
        Expected = new ExpectedDevice(Copy("P3265-V"), Copy("active"), Copy("lab"), Copy("11.0"), EnrollmentApproval.Automatic),
        RequestId = Copy("r"),
        Identity = new DeviceIdentity(Copy("axis"), Id(name), Copy(s_digest), Copy(s_digest), [1, 2, 3]),
        Model = Copy("P3265-V"),
        Os = new ReportedOs(Copy("12.1"), Copy(s_digest), Copy("boot-1"), true, true),
        Track = Copy("active"),
        Desired = new DesiredState(2, Image(), Copy("rollouts/spring")),
        Change = new ChangeInProgress(
            Rollout(), 1, 2, Image(), ChangeStep.Offered, Copy("boot-1"), DateTimeOffset.UnixEpoch, null, Copy(s_digest)),
        LastChange = Closed(),
        EarlierChanges = [Closed()],
        Boots = [new BootSequences(Copy("boot-0"), 3, 2, default, default), new BootSequences(Copy("boot-1"), 1, 0, default, default)],
        Compliance = new ComplianceReport(
            ComplianceState.NonCompliant, 3, [new RuleVerdict(Rollout(), Copy("ssh"), ComplianceState.NonCompliant, Copy("found"))], 49),
        OsFloor = Copy("11.0"),
        MovedTo = Copy("hall 2"),
        Labels = [new DeviceLabel(Copy("floor"), Copy("3"))],
        Settings = [new DeviceSetting("ssh", "no"), new DeviceSetting("name", name)],
    };

    private static Device Wanting(string value)
    {
        var device = Read("A");
        var change = device.Change! with { Target = OsTarget.None, Settings = [new DeviceSetting(Copy("ssh"), Copy(value))] };
        return device with
        {
            Change = change,
            Desired = DesiredState.Of(change with { Settings = [new DeviceSetting(Copy("ssh"), Copy(value))] }),
            LastChange = device.LastChange! with { Settings = [new DeviceSetting(Copy("ssh"), Copy(value))] },
        };
    }

    private static OsTarget Image() => new(Copy(s_digest), Copy("12.1"), 1_000, [4, 5, 6]);

    private static ClosedChange Closed() =>
        new(Rollout(), 1, ChangeOutcome.Succeeded, Copy("DONE"), DateTimeOffset.UnixEpoch, Copy(s_digest));

    private static DeviceId Id(string name) => DeviceId.TryParse(Copy(name), out var id) ? id : throw new FormatException();

    private static ResourceId Rollout() => ResourceId.TryParse(Copy("spring"), out var id) ? id : throw new FormatException();

    private static string Copy(string text) => new(text.AsSpan());
}
