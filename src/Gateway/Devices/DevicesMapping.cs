using System.Collections.Immutable;
using Muster.Contracts.Commit;
using Muster.Contracts.Devices;
using Muster.Contracts.Inventory;
using Muster.Domain;
using Muster.Domain.Devices;
using Muster.Domain.Inventory;
using Muster.Domain.Policies;
using Muster.Gateway.Enrollments;
using Muster.Gateway.Grpc;
using Muster.Gateway.Trust;
using V1 = Muster.Protocol.V1;

namespace Muster.Gateway.Devices;

/// <summary>Devices of the API and of the domain.</summary>
internal static class DevicesMapping
{
    public const string Collection = "devices";

    public static ExpectedDevice ToExpected(V1.Device device) => new(
        device.Model,
        device.Track,
        device.Site,
        device.OsFloor,
        device.Approval == V1.EnrollmentApproval.Manual ? EnrollmentApproval.Manual : EnrollmentApproval.Automatic)
    {
        Order = device.Order.Length == 0 ? null : device.Order,
    };

    public static V1.Device ToApi(DeviceReply reply, Device device, DevicePresence? presence)
    {
        var api = ToApi(device);
        api.Presence = ToApi(presence);
        api.Settings.AddRange(reply.Settings.Select(ToApi));
        return api;
    }

    public static V1.Device ToApi(Device device)
    {
        var api = new V1.Device
        {
            Name = ResourceNames.Of(device.Tenant, Collection, device.Id.Value),
            State = (V1.DeviceState)device.State,
            StateChangedAt = ApiValues.ToTimestamp(device.StateChangedAt),
            CreatedAt = ApiValues.ToTimestamp(device.CreatedAt),
            Model = device.Model.Length > 0 ? device.Model : device.Expected.Model,
            Track = device.Track.Length > 0 ? device.Track : device.Expected.Track,
            Site = device.Site,
            OsFloor = device.OsFloor.Length > 0 ? device.OsFloor : device.Expected.OsFloor,
            Approval = (V1.EnrollmentApproval)device.Expected.Approval,
            OsVersion = device.Os?.Version ?? "",
            ImageDigest = device.Os?.ImageDigest ?? "",
            BootId = device.Os?.BootId ?? "",
            SecureBoot = device.Os?.SecureBoot ?? false,
            DesiredGeneration = device.Desired.Generation,
            ReachedGeneration = device.GenerationReached,
            DesiredImage = device.Desired.Os is { } target ? ResourceNames.Of(device.Tenant, "images", target.Digest) : "",
            Compliance = ToApi(device.Compliance),
            CertificateSha256 = device.Identity?.CertificateSha256 ?? "",
            KeySha256 = device.Identity?.KeySha256 ?? "",
            Installs = device.Installs,
            Order = device.Expected.Order ?? "",
            Delivery = device.Expected.Delivery is { } delivery ? ResourceNames.Of(device.Tenant, "deliveries", delivery) : "",
            ExpectedCertificateSha256 = device.ExpectedCertificateSha256 ?? "",
            Enrollment = device.Enrollment is { } evidence ? EnrollmentsMapping.ToApi(evidence) : null,
        };
        AddLabels(api, device.Labels);
        AddChanges(api, device);
        TrustMapping.AddTo(api, device);
        api.Alarms.AddRange((device.Alarms.IsDefault ? [] : device.Alarms).Select(alarm => new V1.DeviceAlarm
        {
            Kind = (V1.AlarmKind)alarm.Kind,
            Source = alarm.Source,
            At = ApiValues.ToTimestamp(alarm.At),
            Momentary = alarm.IsMomentary,
        }));
        api.Refusals.AddRange((device.Refusals.IsDefault ? [] : device.Refusals).Select(ToApi));
        return api;
    }

    public static V1.Setting ToApi(DeviceSetting setting) => new() { Name = setting.Name, Value = setting.Value };

    private static V1.DeviceRefusal ToApi(DeviceRefusal refusal) => new()
    {
        Reason = refusal.Reason,
        Detail = refusal.Detail,
        CertificateSha256 = refusal.Certificate.ToString(),
        At = ApiValues.ToTimestamp(refusal.At),
    };

    /// <summary>The name of the device whose record this is.</summary>
    public static string NameOf(RecordKey record)
    {
        var (tenant, device) = DeviceKey.Parse(record.Key);
        return ResourceNames.Of(tenant, Collection, device.Value);
    }

