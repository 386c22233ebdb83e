using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Muster.Load.Generator;
using Muster.Load.Servers;
using Muster.Protocol;

namespace Muster.Load.Figures;

/// <summary>How a bench of messages is run.</summary>
internal sealed record StatusPlan(int[] Connections, int InFlight, int Rounds, double Seconds, string SiloAssembly, string BareAssembly)
{
    /// <summary>Visits only the servers of these names; empty for all. To look at one with a profiler.</summary>
    public string[] Only { get; init; } = [];

    /// <summary>The servers compile their hottest code once more in this time.</summary>
    public const double WarmUpSeconds = 1.5;

    /// <summary>
    /// A visit that nobody looks at, so that the first round finds every server as warm as the last. The runtime compiles what is
    /// hot twice, and is done with it after half a minute of load; mosquitto is compiled.
    /// </summary>
    public static double FirstSeconds(string name) => name == "mosquitto" ? 1 : 18;
}

/// <summary>
/// Status messages and durable messages, against the same listener without a grain and against mosquitto. The servers stay up;
/// in every round the generator, a process of its own, visits one after the other, so that a noisy neighbour meets all alike.
/// </summary>
internal sealed class StatusBench(StatusPlan plan, RunRecord record, TimeProvider clock)
{
    private readonly Dictionary<(string Contestant, string Kind), long> _acknowledged = [];

    public async Task RunAsync()
    {
        using var place = Workplace.Create(plan.Connections.Max(), clock.GetUtcNow());
        using var mosquitto = await Mosquitto.StartAsync(place, clock);
        using var bare = await BareGateway.StartAsync(place, plan.BareAssembly, clock);
        using var embedded = await MusterHost.StartAsync(place, plan.SiloAssembly, null, clock);
        using var onRedis = await MusterHost.StartAsync(place, plan.SiloAssembly, await Redis.StartAsync(place, clock), clock);
        foreach (var host in new[] { embedded, onRedis })
        {
            await host.ExpectAsync(place.Devices);
            await GenerateAsync(place, host, Topics.Hello, place.Devices.Length, 0);
        }

        Entry[] status =
        [
            new("grain", embedded, Topics.Status),
            new("bare", bare, Topics.Status),
            new("mosquitto", mosquitto, Topics.Status),
        ];
        Entry[] durable =
        [
            new("redis", onRedis, Topics.Inventory),
            new("embedded", embedded, Topics.Inventory),
            new("mosquitto", mosquitto, Topics.Inventory),
        ];
        (status, durable) = (Chosen(status), Chosen(durable));
        var outcomes = new Dictionary<(string Part, int Connections), List<GeneratorOutcome[]>>();
        foreach (var connections in plan.Connections)
        {
            outcomes[("status", connections)] = await RoundsAsync(place, "status", status, connections);
            outcomes[("durable", connections)] = await RoundsAsync(place, "durable", durable, connections);
        }

        var isKept = await IsKeptAsync(onRedis) & await IsKeptAsync(embedded);
        foreach (var ((part, connections), rounds) in outcomes)
        {
            var names = part == "status" ? status : durable;
            Print($"{part}_{connections}", [.. names.Select(entry => entry.Name)], rounds, part == "status" || isKept);
        }
    }

    private Entry[] Chosen(Entry[] entries) =>
        plan.Only is [] ? entries : [.. entries.Where(entry => plan.Only.Contains(entry.Name))];

    private async Task<List<GeneratorOutcome[]>> RoundsAsync(Workplace place, string part, Entry[] entries, int connections)
    {
        foreach (var entry in entries.Where(_ => connections == plan.Connections[0]))
        {
            await GenerateAsync(place, entry.Server, entry.Kind, connections, StatusPlan.FirstSeconds(entry.Name));
        }

        var rounds = new List<GeneratorOutcome[]>();
        for (var round = 1; round <= plan.Rounds; round++)
        {
            var outcomes = new GeneratorOutcome[entries.Length];
            for (var i = 0; i < entries.Length; i++)
            {
                var outcome = outcomes[i] = await GenerateAsync(place, entries[i].Server, entries[i].Kind, connections, plan.Seconds);
                record.Note(string.Create(
                    CultureInfo.InvariantCulture,
                    $"{part} {connections} connections, round {round}, {entries[i].Name}: {outcome.PerSecond:F0}/s, cpu-s per 100k "
                    + $"server {CpuPer100K(outcome, outcome.ServerCpu):F2} generator {CpuPer100K(outcome, outcome.GeneratorCpu):F2}, "
                    + $"{outcome.Errors} errors{string.Concat(outcome.Problems.Select(problem => $"; {problem}"))}"));
            }

            rounds.Add(outcomes);
        }

        return rounds;
    }

