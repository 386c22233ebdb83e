using Muster.Domain.Identity;
using Muster.Gateway.Mqtt;

namespace Muster.Gateway.Revocations;

/// <summary>
/// Sessions whose connections are somebody else's, a broker's: they cannot be closed, but the device is not there any more, and what it
/// says next is judged as at a door.
/// </summary>
internal interface ISessionsBehind
{
    /// <summary>Who the session of this device is; null when it has none.</summary>
    DeviceIdentity? Find(DeviceAddress address);

    /// <summary>Those of one partition that have a session.</summary>
    IEnumerable<DeviceAddress> Of(int partition);

    /// <summary>The session is over; true when there was one.</summary>
    bool End(DeviceAddress address);
}
