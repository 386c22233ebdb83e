using Grpc.Core;
using Muster.Contracts;
using Muster.Contracts.Deliveries;
using Muster.Domain.Deliveries;
using Muster.Domain.Inventory;
using Muster.Gateway.Grpc;
using V1 = Muster.Protocol.V1;

namespace Muster.Gateway.Deliveries;

/// <summary>The deliveries of the API.</summary>
internal sealed class DeliveriesService(IGrainFactory grains, RowLister lister, ImportSlots slots, TimeProvider clock)
    : V1.Deliveries.DeliveriesBase
{
    public override async Task ImportDelivery(
        IAsyncStreamReader<V1.ImportDeliveryRequest> requestStream,
        IServerStreamWriter<V1.ImportDeliveryResponse> responseStream,
        ServerCallContext context)
    {
        using var slot = slots.Take();
        var import = new DeliveryImport(grains, clock, Caller.Of(context), requestStream, responseStream);
        await import.RunAsync(context.CancellationToken);
    }

    public override async Task<V1.Delivery> GetDelivery(V1.GetDeliveryRequest request, ServerCallContext context)
    {
        var (tenant, delivery) = ResourceNames.ResourceOf(request.Name, DeliveriesMapping.Collection);
        var reply = await grains.GetDelivery(tenant, delivery).GetAsync();
        return reply.Delivery is { } found
            ? DeliveriesMapping.ToApi(found)
            : throw FleetErrors.ToRpcException(reply.Error ?? throw new InvalidOperationException("Neither a delivery nor an error."));
    }

    public override async Task<V1.ListDeliveriesResponse> ListDeliveries(V1.ListDeliveriesRequest request, ServerCallContext context)
    {
        var listing = new Listing(ResourceNames.ParentOf(request.Parent), GrainTypes.Delivery, "");
        var page = await lister.ListAsync(listing, request.PageSize, request.PageToken, context.CancellationToken);
        var response = new V1.ListDeliveriesResponse { NextPageToken = page.NextPageToken };
        response.Deliveries.AddRange(page.Rows.Select(row => DeliveriesMapping.ToApi((DeliveryRow)row.Row)));
        return response;
    }
}

/// <summary>Deliveries of the API and of the domain.</summary>
internal static class DeliveriesMapping
{
    public const string Collection = "deliveries";

    public static V1.Delivery ToApi(Delivery delivery)
    {
        var api = ToApi(DeliveryRow.Of(delivery));
        api.Errors.AddRange(delivery.Errors.Select(ToApi));
        return api;
    }

    /// <summary>What a list knows of a delivery.</summary>
    public static V1.Delivery ToApi(DeliveryRow row) => new()
    {
        Name = ResourceNames.Of(row.Tenant, Collection, row.Name),
        State = (V1.DeliveryState)row.State,
        BegunAt = ApiValues.ToTimestamp(row.BegunAt),
        EndedAt = ApiValues.ToTimestamp(row.EndedAt),
        Created = row.Counts.Created,
        Unchanged = row.Counts.Unchanged,
        Refused = row.Counts.Refused,
    };

    public static V1.DeliveryLineError ToApi(DeliveryLineError error) => new()
    {
        Line = error.Line,
        Serial = error.Serial,
        Field = error.Field,
        Reason = error.Reason,
        Message = error.Message,
    };

    public static DeliveryLine ToDefaults(V1.ImportDeliveryHeader header)
    {
        var defaults = DeliveryLine.Empty;
        foreach (var (name, value) in header.Defaults)
        {
            defaults = DeliveryColumns.TryParse(name, out var column) ? defaults.With(column, value) : throw new FormatException(name);
        }

        return defaults;
    }
}

/// <summary>What requests of the deliveries service have to look like.</summary>
internal static class DeliveriesValidators
{
    /// <summary>Hides the round trip and costs little memory.</summary>
    private const int ChunkBytesMax = 256 * 1024;

    public static void AddTo(RequestValidators validators) => validators
        .Add<V1.ImportDeliveryRequest>((request, problems) =>
        {
            if (request.Header is { } header)
            {
                CheckHeader(header, problems);
            }
            else
            {
                problems.Require(request.Chunk.Length is > 0 and <= ChunkBytesMax, "chunk", $"1 to {ChunkBytesMax} bytes");
            }
        })
        .Add<V1.GetDeliveryRequest>((request, problems) => problems.DeliveryName(request.Name))
        .Add<V1.ListDeliveriesRequest>((request, problems) => problems.Page(request.Parent, request.PageSize, request.PageToken));

    private static void CheckHeader(V1.ImportDeliveryHeader header, Problems problems)
    {
        problems.Parent(header.Parent);
        problems.ResourceIdOf("delivery_id", header.DeliveryId);
        problems.Require(
            header.DeliveryId.Length <= DeliveryRules.IdLengthMax, "delivery_id", $"at most {DeliveryRules.IdLengthMax} characters");
        problems.Require(header.Format is V1.DeliveryFormat.Csv or V1.DeliveryFormat.Json, "format", "CSV or JSON");
        foreach (var (name, value) in header.Defaults)
        {
            if (!DeliveryColumns.TryParse(name, out var column) || column is DeliveryColumn.Serial or DeliveryColumn.CertificateSha256)
            {
                problems.Add("defaults", "columns that many devices may have alike; neither serial nor certificate_sha256");
            }
            else if (DeliveryLines.CheckValue(column, value) is { } rule)
            {
                problems.Add($"defaults.{name}", rule);
            }
        }
    }
}