    private async Task<GeneratorOutcome> GenerateAsync(Workplace place, IContestant server, string kind, int connections, double seconds)
    {
        var order = new GeneratorOrder
        {
            Port = server.Port,
            ServerCaFile = server.ServerCaFile,
            IdentityFolder = place.Identities,
            Devices = place.Devices[..connections],
            Kind = kind,
            BootId = place.BootId,
            InFlight = plan.InFlight,
            WarmUpSeconds = seconds > 0 ? StatusPlan.WarmUpSeconds : 0,
            Seconds = seconds,
            ServerProcesses = server.Processes,
        };
        using var process = Process.Start(new ProcessStartInfo("dotnet", [typeof(StatusBench).Assembly.Location, "generate"])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        })!;
        await process.StandardInput.WriteAsync(JsonSerializer.Serialize(order));
        process.StandardInput.Close();
        var text = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        var outcome = process.ExitCode == 0 && text.Length > 0
            ? JsonSerializer.Deserialize<GeneratorOutcome>(text)!
            : throw new InvalidOperationException($"The generator failed at {server.Name} with {kind}.");
        if (seconds == 0 && outcome.Acknowledged != connections)
        {
            throw new InvalidOperationException(
                $"{server.Name} took {outcome.Acknowledged} of {connections} {kind}s: {string.Join("; ", outcome.Problems)}");
        }

        _acknowledged[(server.Name, kind)] = _acknowledged.GetValueOrDefault((server.Name, kind)) + outcome.Acknowledged;
        return outcome;
    }

    private async Task<bool> IsKeptAsync(MusterHost host)
    {
        var acknowledged = _acknowledged.GetValueOrDefault((host.Name, Topics.Inventory));
        var stored = await host.KillAndCountAsync();
        record.Note($"{host.Name}: {acknowledged} inventories acknowledged, {stored} facts in the store after kill -9 of the silo");
        record.Add(new Figure($"durable_{host.Name}_facts_missing", acknowledged - stored, "facts", "0", acknowledged == stored));
        return acknowledged == stored;
    }

    private void Print(string part, string[] names, List<GeneratorOutcome[]> rounds, bool isKept)
    {
        var isSound = isKept && rounds.All(round => round.All(outcome => outcome.Errors == 0));
        for (var i = 0; i < names.Length; i++)
        {
            var index = i;
            double Of(Func<GeneratorOutcome, double> value) => Median(rounds.Select(round => value(round[index])));
            record.Add(Figure.Beside($"{part}_{names[i]}", Of(outcome => outcome.PerSecond), "messages/s"));
            record.Add(Figure.Beside($"{part}_{names[i]}_server_cpu", Of(outcome => CpuPer100K(outcome, outcome.ServerCpu)), "cpu-s/100k"));
            record.Add(Figure.Beside(
                $"{part}_{names[i]}_generator_cpu", Of(outcome => CpuPer100K(outcome, outcome.GeneratorCpu)), "cpu-s/100k"));
        }

        foreach (var (above, below, goal) in Goals(part))
        {
            var (a, b) = (Array.IndexOf(names, above), Array.IndexOf(names, below));
            if (a < 0 || b < 0)
            {
                continue;
            }

            var ratio = Median(rounds.Select(round => round[a].PerSecond / round[b].PerSecond));
            record.Add(Figure.AtLeast($"{part}_{above}_to_{below}", ratio, "ratio", goal, isSound));
        }
    }

    private static (string Above, string Below, double Goal)[] Goals(string part) => part.StartsWith("durable", StringComparison.Ordinal)
        ? [("redis", "mosquitto", 0.25), ("embedded", "mosquitto", 0.2)]
        : [("grain", "bare", 0.85), ("grain", "mosquitto", part == "status_100" ? 0.6 : 0.5)];

    private static double CpuPer100K(GeneratorOutcome outcome, double seconds) => seconds / outcome.Measured * 100_000;

    private static double Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return sorted.Length % 2 == 1 ? sorted[sorted.Length / 2] : (sorted[(sorted.Length / 2) - 1] + sorted[sorted.Length / 2]) / 2;
    }

    private sealed record Entry(string Name, IContestant Server, string Kind);
}
