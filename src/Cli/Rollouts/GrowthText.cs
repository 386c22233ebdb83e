using System.Globalization;
using Muster.Cli.Session;
using V1 = Muster.Protocol.V1;

namespace Muster.Cli.Rollouts;

/// <summary>A growing rate as people write it: <c>FACTOR:COUNT:offered|succeeded[:MAX]</c>, for example <c>2:1000:succeeded</c>.</summary>
internal static class GrowthText
{
    public const string Form = "FACTOR:COUNT:offered|succeeded[:MAX]";

    private const int FactorPart = 0;
    private const int CountPart = 1;
    private const int StepPart = 2;
    private const int MaxPart = 3;

    public static V1.RateGrowth Parse(string text)
    {
        var parts = text.Split(':');
        if (parts.Length is not (StepPart + 1 or MaxPart + 1)
            || !double.TryParse(parts[FactorPart], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var factor))
        {
            throw Wrong(text);
        }

        var growth = new V1.RateGrowth
        {
            Factor = factor,
            DevicesPerMinuteMax = parts.Length > MaxPart ? Number(parts[MaxPart], text) : 0,
        };
        switch (parts[StepPart])
        {
            case "offered":
                growth.Offered = Number(parts[CountPart], text);
                break;
            case "succeeded":
                growth.Succeeded = Number(parts[CountPart], text);
                break;
            default:
                throw Wrong(text);
        }

        return growth;
    }

    /// <summary>As it is written on the command line.</summary>
    public static string Text(V1.RateGrowth growth)
    {
        var (step, count) = growth.StepCase == V1.RateGrowth.StepOneofCase.Succeeded
            ? ("succeeded", growth.Succeeded)
            : ("offered", growth.Offered);
        return FormattableString.Invariant($"{growth.Factor}:{count}:{step}")
            + (growth.DevicesPerMinuteMax > 0 ? FormattableString.Invariant($":{growth.DevicesPerMinuteMax}") : "");
    }

    private static int Number(string number, string text) =>
        int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var value) ? value : throw Wrong(text);

    private static UsageException Wrong(string text) =>
        new($"'{text}' is not a growing rate: {Form}, for example 2:1000:succeeded, or 1.5:500:offered:400.");
}
