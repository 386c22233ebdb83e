using Muster.Contracts.Devices;
using Muster.Contracts.Warranty;
using Muster.Domain;
using Muster.Domain.Devices;
using Muster.Gateway.Grpc;

namespace Muster.Gateway.Devices;

/// <summary>Makes a device expected, with its warranty: what operators create, and what they approve.</summary>
internal static class DeviceCreation
{
    public static async Task<DeviceReply> CreateAsync(
        IGrainFactory grains, TenantId tenant, DeviceId id, ExpectWarranty warranty, ExpectDevice command)
    {
        // The warranty first: cut off between the two, there is a warranty without its device, which the repetition completes, and
        // never a device without its warranty.
        await ExpectWarrantyAsync(grains, tenant, id, warranty);
        var reply = await grains.GetDevice(tenant, id).ExpectAsync(command);
        if (reply.Error is null)
        {
            // Another creation of the same device may have written its term in between, and was refused then.
            await ExpectWarrantyAsync(grains, tenant, id, warranty);
        }

        return reply;
    }

    private static async Task ExpectWarrantyAsync(IGrainFactory grains, TenantId tenant, DeviceId device, ExpectWarranty command)
    {
        if ((await grains.GetWarranty(tenant, device).ExpectAsync(command)).Error is { } error)
        {
            throw FleetErrors.ToRpcException(error);
        }
    }
}
