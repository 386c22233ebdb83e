using Muster.Domain.Decommissioning;
using Muster.Domain.Devices;
using Muster.Domain.Enrollments;
using Muster.Domain.Images;
using Muster.Domain.Policies;
using Muster.Domain.Rollouts;
using Muster.Domain.Serials;
using Muster.Domain.Trust;
using Muster.Domain.Warranty;

namespace Muster.Domain.Inventory;

/// <summary>A field that filters, orders and groupings may name.</summary>
/// <param name="Name">Snake case.</param>
/// <param name="Type">What its values are.</param>
/// <param name="Values">Of <see cref="FieldType.Choice"/>: all values, as the API writes them, by their numbers; else empty.</param>
public sealed record InventoryField(string Name, FieldType Type, ImmutableArray<string> Values)
{
    internal static InventoryField Of(string name, FieldType type) => new(name, type, []);

    /// <summary>The names of an enum, whose numbers have no gap: <c>InService</c> is <c>IN_SERVICE</c>.</summary>
    internal static InventoryField Of<TEnum>(string name)
        where TEnum : struct, Enum => new(name, FieldType.Choice, [.. Enum.GetNames<TEnum>().Select(ToApi)]);

    internal static InventoryField Flag(string name) => new(name, FieldType.Choice, ["false", "true"]);

    /// <summary>The place of a value, found without regard to case and underscores; -1 when it cannot occur.</summary>
    internal int IndexOf(string value)
    {
        for (var i = 0; i < Values.Length; i++)
        {
            if (string.Equals(Plain(Values[i]), Plain(value), StringComparison.OrdinalIgnoreCase))
            {
                return i;
            }
        }

        return -1;
    }

    /// <summary>A value as the API writes it; empty for none.</summary>
    public string Show(FieldValue value) => Type switch
    {
        FieldType.Text or FieldType.Version or FieldType.Map => value.Text ?? "",
        FieldType.Choice => value.Number >= 0 && value.Number < Values.Length ? Values[(int)value.Number] : "",
        FieldType.Number or FieldType.Time or FieldType.Duration =>
            value.IsNone ? "" : value.Number.ToString(System.Globalization.CultureInfo.InvariantCulture),
        FieldType.Unspecified => throw new UnreachableException($"Field {Name} has no type."),
        _ => throw new UnreachableException($"Unknown field type {Type}."),
    };

    private static string Plain(string value) => value.Replace("_", "", StringComparison.Ordinal);

    internal static string ToApi(string name) => string.Concat(
        name.Select((letter, at) => at > 0 && char.IsAsciiLetterUpper(letter) ? "_" + letter : char.ToUpperInvariant(letter).ToString()));
}

/// <summary>Which fields a filter may name, by kind of list.</summary>
public static class InventoryFields
{
    private static readonly ImmutableArray<InventoryField> s_presence =
    [
        InventoryField.Flag("connected"),
        InventoryField.Of("last_seen_at", FieldType.Time),
        InventoryField.Of("uptime", FieldType.Duration),
        InventoryField.Of<DisconnectReason>("disconnect_reason"),
    ];

    private static readonly InventoryField Name = InventoryField.Of("name", FieldType.Text);

