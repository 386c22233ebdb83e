using Muster.Domain.Images;

namespace Muster.Domain.Inventory;

/// <summary>The value that a row has in one field: text or a number, by the field's <see cref="FieldType"/>, or none.</summary>
/// <param name="Text">Of text and versions; null in every other field and when there is none.</param>
/// <param name="Number">Of all other fields; <see cref="NoNumber"/> when there is none.</param>
[GenerateSerializer, Immutable, Alias("muster.field-value")]
public readonly record struct FieldValue([property: Id(0)] string? Text, [property: Id(1)] long Number)
{
    /// <summary>Outside of every range that is stored.</summary>
    public const long NoNumber = long.MinValue;

    public static FieldValue None { get; } = new(null, NoNumber);

    public bool IsNone => Text is null && Number == NoNumber;

    public static FieldValue Of(string? text) => string.IsNullOrEmpty(text) ? None : new(text, NoNumber);

    public static FieldValue Of(long number) => new(null, number);

    public static FieldValue Of(bool flag) => new(null, flag ? 1 : 0);

    public static FieldValue Of(DateTimeOffset? at) => at is { } instant ? new(null, instant.ToUnixTimeMilliseconds()) : None;

    /// <summary>
    /// How two values of a field are ordered: no value first, versions number by number and above what is no version, text letter by
    /// letter.
    /// </summary>
    public static int Compare(FieldType type, FieldValue left, FieldValue right) => type switch
    {
        FieldType.Text or FieldType.Map => string.CompareOrdinal(left.Text ?? "", right.Text ?? ""),
        FieldType.Version => CompareVersions(left.Text, right.Text),
        FieldType.Choice or FieldType.Number or FieldType.Time or FieldType.Duration => left.Number.CompareTo(right.Number),
        FieldType.Unspecified => throw new UnreachableException("A field without a type was compared."),
        _ => throw new UnreachableException($"Unknown field type {type}."),
    };

    private static int CompareVersions(string? left, string? right)
    {
        var isLeft = OsVersion.TryParse(left, out var first);
        var isRight = OsVersion.TryParse(right, out var second);
        return (isLeft, isRight) switch
        {
            (true, true) => first.CompareTo(second),
            (false, false) => string.CompareOrdinal(left ?? "", right ?? ""),
            _ => isLeft.CompareTo(isRight),
        };
    }
}

/// <summary>Something whose fields can be asked for by name: a row, or a row with what is known beside it.</summary>
public interface IFieldSource
{
    /// <summary>The value of a field; of a map's <paramref name="key"/>, which is empty for every other field.</summary>
    FieldValue Field(string name, string key);
}
