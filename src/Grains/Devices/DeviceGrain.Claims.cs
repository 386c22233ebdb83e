using Muster.Contracts.Devices;
using Muster.Contracts.Serials;
using Muster.Domain;
using Muster.Domain.Identity;
using Muster.Domain.Serials;

namespace Muster.Grains.Devices;

/// <summary>
/// What a device that is not enrolled yet has to have for itself: its key and its serial, in the whole installation. An enrolled one has
/// both for ever, and is never asked again: no message on the way of a report pays for this.
/// </summary>
internal sealed partial class DeviceGrain : IDeviceSerialGrain
{
    public Task<SerialStanding> GetStandingAsync()
    {
        if (Current is null && _sessionEpoch == 0)
        {
            // Asked for each line of another tenant's list: what is not there leaves no activation behind.
            DeactivateOnIdle();
        }

        return Task.FromResult(SerialRules.StandingOf(Current));
    }

    /// <summary>
    /// Null when it may connect: nothing is written, and both grains answer from memory. The key of a tombstone does not come back under
    /// another serial, nor its serial by another tenant.
    /// </summary>
    private async Task<FleetError?> CheckClaimsAsync(DeviceIdentity identity) =>
        SerialRules.CheckProfile(identity)
        ?? await GrainFactory.GetKey(identity.KeySha256).CheckAsync(OwnerOf(identity.Profile))
        ?? await GrainFactory.GetSerial(_id).CheckAsync(_tenant);

    /// <summary>
    /// Before the enrolment commits: serial, then key, neither ever given back. The key is asked before the serial is claimed and claimed
    /// after it, so that a device that is refused for the one does not take the other with it.
    /// </summary>
    private async Task<FleetError?> ClaimAsync(DeviceIdentity identity) =>
        await CheckClaimsAsync(identity)
        ?? await GrainFactory.GetSerial(_id).ClaimAsync(_tenant)
        ?? await GrainFactory.GetKey(identity.KeySha256).ClaimAsync(OwnerOf(identity.Profile));
}
