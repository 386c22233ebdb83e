using System.Globalization;
using System.Text.RegularExpressions;
using Google.Protobuf.WellKnownTypes;

namespace Muster.Cli.Session;

/// <summary>Values as people write them.</summary>
internal static partial class Values
{
    /// <summary>A hundred years: longer than anything here lasts, and far from where a time span ends.</summary>
    private const int DaysMax = 36_500;

    /// <summary>A number with one of the units s, m, h, d: <c>30s</c>, <c>7d</c>.</summary>
    public static Duration Duration(string text)
    {
        var match = DurationForm().Match(text);
        if (!match.Success || !int.TryParse(match.Groups[1].ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
        {
            throw new UsageException($"'{text}' is not a duration such as 30s, 5m, 1h or 7d.");
        }

        var seconds = number * (match.Groups[2].Value switch { "s" => 1L, "m" => 60, "h" => 3_600, _ => 86_400 });
        return seconds <= DaysMax * 86_400L
            ? Google.Protobuf.WellKnownTypes.Duration.FromTimeSpan(TimeSpan.FromSeconds(seconds))
            : throw new UsageException($"'{text}' is too long: at most {DaysMax}d.");
    }

    /// <summary>A date (its first instant in UTC) or an instant of ISO 8601; null for none.</summary>
    public static Timestamp? Instant(string? text)
    {
        if (string.IsNullOrEmpty(text))
        {
            return null;
        }

        return DateTimeOffset.TryParse(
            text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var at)
            ? Timestamp.FromDateTimeOffset(at)
            : throw new UsageException($"'{text}' is neither a date such as 2027-12-31 nor an instant such as 2027-12-31T10:00:00Z.");
    }

    public static string Short(string name) => name[(name.LastIndexOf('/') + 1)..];

    [GeneratedRegex("^([0-9]{1,9})([smhd])\\z", RegexOptions.CultureInvariant)]
    private static partial Regex DurationForm();
}
