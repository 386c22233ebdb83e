using Muster.Contracts.Revocations;
using Muster.Domain.Devices;
using Muster.Domain.Identity;

namespace Muster.Grains.Devices;

/// <summary>Judges connections that are open already.</summary>
internal sealed partial class DeviceGrain : IDeviceAccessGrain
{
    public Task<AccessReply> CheckAsync(DeviceIdentity identity)
    {
        ArgumentNullException.ThrowIfNull(identity);
        return Task.FromResult(DeviceAdmission.Check(Current, _id, identity, _services.Clock.GetUtcNow()) is { } refused
            ? new AccessReply(refused, null)
            : new AccessReply(null, DeviceAdmission.ValidUntil(Current!, identity)));
    }
}
