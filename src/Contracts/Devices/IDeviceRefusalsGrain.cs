using Muster.Domain;
using Muster.Domain.Identity;
using Orleans.CodeGeneration;

namespace Muster.Contracts.Devices;

/// <summary>
/// Who was refused as the device. The device's own grain answers, with the same key as <see cref="IDeviceGrain"/>.
/// </summary>
[GrainInterfaceType("muster.device-refusals"), Alias("muster.IDeviceRefusalsGrain"), Version(1)]
public interface IDeviceRefusalsGrain : IGrainWithStringKey
{
    /// <summary>
    /// Puts a refusal on the record, if it is one that stays and is not noted already. A turn of its own, which the grain takes with
    /// itself: who is refused does not wait for the store.
    /// </summary>
    [Alias("Note"), ResponseTimeout(CallTimeouts.Commit)]
    Task NoteAsync(FleetError error, Sha256Hash certificate);
}
