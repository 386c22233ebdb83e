using Muster.Contracts;
using Muster.Contracts.Commit;
using Muster.Contracts.Devices;
using Muster.Contracts.Gateways;
using Muster.Contracts.Serials;
using Muster.Domain;
using Muster.Domain.Devices;
using Muster.Domain.Inventory;
using Muster.Domain.Serials;
using Muster.Domain.Tenants;
using Muster.Grains.Tests.Devices;
using Muster.Grains.Tests.Inventory;
using Muster.Testing.Stores;

namespace Muster.Grains.Tests.Serials;

/// <summary>A silo of an installation with three tenants, where devices that nobody expects may apply.</summary>
public sealed class SharedSilo : IAsyncLifetime
{
    public static readonly TenantId Acme = Tenant("acme");

    public static readonly TenantId Bolt = Tenant("bolt");

    public DeviceSilo Silo { get; } = new()
    {
        UnknownDevicesMayApply = true,
        Tenants = TenantDirectory.Create([new(Acme, ["acme.example"]), new(Bolt, ["bolt.example"])]).Directory!,
    };

    public ValueTask InitializeAsync() => Silo.InitializeAsync();

    public ValueTask DisposeAsync() => Silo.DisposeAsync();

    private static TenantId Tenant(string name) => TenantId.TryParse(name, out var tenant) ? tenant : throw new FormatException(name);
}

public sealed class SerialGrainTests(SharedSilo shared) : IClassFixture<SharedSilo>
{
    private static readonly Actor Host = Actor.Operator("host");

    private DeviceSilo Silo => shared.Silo;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task ExpectAsync_ByTwoTenants_LetsNeitherInUntilAHumanDecides()
    {
        var (acme, bolt) = Two();
        Assert.Null((await acme.ExpectAsync()).SerialWaits);
        var second = await bolt.ExpectAsync();

        Assert.Equal(("SERIAL_DISPUTED", DeviceState.Expected), (second.SerialWaits?.Reason, second.Device!.State));
        foreach (var unit in new[] { acme, bolt })
        {
            Assert.Equal("SERIAL_DISPUTED", (await unit.ConnectAsync()).Error?.Reason);
            Assert.Equal("SERIAL_DISPUTED", (await unit.Grain.HelloAsync(unit.Hello("boot-1", 1))).Error?.Reason);
            Assert.Equal(DeviceState.Expected, (await unit.GetAsync()).State);
        }

        Assert.Null((await AssignAsync(bolt)).Error);

        Assert.Equal("SERIAL_OF_ANOTHER_TENANT", (await acme.ConnectAsync()).Error?.Reason);
        Assert.Equal("SERIAL_OF_ANOTHER_TENANT", (await acme.Grain.HelloAsync(acme.Hello("boot-1", 1))).Error?.Reason);
        await ComeAsync(bolt);
        Assert.Equal("SERIAL_NOT_ASSIGNABLE", (await AssignAsync(acme)).Error?.Reason);
        Assert.Equal(bolt.Tenant, (await GrainOf(acme).GetAsync()).Claims!.Holder);
    }

    [Fact]
    public async Task AssignAsync_OfADispute_LeavesFactsAndARowOfTheInstallation()
    {
        var (acme, bolt) = Two();
        await acme.ExpectAsync();
        Assert.Empty(await Silo.EntriesOfAsync(GrainOf(acme).GetGrainId()));
        await bolt.ExpectAsync();
        await AssignAsync(bolt);
        await ComeAsync(bolt);

        var entries = await Silo.EntriesOfAsync(GrainOf(acme).GetGrainId());

        Assert.Equal(
            [(nameof(SerialDisputed), SerialState.Waiting, Unit.Anna), (nameof(SerialAssigned), SerialState.Assigned, Host),
                (nameof(SerialProved), SerialState.Held, Actor.Device(bolt.Id.Value))],
            entries.Select(entry => (entry.Fact.GetType().Name, Assert.IsType<SerialRow>(entry.Row).Claims.State, entry.Actor)));
        Assert.All(entries, entry => Assert.Equal((TenantId.Default, bolt.Id.Value), (entry.Row!.Tenant, entry.Row.Name)));
    }

