using System.Globalization;
using Muster.Load.Generator;
using Muster.Load.Servers;
using Muster.Protocol;

namespace Muster.Load.Figures;

/// <summary>A server that the rounds visit, and what it is sent.</summary>
internal sealed record MessageEntry(string Name, IContestant Server, string Kind);

/// <summary>A ratio between two entries, and what it has to be; without a goal it is there to be read.</summary>
internal sealed record MessageGoal(string Above, string Below, double? Min);

/// <summary>How rounds are run.</summary>
internal sealed record MessagePlan(int InFlight, int Rounds, double Seconds)
{
    /// <summary>The servers compile their hottest code once more in this time.</summary>
    public const double WarmUpSeconds = 1.5;

    /// <summary>
    /// A visit that nobody looks at, so that the first round finds every server as warm as the last. The runtime compiles what is
    /// hot twice, and is done with it after half a minute of load; mosquitto is compiled.
    /// </summary>
    public static double FirstSeconds(string name) => name == "mosquitto" ? 1 : 18;
}

/// <summary>
/// Messages to servers that stay up: in every round the generator, a process of its own, visits one after the other, so that a noisy
/// neighbour meets all alike.
/// </summary>
internal sealed class MessageRounds(MessagePlan plan, Workplace place, RunRecord record)
{
    private readonly Dictionary<(string Contestant, string Kind), long> _acknowledged = [];
    private readonly HashSet<(string Contestant, string Kind)> _warm = [];

    public async Task<List<GeneratorOutcome[]>> RunAsync(string part, MessageEntry[] entries, int connections)
    {
        foreach (var entry in entries.Where(entry => _warm.Add((entry.Name, entry.Kind))))
        {
            await GenerateAsync(entry.Server, entry.Kind, connections, MessagePlan.FirstSeconds(entry.Name));
        }

        var rounds = new List<GeneratorOutcome[]>();
        for (var round = 1; round <= plan.Rounds; round++)
        {
            var outcomes = new GeneratorOutcome[entries.Length];
            for (var i = 0; i < entries.Length; i++)
            {
                var outcome = outcomes[i] = await GenerateAsync(entries[i].Server, entries[i].Kind, connections, plan.Seconds);
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

    /// <summary>Puts the devices on the delivery list, and has each say hello.</summary>
    public async Task EnrolAsync(MusterHost host, string[] devices)
    {
        await host.ExpectAsync(devices);
        await GenerateAsync(host, Topics.Hello, devices.Length, 0);
    }

    /// <summary>Kills the silo, and compares what was acknowledged with what its store holds.</summary>
    public async Task<bool> IsKeptAsync(MusterHost host, string part)
    {
        var acknowledged = _acknowledged.GetValueOrDefault((host.Name, Topics.Inventory));
        var stored = await host.KillAndCountAsync();
        record.Note($"{host.Name}: {acknowledged} inventories acknowledged, {stored} facts in the store after kill -9 of the silo");
        record.Add(new Figure($"{part}_{host.Name}_facts_missing", acknowledged - stored, "facts", "0", acknowledged == stored));
        return acknowledged == stored;
    }

    public void Print(string part, string[] names, List<GeneratorOutcome[]> rounds, MessageGoal[] goals, bool isKept)
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

        foreach (var goal in goals)
        {
            var (a, b) = (Array.IndexOf(names, goal.Above), Array.IndexOf(names, goal.Below));
            if (a < 0 || b < 0)
            {
                continue;
            }

            var name = $"{part}_{goal.Above}_to_{goal.Below}";
            var ratio = Median(rounds.Select(round => round[a].PerSecond / round[b].PerSecond));
            record.Add(goal.Min is { } min
                ? Figure.AtLeast(name, ratio, "ratio", min, isSound)
                : new Figure(name, ratio, "ratio", "-", isSound));
        }
    }

    private async Task<GeneratorOutcome> GenerateAsync(IContestant server, string kind, int connections, double seconds)
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
            WarmUpSeconds = seconds > 0 ? MessagePlan.WarmUpSeconds : 0,
            Seconds = seconds,
            ServerProcesses = server.Processes,
        };
        var outcome = await GeneratorProcess.RunAsync<GeneratorOrder, GeneratorOutcome>("generate", order, $"{server.Name} with {kind}");
        if (seconds == 0 && outcome.Acknowledged != connections)
        {
            throw new InvalidOperationException(
                $"{server.Name} took {outcome.Acknowledged} of {connections} {kind}s: {string.Join("; ", outcome.Problems)}");
        }

        _acknowledged[(server.Name, kind)] = _acknowledged.GetValueOrDefault((server.Name, kind)) + outcome.Acknowledged;
        return outcome;
    }

    private static double CpuPer100K(GeneratorOutcome outcome, double seconds) => seconds / outcome.Measured * 100_000;

    private static double Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return sorted.Length % 2 == 1 ? sorted[sorted.Length / 2] : (sorted[(sorted.Length / 2) - 1] + sorted[sorted.Length / 2]) / 2;
    }
}
