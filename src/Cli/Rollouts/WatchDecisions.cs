using System.CommandLine;
using Google.Protobuf;
using Grpc.Core;
using Muster.Cli.Session;
using V1 = Muster.Protocol.V1;

namespace Muster.Cli.Rollouts;

/// <summary>The decisions of a rollout, or of all of a tenant's.</summary>
internal static class WatchDecisions
{
    /// <summary>AIP-159: a hyphen in the place of an id stands for all of them.</summary>
    private const string All = "-";

    public static Command Create()
    {
        var rollout = VerbOptions.Name("rollout", "The rollout: its id, or its full name; - for all that have not ended.");
        var follow = new Option<bool>("--follow") { Description = "Then each that is made, until the rollout has ended or Ctrl+C." };
        var resume = new Option<string>("--resume")
        {
            Description = "Instead of those that are kept, what was decided since this token: the newest resumeToken that --output json has"
                + " printed.",
            HelpName = "TOKEN",
            DefaultValueFactory = _ => "",
        };
        return new Command("decisions", "Why a rollout is where it is: its decisions, oldest first, each with its number.")
        {
            rollout, follow, resume,
        }.Calls(async (session, parsed, cancellationToken) =>
        {
            var isOfAll = parsed.GetRequiredValue(rollout) == All;
            var request = new V1.WatchRolloutDecisionsRequest
            {
                Parent = isOfAll ? session.Parent : RolloutColumns.NameOf(session, parsed, rollout),
                ResumeToken = parsed.GetRequiredValue(resume),
            };
            using var call = RolloutColumns.Client(session).WatchRolloutDecisions(request, cancellationToken: cancellationToken);
            await foreach (var told in call.ResponseStream.ReadAllAsync(cancellationToken))
            {
                foreach (var line in session.Output.IsJson ? [JsonFormatter.Default.Format(told)] : Lines(told, isOfAll))
                {
                    await session.Output.LineAsync(line);
                }

                if (told.CaughtUp && !parsed.GetValue(follow))
                {
                    return;
                }
            }
        });
    }

    /// <summary>None for what only programs read: a resume token.</summary>
    internal static IEnumerable<string> Lines(V1.WatchRolloutDecisionsResponse told, bool isOfAll)
    {
        if (told.Decision is not { } decision)
        {
            yield break;
        }

        var rollout = isOfAll ? $"{Values.Short(told.Rollout)}  " : "";
        if (told.Forgotten > 0)
        {
            yield return FormattableString.Invariant($"{rollout}-- {told.Forgotten} decisions before this one are not kept any more --");
        }

        var at = decision.At?.ToDateTimeOffset();
        yield return FormattableString.Invariant($"{rollout}{decision.Number,4}  {at:yyyy-MM-dd HH:mm:ss}Z  {decision.Decision}  ")
            + $"{decision.Reason} ({decision.Actor})";
    }
}