    [Fact]
    public async Task ExpectAsync_OfASerialThatAnotherTenantHolds_IsRefusedOnEveryRoad()
    {
        var acme = await new Unit(Silo, tenant: SharedSilo.Acme).EnrolAsync();
        var bolt = new Unit(Silo, tenant: SharedSilo.Bolt, id: acme.Id);

        Assert.Equal("SERIAL_OF_ANOTHER_TENANT", (await bolt.ExpectAsync()).Error?.Reason);
        Assert.Equal("NOT_FOUND", (await bolt.Grain.GetAsync()).Error?.Reason);
        Assert.Equal("SERIAL_OF_ANOTHER_TENANT", (await bolt.ConnectAsync()).Error?.Reason);
        Assert.Equal("SERIAL_OF_ANOTHER_TENANT", (await bolt.Grain.HelloAsync(bolt.Hello("boot-1", 1))).Error?.Reason);
        Assert.Null((await acme.ConnectAsync()).Error);
    }

    [Fact]
    public async Task ResultAsync_ThatMakesATombstone_BindsTheSerialInTheWholeInstallation()
    {
        var acme = await new Unit(Silo, tenant: SharedSilo.Acme).EnrolAsync();
        await acme.Grain.BeginDecommissionAsync(new BeginDecommission(Unit.Anna, Unit.Command()));
        await acme.Gateway.NextAsync<CommandMessage>(Cancel);
        await acme.ConnectAsync();
        await acme.Grain.HelloAsync(acme.Hello("boot-2", 1));
        Assert.Null((await acme.Grain.ResultAsync(acme.Result("boot-2", 1, proof: 9))).Error);

        // The same unit with a new certificate and a new key of its maker, and its old key under a serial that is free.
        var renewed = new Unit(Silo, tenant: SharedSilo.Bolt, id: acme.Id);
        var renamed = new Unit(Silo, key: acme.Identity.KeySha256, tenant: SharedSilo.Bolt);
        await renamed.ExpectAsync();
        await Silo.ForgetAsync(GrainOf(renewed).GetGrainId());

        Assert.Equal("SERIAL_OF_ANOTHER_TENANT", (await renewed.ExpectAsync()).Error?.Reason);
        Assert.Equal("SERIAL_OF_ANOTHER_TENANT", (await renewed.ConnectAsync()).Error?.Reason);
        Assert.Equal("KEY_CLAIMED_BY_ANOTHER", (await renamed.ConnectAsync()).Error?.Reason);
        Assert.Equal("SERIAL_NOT_ASSIGNABLE", (await AssignAsync(renewed)).Error?.Reason);
    }

    /// <summary>Cut off between the claim and the enrolment: nobody else comes in, and the device that repeats itself does.</summary>
    [Theory]
    [InlineData(StorageFault.Lost)]
    [InlineData(StorageFault.ReplyLost)]
    public async Task HelloAsync_WhenTheEnrolmentIsNotCommitted_KeepsTheSerialForTheDeviceThatRepeatsIt(StorageFault fault)
    {
        var acme = new Unit(Silo, tenant: SharedSilo.Acme);
        var bolt = new Unit(Silo, tenant: SharedSilo.Bolt, id: acme.Id);
        await acme.ExpectAsync();
        await acme.ConnectAsync();
        Silo.FailNextWrite(acme.GrainId, fault);
        await Assert.ThrowsAsync<StoreUnavailableException>(() => acme.Grain.HelloAsync(acme.Hello("boot-1", 1)));
        Assert.Equal(SharedSilo.Acme, (await GrainOf(acme).GetAsync()).Claims!.Holder);

        Assert.Equal("SERIAL_OF_ANOTHER_TENANT", (await bolt.ExpectAsync()).Error?.Reason);
        await acme.ConnectAsync();
        Assert.Null((await acme.Grain.HelloAsync(acme.Hello("boot-1", 1))).Error);
        Assert.Equal(DeviceState.InService, (await acme.GetAsync()).State);
        Assert.Single(await acme.FactsAsync(), fact => fact == nameof(DeviceEnrolled));
    }

