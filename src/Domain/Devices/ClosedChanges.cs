namespace Muster.Domain.Devices;

/// <summary>What a device remembers of the changes that ended.</summary>
internal static class ClosedChanges
{
    /// <summary>
    /// The newest of a kind: it alone is what the device has to be still. Null before the first. An offer that was none took nothing from
    /// the one before it, and leaves its rollout where that took its last step.
    /// </summary>
    public static ClosedChange? FindNewest(Device device, ChangeKind kind)
    {
        var (newest, place) = ((ClosedChange?)null, 0L);
        foreach (var change in device.EarlierChanges)
        {
            Compare(change);
        }

        if (device.LastChange is { } last)
        {
            Compare(last);
        }

        return newest;

        void Compare(ClosedChange change)
        {
            if (change.Kind == kind && PlaceOf(change) is { } at && at >= place)
            {
                (newest, place) = (change, at);
            }
        }
    }

    /// <summary>What the device runs was brought by another rollout's success, which is in force.</summary>
    public static bool IsOfAnother(Device device, ResourceId rollout, string running) =>
        FindNewest(device, ChangeKind.OsImage) is { Outcome: ChangeOutcome.Succeeded } success
        && success.Rollout != rollout
        && success.TargetDigest == running;

    /// <summary>
    /// It ended so that nothing of it is ordered: taken back, or superseded. Settings that the device was asked to give up are not none:
    /// it may have set some of them. An image it runs, or it does not.
    /// </summary>
    public static bool WasNone(ClosedChange change) => change switch
    {
        { Outcome: ChangeOutcome.Withdrawn } => change is not { Kind: ChangeKind.Settings, WasRecalled: true },
        _ => WasTakenBack(change) || change is { Outcome: ChangeOutcome.Skipped, Reason: DeviceChanges.Superseded },
    };

    /// <summary>
    /// Its offer was taken back before it had an outcome: the device waits for another, or is left out because the image of its step was
    /// revoked.
    /// </summary>
    public static bool WasTakenBack(ClosedChange change) =>
        change is { Outcome: ChangeOutcome.Withdrawn } or { Outcome: ChangeOutcome.Skipped, Reason: DeviceChanges.StepRevoked };

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

    /// <summary>The generation of what the rollout ordered last and did not take back; null for nothing.</summary>
    private static long? PlaceOf(ClosedChange change) => !WasNone(change) ? change.Generation
        : change.HasStepped ? change.StepGeneration
        : null;
}
