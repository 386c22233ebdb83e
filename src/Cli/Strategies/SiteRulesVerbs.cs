using System.CommandLine;
using Muster.Cli.Session;
using V1 = Muster.Protocol.V1;

namespace Muster.Cli.Strategies;

/// <summary>The verbs <c>strategies rules get</c> and <c>strategies rules edit</c>.</summary>
internal static class SiteRulesVerbs
{
    public static Command CreateGet() => new Command("get", "The rules in force; the first that names a site counts.").Calls(
        async (session, _, cancellationToken) => await session.Output.ShowAsync(await StrategyColumns.Client(session).GetSiteRulesAsync(
            new V1.GetSiteRulesRequest { Name = NameOf(session) }, cancellationToken: cancellationToken)));

    public static Command CreateEdit()
    {
        var file = StrategyColumns.File(
            "YAML with 'rules', each with 'site' (* is for any characters), 'strategy' and 'minimum_version'. All of them: rules that are"
            + " not in the file are gone.");
        var etag = StrategyColumns.Etag();
        return new Command("edit", "Writes the rules anew, as a whole; starts from then on are judged by them.") { file, etag }
            .Calls(async (session, parsed, cancellationToken) =>
            {
                var rules = await YamlMessage.ReadAsync<V1.SiteRules>(parsed.GetRequiredValue(file), cancellationToken);
                rules.Name = NameOf(session);
                rules.Etag = parsed.GetRequiredValue(etag);
                foreach (var rule in rules.Rules)
                {
                    rule.Strategy = session.NameOf(StrategyColumns.Collection, rule.Strategy);
                }

                await session.Output.ShowAsync(await StrategyColumns.Client(session).UpdateSiteRulesAsync(
                    new V1.UpdateSiteRulesRequest { SiteRules = rules }, cancellationToken: cancellationToken));
            });
    }

    private static string NameOf(FleetSession session) => $"{session.Parent}/siteRules";
}
