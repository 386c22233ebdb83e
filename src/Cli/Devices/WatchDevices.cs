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
        var resume = new Option<string>("--resume")
        {
            Description = "Instead of the snapshot, what changed since this token: the newest resumeToken that --output json has printed.",
            DefaultValueFactory = _ => "",
        };
        return new Command("watch", "The devices that match, then each that changes or ceases to match, until Ctrl+C.") { filter, resume }
            .Calls(async (session, parsed, cancellationToken) =>
            {
                var request = new V1.WatchDevicesRequest
                {
                    Parent = session.Parent,
                    Filter = parsed.GetRequiredValue(filter),
                    ResumeToken = parsed.GetRequiredValue(resume),
                };
                using var call = DeviceColumns.Client(session).WatchDevices(request, cancellationToken: cancellationToken);
                await foreach (var change in call.ResponseStream.ReadAllAsync(cancellationToken))
                {
                    if ((session.Output.IsJson ? JsonFormatter.Default.Format(change) : LineOf(change)) is { } line)
                    {
                        await session.Output.LineAsync(line);
                    }
                }
            });
    }

    /// <summary>Null for what only programs read: a resume token.</summary>
    private static string? LineOf(V1.WatchDevicesResponse change) => change switch
    {
        { SnapshotComplete: true } => "-- changes from here on --",
        { Left.Length: > 0 } => $"{Values.Short(change.Left)}  -- no longer matches",
        { Device: { } device } => DeviceColumns.Line(device),
        _ => null,
    };
}
