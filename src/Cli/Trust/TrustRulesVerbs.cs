using System.CommandLine;
using Muster.Cli.Session;
using V1 = Muster.Protocol.V1;

namespace Muster.Cli.Trust;

/// <summary>The verbs <c>trust rules get</c> and <c>trust rules set</c>.</summary>
internal static class TrustRulesVerbs
{
    /// <summary>By the name of the field, as options have it.</summary>
    private static readonly (string Name, string Description, Action<V1.TrustRules, V1.TrustAction> Set)[] s_rules =
    [
        ("--secure-boot-lost", "A device claims no unbroken secure boot any more.", (rules, action) => rules.SecureBootLost = action),
        ("--image-unknown", "The catalogue has no image with the digest that runs.", (rules, action) => rules.ImageUnknown = action),
        ("--image-unnamed", "A device does not say which image runs. Unless set: quarantine where image-unknown is, else ignore.",
            (rules, action) => rules.ImageUnnamed = action),
        ("--os-below-floor", "The OS that runs is below the device's floor.", (rules, action) => rules.OsBelowFloor = action),
        ("--custom-firmware-certificate", "A certificate allows one special image of the maker.",
            (rules, action) => rules.CustomFirmwareCertificate = action),
        ("--key-under-two-serials", "Another serial presents a device's key.", (rules, action) => rules.KeyUnderTwoSerials = action),
        ("--alternating-boots", "Hellos of one identity alternate between boots.", (rules, action) => rules.AlternatingBoots = action),
        ("--older-connection-alive", "A connection lives on beside a newer one of another boot.",
            (rules, action) => rules.OlderConnectionAlive = action),
    ];

    public static Command CreateGet() => new Command("get", "What follows from findings and suspicions.").Calls(
        async (session, _, cancellationToken) => await session.Output.ShowAsync(await ReadAsync(session, cancellationToken)));

    public static Command CreateSet()
    {
        var options = s_rules.Select(rule => (Option: ActionOption(rule.Name, rule.Description), rule.Set)).ToArray();
        var autoRelease = new Option<bool?>("--auto-release")
        {
            Description = "Whether a device that a rule quarantined for findings comes back when none is left that quarantines.",
        };
        var command = new Command("set", "Changes the rules that are named; the others stay.") { autoRelease };
        foreach (var (option, _) in options)
        {
            command.Add(option);
        }

        return command.Calls(async (session, parsed, cancellationToken) =>
        {
            var rules = await ReadAsync(session, cancellationToken);
            foreach (var (option, set) in options)
            {
                if (parsed.GetValue(option) is { } action)
                {
                    set(rules, Enum.Parse<V1.TrustAction>(action, ignoreCase: true));
                }
            }

            rules.AutoRelease = parsed.GetValue(autoRelease) ?? rules.AutoRelease;
            await session.Output.ShowAsync(await Client(session).UpdateTrustRulesAsync(
                new V1.UpdateTrustRulesRequest { Rules = rules }, cancellationToken: cancellationToken));
        });
    }

    internal static V1.Trust.TrustClient Client(FleetSession session) => new(session.Calls);

    private static async Task<V1.TrustRules> ReadAsync(FleetSession session, CancellationToken cancellationToken) =>
        await Client(session).GetTrustRulesAsync(
            new V1.GetTrustRulesRequest { Name = $"{session.Parent}/trustRules" }, cancellationToken: cancellationToken);

    private static Option<string?> ActionOption(string name, string description)
    {
        var option = new Option<string?>(name) { Description = description };
        option.AcceptOnlyFromAmong("ignore", "report", "quarantine");
        return option;
    }
}
