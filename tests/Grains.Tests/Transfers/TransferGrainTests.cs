using Microsoft.Extensions.DependencyInjection;
using Muster.Contracts;
using Muster.Contracts.Commit;
using Muster.Contracts.Devices;
using Muster.Contracts.Images;
using Muster.Contracts.Serials;
using Muster.Contracts.Strategies;
using Muster.Contracts.Transfers;
using Muster.Domain;
using Muster.Domain.Devices;
using Muster.Domain.Identity;
using Muster.Domain.Rollouts;
using Muster.Domain.Serials;
using Muster.Domain.Strategies;
using Muster.Domain.Tenants;
using Muster.Grains.Devices;
using Muster.Grains.Tests.Images;
using Muster.Grains.Tests.Inventory;
using Muster.Grains.Transfers;

namespace Muster.Grains.Tests.Transfers;

/// <summary>What an import takes and what it refuses, record by record.</summary>
public sealed class TransferGrainTests
{
    private static readonly PartitionMap Partitions = new(PartitionMap.CountMin);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task WriteAsync_OfARecordUnderTheKeyOfAnother_IsRefusedAndNothingIsWritten()
    {
        await using var silo = await StoreSilo.StartAsync(
            isEmbedded: false, services => services.AddSingleton<IImageVault>(new ScriptedVault()));
        var mine = Id("A");
        var partition = Partitions.OfDevice(DeviceKey.Of(TenantId.Default, mine));
        var other = Enumerable.Range(0, 1_000).Select(n => Id($"D{n}"))
            .First(id => Partitions.OfDevice(DeviceKey.Of(TenantId.Default, id)) == partition);
        var spec = new ExpectedDevice("P3265-V", "12.11", "", "", EnrollmentApproval.Automatic);
        await silo.Grains.GetDevice(TenantId.Default, mine).ExpectAsync(new ExpectDevice(Actor.Operator("anna"), "r1", spec));
        var packed = Assert.Single(await RecordsAsync());

        var swapped = await WriteAsync(packed with { Key = DeviceKey.RecordOf((TenantId.Default, other)) });
        var repeated = await WriteAsync(packed);

        Assert.Equal("EXPORT_INVALID", swapped.Error?.Reason);
        Assert.Contains(
            $"'muster.device/default/{other}' says of itself that it is 'default/A'", swapped.Error!.Message, StringComparison.Ordinal);
        Assert.Equal(packed.Key, Assert.Single(await RecordsAsync()).Key);
        Assert.Equal((1, null), (repeated.Written, repeated.Error));

        async Task<IEnumerable<PackedRecord>> RecordsAsync() =>
            (await silo.Store.Archive.ReadAsync(partition, GrainTypes.Device, "default/*", "", Cancel)).Records;

        Task<RecordsWritten> WriteAsync(PackedRecord record) => silo.Grains.GetTransfer(partition).WriteAsync(
            new WriteRecords(Actor.Operator("anna"), TenantId.Default, Guid.Empty, [record]));
    }

    /// <summary>Serials are the installation's: an import takes in no device whose serial another tenant holds here.</summary>
    [Fact]
    public async Task WriteAsync_OfADeviceWhoseSerialAnotherTenantHolds_LeavesItOut()
    {
        var acme = TenantId.TryParse("acme", out var parsed) ? parsed : throw new FormatException();
        await using var silo = await StoreSilo.StartAsync(isEmbedded: false, services => services
            .AddSingleton<IImageVault>(new ScriptedVault())
            .AddSingleton(TenantDirectory.Create([new(acme, ["acme.example"])]).Directory!));
        var (mine, anna) = (Id("A"), Actor.Operator("anna"));
        var partition = Partitions.OfDevice(DeviceKey.Of(TenantId.Default, mine));
        var spec = new ExpectedDevice("P3265-V", "12.11", "", "", EnrollmentApproval.Automatic);
        await silo.Grains.GetDevice(TenantId.Default, mine).ExpectAsync(new ExpectDevice(anna, "r1", spec));
        var packed = Assert.Single((await silo.Store.Archive.ReadAsync(partition, GrainTypes.Device, "default/*", "", Cancel)).Records);
        var command = new WriteRecords(anna, TenantId.Default, Guid.Empty, [packed]);
        var taken = await silo.Grains.GetTransfer(partition).WriteAsync(command);
        var serial = silo.Grains.GetSerial(mine);
        Assert.Equal("SERIAL_DISPUTED", (await serial.ClaimAsync(acme))?.Reason);
        Assert.Null((await serial.AssignAsync(new AssignSerial(anna, acme, "theirs"))).Error);
        Assert.Null(await serial.ClaimAsync(acme));

        var left = await silo.Grains.GetTransfer(partition).WriteAsync(command);

        Assert.Equal((1, 0), (taken.Written, left.Written));
        Assert.Contains("is another tenant's", Assert.Single(left.Left).Why, StringComparison.Ordinal);
    }