    [Fact]
    public async Task ExpectAsync_WhenTheDeviceIsNotCommitted_IsCompletedByTheRepetition()
    {
        var acme = new Unit(Silo, tenant: SharedSilo.Acme);
        Silo.FailNextWrite(acme.GrainId, StorageFault.Lost);
        await Assert.ThrowsAsync<StoreUnavailableException>(() => acme.ExpectAsync());
        Assert.Equal([SharedSilo.Acme], (await GrainOf(acme).GetAsync()).Claims!.Expecting);

        Assert.Equal(DeviceState.Expected, (await acme.ExpectAsync()).Device?.State);
        await ComeAsync(acme);
    }

    [Fact]
    public async Task HelloAsync_WhenTheClaimIsNotCommitted_EnrolsNobody()
    {
        var acme = new Unit(Silo, tenant: SharedSilo.Acme);
        await acme.ExpectAsync();
        await acme.ConnectAsync();
        Silo.FailNextWrite(GrainOf(acme).GetGrainId(), StorageFault.Lost);

        await Assert.ThrowsAsync<StoreUnavailableException>(() => acme.Grain.HelloAsync(acme.Hello("boot-1", 1)));

        Assert.Equal(DeviceState.Expected, (await acme.GetAsync()).State);
        Assert.Null((await acme.Grain.HelloAsync(acme.Hello("boot-1", 1))).Error);
    }

    /// <summary>A second activation that has not seen the first one's claim cannot make another.</summary>
    [Fact]
    public async Task ClaimAsync_ByTwoActivations_IsTakenOnce()
    {
        var unit = new Unit(Silo, tenant: SharedSilo.Acme);
        var (here, there) = (GrainOf(unit), Silo.OtherGrains.GetSerial(unit.Id));
        Assert.Null(await here.CheckAsync(SharedSilo.Acme));
        Assert.Null(await there.CheckAsync(SharedSilo.Bolt));

        Assert.Null(await here.ClaimAsync(SharedSilo.Acme));
        await Assert.ThrowsAsync<CommitConflictException>(() => there.ClaimAsync(SharedSilo.Bolt));

        Assert.Equal("SERIAL_OF_ANOTHER_TENANT", (await there.ClaimAsync(SharedSilo.Bolt))?.Reason);
    }

    [Fact]
    public async Task HelloAsync_OfASerialUnderAnotherProfile_IsRefusedOnEveryRoad()
    {
        var real = new Unit(Silo, tenant: SharedSilo.Acme);
        var forged = new Unit(Silo, tenant: SharedSilo.Acme, id: real.Id, profile: "ieee8021ar");
        Assert.Equal("SERIAL_OF_ANOTHER_PROFILE", (await forged.ConnectAsync()).Error?.Reason);
        await real.ExpectAsync();

        Assert.Equal("SERIAL_OF_ANOTHER_PROFILE", (await forged.ConnectAsync()).Error?.Reason);
        Assert.Equal("SERIAL_OF_ANOTHER_PROFILE", (await forged.Grain.HelloAsync(forged.Hello("boot-1", 1))).Error?.Reason);
        await ComeAsync(real);
        Assert.Equal("IDENTITY_MISMATCH", (await forged.ConnectAsync()).Error?.Reason);
    }

    [Fact]
    public async Task ApplyAsync_OfADeviceThatAnotherTenantExpects_IsRefusedWithoutARequest()
    {
        var acme = new Unit(Silo, tenant: SharedSilo.Acme);
        var bolt = new Unit(Silo, key: acme.Identity.KeySha256, tenant: SharedSilo.Bolt, id: acme.Id);
        await acme.ExpectAsync();

        Assert.Equal("SERIAL_OF_ANOTHER_TENANT", (await bolt.ConnectAsync()).Error?.Reason);
        Assert.Equal("SERIAL_OF_ANOTHER_TENANT", (await bolt.Grain.HelloAsync(bolt.Hello("boot-1", 1))).Error?.Reason);

        // What came by the wrong server name took nothing from whom it belongs to.
        await ComeAsync(acme);
    }

