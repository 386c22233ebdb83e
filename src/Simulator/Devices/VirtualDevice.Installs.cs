using Muster.Protocol.Device.V1;

namespace Muster.Simulator.Devices;

/// <summary>A device that may begin to install at some times only: it has verified, and waits.</summary>
internal sealed partial class VirtualDevice
{
    /// <summary>Of the newest desired document; null for always.</summary>
    private InstallTimes? _installTimes;

    /// <summary>The image that it has verified and not installed yet; null for none.</summary>
    private OsTarget? _verified;

    /// <summary>Installs what was verified and boots it, as soon as it may; a generation that is no longer wanted is dropped.</summary>
    private IEnumerable<DeviceStep> Install(long generation, DateTimeOffset now) =>
        _working != generation || _verified is not { } target ? []
            : Wait(now, later => Install(generation, later)) ?? Install(generation, target);

    /// <summary>
    /// Waits until it may begin; when all times are over, a hello is answered with the next ones. Null when it may begin now.
    /// </summary>
    private List<DeviceStep>? Wait(DateTimeOffset now, Func<DateTimeOffset, IEnumerable<DeviceStep>> then)
    {
        if (_installTimes is null)
        {
            return null;
        }

        if (_installTimes.Intervals.FirstOrDefault(interval => now < interval.ClosesAt.ToDateTimeOffset()) is not { } next)
        {
            return [new DeviceStep.Tell("windows_are_over", Boot: Memory.BootId), new DeviceStep.Reboot()];
        }

        var opensAt = next.OpensAt.ToDateTimeOffset();
        return opensAt <= now
            ? null
            : [new DeviceStep.Tell("waits_for_window", Boot: Memory.BootId, Reason: $"{opensAt:u}"), new DeviceStep.Wait(opensAt, then)];
    }
}
