namespace Muster.Simulator.Demo;

/// <summary>A Muster that runs, and a fleet beside it; whoever started them says where they are.</summary>
/// <param name="Api">Where operators call.</param>
/// <param name="ProfileFolder">An administrator's.</param>
/// <param name="PkiFolder">The vendor's.</param>
/// <param name="FleetLog">What the devices say.</param>
/// <param name="WorkFolder">For what the scenario makes: the image.</param>
internal sealed record Installation(string Api, string ProfileFolder, string PkiFolder, string FleetLog, string WorkFolder)
{
    /// <summary>The layout that the demo makes.</summary>
    public static Installation In(string data, string api) => new(
        api,
        Path.Combine(data, "operators", "administrator"),
        Path.Combine(data, "vendor"),
        Path.Combine(data, "fleet.jsonl"),
        data);
}

/// <summary>What a run is asked for.</summary>
/// <param name="Devices">The fleet's size, without those that have to be refused.</param>
/// <param name="Broken">The step that is wrong on purpose; null for none.</param>
/// <param name="Patience">How long a step may take.</param>
internal sealed record ScenarioPlan(int Devices, string? Broken, TimeSpan Patience);
