using System.CommandLine;
using System.Globalization;
using Google.Protobuf;
using Grpc.Core;
using Muster.Cli.Session;
using V1 = Muster.Protocol.V1;

namespace Muster.Cli.Maintenance;

internal static class RebuildInventory
{
    public static Command Create()
    {
        var partition = MaintenanceOptions.Partition();
        return new Command("rebuild", "Build what lists show from the records again, while the installation serves.") { partition }
            .Calls(async (session, parsed, cancellationToken) =>
            {
                var request = new V1.RebuildInventoryRequest();
                if (parsed.GetValue(partition) is { } chosen)
                {
                    request.Partition = chosen;
                }

                var rebuilt = 0;
                using var call = MaintenanceOptions.Client(session).RebuildInventory(request, cancellationToken: cancellationToken);
                await foreach (var part in call.ResponseStream.ReadAllAsync(cancellationToken))
                {
                    rebuilt++;
                    if (session.Output.IsJson)
                    {
                        await session.Output.LineAsync(JsonFormatter.Default.Format(part));
                    }
                }

                if (!session.Output.IsJson)
                {
                    await session.Output.LineAsync(string.Create(CultureInfo.InvariantCulture, $"{rebuilt} partitions rebuilt"));
                }
            });
    }
}
