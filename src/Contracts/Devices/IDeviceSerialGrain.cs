using Muster.Domain.Serials;
using Orleans.CodeGeneration;
using Orleans.Concurrency;

namespace Muster.Contracts.Devices;

/// <summary>How a tenant stands to a serial. Its device's own grain answers, with the same key as <see cref="IDeviceGrain"/>.</summary>
[GrainInterfaceType("muster.device-serial"), Alias("muster.IDeviceSerialGrain"), Version(1)]
public interface IDeviceSerialGrain : IGrainWithStringKey
{
    /// <summary>Asked of the tenant <c>default</c>, which makes no claims while it is the only one.</summary>
    [Alias("GetStanding"), ReadOnly, ResponseTimeout(CallTimeouts.Commit)]
    Task<SerialStanding> GetStandingAsync();
}