    /// <summary>A key belongs to one identity for ever: a file brings none back under another serial, and takes no serial for it.</summary>
    [Fact]
    public async Task WriteAsync_OfADeviceWhoseKeyIsAnothers_LeavesItOut()
    {
        await using var silo = await StoreSilo.StartAsync(
            isEmbedded: false, services => services.AddSingleton<IImageVault>(new ScriptedVault()));
        var (mine, anna) = (Id("A"), Actor.Operator("anna"));
        var (key, operational) = (new string('1', 64), new string('2', 64));
        var partition = Partitions.OfDevice(DeviceKey.Of(TenantId.Default, mine));
        var spec = new ExpectedDevice("P3265-V", "12.11", "", "", EnrollmentApproval.Automatic);
        await silo.Grains.GetDevice(TenantId.Default, mine).ExpectAsync(new ExpectDevice(anna, "r1", spec));
        var packed = Assert.Single((await silo.Store.Archive.ReadAsync(partition, GrainTypes.Device, "default/*", "", Cancel)).Records);
        var record = (DeviceRecord)silo.Store.Archive.Unpack(packed).Record;
        var at = DateTimeOffset.UnixEpoch;
        var enrolled = record.Device! with
        {
            State = DeviceState.InService,
            Identity = new DeviceIdentity(SerialId.Of(mine).Profile, mine, new string('c', 64), key, [1]),
            Certificates = [new OperationalCertificate(default, 1, default, Sha256Hash.Parse(operational), at, at)],
        };
        var crafted = silo.Store.Archive.Repack(packed, record with { Device = enrolled });
        var stranger = new KeyOwner(SerialId.Of(mine).Profile, TenantId.Default, Id("B"));
        Assert.Null(await silo.Grains.GetKey(operational).ClaimAsync(stranger));

        var left = await silo.Grains.GetTransfer(partition).WriteAsync(new WriteRecords(anna, TenantId.Default, Guid.Empty, [crafted]));

        Assert.Contains("key", Assert.Single(left.Left).Why, StringComparison.Ordinal);
        Assert.Null(await silo.Grains.GetKey(key).GetOwnerAsync());
        Assert.Equal("NOT_FOUND", (await silo.Grains.GetSerial(mine).GetAsync()).Error?.Reason);
    }

    /// <summary>Also where somebody has asked for them before the import, which writes beside the grain.</summary>
    [Fact]
    public async Task WriteAsync_OfStrategiesAndSiteRules_IsWhatTheirGrainAnswersWith()
    {
        var (anna, canary) = (Actor.Operator("anna"), ResourceId.TryParse("canary", out var id) ? id : throw new FormatException());
        var course = new RolloutSpec
        {
            ImageDigest = "",
            TargetVersion = "",
            Waves = [new WaveSpec(Amount.Percent(100), 100, 1, TimeSpan.Zero, ConnectedOnly: false)],
        };
        var partition = Partitions.Of(new RecordKey(GrainTypes.StrategySet, "default"));
        PackedRecord packed;
        SiteRules rules;
        await using (var silo = await StoreSilo.StartAsync(
            isEmbedded: false, services => services.AddSingleton<IImageVault>(new ScriptedVault())))
        {
            var strategies = silo.Grains.GetStrategySet(TenantId.Default);
            await strategies.CreateAsync(new CreateStrategy(anna, "r1", canary, new StrategySpec("", course)));
            rules = (await strategies.UpdateSiteRulesAsync(new UpdateSiteRules(anna, [new SiteRule("a*", canary, 1)], ""))).Rules;
            packed = Assert.Single((await silo.Store.Archive.ReadAsync(
                partition,
                GrainTypes.StrategySet,
                TenantRecords.KeysOf(GrainTypes.StrategySet, TenantId.Default),
                "",
                Cancel)).Records);
        }

        await using var other = await StoreSilo.StartAsync(
            isEmbedded: false, services => services.AddSingleton<IImageVault>(new ScriptedVault()));
        var moved = other.Grains.GetStrategySet(TenantId.Default);
        var before = await moved.GetSiteRulesAsync();
        var written = await other.Grains.GetTransfer(partition).WriteAsync(
            new WriteRecords(anna, TenantId.Default, Guid.Empty, [packed]));
        var after = await moved.GetSiteRulesAsync();

        Assert.Empty(before.Rules);
        Assert.Equal((1, null), (written.Written, written.Error));
        Assert.Equal((rules.Revision, rules.Rules[0]), (after.Revision, Assert.Single(after.Rules)));
        Assert.Contains(TransferStep.All, step => step.Kind == GrainTypes.StrategySet);
        Assert.Equal(1, (await moved.GetAsync(new StrategyChoice(canary, 0))).Version?.Version);
    }

    private static DeviceId Id(string text) => DeviceId.TryParse(text, out var id) ? id : throw new FormatException(text);
}
