using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.DependencyInjection;
using Muster.Contracts.Devices;
using Muster.Domain;
using Muster.Domain.Devices;
using Muster.Fleet;

namespace Muster.InventoryLoad;

/// <summary>What an activated device grain holds: a silo is weighed before and after all devices of a filled store are asked for.</summary>
internal sealed class GrainWeight(string store, int devices, TextWriter output)
{
    /// <summary>Asked for before the first weighing, so that code, connections and pools are there already.</summary>
    private const int WarmUp = 1_000;

    private const int CallsAtOnce = 256;

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        using var host = SiloHost.Build(store);
        await host.StartAsync(cancellationToken);
        var grains = host.Services.GetRequiredService<IGrainFactory>();
        await AskAsync(grains, 0, WarmUp, cancellationToken);
        var before = Measurement.ResidentAfterCollection();
        var started = Stopwatch.GetTimestamp();
        await AskAsync(grains, WarmUp, devices, cancellationToken);
        var seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
        Tell("grain_bytes", (Measurement.ResidentAfterCollection() - before) / (double)(devices - WarmUp));
        Tell("activations_per_second", (devices - WarmUp) / seconds);

        // A million activations take their time to end, and nothing depends on how they do.
        await output.FlushAsync(cancellationToken);
        Environment.Exit(0);
    }

    private static Task AskAsync(IGrainFactory grains, int from, int to, CancellationToken cancellationToken) => Parallel.ForAsync(
        from,
        to,
        new ParallelOptions { MaxDegreeOfParallelism = CallsAtOnce, CancellationToken = cancellationToken },
        async (index, _) =>
        {
            var id = DeviceId.TryParse(GeneratedFleet.NameOf(index), out var parsed) ? parsed : throw new FormatException();
            if ((await grains.GetDevice(TenantId.Default, id).GetAsync()).Device is null)
            {
                throw new InvalidDataException($"Device {id} is not in the store.");
            }
        });

    private void Tell(string name, double value) => output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{name} {value:0.###}"));
}
