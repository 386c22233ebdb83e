using System.Diagnostics;
using System.Globalization;
using Muster.Contracts.Devices;
using Muster.Domain;
using Muster.Domain.Devices;
using Muster.Fleet;

namespace Muster.InventoryLoad;

/// <summary>Commits of devices, as many under way as devices say something at once.</summary>
internal sealed class DeviceEdits(IGrainFactory grains, int devices)
{
    private const int Callers = 256;
    private const int EditedDevices = 4_096;

    private readonly int _edited = Math.Min(devices, EditedDevices);

    public static IDeviceGrain DeviceAt(IGrainFactory grains, int index) => grains.GetDevice(
        TenantId.Default, DeviceId.TryParse(GeneratedFleet.NameOf(index), out var id) ? id : throw new FormatException());

    public static Task<DeviceReply> EditAsync(IGrainFactory grains, int index, DeviceEdit edit) =>
        DeviceAt(grains, index).EditAsync(new EditDevice(Actor.Operator("bench"), edit));

    public Task ActivateAsync(CancellationToken cancellationToken) =>
        Parallel.ForAsync(0, _edited, cancellationToken, async (index, _) => await DeviceAt(grains, index).GetAsync());

    /// <summary>Commits a second.</summary>
    public async Task<double> RunAsync(TimeSpan time, CancellationToken cancellationToken)
    {
        long commits = 0;
        var started = Stopwatch.GetTimestamp();
        var options = new ParallelOptions { MaxDegreeOfParallelism = Callers, CancellationToken = cancellationToken };
        await Parallel.ForAsync(0, Callers, options, async (caller, _) =>
        {
            for (var i = caller; Stopwatch.GetElapsedTime(started) < time; i = (i + Callers) % _edited)
            {
                var value = string.Create(CultureInfo.InvariantCulture, $"v{Random.Shared.Next(1_000)}");
                await EditAsync(grains, i, new DeviceEdit(null, [new DeviceLabel("label-0", value)], []));
                Interlocked.Increment(ref commits);
            }
        });
        return commits / Stopwatch.GetElapsedTime(started).TotalSeconds;
    }
}
