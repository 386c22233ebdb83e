using System.Globalization;
using Muster.Cli.Session;
using V1 = Muster.Protocol.V1;

namespace Muster.Cli.Rollouts;

/// <summary>
/// A wave as people write it: <c>SIZE[:SUCCESS%[:SOAK[:WHO[:LEAST]]]]</c>, for example <c>5</c>, <c>10%:95:1h</c>; with <c>:approve</c>
/// behind it the wave has a manual gate.
/// </summary>
internal static class WaveText
{
    public const string Form = "SIZE[:SUCCESS[:SOAK[:connected|all[:LEAST]]]][:approve]";

    private const string Approve = "approve";

    public static V1.WaveSpec Parse(string text)
    {
        var parts = text.Split(':');
        var isManual = parts[^1] == Approve;
        parts = isManual ? parts[..^1] : parts;
        if (parts.Length is 0 or > 5)
        {
            throw Wrong(text);
        }

        var wave = new V1.WaveSpec { NeedsApproval = isManual };
        if (parts[0].EndsWith('%'))
        {
            wave.Percent = Number(parts[0][..^1], text);
        }
        else
        {
            wave.Count = Number(parts[0], text);
        }

        if (parts.Length > 1)
        {
            wave.SuccessPercent = Number(parts[1].TrimEnd('%'), text);
        }

        if (parts.Length > 2)
        {
            wave.Soak = Values.Duration(parts[2]);
        }

        if (parts.Length > 3)
        {
            // Unsaid, the first wave passes over who is not connected when the rollout starts, and the others do not.
            wave.ConnectedOnly = parts[3] switch
            {
                "connected" => true,
                "all" => false,
                _ => throw Wrong(text),
            };
        }

        if (parts.Length > 4)
        {
            wave.MinSucceeded = Number(parts[4], text);
        }

        return wave;
    }

    private static int Number(string number, string text) =>
        int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var value) ? value : throw Wrong(text);

    private static UsageException Wrong(string text) =>
        new($"'{text}' is not a wave: {Form}, for example 5, 10%:95:1h, 100%:95:0s:all, or 20:approve.");
}
