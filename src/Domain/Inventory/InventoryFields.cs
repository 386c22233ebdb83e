using Muster.Domain.Decommissioning;
using Muster.Domain.Devices;
using Muster.Domain.Policies;
using Muster.Domain.Rollouts;
using Muster.Domain.Warranty;

namespace Muster.Domain.Inventory;

/// <summary>A field that a filter may name.</summary>
/// <param name="Name">Snake case.</param>
/// <param name="Values">All values it can have, as the API writes them; empty for free text.</param>
public sealed record InventoryField(string Name, ImmutableArray<string> Values)
{
    /// <summary>Free text, compared letter by letter.</summary>
    internal static InventoryField Text(string name) => new(name, []);

    /// <summary>The names of an enum: <c>InService</c> is <c>IN_SERVICE</c>.</summary>
    internal static InventoryField Of<TEnum>(string name)
        where TEnum : struct, Enum => new(name, [.. Enum.GetNames<TEnum>().Select(ToApi)]);

    /// <summary>Whether <paramref name="value"/> can occur, without regard to case and underscores.</summary>
    internal bool Takes(string value) =>
        Values.IsEmpty || Values.Any(one => string.Equals(Plain(one), Plain(value), StringComparison.OrdinalIgnoreCase));

    /// <summary>IN_SERVICE of the API and InService of the record are the same state.</summary>
    internal static string Plain(string value) => value.Replace("_", "", StringComparison.Ordinal);

    private static string ToApi(string name) => string.Concat(
        name.Select((letter, at) => at > 0 && char.IsAsciiLetterUpper(letter) ? "_" + letter : char.ToUpperInvariant(letter).ToString()));
}

/// <summary>Which fields a filter may name, by kind of list.</summary>
public static class InventoryFields
{
    private static readonly InventoryField Name = InventoryField.Text("name");

    /// <summary>Of <see cref="DeviceRow"/>; <c>connected</c> comes from presence.</summary>
    public static ImmutableArray<InventoryField> Device { get; } =
    [
        Name,
        InventoryField.Of<DeviceState>("state"),
        InventoryField.Text("model"),
        InventoryField.Text("site"),
        InventoryField.Text("track"),
        InventoryField.Text("os_version"),
        InventoryField.Text("image_digest"),
        InventoryField.Of<ComplianceState>("compliance"),
        InventoryField.Text("rollout"),
        new("connected", ["true", "false"]),
    ];

    public static ImmutableArray<InventoryField> Image { get; } = [Name, InventoryField.Text("version"), InventoryField.Text("track")];

    public static ImmutableArray<InventoryField> Rollout { get; } = [Name, InventoryField.Of<RolloutState>("state")];

    public static ImmutableArray<InventoryField> Decommission { get; } =
    [
        Name,
        InventoryField.Of<DecommissionState>("state"),
        InventoryField.Of<DecommissionCause>("cause"),
        InventoryField.Text("campaign"),
    ];

    public static ImmutableArray<InventoryField> Warranty { get; } = [Name, InventoryField.Of<WarrantyReviewState>("review")];

    /// <summary>Of every kind that is listed by name only.</summary>
    public static ImmutableArray<InventoryField> NameOnly { get; } = [Name];
}
