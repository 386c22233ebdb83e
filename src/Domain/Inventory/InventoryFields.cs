namespace Muster.Domain.Inventory;

/// <summary>Which fields a filter may name, by kind of list.</summary>
public static class InventoryFields
{
    /// <summary>Of <see cref="DeviceRow"/>; <c>connected</c> comes from presence.</summary>
    public static ImmutableArray<string> Device { get; } =
        ["name", "state", "model", "site", "track", "os_version", "image_digest", "compliance", "rollout", "connected"];

    public static ImmutableArray<string> Image { get; } = ["name", "version", "track"];

    public static ImmutableArray<string> Rollout { get; } = ["name", "state"];

    public static ImmutableArray<string> Decommission { get; } = ["name", "state", "cause", "campaign"];

    public static ImmutableArray<string> Warranty { get; } = ["name", "review"];

    /// <summary>Of every kind that is listed by name only.</summary>
    public static ImmutableArray<string> NameOnly { get; } = ["name"];

    /// <summary>Fields whose values are enum names.</summary>
    internal static ImmutableArray<string> Enums { get; } = ["state", "compliance", "cause", "review"];
}
