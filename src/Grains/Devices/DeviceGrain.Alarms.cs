using Muster.Contracts.Devices;
using Muster.Domain;
using Muster.Domain.Devices;
using Muster.Domain.Trust;

namespace Muster.Grains.Devices;

/// <summary>What a device says of its own health in its maker's words; the rules are <see cref="DeviceAlarms"/>.</summary>
internal sealed partial class DeviceGrain
{
    /// <summary>What came too early for a commit, each alarm once in its newest form; null while nothing waits.</summary>
    private List<AlarmSignal>? _heldAlarms;

    private IGrainTimer? _alarmTimer;

    public async Task<UpReply> NativeEventAsync(ReportNativeEvent command)
    {
        ArgumentNullException.ThrowIfNull(command);
        var now = _services.Clock.GetUtcNow();
        if (DeviceAdmission.CheckEnrolled(Current, _id, command.Identity, now) is { } refused)
        {
            LogMessageRefused(_id.Value, UpKind.Unspecified, refused.Reason);
            return new UpReply(refused);
        }

        if (LearnSession(command.Session, Current!.Epoch) is { } takenOver)
        {
            return new UpReply(takenOver);
        }

        return command.Signal is { } signal ? await TakeAlarmAsync(signal, now) : UpReply.Accepted;
    }

    private async Task<UpReply> TakeAlarmAsync(AlarmSignal signal, DateTimeOffset now)
    {
        if (TrustRestrictions.CheckAlarm(Current!, signal) is { } restricted)
        {
            return KeepAlarm(signal, restricted, now);
        }

        _heldAlarms?.RemoveAll(held => IsOf(held, signal));
        if (!DeviceAlarms.IsNews(Current!, signal, now))
        {
            return UpReply.Accepted;
        }

        if (DeviceAlarms.WaitFor(Current!, now) is var wait && wait > TimeSpan.Zero)
        {
            return Hold(signal, wait);
        }

        var decision = DeviceAlarms.Take(Current!, [.. _heldAlarms ?? [], signal], now);
        if (decision.Error is { } error)
        {
            LogMessageRefused(_id.Value, UpKind.Unspecified, error.Reason);
            return new UpReply(error);
        }

        await CommitAsync(decision.Next, decision.Events, Actor.Device(_id.Value), now);
        _heldAlarms = null;
        return UpReply.Accepted;
    }

    /// <summary>
    /// Refused is only what would end something that stands or is held: a device says with every connection what is not the matter.
    /// </summary>
    private UpReply KeepAlarm(AlarmSignal signal, FleetError restricted, DateTimeOffset now)
    {
        if (!DeviceAlarms.IsNews(Current!, signal, now) && _heldAlarms?.Exists(held => IsOf(held, signal)) != true)
        {
            return UpReply.Accepted;
        }

        LogMessageRefused(_id.Value, UpKind.Unspecified, restricted.Reason);
        return new UpReply(restricted);
    }

    private static bool IsOf(AlarmSignal held, AlarmSignal signal) => held.Kind == signal.Kind && held.Source == signal.Source;

    /// <summary>In memory only: a device repeats its states with its next connection.</summary>
    private UpReply Hold(AlarmSignal signal, TimeSpan wait)
    {
        _heldAlarms ??= [];
        if (_heldAlarms.Count >= DeviceAlarms.AlarmsMax)
        {
            return new UpReply(DeviceErrors.AlarmLimitReached(_id, DeviceAlarms.AlarmsMax));
        }

        _heldAlarms.Add(signal);
        _alarmTimer ??= this.RegisterGrainTimer(
            SettleAlarmsAsync, new GrainTimerCreationOptions(wait, Timeout.InfiniteTimeSpan) { KeepAlive = true });
        return UpReply.Accepted;
    }

    private async Task SettleAlarmsAsync(CancellationToken cancellationToken)
    {
        _alarmTimer?.Dispose();
        _alarmTimer = null;
        var held = _heldAlarms ?? [];
        var now = _services.Clock.GetUtcNow();
        if (held.Count == 0 || Current is not { } device || device.State == DeviceState.Decommissioned)
        {
            _heldAlarms = null;
            return;
        }

        if (DeviceAlarms.WaitFor(device, now) is var wait && wait > TimeSpan.Zero)
        {
            _alarmTimer = this.RegisterGrainTimer(
                SettleAlarmsAsync, new GrainTimerCreationOptions(wait, Timeout.InfiniteTimeSpan) { KeepAlive = true });
            return;
        }

        var decision = DeviceAlarms.Take(device, [.. held], now);
        await CommitAsync(decision.Next, decision.Events, Actor.Device(_id.Value), now);
        _heldAlarms = null;
    }
}