    /// <summary>Of <see cref="DeviceRow"/>; <see cref="Presence"/> is known beside the row.</summary>
    public static ImmutableArray<InventoryField> Device { get; } =
    [
        Name,
        InventoryField.Of<DeviceState>("state"),
        InventoryField.Of("state_changed_at", FieldType.Time),
        InventoryField.Of("created_at", FieldType.Time),
        InventoryField.Of("model", FieldType.Text),
        InventoryField.Of("site", FieldType.Text),
        InventoryField.Of("track", FieldType.Text),
        InventoryField.Of("os_version", FieldType.Version),
        InventoryField.Of("os_floor", FieldType.Version),
        InventoryField.Of("image_digest", FieldType.Text),
        InventoryField.Of("boot_id", FieldType.Text),
        InventoryField.Flag("secure_boot"),
        InventoryField.Of<ComplianceState>("compliance"),
        InventoryField.Of("rules_kept", FieldType.Number),
        InventoryField.Of("rules_broken", FieldType.Number),
        InventoryField.Of("desired_generation", FieldType.Number),
        InventoryField.Of("reached_generation", FieldType.Number),
        InventoryField.Of("rollout", FieldType.Text),
        InventoryField.Of<ChangeStep>("change_step"),
        InventoryField.Of("last_rollout", FieldType.Text),
        InventoryField.Of<ChangeOutcome>("last_outcome"),
        InventoryField.Of("installs", FieldType.Number),
        InventoryField.Of("certificate_sha256", FieldType.Text),
        InventoryField.Of("certificate_not_after", FieldType.Time),
        InventoryField.Of("findings", FieldType.Text),
        InventoryField.Of<SuspicionState>("suspicion"),
        InventoryField.Of("alarms", FieldType.Text),
        InventoryField.Of("alarm_at", FieldType.Time),
        InventoryField.Of("labels", FieldType.Map),
        InventoryField.Of("settings", FieldType.Map),
        .. s_presence,
    ];

    /// <summary>What gateways tell of a device's session; never stored, gone when nobody repeats it.</summary>
    public static ImmutableArray<InventoryField> Presence => s_presence;

    /// <summary>Whether a field is one of <see cref="Presence"/>.</summary>
    public static bool IsPresence(string name) => name is "connected" or "last_seen_at" or "uptime" or "disconnect_reason";

    public static ImmutableArray<InventoryField> Image { get; } =
    [
        Name,
        InventoryField.Of<ImageState>("state"),
        InventoryField.Of("version", FieldType.Version),
        InventoryField.Of("track", FieldType.Text),
        InventoryField.Of("format", FieldType.Text),
        InventoryField.Of("created_at", FieldType.Time),
        InventoryField.Of("released_on", FieldType.Time),
        InventoryField.Of("min_from_version", FieldType.Version),
        InventoryField.Of("security_floor", FieldType.Version),
        InventoryField.Of("supported_until", FieldType.Time),
        InventoryField.Of("fixed_vulnerabilities", FieldType.Map),
    ];

    public static ImmutableArray<InventoryField> Rollout { get; } =
    [
        Name,
        InventoryField.Of<RolloutState>("state"),
        InventoryField.Of("members", FieldType.Number),
        InventoryField.Of("failed", FieldType.Number),
        InventoryField.Of("created_at", FieldType.Time),
    ];

    public static ImmutableArray<InventoryField> Decommission { get; } =
    [
        Name,
        InventoryField.Of<DecommissionState>("state"),
        InventoryField.Of<DecommissionCause>("cause"),
        InventoryField.Of("campaign", FieldType.Text),
        InventoryField.Of("requested_at", FieldType.Time),
        InventoryField.Of("completed_at", FieldType.Time),
    ];

    public static ImmutableArray<InventoryField> Warranty { get; } = [Name, InventoryField.Of<WarrantyReviewState>("review")];

    public static ImmutableArray<InventoryField> Enrollment { get; } =
    [
        Name,
        InventoryField.Of<EnrollmentRequestState>("state"),
        InventoryField.Of("model", FieldType.Text),
        InventoryField.Of("os_version", FieldType.Version),
        InventoryField.Of("certificate_sha256", FieldType.Text),
        InventoryField.Of("first_seen_at", FieldType.Time),
        InventoryField.Of("last_seen_at", FieldType.Time),
        InventoryField.Of("denials", FieldType.Number),
    ];

    public static ImmutableArray<InventoryField> Serial { get; } =
    [
        Name,
        InventoryField.Of<SerialState>("state"),
        InventoryField.Of("disputed_at", FieldType.Time),
    ];

    /// <summary>Of every kind that is listed by name only.</summary>
    public static ImmutableArray<InventoryField> NameOnly { get; } = [Name];
}
