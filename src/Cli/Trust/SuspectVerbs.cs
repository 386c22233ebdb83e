using System.CommandLine;
using Muster.Cli.Devices;
using Muster.Cli.Output;
using Muster.Cli.Session;
using V1 = Muster.Protocol.V1;

namespace Muster.Cli.Trust;

/// <summary>The verbs of <c>trust suspects</c>: devices whose identity may be used twice.</summary>
internal static class SuspectVerbs
{
    /// <summary>Devices answered for by one call: some seconds at most, so that an interruption loses little.</summary>
    private const int PageSize = 500;

    private const string AnySuspicion =
        "(suspicion = REPORTED OR suspicion = QUARANTINED OR suspicion = WAITING OR suspicion = CONFIRMED)";

    private static readonly IReadOnlyList<(string Header, Func<V1.Device, string> Value)> s_columns =
    [
        ("DEVICE", device => Values.Short(device.Name)),
        ("SUSPICION", device => EnumNames.Of(device.Suspicion?.State ?? V1.SuspicionState.Unspecified)),
        ("STATE", device => EnumNames.Of(device.State)),
        ("FINDINGS", DeviceColumns.Findings),
        ("SITE", device => device.Site),
    ];

    public static Command CreateList() => ListVerb.Create(
        "Devices whose identity may be used twice, by name. Those that wait for you: --filter 'suspicion = WAITING'.",
        DeviceColumns.FilterFields,
        s_columns,
        async page =>
        {
            var request = new V1.ListDevicesRequest
            {
                Parent = page.Parent,
                Filter = page.Filter.Length == 0 ? AnySuspicion : $"{AnySuspicion} AND ({page.Filter})",
                PageSize = page.Size,
                PageToken = page.Token,
            };
            var answer = await DeviceColumns.Client(page.Session).ListDevicesAsync(request, cancellationToken: page.CancellationToken);
            return (answer.Devices, answer.NextPageToken);
        });

    public static Command CreateConfirm() => Resolve(
        "confirm", "The identities are used twice: quarantines the devices by your order.", V1.SuspicionAnswer.Confirm);

    public static Command CreateDismiss() => Resolve(
        "dismiss", "The suspicions are unfounded: what they alone had quarantined is back in service.", V1.SuspicionAnswer.Dismiss);

    private static Command Resolve(string name, string description, V1.SuspicionAnswer answer)
    {
        var filter = new Option<string>("--filter")
        {
            Description = $"Which of the suspected devices; * for all. {VerbOptions.FilterLanguage} Fields: {DeviceColumns.FilterFields}.",
            HelpName = "FILTER",
            Required = true,
        };
        var cause = new Option<string>("--cause") { Description = "Why, in words.", Required = true };
        return new Command(name, description) { filter, cause }.Calls(async (session, parsed, cancellationToken) =>
        {
            var request = new V1.ResolveSuspicionsRequest
            {
                Parent = session.Parent,
                Filter = parsed.GetRequiredValue(filter),
                Answer = answer,
                Cause = parsed.GetRequiredValue(cause),
                PageSize = PageSize,
            };
            var all = new V1.ResolveSuspicionsResponse();
            do
            {
                var page = await TrustRulesVerbs.Client(session).ResolveSuspicionsAsync(request, cancellationToken: cancellationToken);
                all.Resolved += page.Resolved;
                all.Unchanged += page.Unchanged;
                all.Refused += page.Refused;
                request.PageToken = page.NextPageToken;
            }
            while (request.PageToken.Length > 0);

            await session.Output.ShowAsync(all);
        });
    }
}
