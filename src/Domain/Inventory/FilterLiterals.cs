using System.Globalization;
using Muster.Domain.Images;

namespace Muster.Domain.Inventory;

/// <summary>Reads the literal of a comparison by the type of its field.</summary>
internal static class FilterLiterals
{
    private const DateTimeStyles Utc = DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal;

    /// <summary>RFC 3339 with seconds and without, and a day, which begins at midnight in UTC.</summary>
    private static readonly string[] s_instants = ["yyyy-MM-dd'T'HH:mm:ss.FFFFFFFK", "yyyy-MM-dd'T'HH:mmK", "yyyy-MM-dd"];

    /// <summary>The test, or what is wrong with the literal.</summary>
    public static (FieldTest? Test, string Why) Read(FieldPath path, FilterOperator operation, string literal) => path.Field.Type switch
    {
        FieldType.Text or FieldType.Map => (new FieldTest(path, operation, literal, 0, false), ""),
        FieldType.Version => ReadVersion(path, operation, literal),
        FieldType.Choice => ReadChoice(path, operation, literal),
        FieldType.Number => long.TryParse(literal, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number)
            ? (Of(path, operation, number), "")
            : (null, $"'{literal}' is no whole number."),
        FieldType.Time => ReadTime(path, operation, literal),
        FieldType.Duration => DurationLiteral.TryParse(literal, out var duration)
            ? (Of(path, operation, duration), "")
            : (null, $"'{literal}' is no duration such as 90s, 15m, 36h or 30d."),
        FieldType.Unspecified => throw new UnreachableException($"Field {path} has no type."),
        _ => throw new UnreachableException($"Unknown field type {path.Field.Type}."),
    };

    private static FieldTest Of(FieldPath path, FilterOperator operation, long number) => new(path, operation, "", number, false);

    private static (FieldTest? Test, string Why) ReadVersion(FieldPath path, FilterOperator operation, string literal)
    {
        var isOrdered = operation is not (FilterOperator.Equal or FilterOperator.NotEqual or FilterOperator.Has);
        return isOrdered && !OsVersion.TryParse(literal, out _)
            ? (null, $"'{literal}' is no OS version such as 12.11.77.")
            : (new FieldTest(path, operation, literal, 0, false), "");
    }

    private static (FieldTest? Test, string Why) ReadChoice(FieldPath path, FilterOperator operation, string literal)
    {
        if (operation is not (FilterOperator.Equal or FilterOperator.NotEqual or FilterOperator.Has))
        {
            return (null, $"{path} has names for values: they are compared with = and !=.");
        }

        var index = path.Field.IndexOf(literal);
        return index >= 0
            ? (Of(path, operation, index), "")
            : (null, $"'{literal}' is no value of {path}; the values are {string.Join(", ", path.Field.Values)}.");
    }

    private static (FieldTest? Test, string Why) ReadTime(FieldPath path, FilterOperator operation, string literal)
    {
        if (DateTimeOffset.TryParseExact(literal, s_instants, CultureInfo.InvariantCulture, Utc, out var instant))
        {
            return (Of(path, operation, instant.ToUnixTimeMilliseconds()), "");
        }

        return DurationLiteral.TryParse(literal, out var distance)
            ? (new FieldTest(path, operation, "", distance, true), "")
            : (null, $"'{literal}' is neither an instant such as 2026-11-24T08:00:00Z nor a distance from now such as -36h or 30d.");
    }
}

/// <summary>
/// A duration as a filter writes it: a number, whole or not, and <c>s</c>, <c>m</c>, <c>h</c> or <c>d</c>; with a sign when it is a
/// distance.
/// </summary>
internal static class DurationLiteral
{
    /// <summary>A century: keeps every sum inside the calendar.</summary>
    private const double MillisecondsMax = 100d * 366 * 24 * 3600 * 1000;

    public static bool TryParse(string text, out long milliseconds)
    {
        milliseconds = 0;
        if (text.Length < 2)
        {
            return false;
        }

        var unit = text[^1] switch { 's' => 1_000d, 'm' => 60_000d, 'h' => 3_600_000d, 'd' => 86_400_000d, _ => 0d };
        const NumberStyles Style = NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint;
        if (unit == 0 || !double.TryParse(text[..^1], Style, CultureInfo.InvariantCulture, out var count)
            || Math.Abs(count * unit) > MillisecondsMax)
        {
            return false;
        }

        milliseconds = (long)(count * unit);
        return true;
    }
}
