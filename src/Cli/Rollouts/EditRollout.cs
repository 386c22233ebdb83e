using System.CommandLine;
using Muster.Cli.Session;
using V1 = Muster.Protocol.V1;

namespace Muster.Cli.Rollouts;

internal static class EditRollout
{
    public static Command Create()
    {
        var rollout = RolloutColumns.Rollout();
        var etag = RolloutColumns.Etag("Refuse when the rollout is another than the one with this etag. Default: whatever it is.");
        var command = new Command("edit", "Writes a draft anew, as a whole; what was approved of it before does not count any more.")
        {
            rollout, etag,
        };
        return CreateRollout.AddSpecTo(command).Calls(async (session, parsed, cancellationToken) =>
        {
            var spec = CreateRollout.Read(session, parsed);
            spec.Name = RolloutColumns.NameOf(session, parsed, rollout);
            spec.Etag = parsed.GetValue(etag) ?? "";
            await session.Output.ShowAsync(await RolloutColumns.Client(session).UpdateRolloutAsync(
                new V1.UpdateRolloutRequest { Rollout = spec }, cancellationToken: cancellationToken));
        });
    }
}
