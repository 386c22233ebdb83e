using Grpc.Core;
using Muster.Contracts.Devices;
using Muster.Domain.Devices;
using Muster.Gateway.Grpc;
using V1 = Muster.Protocol.V1;

namespace Muster.Gateway.Devices;

/// <summary>Edits the devices of one page. An edit that was done already changes nothing, so that a page can be repeated.</summary>
internal sealed class DeviceEditing(IGrainFactory grains, RowLister lister)
{
    public async Task<V1.EditDevicesResponse> EditAsync(V1.EditDevicesRequest request, Listing listing, ServerCallContext context)
    {
        var command = new EditDevice(Caller.Of(context).Actor, new DeviceEdit(
            request.HasSite ? request.Site : null, DevicesMapping.ToLabels(request.SetLabels), [.. request.RemoveLabels]));
        var page = await lister.ListAsync(listing, request.PageSize, request.PageToken, context.CancellationToken);
        var outcome = await DevicePage.SendAsync(
            page, (tenant, device) => grains.GetDevice(tenant, device).EditAsync(command), context.CancellationToken);
        return new V1.EditDevicesResponse
        {
            Edited = outcome.Done,
            Unchanged = outcome.Unchanged,
            Refused = outcome.Refused,
            NextPageToken = page.NextPageToken,
        };
    }
}
