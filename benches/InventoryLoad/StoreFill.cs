using Microsoft.Extensions.DependencyInjection;
using Muster.Contracts;
using Muster.Contracts.Commit;
using Muster.Domain;
using Muster.Domain.Devices;
using Muster.Fleet;
using Muster.Grains.Devices;
using Orleans.Storage;

namespace Muster.InventoryLoad;

/// <summary>Commits the fleet through the real storage provider, as its grains would have.</summary>
internal static class StoreFill
{
    public const int Seed = 20_261_124;

    private const int CommitsAtOnce = 1_024;

    public static async Task RunAsync(string store, int devices, bool withSettings, CancellationToken cancellationToken)
    {
        using var host = SiloHost.Build(store);
        await host.StartAsync(cancellationToken);
        var storage = host.Services.GetRequiredKeyedService<IGrainStorage>(StorageNames.Muster);
        var fleet = new GeneratedFleet(Seed);
        await Parallel.ForAsync(
            0,
            devices,
            new ParallelOptions { MaxDegreeOfParallelism = CommitsAtOnce, CancellationToken = cancellationToken },
            async (index, _) => await CommitAsync(
                storage, new GrainState<DeviceRecord> { State = new DeviceRecord { Device = fleet.Create(index) } }, withSettings));
        await host.StopAsync(cancellationToken);
    }

    public static GrainId IdOf(string name) => GrainId.Create(GrainTypes.Device, $"{TenantId.Default}/{name}");

    /// <summary>Commits a device as its grain would, with one fact and its row.</summary>
    public static Task CommitAsync(IGrainStorage storage, GrainState<DeviceRecord> state, bool withSettings)
    {
        var record = state.State!;
        var device = record.Device!;
        state.State = record.Attach(new CommitAttachments
        {
            Facts = [new DeviceExpected(device.Expected)],
            Actor = Actor.Operator("bench"),
            At = device.CreatedAt,
            ColdChanged = withSettings,
            Row = record.ToRow(withSettings),
        });
        return storage.WriteStateAsync("device", IdOf(device.Id.Value), state);
    }
}
