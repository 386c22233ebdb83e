using System.CommandLine;
using Muster.Cli.Session;
using V1 = Muster.Protocol.V1;

namespace Muster.Cli.Maintenance;

/// <summary>What the verbs of maintenance share.</summary>
internal static class MaintenanceOptions
{
    public static Option<int?> Partition() => new("--partition")
    {
        Description = "Only this partition, counted from 0. Default: all.",
        HelpName = "N",
    };

    public static V1.Maintenance.MaintenanceClient Client(FleetSession session) => new(session.Calls);
}
