using System.CommandLine;
using Google.Protobuf;
using Grpc.Core;
using Muster.Cli.Session;
using V1 = Muster.Protocol.V1;

namespace Muster.Cli.Devices;

internal static class WatchDevices
{
    public static Command Create()
    {
        var filter = VerbOptions.Filter(DeviceColumns.FilterFields);
        return new Command("watch", "The devices that match, then each that changes or ceases to match, until Ctrl+C.") { filter }
            .Calls(async (session, parsed, cancellationToken) =>
            {
                var request = new V1.WatchDevicesRequest { Parent = session.Parent, Filter = parsed.GetRequiredValue(filter) };
                using var call = DeviceColumns.Client(session).WatchDevices(request, cancellationToken: cancellationToken);
                await foreach (var change in call.ResponseStream.ReadAllAsync(cancellationToken))
                {
                    await session.Output.LineAsync(
                        session.Output.IsJson ? JsonFormatter.Default.Format(change)
                        : change.SnapshotComplete ? "-- changes from here on --"
                        : change.Left.Length > 0 ? $"{Values.Short(change.Left)}  -- no longer matches"
                        : DeviceColumns.Line(change.Device));
                }
            });
    }
}
