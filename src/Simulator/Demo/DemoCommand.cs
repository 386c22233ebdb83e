using System.CommandLine;

namespace Muster.Simulator.Demo;

/// <summary>The verb <c>demo</c>: the one process and a fleet as processes of their own, and the scenario against them.</summary>
internal static class DemoCommand
{
    public static Command Create()
    {
        var silo = new Option<string>("--silo") { Required = true, Description = "Muster.Silo.dll." };
        var data = new Option<string?>("--data") { Description = "An empty or new folder; default a new one among temporary files." };
        var keep = new Option<bool>("--keep") { Description = "Leaves Muster and the fleet running, and says how to reach and stop them." };
        var options = new ScenarioOptions();
        var command = new Command("demo", "Starts Muster and a fleet, and drives the job from delivery list to tombstone.")
        {
            silo, data, keep,
        };
        options.AddTo(command);
        command.SetAction((parsed, cancellationToken) =>
        {
            var plan = options.Read(parsed);
            var performance = new Performance(plan.Devices, options.IsJson(parsed), TimeProvider.System);
            return performance.RunAsync(async tally =>
            {
                using var house = new DemoHouse(
                    parsed.GetRequiredValue(silo), FolderOf(parsed.GetValue(data)), plan, performance.Stage, TimeProvider.System);
                await house.RunAsync(
                    (site, fleet, cancel) => new Scenario(plan, site, performance.Findings, performance.Stage, TimeProvider.System)
                        .RunAsync(tally, fleet, cancel),
                    parsed.GetValue(keep),
                    cancellationToken);
            });
        });
        return command;
    }

    private static string FolderOf(string? named)
    {
        if (named is null)
        {
            return Directory.CreateTempSubdirectory("muster-demo-").FullName;
        }

        var folder = Path.GetFullPath(named);
        return File.Exists(folder) || (Directory.Exists(folder) && Directory.EnumerateFileSystemEntries(folder).Any())
            ? throw new DemoFaultException($"'{named}' is not empty: a run makes its own data; name an empty or new folder with --data")
            : Directory.CreateDirectory(folder).FullName;
    }
}
