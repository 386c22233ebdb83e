using System.Globalization;

namespace Muster.Domain.Inventory;

/// <summary>One key of an order.</summary>
/// <param name="Path">The field.</param>
/// <param name="IsDescending">Greatest first.</param>
public readonly record struct OrderKey(FieldPath Path, bool IsDescending)
{
    public int Compare(FieldValue left, FieldValue right)
    {
        var order = FieldValue.Compare(Path.Field.Type, left, right);
        return IsDescending ? -order : order;
    }
}

/// <summary>
/// The order of a list (AIP-132): fields separated by commas, each with <c>desc</c> or without. Rows that are equal in all of them are
/// ordered by name, so that every row has one place.
/// </summary>
public sealed class InventoryOrder
{
    /// <summary>A fourth key would decide between rows that a person cannot tell apart.</summary>
    public const int KeysMax = 3;

    /// <summary>Three of the longest paths that settings have.</summary>
    public const int LengthMax = 700;

    private InventoryOrder(ImmutableArray<OrderKey> keys) => Keys = keys;

    /// <summary>By name.</summary>
    public static InventoryOrder ByName { get; } = new([]);

    /// <summary>Before the name; empty when the name alone decides.</summary>
    public ImmutableArray<OrderKey> Keys { get; }

    /// <summary>Reads an order whose fields are among <paramref name="fields"/>; a refusal names the column, from 1.</summary>
    public static (InventoryOrder Order, FleetError? Error) Parse(string text, ImmutableArray<InventoryField> fields)
    {
        ArgumentNullException.ThrowIfNull(text);
        var (keys, error) = PathList.Read("order_by", text, LengthMax, KeysMax, fields, takesDescending: true);
        return error is null ? (new InventoryOrder(keys), null) : (ByName, error);
    }

    /// <summary>Compares two rows by their values in the order of <see cref="Keys"/>, then by name.</summary>
    public int Compare(ImmutableArray<FieldValue> left, string leftName, ImmutableArray<FieldValue> right, string rightName)
    {
        for (var i = 0; i < Keys.Length; i++)
        {
            var order = Keys[i].Compare(left[i], right[i]);
            if (order != 0)
            {
                return order;
            }
        }

        return string.CompareOrdinal(leftName, rightName);
    }

    /// <summary>The values of a row in the order of <see cref="Keys"/>.</summary>
    public ImmutableArray<FieldValue> ValuesOf(IFieldSource source)
    {
        ArgumentNullException.ThrowIfNull(source);
        return [.. Keys.Select(key => source.Field(key.Path.Field.Name, key.Path.Key))];
    }
}

/// <summary>What rows are counted by: fields separated by commas; an instant counts by <c>day</c>, <c>month</c> or <c>year</c>.</summary>
public sealed class InventoryGrouping
{
    /// <summary>A table of three fields is more than a person takes in.</summary>
    public const int FieldsMax = 3;

    private InventoryGrouping(ImmutableArray<GroupKey> keys) => Keys = keys;

    /// <summary>Only the total.</summary>
    public static InventoryGrouping None { get; } = new([]);

    public ImmutableArray<GroupKey> Keys { get; }

    /// <summary>Reads a grouping whose fields are among <paramref name="fields"/>; a refusal names the column, from 1.</summary>
    public static (InventoryGrouping Grouping, FleetError? Error) Parse(string text, ImmutableArray<InventoryField> fields)
    {
        ArgumentNullException.ThrowIfNull(text);
        var (paths, error) = PathList.Read(
            "group_by", text, InventoryOrder.LengthMax, FieldsMax, [.. fields.SelectMany(WithUnits)], takesDescending: false);
        return error is null
            ? (new InventoryGrouping([.. paths.Select(path => GroupKey.Of(path.Path, fields))]), null)
            : (None, error);
    }

    /// <summary>An instant by itself would be a group for every row: it is named with its unit.</summary>
    private static IEnumerable<InventoryField> WithUnits(InventoryField field) => field.Type == FieldType.Time
        ? GroupKey.Units.Select(unit => InventoryField.Of($"{field.Name}_{unit}", FieldType.Text))
        : [field];
}

