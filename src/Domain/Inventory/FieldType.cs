namespace Muster.Domain.Inventory;

/// <summary>What kind of values a field has: it decides which literals a filter takes and how values are ordered.</summary>
public enum FieldType
{
    /// <summary>Never used.</summary>
    Unspecified = 0,

    /// <summary>Free text, compared letter by letter.</summary>
    Text = 1,

    /// <summary>One of a closed set of names; the number is its place in <see cref="InventoryField.Values"/>.</summary>
    Choice = 2,

    /// <summary>A whole number.</summary>
    Number = 3,

    /// <summary>An instant; the number is milliseconds since 1970 in UTC.</summary>
    Time = 4,

    /// <summary>A span of time; the number is milliseconds.</summary>
    Duration = 5,

    /// <summary>An OS version, ordered number by number (<see cref="Images.OsVersion"/>).</summary>
    Version = 6,

    /// <summary>Text by key, for example labels: <c>labels.floor</c>.</summary>
    Map = 7,
}
