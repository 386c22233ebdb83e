using System.Globalization;
using System.Text;
using Google.Protobuf.WellKnownTypes;

namespace Muster.Gateway.Grpc;

/// <summary>Forms of values in the API.</summary>
internal static class ApiValues
{
    private const string DayFormat = "yyyy-MM-dd";

    public static Timestamp? ToTimestamp(DateTimeOffset? at) => at is { } known ? Timestamp.FromDateTimeOffset(known) : null;

    public static string ToDay(DateOnly day) => day.ToString(DayFormat, CultureInfo.InvariantCulture);

    public static bool TryParseDay(string text, out DateOnly day) =>
        DateOnly.TryParseExact(text, DayFormat, CultureInfo.InvariantCulture, DateTimeStyles.None, out day);

    /// <summary>An enum's name as the API writes it: <c>NonCompliant</c> becomes <c>NON_COMPLIANT</c>.</summary>
    public static string ToName(string pascal)
    {
        var name = new StringBuilder(pascal.Length + 4);
        for (var i = 0; i < pascal.Length; i++)
        {
            if (i > 0 && char.IsAsciiLetterUpper(pascal[i]))
            {
                name.Append('_');
            }

            name.Append(char.ToUpperInvariant(pascal[i]));
        }

        return name.ToString();
    }

    /// <summary>As <see cref="ToName(string)"/>; empty for the value 0.</summary>
    public static string ToName<TEnum>(TEnum value)
        where TEnum : struct, System.Enum =>
        EqualityComparer<TEnum>.Default.Equals(value, default) ? "" : ToName(value.ToString());
}
