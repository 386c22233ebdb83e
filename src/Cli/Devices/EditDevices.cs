using System.CommandLine;
using Muster.Cli.Session;
using V1 = Muster.Protocol.V1;

namespace Muster.Cli.Devices;

internal static class EditDevices
{
    /// <summary>Devices edited by one call: some seconds at most, so that an interruption loses little.</summary>
    private const int PageSize = 500;

    public static Command Create()
    {
        var filter = new Option<string>("--filter")
        {
            Description = $"Which devices; * for all. {VerbOptions.FilterLanguage} Fields: {DeviceColumns.FilterFields}.",
            HelpName = "FILTER",
            Required = true,
        };
        var site = new Option<string?>("--site") { Description = "The new site; an empty one takes the site away." };
        var set = Labels("--label", "Set a label; may be given several times.");
        var remove = new Option<string[]>("--remove-label")
        {
            Description = "Take a label away; may be given several times.",
            HelpName = "NAME",
        };
        return new Command("edit", "Edits site and labels of all devices that match. May be repeated.") { filter, site, set, remove }
            .Calls(async (session, parsed, cancellationToken) =>
            {
                var request = new V1.EditDevicesRequest
                {
                    Parent = session.Parent,
                    Filter = parsed.GetRequiredValue(filter),
                    PageSize = PageSize,
                    RemoveLabels = { parsed.GetValue(remove) ?? [] },
                };
                AddTo(request.SetLabels, parsed.GetValue(set) ?? []);
                if (parsed.GetValue(site) is { } newSite)
                {
                    request.Site = newSite;
                }

                var all = new V1.EditDevicesResponse();
                do
                {
                    var page = await DeviceColumns.Client(session).EditDevicesAsync(request, cancellationToken: cancellationToken);
                    all.Edited += page.Edited;
                    all.Unchanged += page.Unchanged;
                    all.Refused += page.Refused;
                    request.PageToken = page.NextPageToken;
                }
                while (request.PageToken.Length > 0);

                await session.Output.ShowAsync(all);
            });
    }

    public static Option<string[]> Labels(string name, string description)
    {
        var option = new Option<string[]>(name) { Description = description, HelpName = "NAME=VALUE" };
        option.Validators.Add(result =>
        {
            if (result.Tokens.FirstOrDefault(token => token.Value.IndexOf('=', StringComparison.Ordinal) <= 0) is { } wrong)
            {
                result.AddError($"{name} is NAME=VALUE, not '{wrong.Value}'.");
            }
        });
        return option;
    }

    public static void AddTo(IDictionary<string, string> labels, IEnumerable<string> texts)
    {
        foreach (var text in texts)
        {
            var equals = text.IndexOf('=', StringComparison.Ordinal);
            labels[text[..equals]] = text[(equals + 1)..];
        }
    }
}
