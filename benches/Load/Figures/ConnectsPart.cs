using System.Globalization;
using Muster.Load.Generator;
using Muster.Load.Servers;

namespace Muster.Load.Figures;

/// <summary>
/// Connects a second: TLS with client certificates, CONNECT, CONNACK. The product in one process, beside a listener of the same runtime
/// that does the same handshake and answers every CONNECT alike.
/// </summary>
internal sealed class ConnectsPart(AdmissionPlan plan, Workplace place, RunRecord record, TimeProvider clock)
{
    private const double RatioMin = 0.7;

    /// <summary>Enough that both processors always have a handshake to do, and few enough that none waits for long.</summary>
    private const int AtOnce = 64;

    /// <summary>Each device comes again every few seconds.</summary>
    private const int DevicesMax = 1_000;

    private const double WarmUpSeconds = 1.5;

    /// <summary>The runtime compiles what is hot twice.</summary>
    private const double FirstSeconds = 15;

    public async Task RunAsync()
    {
        var devices = place.Devices[..Math.Min(plan.Largest, DevicesMax)];
        using var bare = await BareTls.StartAsync(place, plan.BareAssembly, clock);
        using var muster = await MusterHost.StartAsync(place, plan.SiloAssembly, null, clock);
        await new MessageRounds(new MessagePlan(1, 0, 0), place, record).EnrolAsync(muster, devices);
        IContestant[] servers = [muster, bare];
        foreach (var server in servers)
        {
            await ConnectAsync(server, devices, FirstSeconds);
        }

        var rounds = new List<ConnectOutcome[]>();
        for (var round = 1; round <= plan.Rounds; round++)
        {
            var outcomes = new ConnectOutcome[servers.Length];
            for (var i = 0; i < servers.Length; i++)
            {
                var outcome = outcomes[i] = await ConnectAsync(servers[i], devices, plan.Seconds);
                record.Note(string.Create(
                    CultureInfo.InvariantCulture,
                    $"connects, round {round}, {servers[i].Name}: {outcome.PerSecond:F0}/s, cpu-ms each server "
                    + $"{MillisecondsEach(outcome, outcome.ServerCpu):F2} generator {MillisecondsEach(outcome, outcome.GeneratorCpu):F2}, "
                    + $"{outcome.Errors} errors{string.Concat(outcome.Problems.Select(problem => $"; {problem}"))}"));
            }

            rounds.Add(outcomes);
        }

        Print(rounds);
    }

    private void Print(List<ConnectOutcome[]> rounds)
    {
        var isSound = rounds.All(round => round.All(outcome => outcome.Errors == 0));
        string[] names = ["muster", "bare_tls"];
        for (var i = 0; i < names.Length; i++)
        {
            var index = i;
            double Of(Func<ConnectOutcome, double> value) => Rounds.Median([.. rounds.Select(round => value(round[index]))]);
            record.Add(Figure.Beside($"connects_{names[i]}", Of(outcome => outcome.PerSecond), "1/s"));
            record.Add(Figure.Beside(
                $"connects_{names[i]}_server_cpu", Of(outcome => MillisecondsEach(outcome, outcome.ServerCpu)), "cpu-ms"));
        }

        var ratio = Rounds.Median([.. rounds.Select(round => round[0].PerSecond / round[1].PerSecond)]);
        record.Add(Figure.AtLeast("connects_to_bare_tls", ratio, "ratio", RatioMin, isSound));
    }

    private Task<ConnectOutcome> ConnectAsync(IContestant server, string[] devices, double seconds) =>
        GeneratorProcess.RunAsync<ConnectOrder, ConnectOutcome>(
            "connect",
            new ConnectOrder
            {
                Port = server.Port,
                ServerCaFile = server.ServerCaFile,
                IdentityFolder = place.Identities,
                Devices = devices,
                AtOnce = Math.Min(AtOnce, devices.Length),
                WarmUpSeconds = WarmUpSeconds,
                Seconds = seconds,
                ServerProcesses = server.Processes,
            },
            $"{server.Name} with connects");

    private static double MillisecondsEach(ConnectOutcome outcome, double seconds) => seconds / outcome.Measured * 1_000;
}
