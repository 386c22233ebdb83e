using System.Globalization;
using Muster.Load.Servers;

namespace Muster.Load.Figures;

/// <summary>What the embedded store's log is measured with.</summary>
internal sealed record StorePlan(int Devices, long Commits, string LoadAssembly);

/// <summary>Many commits in the embedded store, ended by kill -9: what the folder holds, and how soon it answers again.</summary>
internal sealed class StoreBench(StorePlan plan, RunRecord record, TimeProvider clock)
{
    private const double FolderRatioMax = 3;
    private const double OpenSecondsMax = 10;

    public async Task RunAsync()
    {
        using var place = Workplace.Create(0, clock.GetUtcNow());
        string[] where = ["--folder", Path.Combine(place.Folder, "embedded"), "--devices", $"{plan.Devices}"];
        var told = await ToldProcess.RunAsync(plan.LoadAssembly, endsByKill: true, ["write", .. where, "--commits", $"{plan.Commits}"]);
        foreach (var (name, value) in await ToldProcess.RunAsync(plan.LoadAssembly, endsByKill: false, ["open", .. where]))
        {
            told[name] = value;
        }

        var isSound = told["missing"] == 0;
        var data = told["data_bytes"];
        record.Add(Figure.AtMost("store_folder_to_data", told["folder_bytes"] / data, "ratio", FolderRatioMax, isSound));
        record.Add(Figure.AtMost("store_folder_max_to_data", told["folder_bytes_max"] / data, "ratio", FolderRatioMax, isSound));
        record.Add(Figure.AtMost("store_open", told["open_seconds"], "s", OpenSecondsMax, isSound));
        record.Note(string.Create(CultureInfo.InvariantCulture, $"{plan.Commits} commits on {plan.Devices} devices"));
        foreach (var (name, value) in told)
        {
            record.Note(string.Create(CultureInfo.InvariantCulture, $"{name} {value}"));
        }
    }
}