    /// <summary>What a list knows of a device.</summary>
    public static V1.Device ToApi(ListedRow listed)
    {
        var row = (DeviceRow)listed.Row;
        var api = new V1.Device
        {
            Name = ResourceNames.Of(row.Tenant, Collection, row.Name),
            State = (V1.DeviceState)row.State,
            StateChangedAt = ApiValues.ToTimestamp(row.StateChangedAt),
            CreatedAt = ApiValues.ToTimestamp(row.CreatedAt),
            Model = row.Model,
            Track = row.Track,
            Site = row.Site,
            OsFloor = row.OsFloor,
            OsVersion = row.OsVersion,
            ImageDigest = row.ImageDigest,
            BootId = row.BootId,
            SecureBoot = row.SecureBoot,
            DesiredGeneration = row.Generation,
            ReachedGeneration = row.ReachedGeneration,
            Compliance = new V1.Compliance { State = (V1.ComplianceState)row.Compliance, Kept = row.RulesKept },
            Presence = ToApi(listed.Presence),
            CertificateSha256 = row.CertificateSha256,
            Installs = row.Installs,
        };
        if (row.Rollout.Length > 0)
        {
            api.Change = new V1.Change { Rollout = RolloutName(row.Tenant, row.Rollout), Step = ApiValues.ToName(row.ChangeStep) };
        }

        if (row.LastRollout.Length > 0)
        {
            api.LastChange = new V1.Change
            {
                Rollout = RolloutName(row.Tenant, row.LastRollout),
                Outcome = ApiValues.ToName(row.LastOutcome),
            };
        }

        AddLabels(api, row.Labels);
        TrustMapping.AddTo(api, row);
        AddAlarms(api, row);
        return api;
    }

    public static ImmutableArray<DeviceLabel> ToLabels(IEnumerable<KeyValuePair<string, string>> labels) =>
        [.. labels.OrderBy(label => label.Key, StringComparer.Ordinal).Select(label => new DeviceLabel(label.Key, label.Value))];

    private static void AddLabels(V1.Device api, ImmutableArray<DeviceLabel> labels)
    {
        foreach (var (name, value) in labels.IsDefault ? [] : labels)
        {
            api.Labels[name] = value;
        }
    }

    /// <summary>A list knows the kinds; the time is of the newest.</summary>
    private static void AddAlarms(V1.Device api, DeviceRow row)
    {
        if (row.AlarmAt is { } at)
        {
            api.Alarms.AddRange(Enum.GetValues<AlarmKind>()
                .Where(kind => kind != AlarmKind.Unspecified && row.Alarms.Split(',').Contains(DeviceAlarms.NameOf(kind)))
                .Select(kind => new V1.DeviceAlarm { Kind = (V1.AlarmKind)kind, At = ApiValues.ToTimestamp(at) }));
        }
    }

    private static void AddChanges(V1.Device api, Device device)
    {
        if (device.Change is { } change)
        {
            api.Change = new V1.Change
            {
                Rollout = RolloutName(device.Tenant, change.Rollout.Value),
                Generation = change.Generation,
                ImageDigest = change.Target.Digest,
                Step = ApiValues.ToName(change.Step),
                At = ApiValues.ToTimestamp(change.OfferedAt),
            };
            api.Change.Settings.AddRange(change.Settings?.Select(ToApi) ?? []);
        }

        if (device.LastChange is { } last)
        {
            api.LastChange = new V1.Change
            {
                Rollout = RolloutName(device.Tenant, last.Rollout.Value),
                Generation = last.Generation,
                ImageDigest = last.TargetDigest,
                Outcome = ApiValues.ToName(last.Outcome),
                Reason = last.Reason,
                At = ApiValues.ToTimestamp(last.ClosedAt),
            };
        }
    }

    private static V1.Compliance ToApi(ComplianceReport report)
    {
        var api = new V1.Compliance
        {
            State = (V1.ComplianceState)report.State,
            PolicyRevision = report.PolicyRevision,
            Kept = report.Kept,
        };
        api.Verdicts.AddRange(report.Verdicts.Select(verdict => new V1.Verdict
        {
            Policy = verdict.Policy.Value,
            Rule = verdict.Rule,
            State = (V1.ComplianceState)verdict.State,
            Detail = verdict.Detail,
        }));
        return api;
    }

    private static V1.Presence ToApi(DevicePresence? presence)
    {
        var api = new V1.Presence();
        if (presence is null)
        {
            return api;
        }

        api.Connected = presence.Connected;
        api.LastSeenAt = ApiValues.ToTimestamp(presence.LastSeenAt);
        api.DisconnectReason = (V1.DisconnectReason)presence.Reason;
        api.LastWill = presence.LastWill ?? "";
        if (presence.Health is { } health)
        {
            api.UptimeSeconds = health.UptimeSeconds;
            if (health.TemperatureCelsius is { } temperature)
            {
                api.TemperatureCelsius = temperature;
            }
        }

        return api;
    }

    private static string RolloutName(TenantId tenant, string rollout) => ResourceNames.Of(tenant, "rollouts", rollout);
}
