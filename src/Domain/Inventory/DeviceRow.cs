using System.Runtime.CompilerServices;
using Muster.Domain.CertificateStatus;
using Muster.Domain.Devices;
using Muster.Domain.Identity;
using Muster.Domain.Policies;
using Muster.Domain.Trust;

namespace Muster.Domain.Inventory;

/// <summary>What lists show of a device.</summary>
[GenerateSerializer, Immutable, Alias("muster.device-row")]
public sealed record DeviceRow : InventoryRow
{
    [Id(0)] public required DeviceState State { get; init; }

    [Id(1)] public required string Model { get; init; }

    [Id(2)] public required string Site { get; init; }

    [Id(3)] public required string Track { get; init; }

    /// <summary>Empty before the first hello.</summary>
    [Id(4)] public required string OsVersion { get; init; }

    [Id(5)] public required string ImageDigest { get; init; }

    [Id(6)] public required string BootId { get; init; }

    [Id(7)] public required ComplianceState Compliance { get; init; }

    /// <summary>Desired.</summary>
    [Id(8)] public required long Generation { get; init; }

    /// <summary>The rollout whose change is in progress; empty for none.</summary>
    [Id(9)] public required string Rollout { get; init; }

    [Id(10)] public required DateTimeOffset StateChangedAt { get; init; }

    [Id(11)] public DateTimeOffset CreatedAt { get; init; }

    [Id(12)] public string OsFloor { get; init; } = "";

    [Id(13)] public bool SecureBoot { get; init; }

    [Id(14)] public int RulesKept { get; init; }

    /// <summary>Rules that are not kept, those included that could not be evaluated.</summary>
    [Id(15)] public int RulesBroken { get; init; }

    [Id(16)] public long ReachedGeneration { get; init; }

    /// <summary>Of the change in progress.</summary>
    [Id(17)] public ChangeStep ChangeStep { get; init; }

    /// <summary>The rollout whose change ended last; empty for none.</summary>
    [Id(18)] public string LastRollout { get; init; } = "";

    [Id(19)] public ChangeOutcome LastOutcome { get; init; }

    [Id(20)] public int Installs { get; init; }

    [Id(21)] public string CertificateSha256 { get; init; } = "";

    /// <summary>Null for a certificate without an end, and before the enrolment.</summary>
    [Id(22)] public DateTimeOffset? CertificateNotAfter { get; init; }

    /// <summary>In the order of their names.</summary>
    [Id(23)] public ImmutableArray<DeviceLabel> Labels { get; init; } = [];

    /// <summary>What the device reported; null when that did not change with this commit, and in every list.</summary>
    [Id(24)] public SettingSet? Settings { get; init; }

    /// <summary>Names of the findings with a space between them, such as <c>SECURE_BOOT_LOST OS_BELOW_FLOOR</c>; empty for none.</summary>
    [Id(55)] public string Findings { get; init; } = "";

    [Id(56)] public SuspicionState Suspicion { get; init; }

    /// <summary>The kinds of its alarms, see <see cref="DeviceAlarms.Summarize"/>; empty for none.</summary>
    [Id(50)] public string Alarms { get; init; } = "";

    /// <summary>When the newest of its alarms came; null for none.</summary>
    [Id(51)] public DateTimeOffset? AlarmAt { get; init; }

    /// <summary>Certificates of the fleet CA that must not be accepted, for revocation lists; in no list of devices.</summary>
    [Id(40)] public ImmutableArray<RevokedCertificate> Revocations { get; init; } = [];

    public override FieldValue Field(string name, string key) => name switch
    {
        "name" => FieldValue.Of(Name),
        "state" => FieldValue.Of((long)State),
        "state_changed_at" => FieldValue.Of(StateChangedAt),
        "created_at" => FieldValue.Of(CreatedAt),
        "model" => FieldValue.Of(Model),
        "site" => FieldValue.Of(Site),
        "track" => FieldValue.Of(Track),
        "os_version" => FieldValue.Of(OsVersion),
        "os_floor" => FieldValue.Of(OsFloor),
        "image_digest" => FieldValue.Of(ImageDigest),
        "boot_id" => FieldValue.Of(BootId),
        "secure_boot" => FieldValue.Of(SecureBoot),
        "compliance" => FieldValue.Of((long)Compliance),
        "rules_kept" => FieldValue.Of(RulesKept),
        "rules_broken" => FieldValue.Of(RulesBroken),
        "desired_generation" => FieldValue.Of(Generation),
        "reached_generation" => FieldValue.Of(ReachedGeneration),
        "rollout" => FieldValue.Of(Rollout),
        "change_step" => FieldValue.Of((long)ChangeStep),
        "last_rollout" => FieldValue.Of(LastRollout),
        "last_outcome" => FieldValue.Of((long)LastOutcome),
        "installs" => FieldValue.Of(Installs),
        "certificate_sha256" => FieldValue.Of(CertificateSha256),
        "certificate_not_after" => FieldValue.Of(CertificateNotAfter),
        "findings" => FieldValue.Of(Findings),
        "suspicion" => FieldValue.Of((long)Suspicion),
        "alarms" => FieldValue.Of(Alarms),
        "alarm_at" => FieldValue.Of(AlarmAt),
        "labels" => FieldValue.Of(Labels.FirstOrDefault(label => label.Name == key)?.Value),
        "settings" => FieldValue.Of(Settings?.Find(key)),
        _ => FieldValue.None,
    };

    /// <summary>The row of a device as it is, with its settings or without.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static DeviceRow Of(Device device, bool withSettings)
    {
        ArgumentNullException.ThrowIfNull(device);
        return new DeviceRow
        {
            Tenant = device.Tenant,
            Name = device.Id.Value,
            State = device.State,
            StateChangedAt = device.StateChangedAt,
            CreatedAt = device.CreatedAt,
            Model = device.Model.Length > 0 ? device.Model : device.Expected.Model,
            Site = device.Site,
            Track = device.Track,
            OsVersion = device.Os?.Version ?? "",
            OsFloor = device.OsFloor,
            ImageDigest = device.Os?.ImageDigest ?? "",
            BootId = device.Os?.BootId ?? "",
            SecureBoot = device.Os?.SecureBoot ?? false,
            Compliance = device.Compliance.State,
            RulesKept = device.Compliance.Kept,
            RulesBroken = device.Compliance.Verdicts.Length,
            Generation = device.Desired.Generation,
            ReachedGeneration = device.GenerationReached,
            Rollout = device.Change?.Rollout.Value ?? "",
            ChangeStep = device.Change?.Step ?? ChangeStep.Unspecified,
            LastRollout = device.LastChange?.Rollout.Value ?? "",
            LastOutcome = device.LastChange?.Outcome ?? ChangeOutcome.Unspecified,
            Installs = device.Installs,
            CertificateSha256 = device.Identity?.CertificateSha256 ?? "",
            CertificateNotAfter = device.Identity?.NotAfter,
            Findings = TrustFindingNames.Of(device.Findings),
            Suspicion = device.Suspicion?.State ?? SuspicionState.Unspecified,
            Labels = device.Labels.IsDefault ? [] : device.Labels,
            Alarms = DeviceAlarms.Summarize(device.Alarms),
            AlarmAt = device.Alarms.IsDefaultOrEmpty ? null : device.Alarms[^1].At,
            Settings = withSettings ? device.Settings : null,
            Revocations = StatusRules.RevocationsOf(device),
        };
    }
}
