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

    public static async Task RunAsync(string store, int devices, CancellationToken cancellationToken)
    {
        using var host = SiloHost.Build(store);
        await host.StartAsync(cancellationToken);
        var storage = host.Services.GetRequiredKeyedService<IGrainStorage>(StorageNames.Muster);
        var fleet = new GeneratedFleet(Seed);
        await Parallel.ForAsync(
            0,
            devices,
            new ParallelOptions { MaxDegreeOfParallelism = CommitsAtOnce, CancellationToken = cancellationToken },
            async (index, _) => await CommitAsync(storage, fleet.Create(index)));
        await host.StopAsync(cancellationToken);
    }

    private static Task CommitAsync(IGrainStorage storage, Device device)
    {
        var record = new DeviceRecord { Device = device };
        var attachments = new CommitAttachments
        {
            Facts = [new DeviceExpected(device.Expected)],
            Actor = Actor.Operator("bench"),
            At = device.CreatedAt,
            ColdChanged = true,
        };
        var state = new GrainState<DeviceRecord> { State = record.Attach(attachments) };
        return storage.WriteStateAsync(
            "device", GrainId.Create(GrainTypes.Device, $"{device.Tenant}/{device.Id.Value}"), state);
    }
}
