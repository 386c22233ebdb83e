using Muster.Contracts.Devices;
using Muster.Contracts.Serials;
using Muster.Domain;
using Muster.Domain.Devices;
using Muster.Domain.Serials;
using Muster.Domain.Tenants;

namespace Muster.Grains.Serials;

/// <summary>How a device's record comes to its serial, wherever it is written: by an operator, a list, or an import.</summary>
internal static class TenantSerials
{
    /// <summary>
    /// Claims the serial for a tenant that expects it. With one tenant nobody can dispute it, and nothing is asked: what that tenant
    /// expects is read from its own device when another one comes.
    /// </summary>
    public static async Task<SerialExpected> ExpectAsync(
        IGrainFactory grains, TenantDirectory tenants, TenantId tenant, DeviceId device, Actor actor)
    {
        if (!tenants.IsShared)
        {
            return new SerialExpected(null, null);
        }

        var unclaimed = tenant == TenantId.Default
            ? SerialStanding.None
            : await grains.GetDeviceSerial(TenantId.Default, device).GetStandingAsync();
        return await grains.GetSerial(device).ExpectAsync(new ExpectSerial(tenant, actor, unclaimed));
    }
}
