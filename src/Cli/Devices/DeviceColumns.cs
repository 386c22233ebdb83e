using System.CommandLine;
using Muster.Cli.Output;
using Muster.Cli.Session;
using V1 = Muster.Protocol.V1;

namespace Muster.Cli.Devices;

/// <summary>What tables show of devices.</summary>
internal static class DeviceColumns
{
    public const string Collection = "devices";

    public const string FilterFields =
        "name, state, state_changed_at, created_at, model, site, track, os_version, os_floor, image_digest, boot_id, secure_boot, "
        + "compliance, rules_kept, rules_broken, desired_generation, reached_generation, rollout, change_step, last_rollout, "
        + "last_outcome, installs, certificate_sha256, certificate_not_after, findings, suspicion, alarms, alarm_at, labels.NAME, "
        + "settings.NAME, "
        + "connected, last_seen_at, uptime, disconnect_reason";

    public static IReadOnlyList<(string Header, Func<V1.Device, string> Value)> All { get; } =
    [
        ("DEVICE", device => Values.Short(device.Name)),
        ("STATE", device => EnumNames.Of(device.State)),
        ("MODEL", device => device.Model),
        ("SITE", device => device.Site),
        ("TRACK", device => device.Track),
        ("OS", device => device.OsVersion),
        ("COMPLIANCE", device => EnumNames.Of(device.Compliance?.State ?? V1.ComplianceState.Unspecified)),
        ("CONNECTED", device => device.Presence?.Connected == true ? "yes" : "no"),
        ("FINDINGS", Findings),
        ("SUSPICION", device => EnumNames.Of(device.Suspicion?.State ?? V1.SuspicionState.Unspecified)),
        ("ROLLOUT", device => Values.Short(device.Change?.Rollout ?? "")),
    ];

    public static Argument<string> Device() => VerbOptions.Name("device", "The device: its serial number, or its full name.");

    public static string NameOf(FleetSession session, ParseResult parsed, Argument<string> device) =>
        session.NameOf(Collection, parsed.GetRequiredValue(device));

    public static V1.Devices.DevicesClient Client(FleetSession session) => new(session.Calls);

    public static string Findings(V1.Device device) => string.Join(' ', device.Findings.Select(finding => finding.Kind));

    public static string Line(V1.Device device) => string.Join(
        "  ", All.Select(column => column.Value(device)).Where(value => value.Length > 0));
}
