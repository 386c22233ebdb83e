namespace Muster.Domain.Devices;

/// <summary>What a device says is wrong with itself. Axis' own events map to these (docs/architecture/axis-events.md).</summary>
public enum AlarmKind
{
    Unspecified = 0,

    /// <summary>It has started and not all of its services run.</summary>
    SystemNotReady = 1,

    /// <summary>An SD card or network share fails, is missing or is full.</summary>
    StorageFailure = 2,

    /// <summary>Above or below its operating range.</summary>
    TemperatureOutOfRange = 3,

    FanFailure = 4,

    PowerSupplyFailure = 5,

    /// <summary>The casing, or a cabinet that is wired to it, was opened.</summary>
    CasingOpen = 6,

    /// <summary>The camera was covered, turned away or put out of focus.</summary>
    Tampering = 7,

    /// <summary>A certificate on the device has ended or will soon.</summary>
    CertificateExpiry = 8,

    /// <summary>One of its network interfaces has no link.</summary>
    NetworkLost = 9,
}

/// <summary>An alarm that stands.</summary>
/// <param name="Kind">What is wrong.</param>
/// <param name="Source">
/// Which of several parts, as the device names it, for example <c>SD_DISK</c> or the number of a fan; at most
/// <see cref="DeviceAlarms.SourceLengthMax"/> characters, empty when it has one only.
/// </param>
/// <param name="At">When Muster took it.</param>
/// <param name="IsMomentary">True for an event without an end: it stands for <see cref="DeviceAlarms.MomentaryFor"/>.</param>
[GenerateSerializer, Immutable, Alias("muster.device-alarm")]
public sealed record DeviceAlarm(
    [property: Id(0)] AlarmKind Kind,
    [property: Id(1)] string Source,
    [property: Id(2)] DateTimeOffset At,
    [property: Id(3)] bool IsMomentary);

/// <summary>What a device said of one alarm.</summary>
/// <param name="Kind">Which.</param>
/// <param name="Source">See <see cref="DeviceAlarm.Source"/>.</param>
/// <param name="IsRaised">Whether it stands now.</param>
/// <param name="IsMomentary">True for an event that the device never takes back.</param>
[GenerateSerializer, Immutable, Alias("muster.alarm-signal")]
public sealed record AlarmSignal(
    [property: Id(0)] AlarmKind Kind,
    [property: Id(1)] string Source,
    [property: Id(2)] bool IsRaised,
    [property: Id(3)] bool IsMomentary);

/// <summary>An alarm came or went.</summary>
[GenerateSerializer, Immutable, Alias("muster.device-alarm-changed")]
public sealed record DeviceAlarmChanged(
    [property: Id(0)] AlarmKind Kind,
    [property: Id(1)] string Source,
    [property: Id(2)] bool IsRaised) : DomainEvent;
