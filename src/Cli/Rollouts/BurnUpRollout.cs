using System.CommandLine;
using System.Text;
using Muster.Cli.Session;
using V1 = Muster.Protocol.V1;

namespace Muster.Cli.Rollouts;

internal static class BurnUpRollout
{
    public static Command Create()
    {
        var rollout = RolloutColumns.Rollout();
        var svg = new Option<string?>("--svg") { Description = "Write the picture as SVG to this file instead.", HelpName = "FILE" };
        return new Command("burn-up", "How many devices have succeeded and failed since the start, with its waves and what stopped it.")
        {
            rollout, svg,
        }.Calls(async (session, parsed, cancellationToken) =>
        {
            var request = new V1.GetRolloutRequest { Name = RolloutColumns.NameOf(session, parsed, rollout) };
            var answer = await RolloutColumns.Client(session).GetRolloutAsync(request, cancellationToken: cancellationToken);
            var course = RolloutCourse.Of(answer, TimeProvider.System.GetUtcNow())
                ?? throw new UsageException($"Rollout '{Values.Short(answer.Name)}' was not started: it has no course yet.");
            if (parsed.GetValue(svg) is { } file)
            {
                await File.WriteAllTextAsync(file, BurnUpSvg.Of(course), Encoding.UTF8, cancellationToken);
                await session.Output.NoteAsync($"Written to {file}.");
            }
            else if (session.Output.IsJson)
            {
                await session.Output.ShowAsync(answer.BurnUp ?? new V1.BurnUp());
            }
            else
            {
                foreach (var line in BurnUpText.Of(course))
                {
                    await session.Output.LineAsync(line);
                }
            }
        });
    }
}
