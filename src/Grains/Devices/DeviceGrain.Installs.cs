using Muster.Contracts.Gateways;
using Muster.Domain.Devices;

namespace Muster.Grains.Devices;

/// <summary>
/// A device that may begin to install in its windows only is told of the next of them with every push (rollouts.md 13), and again, by the
/// timer that pushes what is not answered, long before the last that it knows is over.
/// </summary>
internal sealed partial class DeviceGrain
{
    /// <summary>When the intervals that the device was told last are to be renewed, in UTC ticks; 0 when nobody has asked yet.</summary>
    private long _renewalAt;

    /// <summary>The device has the change, and waits until it may begin to install it.</summary>
    private bool IsInstallAwaited => Current is { } device && DeviceChanges.AwaitsInstall(device);

    private bool IsRenewalDue => IsInstallAwaited && _services.Clock.GetUtcNow() >= FindRenewal();

    /// <summary>The desired state as it is told now.</summary>
    private DesiredMessage MessageOf(Device device) => new(device.Desired)
    {
        InstallTimes = DeviceChanges.InstallTimesOf(device, _services.Clock.GetUtcNow()),
    };

    private void NoteSent(DownMessage message)
    {
        if (message is DesiredMessage { InstallTimes: { } told })
        {
            _renewalAt = InstallTimes.RenewalOf(told, _services.Clock.GetUtcNow()).UtcTicks;
        }
    }

    /// <summary>How long the timer waits that has nothing to do but to renew.</summary>
    private TimeSpan UntilRenewal(TimeSpan interval)
    {
        var left = FindRenewal() - _services.Clock.GetUtcNow();
        return left > interval ? left : interval;
    }

    /// <summary>
    /// An activation that has sent none goes on as the one before it would have: when a silo dies, its devices know what they were told.
    /// </summary>
    private DateTimeOffset FindRenewal()
    {
        if (_renewalAt == 0)
        {
            var change = Current!.Change!;
            _renewalAt = InstallTimes.NextRenewal(change.InstallWindows, change.DeliveredAt!.Value, _services.Clock.GetUtcNow()).UtcTicks;
        }

        return new DateTimeOffset(_renewalAt, TimeSpan.Zero);
    }
}
