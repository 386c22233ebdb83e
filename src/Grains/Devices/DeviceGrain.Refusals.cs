using Muster.Contracts.Devices;
using Muster.Domain;
using Muster.Domain.Devices;
using Muster.Domain.Identity;

namespace Muster.Grains.Devices;

/// <summary>What follows when somebody who came as the device is refused; the rules are <see cref="DeviceRefusals"/>.</summary>
internal sealed partial class DeviceGrain : IDeviceRefusalsGrain
{
    public async Task NoteAsync(FleetError error, Sha256Hash certificate)
    {
        ArgumentNullException.ThrowIfNull(error);
        if (Current is { } device)
        {
            var now = _services.Clock.GetUtcNow();
            var decision = DeviceRefusals.Note(device, error, certificate, now);
            await CommitAsync(decision.Next, decision.Events, Actor.Device(_id.Value), now);
        }
    }

    /// <summary>Who owns the key hears of it, and operators do.</summary>
    private void Tell(FleetError refused, DeviceIdentity identity)
    {
        TellOwnerOf(identity);
        Note(refused, identity);
    }

    /// <summary>
    /// For operators. The answer does not wait for it, and a store that does not take it changes nothing. A broker's word is nobody's
    /// certificate.
    /// </summary>
    private void Note(FleetError refused, DeviceIdentity identity)
    {
        if (Current is { } device && !identity.IsVouched
            && DeviceRefusals.IsNews(device, refused, _services.Clock.GetUtcNow())
            && _services.Refusals.TryBegin(GrainContext.GrainId, refused.Reason))
        {
            _ = HandOverAsync(refused, identity.Certificate);
        }
    }

    /// <summary>To this grain, behind the calls that wait already: never two commits in flight.</summary>
    private async Task HandOverAsync(FleetError refused, Sha256Hash certificate)
    {
        try
        {
            await this.AsReference<IDeviceRefusalsGrain>().NoteAsync(refused, certificate);
        }
        catch (Exception fault) when (fault is not OutOfMemoryException)
        {
            _services.Refusals.Failed();
            LogRefusalLost(fault, _id.Value, refused.Reason);
        }
        finally
        {
            _services.Refusals.End(GrainContext.GrainId, refused.Reason);
        }
    }
}
