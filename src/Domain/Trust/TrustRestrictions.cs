using Muster.Domain.Devices;

namespace Muster.Domain.Trust;

/// <summary>
/// What a device that is not trusted may say and be told. Taken are hello, status and inventory, by which it may heal, results, which
/// only a command that waits makes possible, and alarms that are raised. Progress of changes is not: there is none. Told are
/// acknowledgements, rejections, commands, and that there is nothing to do; never an image or settings.
/// </summary>
public static class TrustRestrictions
{
    public static bool IsRestricted(Device device)
    {
        ArgumentNullException.ThrowIfNull(device);
        return device.State == DeviceState.Quarantined || device.Suspicion is not null;
    }

    /// <summary>Why this kind of message is not taken; null when it is.</summary>
    public static FleetError? CheckUp(Device device, UpKind kind)
    {
        ArgumentNullException.ThrowIfNull(device);
        return kind switch
        {
            UpKind.Hello or UpKind.Status or UpKind.Inventory or UpKind.Result => null,
            UpKind.Report => Check(device),
            _ => throw new UnreachableException($"Kind {kind} is no up message."),
        };
    }

    /// <summary>
    /// Why this word of the device's own health is not taken; null when it is. Who listens to it loses nothing by a false alarm but a look;
    /// that an alarm is over only the genuine device knows.
    /// </summary>
    public static FleetError? CheckAlarm(Device device, AlarmSignal signal)
    {
        ArgumentNullException.ThrowIfNull(device);
        ArgumentNullException.ThrowIfNull(signal);
        return signal.IsRaised || !IsRestricted(device) ? null
            : device.State == DeviceState.Quarantined ? TrustErrors.Quarantined(device.Id)
            : TrustErrors.Suspected(device.Id);
    }

    /// <summary>Why a device gets nothing that needs trust, such as a certificate or an image; null when it does.</summary>
    public static FleetError? Check(Device device)
    {
        ArgumentNullException.ThrowIfNull(device);
        return device.State == DeviceState.Quarantined ? TrustErrors.Quarantined(device.Id)
            : device is { State: DeviceState.InService, Suspicion: not null } ? TrustErrors.Suspected(device.Id)
            : null;
    }

    /// <summary>Whether the desired state may go out: one that orders nothing is how a device hears that it has nothing to do.</summary>
    public static bool MaySend(Device device, DesiredState desired)
    {
        ArgumentNullException.ThrowIfNull(desired);
        return desired.OrdersNothing || !IsRestricted(device);
    }
}
