using System.Globalization;
using Muster.Load.Generator;
using Muster.Load.Servers;

namespace Muster.Load.Figures;

/// <summary>
/// What a gateway, as a program of its own, holds for a device that is connected and quiet: resident memory after a full collection, less
/// that of the same process before. The listener that does nothing but the handshake is measured beside it.
/// </summary>
internal sealed class IdlePart(AdmissionPlan plan, Workplace place, RunRecord record, TimeProvider clock)
{
    private const double KilobytesMax = 40;

    /// <summary>They come and go before the first look, so that compiled code and pools are there already.</summary>
    private const int FirstDevices = 500;

    /// <summary>Presence has told all of them by then.</summary>
    private static readonly TimeSpan Settling = TimeSpan.FromSeconds(10);

    public async Task RunAsync()
    {
        var devices = place.Devices[..plan.Largest];
        using var bare = await BareTls.StartAsync(place, plan.BareAssembly, clock);
        var bareOrder = place.OrderFor(bare.Port, bare.ServerCaFile, devices, speaks: false);
        record.Add(Figure.Beside("idle_connection_bare_tls", await MeasureAsync("bare_tls", bare.Processes[0], bareOrder), "kB"));

        using var cluster = await MusterCluster.StartAsync(place, plan.SiloAssembly, plan.GatewayAssembly, 1, clock);
        var gateway = cluster.Gateways[0];
        await gateway.Api.ExpectAsync(devices);
        var order = place.OrderFor(gateway.Port, gateway.Api.ServerCaFile, devices, speaks: true);
        record.Add(Figure.AtMost(
            "idle_connection", await MeasureAsync("gateway", gateway.ProcessId, order), "kB", KilobytesMax, isSound: true));
    }

    private async Task<double> MeasureAsync(string name, int process, FleetOrder order)
    {
        var first = order.Devices[..Math.Min(FirstDevices, order.Devices.Length)];
        using (var passing = await HeldFleet.StartAsync(order with { Devices = first }))
        {
            await passing.ConnectAsync();
        }

        await Task.Delay(Settling, clock);
        var without = await ProcessMemory.CollectAndReadAsync(process, clock);
        using var fleet = await HeldFleet.StartAsync(order);
        var connected = await fleet.ConnectAsync();
        await Task.Delay(Settling, clock);
        var with = await ProcessMemory.CollectAndReadAsync(process, clock);
        record.Note(string.Create(
            CultureInfo.InvariantCulture,
            $"idle {name}: {without >> 20} MiB without and {with >> 20} MiB with {order.Devices.Length} connections, which took "
            + $"{connected.BackSeconds:0.0} s"));
        return (with - without) / 1000.0 / order.Devices.Length;
    }
}
