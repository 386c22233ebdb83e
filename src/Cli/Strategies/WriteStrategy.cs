using System.CommandLine;
using Muster.Cli.Session;
using V1 = Muster.Protocol.V1;

namespace Muster.Cli.Strategies;

/// <summary>The verbs <c>strategies create</c> and <c>strategies edit</c>, which read the same file.</summary>
internal static class WriteStrategy
{
    private const string Content =
        "YAML with 'description' and 'rollout' (waves, failure_gate, devices_per_minute and so on, as in the API).";

    public static Command Create()
    {
        var id = VerbOptions.Name("id", "The strategy's id: lower-case letters, digits and hyphens, for example canary-site-fleet.");
        var file = StrategyColumns.File(Content);
        var requestId = VerbOptions.RequestId();
        return new Command("create", "Makes a strategy.") { id, file, requestId }.Calls(async (session, parsed, cancellationToken) =>
        {
            var request = new V1.CreateStrategyRequest
            {
                Parent = session.Parent,
                StrategyId = parsed.GetRequiredValue(id),
                Strategy = await ReadAsync(parsed, file, cancellationToken),
                RequestId = parsed.RequestIdOf(requestId),
            };
            await session.Output.ShowAsync(
                await StrategyColumns.Client(session).CreateStrategyAsync(request, cancellationToken: cancellationToken));
        });
    }

    public static Command Edit()
    {
        var strategy = StrategyColumns.Strategy();
        var file = StrategyColumns.File(Content + " The whole of it: what the file does not say is not kept.");
        var etag = StrategyColumns.Etag();
        return new Command("edit", "Makes a new version of a strategy; no rollout that there is changes.") { strategy, file, etag }
            .Calls(async (session, parsed, cancellationToken) =>
            {
                var content = await ReadAsync(parsed, file, cancellationToken);
                content.Name = session.NameOf(StrategyColumns.Collection, parsed.GetRequiredValue(strategy));
                content.Etag = parsed.GetRequiredValue(etag);
                await session.Output.ShowAsync(await StrategyColumns.Client(session).UpdateStrategyAsync(
                    new V1.UpdateStrategyRequest { Strategy = content }, cancellationToken: cancellationToken));
            });
    }

    private static Task<V1.Strategy> ReadAsync(ParseResult parsed, Option<string> file, CancellationToken cancellationToken) =>
        YamlMessage.ReadAsync<V1.Strategy>(parsed.GetRequiredValue(file), cancellationToken);
}