    /// <summary>What the only tenant expected or enrolled before there was another has no claim: its own record is asked.</summary>
    [Theory]
    [InlineData(false, null, "SERIAL_DISPUTED")]
    [InlineData(true, "SERIAL_OF_ANOTHER_TENANT", null)]
    public async Task ExpectAsync_OfWhatTheFirstTenantHadAlone_SeesIt(bool isEnrolled, string? refused, string? waits)
    {
        await using var alone = new DeviceSilo();
        await alone.InitializeAsync();
        var first = isEnrolled ? await new Unit(alone).EnrolAsync() : new Unit(alone);
        await first.ExpectAsync();
        Assert.Equal(isEnrolled, (await alone.Grains.GetSerial(first.Id).GetAsync()).Claims is not null);
        await using var grown = alone.Grow(Silo.Tenants);
        await grown.InitializeAsync();
        var second = new Unit(grown, tenant: SharedSilo.Acme, id: first.Id);

        var reply = await second.ExpectAsync();

        Assert.Equal((refused, waits), (reply.Error?.Reason, reply.SerialWaits?.Reason));
    }

    [Fact]
    public async Task WithdrawAsync_ByOneOfTwoTenants_LetsTheOthersDeviceIn()
    {
        var (acme, bolt) = Two();
        await acme.ExpectAsync();
        await bolt.ExpectAsync();
        Silo.FailNextWrite(GrainOf(bolt).GetGrainId(), StorageFault.Lost);
        await Assert.ThrowsAsync<StoreUnavailableException>(() => WithdrawAsync(bolt));
        Assert.Equal("SERIAL_DISPUTED", (await acme.ConnectAsync()).Error?.Reason);

        Assert.Equal((DeviceState.Withdrawn, true), ((await WithdrawAsync(bolt)).Device!.State, (await WithdrawAsync(bolt)).IsUnchanged));

        await ComeAsync(acme);
        Assert.Equal("DEVICE_NOT_EXPECTED", (await bolt.ConnectAsync()).Error?.Reason);
        Assert.Equal("SERIAL_OF_ANOTHER_TENANT", (await bolt.ExpectAgainAsync()).Error?.Reason);
        Assert.Equal("DEVICE_STATE_INVALID", (await WithdrawAsync(acme)).Error?.Reason);
        Assert.Single(await bolt.FactsAsync(), fact => fact == nameof(DeviceWithdrawn));
    }

    [Fact]
    public async Task HelloAsync_OfAFleet_LeavesNoKeyAndNoSerialInMemory()
    {
        await using var silo = new DeviceSilo();
        await silo.InitializeAsync();
        var units = Enumerable.Range(0, 40).Select(_ => new Unit(silo)).ToArray();
        await Task.WhenAll(units.Select(unit => unit.EnrolAsync()));

        await StoreSilo.UntilAsync(async () => await CountAsync(silo, GrainTypes.Key) + await CountAsync(silo, GrainTypes.Serial) == 0);

        Assert.Equal(units.Length, await CountAsync(silo, GrainTypes.Device));
        Assert.All(units, unit => Assert.Equal(silo.Clock.GetUtcNow().ToUnixTimeMilliseconds(), unit.Epoch));
    }

    private static async Task<int> CountAsync(DeviceSilo silo, string kind) =>
        (await silo.Grains.GetGrain<IManagementGrain>(0).GetDetailedGrainStatistics())
            .Count(activation => activation.GrainId.Type.ToString() == kind);

    private (Unit Acme, Unit Bolt) Two()
    {
        var acme = new Unit(Silo, tenant: SharedSilo.Acme);
        return (acme, new Unit(Silo, tenant: SharedSilo.Bolt, id: acme.Id));
    }

    private ISerialGrain GrainOf(Unit unit) => Silo.Grains.GetSerial(unit.Id);

    private Task<SerialReply> AssignAsync(Unit unit) =>
        GrainOf(unit).AssignAsync(new AssignSerial(Host, unit.Tenant, "their order"));

    private static Task<DeviceReply> WithdrawAsync(Unit unit) =>
        unit.Grain.WithdrawAsync(new WithdrawDevice(Unit.Anna, "not on our order"));

    private static async Task ComeAsync(Unit unit)
    {
        Assert.Null((await unit.ConnectAsync()).Error);
        Assert.Null((await unit.Grain.HelloAsync(unit.Hello("boot-1", 1))).Error);
        Assert.Equal(DeviceState.InService, (await unit.GetAsync()).State);
    }
}
