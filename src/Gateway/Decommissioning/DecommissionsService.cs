using Google.Protobuf;
using Grpc.Core;
using Muster.Contracts;
using Muster.Contracts.Decommissioning;
using Muster.Domain.Decommissioning;
using Muster.Domain.Inventory;
using Muster.Gateway.Grpc;
using V1 = Muster.Protocol.V1;

namespace Muster.Gateway.Decommissioning;

/// <summary>The decommissions of the API.</summary>
internal sealed class DecommissionsService(IGrainFactory grains, RowLister lister) : V1.Decommissions.DecommissionsBase
{
    public override async Task<V1.Decommission> GetDecommission(V1.GetDecommissionRequest request, ServerCallContext context) =>
        Answer(await GrainOf(request.Name).GetAsync());

    public override async Task<V1.ListDecommissionsResponse> ListDecommissions(
        V1.ListDecommissionsRequest request, ServerCallContext context)
    {
        var listing = new Listing(ResourceNames.ParentOf(request.Parent), GrainTypes.Decommission, request.Filter);
        var page = await lister.ListAsync(listing, request.PageSize, request.PageToken, context.CancellationToken);
        var response = new V1.ListDecommissionsResponse { NextPageToken = page.NextPageToken };
        response.Decommissions.AddRange(page.Rows.Select(row => DecommissionsMapping.ToApi((DecommissionRow)row.Row)));
        return response;
    }

    public override async Task<V1.Decommission> RequestDecommission(V1.RequestDecommissionRequest request, ServerCallContext context) =>
        Answer(await GrainOf(request.Name).RequestAsync(new RequestDecommission(Caller.Of(context).Actor)));

    public override async Task<V1.Decommission> ApproveDecommission(V1.ApproveDecommissionRequest request, ServerCallContext context)
    {
        var caller = Caller.Of(context);
        return Answer(await GrainOf(request.Name).ApproveAsync(new ApproveDecommission(caller.Actor, caller.Roles)));
    }

    public override async Task<V1.Decommission> CancelDecommission(V1.CancelDecommissionRequest request, ServerCallContext context) =>
        Answer(await GrainOf(request.Name).CancelAsync(new CancelDecommission(Caller.Of(context).Actor)));

    private static V1.Decommission Answer(DecommissionReply reply) => reply switch
    {
        { Error: { } error } => throw FleetErrors.ToRpcException(error),
        { Decommission: { } decommission } => DecommissionsMapping.ToApi(decommission),
        _ => throw new InvalidOperationException("Neither a decommission nor an error."),
    };

    private IDecommissionGrain GrainOf(string name)
    {
        var (tenant, device) = ResourceNames.DecommissionOf(name);
        return grains.GetDecommission(tenant, device);
    }
}

/// <summary>Decommissions of the API and of the domain.</summary>
internal static class DecommissionsMapping
{
    public const string Collection = "decommissions";

    public static V1.Decommission ToApi(Decommission decommission)
    {
        var api = ToApi(DecommissionRow.Of(decommission));
        api.Evidence = decommission.Evidence is { } evidence ? ToApi(evidence) : null;
        return api;
    }

    /// <summary>What a list knows of a decommission.</summary>
    public static V1.Decommission ToApi(DecommissionRow row) => new()
    {
        Name = ResourceNames.Of(row.Tenant, Collection, row.Name),
        State = (V1.DecommissionState)row.State,
        Cause = ApiValues.ToName(row.Cause),
        Campaign = row.Campaign,
        Requester = row.Requester,
        Approver = row.Approver,
        ProposedAt = ApiValues.ToTimestamp(row.ProposedAt),
        RequestedAt = ApiValues.ToTimestamp(row.RequestedAt),
        ApprovedAt = ApiValues.ToTimestamp(row.ApprovedAt),
        CompletedAt = ApiValues.ToTimestamp(row.CompletedAt),
        StalledReason = row.StalledReason,
    };

    private static V1.ErasureEvidence ToApi(ErasureEvidence evidence) => new()
    {
        Nonce = evidence.Nonce,
        Proof = ByteString.CopyFrom(evidence.Proof.AsSpan()),
        CertificateSha256 = evidence.CertificateSha256,
        KeySha256 = evidence.KeySha256,
        BootId = evidence.BootIdAfter,
        BootIdBefore = evidence.BootIdBefore,
        PublicKey = ByteString.CopyFrom(evidence.PublicKey.AsSpan()),
        ProvedAt = ApiValues.ToTimestamp(evidence.ProvedAt),
    };
}

/// <summary>What requests of the decommissions service have to look like.</summary>
internal static class DecommissionsValidators
{
    public static void AddTo(RequestValidators validators) => validators
        .Add<V1.GetDecommissionRequest>((request, problems) => problems.DecommissionName(request.Name))
        .Add<V1.ListDecommissionsRequest>((request, problems) => problems.Page(request.Parent, request.PageSize, request.PageToken))
        .Add<V1.RequestDecommissionRequest>((request, problems) => problems.DecommissionName(request.Name))
        .Add<V1.ApproveDecommissionRequest>((request, problems) => problems.DecommissionName(request.Name))
        .Add<V1.CancelDecommissionRequest>((request, problems) => problems.DecommissionName(request.Name));
}
