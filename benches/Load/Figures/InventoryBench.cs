using System.Globalization;
using Muster.Load.Servers;

namespace Muster.Load.Figures;

/// <summary>What the inventory is measured with.</summary>
internal sealed record InventoryPlan(int[] Devices, string LoadAssembly);

/// <summary>
/// The inventory of a generated fleet: memory, cold start, counts, pages and what a commit costs, at each size, in a silo of its own
/// process that is opened on a store which was filled before.
/// </summary>
internal sealed class InventoryBench(InventoryPlan plan, RunRecord record, TimeProvider clock)
{
    private const double RowBytesMax = 400;
    private const double HotBytesMax = 4_096;
    private const double ColdBytesMax = 2_048;
    private const double CountMillisecondsMax = 50;
    private const double PageMillisecondsMax = 20;
    private const double CommitRatioMax = 1.3;

    /// <summary>The goals are 3 s for 100,000 devices and 30 s for a million.</summary>
    private const int DevicesSmall = 100_000;
    private const int DevicesLarge = 1_000_000;

    public async Task RunAsync()
    {
        var empty = await MeasureAsync(0);
        var commits = new List<(int Devices, double Microseconds)>();
        foreach (var devices in plan.Devices)
        {
            var told = await MeasureAsync(devices);
            Add(devices, told, empty["resident_bytes"]);
            await WeighAsync(devices);
            commits.Add((devices, told["commit_cpu_us"]));
        }

        if (commits.Count > 1)
        {
            var ratio = commits[^1].Microseconds / commits[0].Microseconds;
            record.Add(Figure.AtMost($"commit_cpu_{commits[^1].Devices}_to_{commits[0].Devices}", ratio, "ratio", CommitRatioMax, true));
        }
    }

    private void Add(int devices, Dictionary<string, double> told, double emptyBytes)
    {
        var isSound = told["counted"] == devices && told["facet_wrong"] == 0;

        // The goals are those of a million devices: a small fleet shares what every process has among few rows.
        var rowBytes = (told["resident_bytes"] - emptyBytes) / devices;
        Add($"inventory_{devices}_row_bytes", rowBytes, "B", RowBytesMax);
        Add($"inventory_{devices}_count", told["count_model_os_ms"], "ms", CountMillisecondsMax);
        Add($"inventory_{devices}_page_first", Worst(told, "_first_ms"), "ms", PageMillisecondsMax);
        Add($"inventory_{devices}_page_1000", Worst(told, "_far_ms"), "ms", PageMillisecondsMax);
        record.Add(Figure.AtMost(
            $"inventory_{devices}_cold_start", told["cold_start_seconds"], "s", devices <= DevicesSmall ? 3 : 30, isSound));
        foreach (var (name, value) in told)
        {
            record.Note(string.Create(CultureInfo.InvariantCulture, $"{devices} {name} {value}"));
        }

        void Add(string name, double value, string unit, double goal) =>
            record.Add(devices < DevicesLarge ? Figure.Beside(name, value, unit) : Figure.AtMost(name, value, unit, goal, isSound));
    }

    /// <summary>A fleet without settings weighs the hot part, the same with its settings what the cold part adds.</summary>
    private async Task WeighAsync(int devices)
    {
        var hot = await ActivateAsync(devices, "--hot-only");
        var whole = await ActivateAsync(devices);
        record.Add(Figure.AtMost($"grain_{devices}_hot_bytes", hot["grain_bytes"], "B", HotBytesMax, isSound: true));
        record.Add(Figure.AtMost(
            $"grain_{devices}_cold_bytes", whole["grain_bytes"] - hot["grain_bytes"], "B", ColdBytesMax, isSound: true));
        record.Note(string.Create(CultureInfo.InvariantCulture, $"{devices} activations_per_second {whole["activations_per_second"]}"));
    }

    private async Task<Dictionary<string, double>> ActivateAsync(int devices, params string[] filling)
    {
        using var place = Workplace.Create(0, clock.GetUtcNow());
        using var redis = await Redis.StartAsync(place, clock);
        string[] arguments = ["--store", redis.ConnectionString, "--devices", $"{devices}"];
        await ToldProcess.RunAsync(plan.LoadAssembly, endsByKill: false, ["fill", .. arguments, .. filling]);
        return await ToldProcess.RunAsync(plan.LoadAssembly, endsByKill: false, ["weigh", .. arguments]);
    }

    private static double Worst(Dictionary<string, double> told, string suffix) =>
        told.Where(line => line.Key.EndsWith(suffix, StringComparison.Ordinal)).Max(line => line.Value);

    private async Task<Dictionary<string, double>> MeasureAsync(int devices)
    {
        // A store of its own: redis-server begins with what it finds in its folder.
        using var place = Workplace.Create(0, clock.GetUtcNow());
        using var redis = await Redis.StartAsync(place, clock);
        string[] arguments = ["--store", redis.ConnectionString, "--devices", $"{devices}"];
        if (devices > 0)
        {
            await ToldProcess.RunAsync(plan.LoadAssembly, endsByKill: false, ["fill", .. arguments]);
        }

        return await ToldProcess.RunAsync(plan.LoadAssembly, endsByKill: false, ["measure", .. arguments]);
    }
}
