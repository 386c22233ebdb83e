using System.Globalization;
using Muster.Load.Generator;
using Muster.Load.Servers;

namespace Muster.Load.Figures;

/// <summary>
/// All devices of two gateways lose their connections in the same moment and come back at once; each says hello and repeats an inventory
/// until it is acknowledged, while operators go on working: half of them by a gateway of their own, half by those that the devices come
/// back to. Beside it two listeners that do nothing but the handshake.
/// </summary>
internal sealed class StormPart(AdmissionPlan plan, Workplace place, RunRecord record, TimeProvider clock)
{
    private const int Gateways = 2;
    private const double RatioMax = 2;
    private const double CallMillisecondsMax = 250;
    private const double Percentile = 0.99;

    /// <summary>Inventories of one device: one when it first connects, one in the storm.</summary>
    private const int InventoriesEach = 2;

    /// <summary>Calls before the storm: what they cost without one.</summary>
    private static readonly TimeSpan Calm = TimeSpan.FromSeconds(10);

    private string[] Devices => place.Devices[..(Gateways * plan.Largest)];

    public async Task RunAsync()
    {
        var bare = await BareAsync();
        using var cluster = await MusterCluster.StartAsync(place, plan.SiloAssembly, plan.GatewayAssembly, Gateways, clock, true);
        await cluster.Gateways[0].Api.ExpectAsync(Devices);
        var fleets = new List<HeldFleet>();
        try
        {
            foreach (var (gateway, devices) in cluster.Gateways.Zip(Devices.Chunk(plan.Largest)))
            {
                fleets.Add(await HeldFleet.StartAsync(
                    place.OrderFor(gateway.Port, gateway.Api.ServerCaFile, devices, speaks: true)));
            }

            Note("muster, first connects", await Task.WhenAll(fleets.Select(fleet => fleet.ConnectAsync())));
            var (calm, _) = await CallAsync(cluster, async () =>
            {
                await Task.Delay(Calm, clock);
                return 0;
            });
            PrintCalls("storm_calls_before", calm.Apart, goal: null);
            PrintCalls("storm_calls_before_beside_devices", calm.BesideDevices, goal: null);
            var (calls, storm) = await CallAsync(cluster, () => Task.WhenAll(fleets.Select(fleet => fleet.StormAsync())));
            Note("muster, storm", storm);
            await PrintAsync(cluster, bare, storm);
            PrintCalls("storm_calls", calls.Apart, CallMillisecondsMax);
            PrintCalls("storm_calls_beside_devices", calls.BesideDevices, goal: null);
        }
        finally
        {
            fleets.ForEach(fleet => fleet.Dispose());
        }
    }

    /// <summary>The least time that the bare listeners took: some handshakes at a time, or all at once.</summary>
    private async Task<double> BareAsync()
    {
        using var left = await BareTls.StartAsync(place, plan.BareAssembly, clock);
        using var right = await BareTls.StartAsync(place, plan.BareAssembly, clock);
        var fleets = new List<HeldFleet>();
        try
        {
            foreach (var (server, devices) in new[] { left, right }.Zip(Devices.Chunk(plan.Largest)))
            {
                fleets.Add(await HeldFleet.StartAsync(place.OrderFor(server.Port, server.ServerCaFile, devices, speaks: false)));
            }

            await Task.WhenAll(fleets.Select(fleet => fleet.ConnectAsync()));
            var all = await Task.WhenAll(fleets.Select(fleet => fleet.StormAsync()));
            Note("bare listeners, storm", all);
            var some = await Task.WhenAll(fleets.Select(fleet => fleet.ReconnectAsync()));
            Note("bare listeners, some at a time", some);
            return Math.Min(all.Max(one => one.BackSeconds), some.Max(one => one.BackSeconds));
        }
        finally
        {
            fleets.ForEach(fleet => fleet.Dispose());
        }
    }

    private async Task<((CallTimes Apart, CallTimes BesideDevices) Calls, T Result)> CallAsync<T>(
        MusterCluster cluster, Func<Task<T>> during)
    {
        using var stop = new CancellationTokenSource();
        var apart = new OperatorCalls([cluster.Operators!.Api], Devices, clock).RunAsync(stop.Token);
        await Task.Delay(OperatorCalls.Pace / 2, clock);
        var beside = new OperatorCalls([.. cluster.Gateways.Select(gateway => gateway.Api)], Devices, clock).RunAsync(stop.Token);
        T result;
        try
        {
            result = await during();
        }
        finally
        {
            await stop.CancelAsync();
        }

        return ((await apart, await beside), result);
    }

    private async Task PrintAsync(MusterCluster cluster, double bare, FleetOutcome[] storm)
    {
        var missing = Devices.Length - storm.Sum(one => one.Connected);
        var acknowledged = storm.Sum(one => one.Acknowledged) + ((InventoriesEach - 1) * Devices.Length);
        var back = storm.Max(one => one.BackSeconds);
        record.Add(Figure.Beside("storm_bare_tls", bare, "s"));
        record.Add(Figure.Beside("storm_back", back, "s"));
        record.Add(Figure.Beside("storm_all_said", storm.Max(one => one.SaidSeconds), "s"));
        record.Add(Figure.AtMost("storm_back_to_bare_tls", back / bare, "ratio", RatioMax, missing == 0));
        record.Add(new Figure("storm_devices_missing", missing, "devices", "0", missing == 0));
        var stored = await cluster.KillAndCountAsync();
        record.Note($"storm: {acknowledged} inventories acknowledged, {stored} facts in the store after kill -9 of silo and gateways");
        record.Add(new Figure("storm_facts_missing", acknowledged - stored, "facts", "0", acknowledged == stored));
    }

    private void PrintCalls(string name, CallTimes calls, double? goal)
    {
        var p99 = calls.At(Percentile);
        record.Add(Figure.Beside(name + "_median", calls.At(0.5), "ms"));
        record.Add(goal is { } most
            ? Figure.AtMost(name + "_p99", p99, "ms", most, calls.Failed == 0)
            : Figure.Beside(name + "_p99", p99, "ms"));
        record.Note(string.Create(
            CultureInfo.InvariantCulture, $"{name}: {calls.Count} calls, {calls.Failed} failed, the longest {calls.At(1):0} ms"));
        var kinds = CallTimes.Kinds.Select((kind, index) => string.Create(
            CultureInfo.InvariantCulture, $"{kind} {calls.At(0.5, index):0} and {calls.At(Percentile, index):0} ms"));
        record.Note($"{name}, median and p99: {string.Join(", ", kinds)}");
        var longest = calls.Longest.Select(call => string.Create(
            CultureInfo.InvariantCulture, $"{call.Milliseconds:0} ms after {call.Began:0.0} s"));
        record.Note($"{name}, the longest: {string.Join(", ", longest)}");
    }

    private void Note(string what, FleetOutcome[] outcomes)
    {
        foreach (var (one, index) in outcomes.Select((one, index) => (one, index)))
        {
            var problems = string.Concat(one.Problems.Select(problem => $"; {problem}"));
            record.Note(string.Create(
                CultureInfo.InvariantCulture,
                $"{what}, server {index}: {one.Connected} connected, half after {one.BackMedianSeconds:0.0} s, the last after "
                + $"{one.BackSeconds:0.0} s, all said after {one.SaidSeconds:0.0} s, {one.Failed} connects repeated{problems}"));
        }
    }
}
