using Muster.Load.Servers;

namespace Muster.Load.Figures;

/// <summary>What watches are measured with.</summary>
internal sealed record WatchPlan(int Devices, string LoadAssembly);

/// <summary>
/// What a thousand watches with different filters, none of which matches, take from commits: filters that ask for one value, and filters
/// that have to be evaluated.
/// </summary>
internal sealed class WatchBench(WatchPlan plan, RunRecord record, TimeProvider clock)
{
    private const double RatioMin = 0.9;

    public async Task RunAsync()
    {
        using var place = Workplace.Create(0, clock.GetUtcNow());
        using var redis = await Redis.StartAsync(place, clock);
        string[] size = ["--store", redis.ConnectionString, "--devices", $"{plan.Devices}"];
        await ToldProcess.RunAsync(plan.LoadAssembly, endsByKill: false, ["fill", .. size]);
        var told = await ToldProcess.RunAsync(plan.LoadAssembly, endsByKill: false, ["watch", .. size]);
        Add(told, "values");
        Add(told, "ranges");
        record.Add(Figure.Beside("watch_none", Rounds.Median(Rounds.Of(told, "none")), "commits/s"));
    }

    private void Add(Dictionary<string, double> told, string kind) => record.Add(
        Figure.AtLeast($"watch_1000_{kind}_to_none", Rounds.Ratio(told, kind, "none"), "ratio", RatioMin, isSound: true));
}
