using Muster.Domain;
using Muster.Domain.Devices;
using Muster.Domain.Policies;
using Muster.Domain.Rollouts;
using Muster.Grains.Inventory.Columns;

namespace Muster.Grains.Devices;

/// <summary>
/// What many devices say alike is held once per silo: a record that was read, or made from messages, has a copy of its own of every model,
/// version, label and image. Nothing else about the device changes: it is equal to what it was.
/// </summary>
internal sealed class DevicePool(ValuePool texts)
{
    private readonly SharedValues<TenantId> _tenants = new();
    private readonly SharedValues<ResourceId> _rollouts = new();
    private readonly SharedValues<ExpectedDevice> _expected = new();
    private readonly SharedValues<DeviceLabel> _labels = new();
    private readonly SharedValues<RuleVerdict> _verdicts = new();
    private readonly SharedValues<ComplianceReport> _reports = new();
    private readonly SharedValues<DesiredState> _desired = new();
    private readonly SharedValues<OsTarget> _images = new(new OsTargetComparer());
    private readonly SharedValues<SettingSet> _wanted = new();
    private readonly SharedValues<OfferWindow> _windows = new();
    private readonly SharedValues<SettingNames> _settings = new();

    public TenantId Share(TenantId tenant) => _tenants.Share(tenant);

    /// <param name="next">The device to hold.</param>
    /// <param name="held">What was held until now: its parts are shared already.</param>
    [return: NotNullIfNotNull(nameof(next))]
    public Device? Share(Device? next, Device? held) => next is null || ReferenceEquals(next, held) ? next : next with
    {
        Tenant = Share(next.Tenant),
        // A delivery has thousands of devices; any other request creates one.
        RequestId = next.Expected.Delivery is null ? next.RequestId : texts.Share(next.RequestId),
        Expected = IsHeld(next.Expected, held?.Expected) ? next.Expected : _expected.Share(next.Expected),
        Identity = next.Identity is { } identity && !IsHeld(identity, held?.Identity)
            ? identity with { Device = next.Id, Profile = texts.Share(identity.Profile), HardwareType = texts.Share(identity.HardwareType) }
            : next.Identity,
        Enrollment = next.Enrollment is { } evidence && !IsHeld(evidence, held?.Enrollment) ? ShareEvidence(evidence) : next.Enrollment,
        Model = texts.Share(next.Model),
        Os = next.Os is { } os && !IsHeld(os, held?.Os)
            ? os with { Version = texts.Share(os.Version), ImageDigest = texts.Share(os.ImageDigest) }
            : next.Os,
        Track = texts.Share(next.Track),
        OsFloor = texts.Share(next.OsFloor),
        MovedTo = next.MovedTo is { } site ? texts.Share(site) : null,
        Desired = IsHeld(next.Desired, held?.Desired) ? next.Desired : Share(next.Desired),
        Change = next.Change is { } change && !IsHeld(change, held?.Change) ? Share(change) : next.Change,
        LastChange = next.LastChange is { } last && !IsHeld(last, held?.LastChange) ? Share(last) : next.LastChange,
        EarlierChanges = next.EarlierChanges == held?.EarlierChanges ? next.EarlierChanges : [.. next.EarlierChanges.Select(Share)],
        Boots = ShareBoot(next.Boots, next.Os),
        Compliance = IsHeld(next.Compliance, held?.Compliance) ? next.Compliance : Share(next.Compliance),
        Labels = next.Labels == held?.Labels ? next.Labels : [.. next.Labels.Select(_labels.Share)],

        // The very object when nothing changes: the cold part is written only when it is another.
        Settings = IsHeld(next.Settings, held?.Settings) ? next.Settings : next.Settings.With(_settings.Share(next.Settings.ToNames())),
    };

    private static bool IsHeld(object part, object? held) => ReferenceEquals(part, held);

    /// <summary>The boot that runs has two names of 36 characters, one from the stamp and one from the hello.</summary>
    private static ImmutableArray<BootSequences> ShareBoot(ImmutableArray<BootSequences> boots, ReportedOs? os) =>
        !boots.IsEmpty && os is not null && boots[^1].BootId == os.BootId && !ReferenceEquals(boots[^1].BootId, os.BootId)
            ? boots.SetItem(boots.Length - 1, boots[^1] with { BootId = os.BootId })
            : boots;

    private EnrollmentEvidence ShareEvidence(EnrollmentEvidence evidence) => evidence with
    {
        Identity = evidence.Identity with
        {
            Profile = texts.Share(evidence.Identity.Profile),
            HardwareType = texts.Share(evidence.Identity.HardwareType),
        },
        Model = texts.Share(evidence.Model),
        Os = evidence.Os with { Version = texts.Share(evidence.Os.Version), ImageDigest = texts.Share(evidence.Os.ImageDigest) },
    };

    private DesiredState Share(DesiredState desired) => _desired.Share(desired.OrdersNothing ? desired : desired with
    {
        Os = desired.Os is { } os ? _images.Share(os) : null,
        Settings = Share(desired.Settings),
    });

    /// <summary>What a rollout wants is the same for all of its members.</summary>
    private SettingSet? Share(SettingSet? wanted) => wanted is null ? null : _wanted.Share(wanted);

    private ChangeInProgress Share(ChangeInProgress change) => change with
    {
        Rollout = _rollouts.Share(change.Rollout),
        Target = _images.Share(change.Target),
        PreviousDigest = texts.Share(change.PreviousDigest),
        Track = texts.Share(change.Track),
        Settings = Share(change.Settings),
        InstallWindows = change.InstallWindows.IsDefaultOrEmpty ? [] : [.. change.InstallWindows.Select(_windows.Share)],
    };

    private ClosedChange Share(ClosedChange change) => change with
    {
        PreviousDigest = change.PreviousDigest is { } previous ? texts.Share(previous) : null,
        Rollout = _rollouts.Share(change.Rollout),
        Reason = texts.Share(change.Reason),
        TargetDigest = texts.Share(change.TargetDigest),
        Settings = Share(change.Settings),
    };

    /// <summary>A report without verdicts is the same for every device that keeps the same rules.</summary>
    private ComplianceReport Share(ComplianceReport report) => report.Verdicts.IsEmpty
        ? _reports.Share(report with { Verdicts = [] })
        : report with { Verdicts = [.. report.Verdicts.Select(_verdicts.Share)] };

    /// <summary>Records compare arrays by reference; two signatures are the same when their bytes are.</summary>
    private sealed class OsTargetComparer : IEqualityComparer<OsTarget>
    {
        public bool Equals(OsTarget? x, OsTarget? y) => ReferenceEquals(x, y)
            || (x is not null && y is not null && x.Digest == y.Digest && x.Version == y.Version && x.SizeBytes == y.SizeBytes
                && x.Signature.AsSpan().SequenceEqual(y.Signature.AsSpan()));

        public int GetHashCode(OsTarget obj) => obj.Digest.GetHashCode(StringComparison.Ordinal);
    }
}
