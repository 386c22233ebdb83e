using Muster.Contracts.Gateways;
using Muster.Domain.Devices;

namespace Muster.Grains.Devices;

/// <summary>
/// A device that may begin to install in its windows only is told of the next of them with every push (rollouts.md 13), and again, by the
/// timer that pushes what is not answered, long before the last that it knows is over.
/// </summary>
internal sealed partial class DeviceGrain
{
    /// <summary>When the intervals that this activation sent last are to be renewed, in UTC ticks; 0 when it sent none.</summary>
    private long _renewalAt;

    /// <summary>The device has the change, and waits until it may begin to install it.</summary>
    private bool IsInstallAwaited => Current is { } device && DeviceChanges.AwaitsInstall(device);

    private bool IsRenewalDue => IsInstallAwaited && _services.Clock.GetUtcNow().UtcTicks >= _renewalAt;

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
        var left = TimeSpan.FromTicks(_renewalAt - _services.Clock.GetUtcNow().UtcTicks);
        return left > interval ? left : interval;
    }
}
