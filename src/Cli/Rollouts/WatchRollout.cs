using System.CommandLine;
using Google.Protobuf;
using Grpc.Core;
using Muster.Cli.Session;
using Spectre.Console;
using V1 = Muster.Protocol.V1;

namespace Muster.Cli.Rollouts;

internal static class WatchRollout
{
    public static Command Create()
    {
        var rollout = RolloutColumns.Rollout();
        return new Command("watch", "Waves as bars until the rollout has ended. On no terminal: its decisions, line by line.") { rollout }
            .Calls(async (session, parsed, cancellationToken) =>
            {
                var request = new V1.WatchRolloutRequest { Name = RolloutColumns.NameOf(session, parsed, rollout) };
                using var call = RolloutColumns.Client(session).WatchRollout(request, cancellationToken: cancellationToken);
                var states = call.ResponseStream.ReadAllAsync(cancellationToken);
                if (session.Output.IsLive)
                {
                    await session.Output.Console.Live(new Text("")).StartAsync(async live =>
                    {
                        await foreach (var state in states)
                        {
                            live.UpdateTarget(RolloutPicture.Of(state));
                        }
                    });
                }
                else
                {
                    await WriteLinesAsync(session, states);
                }
            });
    }

    private static async Task WriteLinesAsync(FleetSession session, IAsyncEnumerable<V1.Rollout> states)
    {
        var (told, line) = (0L, "");
        await foreach (var state in states)
        {
            if (session.Output.IsJson)
            {
                await session.Output.LineAsync(JsonFormatter.Default.Format(state));
                continue;
            }

            foreach (var decision in state.Decisions.Where(decision => decision.Number > told))
            {
                await session.Output.LineAsync(RolloutPicture.Line(decision));
                told = decision.Number;
            }

            // A watch also tells what no line shows, such as a point of the burn-up.
            if (RolloutPicture.Line(state) is var next && next != line)
            {
                await session.Output.LineAsync(line = next);
            }
        }
    }
}
