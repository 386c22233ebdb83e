using System.Globalization;
using Muster.Load.Servers;
using StackExchange.Redis;

namespace Muster.Load.Figures;

/// <summary>What commits are measured with.</summary>
internal sealed record CommitsPlan(string LoadAssembly, string SiloAssembly);

/// <summary>
/// Commits beside the raw client's HSET of the same bytes, on redis-server with both kinds of sync and on the embedded store; and what an
/// installation costs in which nothing happens.
/// </summary>
internal sealed class CommitsBench(CommitsPlan plan, RunRecord record, TimeProvider clock)
{
    private const double RawRatioMin = 0.4;
    private const double ManyRatioMin = 1.4;
    private const double IdleCoreMax = 0.02;
    private const double IdleOperationsMax = 300;

    /// <summary>
    /// In its first two minutes a process compiles again what it runs often, and what is done once a minute for the first time.
    /// </summary>
    private static readonly TimeSpan Settling = TimeSpan.FromSeconds(130);

    /// <summary>With what is done once a minute.</summary>
    private static readonly TimeSpan Idle = TimeSpan.FromSeconds(60);

    public async Task RunAsync()
    {
        using var place = Workplace.Create(0, clock.GetUtcNow());
        foreach (var sync in new[] { "everysec", "always" })
        {
            using var redis = await Redis.StartAsync(place, clock, sync);
            Add(sync, await ToldProcess.RunAsync(plan.LoadAssembly, endsByKill: false, ["commits", "--store", redis.ConnectionString]));
        }

        string[] embedded = ["commits", "--folder", Path.Combine(place.Folder, "embedded")];
        Add("embedded", await ToldProcess.RunAsync(plan.LoadAssembly, endsByKill: false, embedded));
        await RestAsync(place);
    }

    private void Add(string store, Dictionary<string, double> told)
    {
        record.Add(Figure.AtLeast($"commits_{store}_to_raw", Rounds.Ratio(told, "few", "raw"), "ratio", RawRatioMin, true));
        record.Add(Figure.AtLeast($"commits_{store}_many_to_few", Rounds.Ratio(told, "many", "few"), "ratio", ManyRatioMin, true));
        record.Add(Figure.Beside($"commits_{store}_256_callers", Rounds.Median(Rounds.Of(told, "few")), "1/s"));
        record.Add(Figure.Beside($"commits_{store}_4096_callers", Rounds.Median(Rounds.Of(told, "many")), "1/s"));
        foreach (var visit in new[] { "few", "raw", "many" })
        {
            record.Note(string.Create(
                CultureInfo.InvariantCulture,
                $"{store} {visit}: {Median("cpu_us"):0.0} us of this process and {Median("server_cpu_us"):0.0} of the server, "
                + $"{Median("allocated"):0} bytes allocated, per commit"));

            double Median(string what) => Rounds.Median(Rounds.Of(told, $"{what}_{visit}"));
        }

        record.Note(string.Create(
            CultureInfo.InvariantCulture, $"{store}: record {told["record_bytes"]} bytes, fact {told["fact_bytes"]} bytes"));
    }

    /// <summary>Silo and gateway on a Redis, when nobody calls.</summary>
    private async Task RestAsync(Workplace place)
    {
        using var redis = await Redis.StartAsync(place, clock, "everysec");
        using var host = await MusterHost.StartAsync(place, plan.SiloAssembly, redis, clock);
        await using var connection = await ConnectionMultiplexer.ConnectAsync(redis.ConnectionString + ",allowAdmin=true");
        var server = connection.GetServers().Single();
        await Task.Delay(Settling);
        var (silo, operations) = (ServerProcess.CpuSecondsOf(host.Processes[0]), await OperationsAsync(server));
        var began = clock.GetTimestamp();
        await Task.Delay(Idle);
        var seconds = clock.GetElapsedTime(began).TotalSeconds;
        var core = (ServerProcess.CpuSecondsOf(host.Processes[0]) - silo) / seconds;
        record.Add(Figure.AtMost("idle_silo_core", core, "cores", IdleCoreMax, true));
        record.Add(Figure.AtMost(
            "idle_store_operations", (await OperationsAsync(server) - operations) / seconds, "1/s", IdleOperationsMax, true));
    }

    private static async Task<double> OperationsAsync(IServer server) => double.Parse(
        (await server.InfoAsync("stats")).SelectMany(group => group).Single(line => line.Key == "total_commands_processed").Value,
        CultureInfo.InvariantCulture);
}
