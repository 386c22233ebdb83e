using Muster.Domain.Images;

namespace Muster.Domain.Inventory;

/// <summary>How a filter compares a field with its literal (AIP-160).</summary>
public enum FilterOperator
{
    /// <summary>Never used.</summary>
    Unspecified = 0,

    /// <summary><c>=</c>; a literal of text with <c>*</c> is a pattern.</summary>
    Equal = 1,

    /// <summary><c>!=</c>: exactly what <c>=</c> is not, so that it holds where there is no value.</summary>
    NotEqual = 2,

    Less = 3,

    LessOrEqual = 4,

    Greater = 5,

    GreaterOrEqual = 6,

    /// <summary><c>:</c> in text: contains, without regard to case; elsewhere as <c>=</c>.</summary>
    Has = 7,

    /// <summary><c>:*</c>, or <c>labels:key</c>: there is a value.</summary>
    Present = 8,
}

/// <summary>One comparison. What has no value is neither less nor greater than anything.</summary>
/// <param name="Path">The field.</param>
/// <param name="Operator">How it is compared.</param>
/// <param name="Literal">Of text fields, as written; of versions, when it is one or a pattern.</param>
/// <param name="Number">Of the others; of an instant that is given as a duration, the distance from now.</param>
/// <param name="IsFromNow">Whether <paramref name="Number"/> counts from now.</param>
public sealed record FieldTest(FieldPath Path, FilterOperator Operator, string Literal, long Number, bool IsFromNow) : FilterNode
{
    private readonly TextPattern? _pattern = TextPattern.Of(Literal);
    private readonly OsVersion? _version = OsVersion.TryParse(Literal, out var version) ? version : null;

    /// <summary>Whether the field's values are text here: the number is of no use then.</summary>
    public bool IsText => Path.Field.Type is FieldType.Text or FieldType.Map or FieldType.Version;

    /// <summary>Whether the outcome changes by itself: with time, or with what a device's session counts.</summary>
    public bool DependsOnClock => IsFromNow || Path.Field.Name is "last_seen_at" or "uptime";

    public override bool Matches(IFieldSource source, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(source);
        var value = source.Field(Path.Field.Name, Path.Key);
        return IsText ? Takes((value.Text ?? "").AsSpan()) : Takes(value.Number, LimitAt(now));
    }

    /// <summary>The number to compare with, at this time.</summary>
    public long LimitAt(DateTimeOffset now) => IsFromNow ? now.ToUnixTimeMilliseconds() + Number : Number;

    /// <summary>Whether a number passes; <paramref name="limit"/> is <see cref="LimitAt"/>.</summary>
    public bool Takes(long value, long limit) => Operator switch
    {
        FilterOperator.Equal or FilterOperator.Has => value == limit,
        FilterOperator.NotEqual => value != limit,
        FilterOperator.Less => value != FieldValue.NoNumber && value < limit,
        FilterOperator.LessOrEqual => value != FieldValue.NoNumber && value <= limit,
        FilterOperator.Greater => value > limit,
        FilterOperator.GreaterOrEqual => value >= limit && value != FieldValue.NoNumber,
        FilterOperator.Present => value != FieldValue.NoNumber,
        FilterOperator.Unspecified => throw new UnreachableException("A filter compares without an operator."),
        _ => throw new UnreachableException($"Unknown operator {Operator}."),
    };

    /// <summary>Whether text passes; empty is no value.</summary>
    public bool Takes(ReadOnlySpan<char> value) => Operator switch
    {
        FilterOperator.Present => !value.IsEmpty,
        FilterOperator.Has when _version is null => value.Contains(Literal, StringComparison.OrdinalIgnoreCase),
        FilterOperator.Equal or FilterOperator.Has => IsEqual(value),
        FilterOperator.NotEqual => !IsEqual(value),
        FilterOperator.Less => !value.IsEmpty && CompareTo(value) < 0,
        FilterOperator.LessOrEqual => !value.IsEmpty && CompareTo(value) <= 0,
        FilterOperator.Greater => !value.IsEmpty && CompareTo(value) > 0,
        FilterOperator.GreaterOrEqual => !value.IsEmpty && CompareTo(value) >= 0,
        FilterOperator.Unspecified => throw new UnreachableException("A filter compares without an operator."),
        _ => throw new UnreachableException($"Unknown operator {Operator}."),
    };

    private bool IsEqual(ReadOnlySpan<char> value)
    {
        if (_pattern is { } pattern)
        {
            return pattern.Matches(value);
        }

        return Path.Field.Type == FieldType.Version && _version is { } version
            ? OsVersion.TryParse(value.ToString(), out var reported) && reported == version
            : value.SequenceEqual(Literal);
    }

    private int CompareTo(ReadOnlySpan<char> value) => Path.Field.Type == FieldType.Version
        ? FieldValue.Compare(FieldType.Version, FieldValue.Of(value.ToString()), FieldValue.Of(Literal))
        : value.SequenceCompareTo(Literal);
}