/// <summary>One field that rows are counted by.</summary>
/// <param name="Path">The field.</param>
/// <param name="Unit">Of an instant: <c>day</c>, <c>month</c> or <c>year</c>; else empty.</param>
public readonly record struct GroupKey(FieldPath Path, string Unit)
{
    internal static readonly ImmutableArray<string> Units = ["day", "month", "year"];

    /// <summary>The group that a value belongs to, as the API writes it; empty for no value.</summary>
    public string Show(FieldValue value)
    {
        if (Unit.Length == 0 || value.IsNone)
        {
            return Path.Field.Show(value);
        }

        var at = DateTimeOffset.FromUnixTimeMilliseconds(value.Number);
        return at.ToString(Unit switch { "day" => "yyyy-MM-dd", "month" => "yyyy-MM", _ => "yyyy" }, CultureInfo.InvariantCulture);
    }

    /// <summary>The least number of the group that a number belongs to: the start of an instant's day, month or year, in UTC.</summary>
    public long FirstOf(long number)
    {
        if (Unit.Length == 0 || number == FieldValue.NoNumber)
        {
            return number;
        }

        var at = DateTimeOffset.FromUnixTimeMilliseconds(number).UtcDateTime;
        var first = Unit switch
        {
            "day" => at.Date,
            "month" => new DateTime(at.Year, at.Month, 1, 0, 0, 0, DateTimeKind.Utc),
            _ => new DateTime(at.Year, 1, 1, 0, 0, 0, DateTimeKind.Utc),
        };
        return (first - DateTime.UnixEpoch).Ticks / TimeSpan.TicksPerMillisecond;
    }

    internal static GroupKey Of(FieldPath named, ImmutableArray<InventoryField> fields)
    {
        var whole = named.Field.Name;
        foreach (var unit in Units)
        {
            var field = fields.FirstOrDefault(one => one.Type == FieldType.Time && $"{one.Name}_{unit}" == whole);
            if (field is not null)
            {
                return new GroupKey(new FieldPath(field, ""), unit);
            }
        }

        return new GroupKey(named, "");
    }
}

/// <summary>Reads fields that are separated by commas.</summary>
internal static class PathList
{
    public static (ImmutableArray<OrderKey> Keys, FleetError? Error) Read(
        string what, string text, int lengthMax, int keysMax, ImmutableArray<InventoryField> fields, bool takesDescending)
    {
        if (text.Length > lengthMax)
        {
            return ([], Invalid(what, lengthMax + 1, $"It is longer than {lengthMax} characters."));
        }

        var reader = new FilterReader(text);
        var keys = ImmutableArray.CreateBuilder<OrderKey>();
        while (reader.SkipSpace())
        {
            var column = reader.Column;
            if (keys.Count > 0 && !reader.TrySign(','))
            {
                return ([], Invalid(what, column, "Expected a comma."));
            }

            reader.SkipSpace();
            column = reader.Column;
            if (keys.Count == keysMax)
            {
                return ([], Invalid(what, column, $"There are more than {keysMax} fields."));
            }

            if (PathParser.TryRead(ref reader, fields, out var path) is { } why)
            {
                return ([], Invalid(what, column, why));
            }

            if (path.Field.Type == FieldType.Map && path.Key.Length == 0)
            {
                return ([], Invalid(what, column, $"{path.Field.Name} needs a key: {path.Field.Name}.key."));
            }

            reader.SkipSpace();
            keys.Add(new OrderKey(path, takesDescending && reader.TryKeyword("desc", ',')));
        }

        return (keys.ToImmutable(), null);
    }

    private static FleetError Invalid(string what, int column, string why) => FleetError.Of(
        ErrorKind.Invalid,
        what == "order_by" ? "ORDER_INVALID" : "GROUPING_INVALID",
        $"{what} cannot be read at column {column}: {why}",
        ("column", column.ToString(CultureInfo.InvariantCulture)));
}
