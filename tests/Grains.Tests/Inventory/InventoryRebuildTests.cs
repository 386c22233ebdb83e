using System.Collections.Immutable;
using Microsoft.Extensions.DependencyInjection;
using Muster.Contracts;
using Muster.Contracts.Commit;
using Muster.Contracts.Devices;
using Muster.Contracts.Inventory;
using Muster.Domain;
using Muster.Domain.Decommissioning;
using Muster.Domain.Devices;
using Muster.Grains.Devices;
using Muster.Storage;
using Muster.Testing.Stores;
using Orleans.TestingHost;
using StackExchange.Redis;

namespace Muster.Grains.Tests.Inventory;

/// <summary>What becomes of an inventory whose records are read while the store fails.</summary>
public sealed class InventoryRebuildTests : IAsyncLifetime
{
    private const string Key = "A";

    private RedisServer? _redis;
    private InProcessTestCluster? _silo;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private static DeviceId Device => DeviceId.TryParse(Key, out var id) ? id : throw new FormatException(Key);

    private static int Partition => new PartitionMap(PartitionMap.CountMin).OfDevice(DeviceKey.Of(TenantId.Default, Device));

    private WatchedScanner Scanner => _silo!.Silos[0].ServiceProvider.GetRequiredService<WatchedScanner>();

    private IInventoryGrain Inventory => _silo!.Client.GetInventory(Partition);

    public async ValueTask InitializeAsync()
    {
        _redis = await RedisServer.StartAsync("always", CancellationToken.None);
        var builder = new InProcessTestClusterBuilder(1);
        builder.Options.ConfigureFileLogging = false;
        builder.ConfigureSilo((_, silo) =>
        {
            silo.AddMusterStorage(options =>
            {
                options.ConnectionString = _redis.ConnectionString;
                options.Partitions = PartitionMap.CountMin;
            });
            WatchedScanner.Wrap(silo.Services);
            silo.Services.AddSingleton<IErasureProofVerifier, NeverAsked>();
            silo.AddDevices();
        });
        _silo = builder.Build();
        await _silo.DeployAsync();
        var spec = new ExpectedDevice("P3265-V", "12.11", "", "", EnrollmentApproval.Automatic);
        var reply = await _silo.Client.GetDevice(TenantId.Default, Device)
            .ExpectAsync(new ExpectDevice(Actor.Operator("anna"), "r1", spec));
        Assert.Null(reply.Error);
    }

    public async ValueTask DisposeAsync()
    {
        if (_silo is not null)
        {
            await _silo.DisposeAsync();
        }

        if (_redis is not null)
        {
            await _redis.DisposeAsync();
        }
    }

    [Fact]
    public async Task RebuildAsync_BrokenOff_ShowsNoShorterListAfterwards()
    {
        Assert.Single(await NamesAsync(""));
        Scanner.Before = () => throw new StoreUnavailableException("Gone on purpose.");

        await Assert.ThrowsAsync<StoreUnavailableException>(Inventory.RebuildAsync);

        Assert.Single(await NamesAsync(""));
    }

    [Fact]
    public async Task RebuildAsync_OfAStoreThatIsKilledMeanwhileAndLosesWhatWasRead_ShowsWhatIsThere()
    {
        await EditAsync(1);
        await using var raw = await ConnectionMultiplexer.ConnectAsync(_redis!.ConnectionString);
        RedisValue[] fields = ["h", $"r:muster.device/default/{Key}", $"v:muster.device/default/{Key}"];
        var before = await raw.GetDatabase().HashGetAsync($"{{p{Partition}}}:c", fields);
        Scanner.Before = () => EditAsync(2);
        Scanner.Between = async () =>
        {
            // As with appendfsync everysec: the newest commit was not on the disk.
            await raw.GetDatabase().HashSetAsync($"{{p{Partition}}}:c", [.. fields.Select((name, at) => new HashEntry(name, before[at]))]);
            await raw.GetDatabase().HashDeleteAsync($"{{p{Partition}}}:c", "f3");
            await _redis.RestartAsync(Cancel);
        };

        await Inventory.RebuildAsync();

        Assert.Single(await NamesAsync("labels.n = 1"));
        Assert.Empty(await NamesAsync("labels.n = 2"));
        await _silo!.DeactivateAsync(((GrainReference)_silo.Client.GetDevice(TenantId.Default, Device)).GrainId);
        await EditAsync(3);
        Assert.Single(await NamesAsync("labels.n = 3"));
    }

    private async Task<List<string>> NamesAsync(string filter)
    {
        var page = await Inventory.ListAsync(new RowQuery(TenantId.Default, GrainTypes.Device, filter, "", 100));
        Assert.Null(page.Error);
        return [.. page.Rows.Select(row => row.Row.Name)];
    }

    private async Task EditAsync(int number)
    {
        var edit = new DeviceEdit(null, [new DeviceLabel("n", $"{number}")], []);
        var reply = await _silo!.Client.GetDevice(TenantId.Default, Device).EditAsync(new EditDevice(Actor.Operator("anna"), edit));
        Assert.Null(reply.Error);
    }

    private sealed class NeverAsked : IErasureProofVerifier
    {
        public FleetError? Verify(ErasureProof proof, ImmutableArray<byte> publicKey, ImmutableArray<byte> signature) =>
            throw new InvalidOperationException("No device is erased here.");
    }
}
