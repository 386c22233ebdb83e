namespace Muster.Domain.Devices;

/// <summary>A device that may begin to install in its windows only, and what is known of its beginning (rollouts.md 9 and 13).</summary>
public static partial class DeviceChanges
{
    /// <summary>
    /// The device is told something that changes with time: it has the change, may begin in its windows only and has not begun. So it is
    /// told again, before the last of the intervals that it knows is over.
    /// </summary>
    public static bool AwaitsInstall(Device device)
    {
        ArgumentNullException.ThrowIfNull(device);
        return device.Change is { DeliveredAt: not null, InstallsSince: null, RecalledBy: 0, InstallWindows.IsDefaultOrEmpty: false };
    }

    /// <summary>
    /// When the device may begin to install what its desired state orders, as it is told now; null for always. Of a state that orders
    /// nothing, or whose change has ended, nothing is said.
    /// </summary>
    public static ImmutableArray<InstallInterval>? InstallTimesOf(Device device, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(device);
        return device.Change is { InstallWindows: { IsDefaultOrEmpty: false } windows } change
            && device.Desired.Generation == change.Generation
                ? InstallTimes.Next(windows, now)
                : null;
    }

    /// <summary>The record says when it may begin: what it was told is what its time is counted by.</summary>
    private static DateTimeOffset? DeadlineOf(ChangeInProgress change, ChangeTimers timers) =>
        (timers with { InstallWindows = change.InstallWindows })
            .DeadlineOf(change.FirstOfferedAt ?? change.OfferedAt, change.DeliveredAt, change.InstallsSince);

    /// <summary>
    /// The first report that it installs. Outside of the windows it is taken as well, and said to be so: what is begun is finished, and
    /// a report may be late.
    /// </summary>
    private static (ChangeInProgress Next, InstallStart Start) NoteStart(ChangeInProgress change, DateTimeOffset now)
    {
        if (change.InstallWindows.IsDefaultOrEmpty || change.InstallsSince is not null || change.Step < ChangeStep.Installing)
        {
            return (change, InstallStart.None);
        }

        var isOpen = Rollouts.OfferWindow.IsOpen(change.InstallWindows, now);
        return (change with { InstallsSince = now }, isOpen ? InstallStart.InWindow : InstallStart.OutsideWindow);
    }
}
