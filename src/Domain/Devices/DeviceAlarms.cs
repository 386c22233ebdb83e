using Muster.Domain.Trust;

namespace Muster.Domain.Devices;

/// <summary>
/// Which alarms of a device stand. Only a change is a fact and costs a commit: a device repeats its states with every connection. The
/// pace bounds what a loose contact costs the store; what comes too early is applied later, in its newest form (ADR 0019).
/// </summary>
public static class DeviceAlarms
{
    /// <summary>Nine kinds and a few parts each; a device with more is broken in a way that sixteen lines tell already.</summary>
    public const int AlarmsMax = 16;

    /// <summary>Names of disks, fans and interfaces are shorter.</summary>
    public const int SourceLengthMax = 64;

    /// <summary>Changes at once: a camera that starts in the cold tells of storage, fan and temperature together.</summary>
    public const int ChangesAtOnce = 6;

    /// <summary>Then one change in this time, 144 a day: a flapping contact of each of 100,000 devices is 170 commits a second.</summary>
    public static readonly TimeSpan PaceInterval = TimeSpan.FromMinutes(10);

    /// <summary>As long as an operator's shift looks back.</summary>
    public static readonly TimeSpan MomentaryFor = TimeSpan.FromHours(24);

    /// <summary>The same momentary alarm within this time is a repetition.</summary>
    private static readonly TimeSpan MomentaryRepeats = TimeSpan.FromHours(1);

    /// <summary>
    /// Takes what the device said, at once or collected. Unchanged when it says nothing new, or when it is too early for a commit:
    /// <see cref="WaitFor"/> tells which; and a device that is not trusted ends no alarm. <c>ALARM_LIMIT_REACHED</c> when it would have
    /// more than <see cref="AlarmsMax"/>.
    /// </summary>
    public static Decision<Device> Take(Device device, ImmutableArray<AlarmSignal> signals, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(device);
        var alarms = Of(device);
        var facts = ImmutableArray.CreateBuilder<DomainEvent>();

        // What was collected before the device was restricted is asked too.
        foreach (var signal in signals.Where(
            signal => IsNews(device, signal, now) && TrustRestrictions.CheckAlarm(device, signal) is null))
        {
            alarms = alarms.RemoveAll(alarm => IsOf(alarm, signal) || IsOver(alarm, now));
            if (signal.IsRaised && alarms.Length >= AlarmsMax)
            {
                return Decision.Refuse(device, DeviceErrors.AlarmLimitReached(device.Id, AlarmsMax));
            }

            alarms = signal.IsRaised ? alarms.Add(new DeviceAlarm(signal.Kind, signal.Source, now, signal.IsMomentary)) : alarms;
            facts.Add(new DeviceAlarmChanged(signal.Kind, signal.Source, signal.IsRaised));
        }

        return facts.Count == 0 || WaitFor(device, now) > TimeSpan.Zero
            ? Decision.Unchanged(device)
            : Decision.Accept(
                device with { Alarms = alarms, AlarmsPacedUntil = Later(PacedUntil(device, now), now) + PaceInterval },
                facts.ToImmutable());
    }

    /// <summary>Whether the signal says anything that the record does not.</summary>
    public static bool IsNews(Device device, AlarmSignal signal, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(device);
        ArgumentNullException.ThrowIfNull(signal);
        var known = Of(device).FirstOrDefault(alarm => IsOf(alarm, signal));
        return signal.IsRaised
            ? known is null || (signal.IsMomentary && now - known.At >= MomentaryRepeats)
            : known is not null;
    }

    /// <summary>How long until the next change may be committed; zero or less for now.</summary>
    public static TimeSpan WaitFor(Device device, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(device);
        return PacedUntil(device, now) - now - ((ChangesAtOnce - 1) * PaceInterval);
    }

    /// <summary>The kinds that stand, each once, in the order of their numbers, as the API writes them; separated by commas.</summary>
    public static string Summarize(ImmutableArray<DeviceAlarm> alarms) => alarms.IsDefaultOrEmpty
        ? ""
        : string.Join(',', alarms.Select(alarm => alarm.Kind).Distinct().Order().Select(NameOf));

    /// <summary>As the API writes it, for example <c>FAN_FAILURE</c>.</summary>
    public static string NameOf(AlarmKind kind) => kind switch
    {
        AlarmKind.SystemNotReady => "SYSTEM_NOT_READY",
        AlarmKind.StorageFailure => "STORAGE_FAILURE",
        AlarmKind.TemperatureOutOfRange => "TEMPERATURE_OUT_OF_RANGE",
        AlarmKind.FanFailure => "FAN_FAILURE",
        AlarmKind.PowerSupplyFailure => "POWER_SUPPLY_FAILURE",
        AlarmKind.CasingOpen => "CASING_OPEN",
        AlarmKind.Tampering => "TAMPERING",
        AlarmKind.CertificateExpiry => "CERTIFICATE_EXPIRY",
        AlarmKind.NetworkLost => "NETWORK_LOST",
        AlarmKind.Unspecified => throw new UnreachableException("An alarm without a kind."),
        _ => throw new UnreachableException($"Unknown alarm {kind}."),
    };

    /// <summary>A record from before there were alarms has no array at all.</summary>
    private static ImmutableArray<DeviceAlarm> Of(Device device) => device.Alarms.IsDefault ? [] : device.Alarms;

    /// <summary>
    /// As on record; what no changes can have made, with an interval for clocks that differ, is of a clock that has been set back since,
    /// and paces nothing.
    /// </summary>
    private static DateTimeOffset PacedUntil(Device device, DateTimeOffset now) =>
        device.AlarmsPacedUntil - now <= (ChangesAtOnce + 1) * PaceInterval ? device.AlarmsPacedUntil : now;

    private static bool IsOf(DeviceAlarm alarm, AlarmSignal signal) => alarm.Kind == signal.Kind && alarm.Source == signal.Source;

    private static bool IsOver(DeviceAlarm alarm, DateTimeOffset now) => alarm.IsMomentary && now - alarm.At >= MomentaryFor;

    private static DateTimeOffset Later(DateTimeOffset one, DateTimeOffset other) => one > other ? one : other;
}
