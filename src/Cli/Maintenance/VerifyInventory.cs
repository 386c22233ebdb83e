using System.CommandLine;
using System.Globalization;
using Google.Protobuf;
using Grpc.Core;
using Muster.Cli.Session;
using V1 = Muster.Protocol.V1;

namespace Muster.Cli.Maintenance;

internal static class VerifyInventory
{
    public static Command Create()
    {
        var partition = MaintenanceOptions.Partition();
        return new Command("verify", "Compare what lists show with all records and change feeds; exit code 1 when something differs.")
        {
            partition,
        }
            .Calls(async (session, parsed, cancellationToken) =>
            {
                var request = new V1.VerifyInventoryRequest();
                if (parsed.GetValue(partition) is { } chosen)
                {
                    request.Partition = chosen;
                }

                long records = 0, entries = 0, differences = 0;
                using var call = MaintenanceOptions.Client(session).VerifyInventory(request, cancellationToken: cancellationToken);
                await foreach (var part in call.ResponseStream.ReadAllAsync(cancellationToken))
                {
                    (records, entries, differences) =
                        (records + part.Records, entries + part.FeedEntries, differences + part.Differences);
                    await ShowAsync(session, part);
                }

                if (!session.Output.IsJson)
                {
                    await session.Output.LineAsync(string.Create(
                        CultureInfo.InvariantCulture,
                        $"{records} records and {entries} feed entries compared, {differences} differences"));
                }

                if (differences > 0)
                {
                    throw new DifferenceException("The inventory is not what its records say; 'muster admin rebuild' builds it again.");
                }
            });
    }

    private static async Task ShowAsync(FleetSession session, V1.VerifyInventoryResponse part)
    {
        if (session.Output.IsJson)
        {
            await session.Output.LineAsync(JsonFormatter.Default.Format(part));
            return;
        }

        foreach (var example in part.Examples)
        {
            await session.Output.LineAsync($"partition {part.Partition}: {example}");
        }

        if (part.FeedHeldUp)
        {
            // No difference, and so no exit code of its own: the inventory is in order.
            await session.Output.LineAsync(string.Create(
                CultureInfo.InvariantCulture,
                $"partition {part.Partition}: '{part.SlowestReader}' is {part.SlowestReaderLag} entries of the change feed behind"));
        }
    }
}
