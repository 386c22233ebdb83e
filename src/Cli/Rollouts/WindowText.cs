using System.Text.RegularExpressions;
using Muster.Cli.Session;
using V1 = Muster.Protocol.V1;

namespace Muster.Cli.Rollouts;

/// <summary>
/// A window as people write it: <c>RECURRENCE for SPAN in ZONE</c>, for example <c>0 22 * * MON-FRI for 6h in Europe/Stockholm</c>.
/// </summary>
internal static partial class WindowText
{
    public const string Form = "RECURRENCE for SPAN in ZONE";

    public static V1.OfferWindow Parse(string text)
    {
        var match = Window().Match(text);
        return match.Success
            ? new V1.OfferWindow
            {
                Recurrence = match.Groups["recurrence"].Value,
                Duration = Values.Duration(match.Groups["span"].Value),
                TimeZone = match.Groups["zone"].Value,
            }
            : throw new UsageException($"'{text}' is not a window: {Form}, for example '0 22 * * MON-FRI for 6h in Europe/Stockholm'.");
    }

    [GeneratedRegex(@"^\s*(?<recurrence>\S.*?)\s+for\s+(?<span>\S+)\s+in\s+(?<zone>\S+)\s*$")]
    private static partial Regex Window();
}
