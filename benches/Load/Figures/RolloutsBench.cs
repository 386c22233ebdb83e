using System.Globalization;
using Muster.Load.Servers;

namespace Muster.Load.Figures;

/// <summary>What rollouts are measured with.</summary>
/// <param name="Offered">Size of the fleet whose members are offered the image.</param>
/// <param name="Frozen">Size of the fleet for which only the start is measured.</param>
/// <param name="LoadAssembly">The process that hosts the silo.</param>
internal sealed record RolloutsPlan(int Offered, int Frozen, string LoadAssembly);

/// <summary>A rollout's start, its offers beside plain commits, and pauses while they are made.</summary>
internal sealed class RolloutsBench(RolloutsPlan plan, RunRecord record, TimeProvider clock)
{
    private const double FirstOfferSecondsMax = 1;
    private const double AllOffersSecondsMax = 10;
    private const double OffersToPlainMax = 2;
    private const double PauseMillisecondsMax = 250;
    private const double FirstPlanSecondsMax = 5;
    private const double CoordinatorMegabytesMax = 64;

    public async Task RunAsync()
    {
        var offers = await RunAsync(plan.Offered, "offers");
        record.Add(Figure.AtMost("rollout_first_offer", offers["first_offer_seconds"], "s", FirstOfferSecondsMax, isSound: true));
        record.Add(Figure.AtMost("rollout_all_offers", offers["all_offers_seconds"], "s", AllOffersSecondsMax, isSound: true));
        record.Add(Figure.AtMost("rollout_offers_to_commits", offers["offers_to_plain"], "ratio", OffersToPlainMax, isSound: true));
        record.Add(Figure.Beside("rollout_commits", offers["plain_commits_per_second"], "1/s"));
        record.Note(string.Create(
            CultureInfo.InvariantCulture,
            $"{offers["members"]} members; silo {offers["offer_cpu_us"]:0} us of CPU per offer, {offers["plain_cpu_us"]:0} per commit"));
        record.Note(string.Create(
            CultureInfo.InvariantCulture,
            $"{offers["offer_allocated_bytes"] / 1e3:0.0} kB made per offer; collected in {offers["offers_paused_seconds"]:0.0} s"));
        var young = await RunAsync(plan.Offered, "young");
        record.Add(Figure.Beside("rollout_all_offers_young", young["all_offers_seconds"], "s"));
        record.Note(string.Create(
            CultureInfo.InvariantCulture,
            $"compiled while the offers were made: {offers["offers_compiled"]} methods, and {young["offers_compiled"]} in the young silo"));

        var pauses = await RunAsync(plan.Offered, "pauses");
        record.Add(Figure.AtMost("rollout_pause_p99", pauses["pause_p99_ms"], "ms", PauseMillisecondsMax, isSound: true));
        record.Note(string.Create(
            CultureInfo.InvariantCulture,
            $"{pauses["pauses"]} pauses; median {pauses["pause_p50_ms"]:0} ms, most {pauses["pause_max_ms"]:0} ms"));

        var freeze = await RunAsync(plan.Frozen, "freeze");
        record.Add(Figure.AtMost("rollout_first_plan", freeze["first_plan_seconds"], "s", FirstPlanSecondsMax, isSound: true));
        record.Add(Figure.Beside("rollout_start", freeze["start_seconds"], "s"));
        var coordinator = freeze["coordinator_bytes"] / 1e6;
        record.Add(Figure.AtMost("rollout_coordinator", coordinator, "MB", CoordinatorMegabytesMax, isSound: true));
        record.Add(Figure.Beside("rollout_held", freeze["held_bytes"] / 1e6, "MB"));
        record.Note(string.Create(
            CultureInfo.InvariantCulture, $"frozen: {freeze["members"]} members; held by the coordinator and all shares together"));
    }

    private async Task<Dictionary<string, double>> RunAsync(int devices, string what)
    {
        using var place = Workplace.Create(0, clock.GetUtcNow());
        using var redis = await Redis.StartAsync(place, clock);
        string[] size = ["--store", redis.ConnectionString, "--devices", $"{devices}"];
        await ToldProcess.RunAsync(plan.LoadAssembly, endsByKill: false, ["fill", .. size, "--hot-only"]);
        return await ToldProcess.RunAsync(plan.LoadAssembly, endsByKill: false, ["rollout", .. size, "--what", what]);
    }
}
