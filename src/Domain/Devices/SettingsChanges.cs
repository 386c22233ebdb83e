namespace Muster.Domain.Devices;

/// <summary>
/// Decides about a change of settings what the boot decides about an image: it has succeeded when the device reports the desired values,
/// and only then (rollouts.md 18). Everything else about it is <see cref="DeviceChanges"/>'.
/// </summary>
public static class SettingsChanges
{
    /// <summary>Why a member is skipped: it reports the values already.</summary>
    public const string AlreadyHas = "ALREADY_HAS_SETTINGS";

    /// <summary>The device says that it has applied the settings and reports others, or reports others later.</summary>
    public const string ReportsOthers = "SETTINGS_DIFFER";

    /// <summary>Why the settings are not offered to a device that could be offered something; null when they are.</summary>
    internal static string? FindObstacle(Device device, SettingSet wanted) => device.Settings.ContainsAll(wanted) ? AlreadyHas : null;

    /// <summary>What an inventory says of the change. The device's <see cref="Device.Settings"/> are the inventory's already.</summary>
    /// <param name="device">As it is with them.</param>
    /// <param name="generation">
    /// The generation whose settings were applied before they were read: who names the change's has had his try, and what he reports
    /// decides.
    /// </param>
    /// <param name="now">The time.</param>
    internal static (Device Next, DomainEvent? Fact) TakeInventory(Device device, long generation, DateTimeOffset now)
    {
        if (device.Change is not { Settings: { } wanted } change)
        {
            return TakeRegression(device, now);
        }

        if (device.Settings.ContainsAll(wanted))
        {
            return DeviceChanges.Close(device, change, ChangeOutcome.Succeeded, "", now);
        }

        if (change.IsRecalled && DeviceChanges.NamesRecall(change, generation))
        {
            return DeviceChanges.GiveUp(device, change, now);
        }

        return generation >= change.Generation
            ? DeviceChanges.Close(device, change, ChangeOutcome.Failed, ReportsOthers, now)
            : (device, null);
    }

    /// <summary>Somebody has set another value since: the rollout's gate learns of it, also after the wave has passed.</summary>
    private static (Device Next, DomainEvent? Fact) TakeRegression(Device device, DateTimeOffset now) =>
        ClosedChanges.FindNewest(device, ChangeKind.Settings) is { Outcome: ChangeOutcome.Succeeded, Settings: { } applied } last
        && !device.Settings.ContainsAll(applied)
            ? DeviceChanges.Reopen(device, last, ReportsOthers, now)
            : (device, null);
}
