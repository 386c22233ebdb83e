using System.Globalization;
using Grpc.Core;
using Muster.Contracts;
using Muster.Contracts.Commit;
using Muster.Contracts.Devices;
using Muster.Contracts.Inventory;
using Muster.Contracts.Serials;
using Muster.Contracts.Warranty;
using Muster.Domain;
using Muster.Domain.Devices;
using Muster.Domain.Identity;
using Muster.Domain.Inventory;
using Muster.Gateway.Grpc;
using Muster.Gateway.Warranty;
using V1 = Muster.Protocol.V1;

namespace Muster.Gateway.Devices;

/// <summary>The devices of the API.</summary>
internal sealed class DevicesService(
    IGrainFactory grains, PartitionMap partitions, RowLister lister, RowWatch watch, WatchSlots slots, DeviceEditing edits)
    : V1.Devices.DevicesBase
{
    public override async Task<V1.Device> GetDevice(V1.GetDeviceRequest request, ServerCallContext context)
    {
        var (tenant, id) = ResourceNames.DeviceOf(request.Name);
        return await ReadAsync(tenant, id, await grains.GetDevice(tenant, id).GetAsync());
    }

    public override async Task<V1.ListDevicesResponse> ListDevices(V1.ListDevicesRequest request, ServerCallContext context)
    {
        var listing = ListingOf(request.Parent, request.Filter) with { OrderBy = request.OrderBy };
        var page = await lister.ListAsync(listing, request.PageSize, request.PageToken, context.CancellationToken);
        var response = new V1.ListDevicesResponse { NextPageToken = page.NextPageToken };
        response.Devices.AddRange(page.Rows.Select(DevicesMapping.ToApi));
        return response;
    }

    public override async Task<V1.CountDevicesResponse> CountDevices(V1.CountDevicesRequest request, ServerCallContext context)
    {
        var counts = await lister.CountAsync(ListingOf(request.Parent, request.Filter), request.GroupBy, context.CancellationToken);
        if (request.Top == 0 && counts.Groups.Length > DevicesValidators.GroupsMax)
        {
            throw FleetErrors.LimitReached($"groups by {request.GroupBy} without top", DevicesValidators.GroupsMax);
        }

        var top = request.Top == 0 ? counts.Groups : counts.Groups[..Math.Min(request.Top, counts.Groups.Length)];
        var response = new V1.CountDevicesResponse
        {
            Total = counts.Total,
            Other = request.GroupBy.Length == 0 ? 0 : counts.Total - top.Sum(group => group.Count),
        };
        response.Groups.AddRange(top.Select(group => new V1.DeviceGroup { Values = { group.Values }, Count = group.Count }));
        return response;
    }

    public override Task<V1.EditDevicesResponse> EditDevices(V1.EditDevicesRequest request, ServerCallContext context) =>
        edits.EditAsync(request, ListingOf(request.Parent, DevicesValidators.FilterOf(request)), context);

    public override async Task<V1.Device> CreateDevice(V1.CreateDeviceRequest request, ServerCallContext context)
    {
        var caller = Caller.Of(context);
        var tenant = ResourceNames.ParentOf(request.Parent);
        var id = DeviceId.TryParse(request.DeviceId, out var parsed) ? parsed : throw new FormatException(request.DeviceId);
        var warranty = new ExpectWarranty(caller.Actor, request.RequestId, WarrantiesMapping.ToTerm(request.Device.Warranty));
        var command = new ExpectDevice(caller.Actor, request.RequestId, DevicesMapping.ToExpected(request.Device))
        {
            Labels = DevicesMapping.ToLabels(request.Device.Labels),
            CertificateSha256 = request.Device.ExpectedCertificateSha256 is { Length: > 0 } certificate ? certificate : null,
        };

        return await ReadAsync(tenant, id, await DeviceCreation.CreateAsync(grains, tenant, id, warranty, command));
    }

    public override async Task<V1.Device> ApproveDevice(V1.ApproveDeviceRequest request, ServerCallContext context)
    {
        var (tenant, id) = ResourceNames.DeviceOf(request.Name);
        var command = new ApproveEnrollment(
            Caller.Of(context).Actor,
            request.CertificateSha256.Length > 0 ? Sha256Hash.Parse(request.CertificateSha256) : null);
        return await ReadAsync(tenant, id, await grains.GetDevice(tenant, id).ApproveEnrollmentAsync(command));
    }

    public override async Task<V1.Device> DenyDevice(V1.DenyDeviceRequest request, ServerCallContext context)
    {
        var (tenant, id) = ResourceNames.DeviceOf(request.Name);
        var command = new DenyEnrollment(Caller.Of(context).Actor, request.Cause);
        return await ReadAsync(tenant, id, await grains.GetDevice(tenant, id).DenyEnrollmentAsync(command));
    }

    public override async Task<V1.Device> WithdrawDevice(V1.WithdrawDeviceRequest request, ServerCallContext context)
    {
        var (tenant, id) = ResourceNames.DeviceOf(request.Name);
        var command = new WithdrawDevice(Caller.Of(context).Actor, request.Cause);
        return await ReadAsync(tenant, id, await grains.GetDevice(tenant, id).WithdrawAsync(command));
    }

    public override async Task<V1.Device> QuarantineDevice(V1.QuarantineDeviceRequest request, ServerCallContext context)
    {
        var (tenant, id) = ResourceNames.DeviceOf(request.Name);
        var command = new QuarantineDevice(Caller.Of(context).Actor, request.Cause);
        return await ReadAsync(tenant, id, await grains.GetDevice(tenant, id).QuarantineAsync(command));
    }

    public override async Task<V1.Device> ReleaseDevice(V1.ReleaseDeviceRequest request, ServerCallContext context)
    {
        var (tenant, id) = ResourceNames.DeviceOf(request.Name);
        var command = new ReleaseDevice(Caller.Of(context).Actor, request.Cause);
        return await ReadAsync(tenant, id, await grains.GetDevice(tenant, id).ReleaseAsync(command));
    }

    public override async Task WatchDevices(
        V1.WatchDevicesRequest request, IServerStreamWriter<V1.WatchDevicesResponse> responseStream, ServerCallContext context)
    {
        using var slot = slots.Take(Caller.Of(context));
        var listing = ListingOf(request.Parent, request.Filter);
        if (InventoryFilter.Parse(listing.Filter, InventoryFields.Device).Error is { } unreadable)
        {
            throw FleetErrors.ToRpcException(unreadable);
        }

        var from = ResumeTokens.Read(listing.Query, request.ResumeToken, partitions.Count);
        var isComplete = false;
        await foreach (var news in watch.RunAsync(listing, from, context.CancellationToken))
        {
            var response = news switch
            {
                { Row: { } row } => new V1.WatchDevicesResponse { Device = DevicesMapping.ToApi(row) },
                { Left: { } left } => new V1.WatchDevicesResponse { Left = DevicesMapping.NameOf(left) },
                _ => new V1.WatchDevicesResponse
                {
                    SnapshotComplete = !isComplete,
                    ResumeToken = news.Point is { } point ? ResumeTokens.Create(listing.Query, point) : "",
                },
            };
            isComplete |= response.SnapshotComplete;
            await responseStream.WriteAsync(response, context.CancellationToken);
        }
    }

    private static Listing ListingOf(string parent, string filter) => new(ResourceNames.ParentOf(parent), GrainTypes.Device, filter);

    private async Task<V1.Device> ReadAsync(TenantId tenant, DeviceId id, DeviceReply reply)
    {
        if (reply.Device is not { } device || reply.Error is not null)
        {
            throw FleetErrors.ToRpcException(reply.Error ?? throw new InvalidOperationException(
                string.Create(CultureInfo.InvariantCulture, $"Neither a device nor an error of {id}.")));
        }

        var partition = partitions.OfDevice(DeviceKey.Of(tenant, id));
        var presence = grains.GetInventory(partition).FindPresenceAsync(tenant, id);
        var warranty = grains.GetWarranty(tenant, id).GetAsync(null);
        var waits = device.State == DeviceState.Expected ? await grains.GetSerial(id).CheckAsync(tenant) : null;
        var api = DevicesMapping.ToApi(reply, device, await presence);
        api.SerialWaits = waits?.Reason ?? "";
        if (await warranty is { Cover: not null } cover)
        {
            api.Warranty = WarrantiesMapping.ToApi(tenant, id, cover);
        }

        return api;
    }
}
