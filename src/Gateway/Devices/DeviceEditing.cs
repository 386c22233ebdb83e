using Grpc.Core;
using Muster.Contracts.Devices;
using Muster.Contracts.Inventory;
using Muster.Domain.Devices;
using Muster.Gateway.Grpc;
using V1 = Muster.Protocol.V1;

namespace Muster.Gateway.Devices;

/// <summary>Edits the devices of one page. An edit that was done already changes nothing, so that a page can be repeated.</summary>
internal sealed class DeviceEditing(IGrainFactory grains, RowLister lister)
{
    /// <summary>Commits under way for one caller: fills the pipeline of the store and leaves room for others.</summary>
    private const int EditsAtOnce = 32;

    public async Task<V1.EditDevicesResponse> EditAsync(V1.EditDevicesRequest request, Listing listing, ServerCallContext context)
    {
        var command = new EditDevice(Caller.Of(context).Actor, new DeviceEdit(
            request.HasSite ? request.Site : null, DevicesMapping.ToLabels(request.SetLabels), [.. request.RemoveLabels]));
        var page = await lister.ListAsync(listing, request.PageSize, request.PageToken, context.CancellationToken);
        int edited = 0, unchanged = 0, refused = 0;
        await Parallel.ForEachAsync(
            page.Rows,
            new ParallelOptions { MaxDegreeOfParallelism = EditsAtOnce, CancellationToken = context.CancellationToken },
            async (row, cancelled) =>
            {
                var reply = await EditAsync(row, command);
                ref var outcome = ref edited;
                outcome = ref reply.Error is not null ? ref refused : ref reply.IsUnchanged ? ref unchanged : ref edited;
                Interlocked.Increment(ref outcome);
            });
        return new V1.EditDevicesResponse
        {
            Edited = edited,
            Unchanged = unchanged,
            Refused = refused,
            NextPageToken = page.NextPageToken,
        };
    }

    private Task<DeviceReply> EditAsync(ListedRow row, EditDevice command) => DeviceId.TryParse(row.Row.Name, out var device)
        ? grains.GetDevice(row.Row.Tenant, device).EditAsync(command)
        : throw new InvalidOperationException($"'{row.Row.Name}' is listed as a device and is no device id.");
}
