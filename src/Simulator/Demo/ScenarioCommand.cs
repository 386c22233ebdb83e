using System.CommandLine;

namespace Muster.Simulator.Demo;

/// <summary>The verb <c>scenario</c>: the whole job against an installation and a fleet that run already.</summary>
internal static class ScenarioCommand
{
    public static Command Create()
    {
        var api = new Option<string>("--api") { Required = true, Description = "Where operators call: https://host:port." };
        var profile = new Option<string?>("--profile") { Description = "An administrator's; default DATA/operators/administrator." };
        var data = new Option<string>("--data") { Required = true, Description = "A folder; what the other options name is there." };
        var pki = new Option<string?>("--pki") { Description = "The vendor's folder; default DATA/vendor." };
        var log = new Option<string?>("--fleet-log") { Description = "The fleet's own log; default DATA/fleet.jsonl." };
        var options = new ScenarioOptions();
        var command = new Command(
            "scenario", "Drives the job through the API of what runs already: a fresh installation, and 'fleet --misfits --model P3265-V'.")
        {
            api, profile, data, pki, log,
        };
        options.AddTo(command);
        command.SetAction((parsed, cancellationToken) =>
        {
            var folder = Path.GetFullPath(parsed.GetRequiredValue(data));
            var layout = Installation.In(folder, parsed.GetRequiredValue(api));
            var site = layout with
            {
                ProfileFolder = parsed.GetValue(profile) ?? layout.ProfileFolder,
                PkiFolder = parsed.GetValue(pki) ?? layout.PkiFolder,
                FleetLog = parsed.GetValue(log) ?? layout.FleetLog,
            };
            var plan = options.Read(parsed);
            var performance = new Performance(plan.Devices, options.IsJson(parsed), TimeProvider.System);
            var scenario = new Scenario(plan, site, performance.Findings, performance.Stage, TimeProvider.System);
            return performance.RunAsync(tally => scenario.RunAsync(tally, () => Task.CompletedTask, cancellationToken));
        });
        return command;
    }
}

/// <summary>The options that <c>demo</c> and <c>scenario</c> share.</summary>
internal sealed class ScenarioOptions
{
    private const int DevicesMin = 1;
    private const int DevicesMax = 10_000;

    private readonly Option<int> _devices = new("--devices")
    {
        DefaultValueFactory = _ => 200,
        Description = $"{DevicesMin} to {DevicesMax}.",
    };

    private readonly Option<bool> _json = new("--json") { Description = "Progress to stderr, and one object as the last line of stdout." };

    private readonly Option<string?> _broken = new("--break")
    {
        Description = $"Makes one step wrong, which the verification has to catch: {string.Join(", ", BreakStep.All)}.",
    };

    private readonly Option<int?> _patience = new("--patience")
    {
        Description = "How many seconds a step may take; default a minute, and a tenth of a second for each device.",
    };

    public void AddTo(Command command)
    {
        _devices.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int>() is < DevicesMin or > DevicesMax)
            {
                result.AddError($"--devices is {DevicesMin} to {DevicesMax}.");
            }
        });
        _patience.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int?>() is < 1)
            {
                result.AddError("--patience is at least 1.");
            }
        });
        _broken.AcceptOnlyFromAmong([.. BreakStep.All]);
        command.Add(_devices);
        command.Add(_json);
        command.Add(_broken);
        command.Add(_patience);
    }

    public bool IsJson(ParseResult parsed) => parsed.GetValue(_json);

    public ScenarioPlan Read(ParseResult parsed)
    {
        var devices = parsed.GetValue(_devices);
        var patience = parsed.GetValue(_patience) is { } seconds ? TimeSpan.FromSeconds(seconds) : Pace.PatienceFor(devices);
        return new ScenarioPlan(devices, parsed.GetValue(_broken), patience);
    }
}
