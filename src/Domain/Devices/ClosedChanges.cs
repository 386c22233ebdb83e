namespace Muster.Domain.Devices;

/// <summary>What a device remembers of the changes that ended.</summary>
internal static class ClosedChanges
{
    /// <summary>
    /// The newest of a kind: it alone is what the device has to be still. Null before the first. An offer that was none took nothing from
    /// the one before it.
    /// </summary>
    public static ClosedChange? FindNewest(Device device, ChangeKind kind) => device.LastChange is { } last && IsOf(last, kind)
        ? last
        : device.EarlierChanges.LastOrDefault(change => IsOf(change, kind));

    /// <summary>
    /// It ended so that nothing of it was ordered: taken back, or superseded. Settings that the device was asked to give up are not none:
    /// it may have set some of them. An image it runs, or it does not; and where its rollout took a step before, the step is what it runs.
    /// </summary>
    public static bool WasNone(ClosedChange change) => change switch
    {
        { HasStepped: true } => false,
        { Outcome: ChangeOutcome.Withdrawn } => change is not { Kind: ChangeKind.Settings, WasRecalled: true },
        _ => change is { Outcome: ChangeOutcome.Skipped, Reason: DeviceChanges.Superseded },
    };

    /// <summary>
    /// The image was offered after this success and taken back, too late: who runs it does what was ordered, as behind any newer success.
    /// </summary>
    public static bool WasTakenBackSince(Device device, ClosedChange success, string digest) =>
        device.EarlierChanges.Append(device.LastChange).Any(change =>
            change is { Kind: ChangeKind.OsImage } && change.Generation > success.Generation && change.TargetDigest == digest);

    /// <summary>The same memory with another word about one of them.</summary>
    public static Device Replace(Device device, ClosedChange known, ClosedChange next) => ReferenceEquals(device.LastChange, known)
        ? device with { LastChange = next }
        : device with { EarlierChanges = device.EarlierChanges.Replace(known, next) };

    /// <summary>
    /// Only the newest change of settings is compared with what the device reports later: the values of those before it are not kept.
    /// </summary>
    public static ImmutableArray<ClosedChange> ForgetValues(ImmutableArray<ClosedChange> changes) =>
        changes.Any(change => change.Settings is not null) ? [.. changes.Select(change => change with { Settings = null })] : changes;

    private static bool IsOf(ClosedChange change, ChangeKind kind) => change.Kind == kind && !WasNone(change);
}
