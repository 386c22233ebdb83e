namespace Muster.Domain.Devices;

/// <summary>What a device remembers of the changes that ended.</summary>
internal static class ClosedChanges
{
    /// <summary>The newest of a kind: it alone is what the device has to be still. Null before the first.</summary>
    public static ClosedChange? FindNewest(Device device, ChangeKind kind) =>
        device.LastChange is { } last && last.Kind == kind ? last : device.EarlierChanges.LastOrDefault(change => change.Kind == kind);

    /// <summary>The same memory with another word about one of them.</summary>
    public static Device Replace(Device device, ClosedChange known, ClosedChange next) => ReferenceEquals(device.LastChange, known)
        ? device with { LastChange = next }
        : device with { EarlierChanges = device.EarlierChanges.Replace(known, next) };

    /// <summary>
    /// Only the newest change of settings is compared with what the device reports later: the values of those before it are not kept.
    /// </summary>
    public static ImmutableArray<ClosedChange> ForgetValues(ImmutableArray<ClosedChange> changes) =>
        changes.Any(change => change.Settings is not null) ? [.. changes.Select(change => change with { Settings = null })] : changes;
}
