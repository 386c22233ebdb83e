using Grpc.Core;
using Muster.Contracts;
using Muster.Contracts.Serials;
using Muster.Domain;
using Muster.Domain.Inventory;
using Muster.Domain.Serials;
using Muster.Gateway.Grpc;
using V1 = Muster.Protocol.V1;

namespace Muster.Gateway.Serials;

/// <summary>Which tenant a serial belongs to: work on all tenants at once (<see cref="OperatorMethods.InstallationWide"/>).</summary>
internal sealed class SerialsService(IGrainFactory grains, RowLister lister) : V1.Serials.SerialsBase
{
    public override async Task<V1.Serial> GetSerial(V1.GetSerialRequest request, ServerCallContext context) =>
        Accept(await grains.GetSerial(ResourceNames.SerialOf(request.Name)).GetAsync());

    public override async Task<V1.ListSerialsResponse> ListSerials(V1.ListSerialsRequest request, ServerCallContext context)
    {
        var listing = new Listing(ResourceNames.ParentOf(request.Parent), GrainTypes.Serial, request.Filter);
        var page = await lister.ListAsync(listing, request.PageSize, request.PageToken, context.CancellationToken);
        var response = new V1.ListSerialsResponse { NextPageToken = page.NextPageToken };
        response.Serials.AddRange(page.Rows.Select(row => SerialsMapping.ToApi(((SerialRow)row.Row).Claims)));
        return response;
    }

    public override async Task<V1.Serial> AssignSerial(V1.AssignSerialRequest request, ServerCallContext context)
    {
        var tenant = TenantId.TryParse(request.Tenant, out var parsed) ? parsed : throw new FormatException(request.Tenant);
        var command = new AssignSerial(Caller.Of(context).Actor, tenant, request.Cause);
        return Accept(await grains.GetSerial(ResourceNames.SerialOf(request.Name)).AssignAsync(command));
    }

    private static V1.Serial Accept(SerialReply reply) => reply switch
    {
        { Error: { } error } => throw FleetErrors.ToRpcException(error),
        { Claims: { } claims } => SerialsMapping.ToApi(claims),
        _ => throw new InvalidOperationException("Neither a serial nor an error."),
    };
}

/// <summary>Serials of the API and of the domain.</summary>
internal static class SerialsMapping
{
    public const string Collection = "serials";

    public static V1.Serial ToApi(SerialClaims claims)
    {
        var api = new V1.Serial
        {
            Name = ResourceNames.Of(TenantId.Default, Collection, claims.Id.Device.Value),
            Profile = claims.Id.Profile,
            State = (V1.SerialState)claims.State,
            Holder = claims.Holder?.Value ?? "",
            AssignedTenant = claims.Assignment?.Tenant.Value ?? "",
            Decider = claims.Assignment?.Decider ?? "",
            Cause = claims.Assignment?.Cause ?? "",
            AssignedAt = ApiValues.ToTimestamp(claims.Assignment?.At),
            DisputedAt = ApiValues.ToTimestamp(claims.DisputedAt),
        };
        api.ExpectingTenants.AddRange(claims.Expecting.Select(tenant => tenant.Value));
        return api;
    }
}

/// <summary>What requests of the serials service have to look like.</summary>
internal static class SerialsValidators
{
    public static void AddTo(RequestValidators validators) => validators
        .Add<V1.GetSerialRequest>((request, problems) => problems.SerialName(request.Name))
        .Add<V1.ListSerialsRequest>((request, problems) => problems.Page(request.Parent, request.PageSize, request.PageToken))
        .Add<V1.AssignSerialRequest>((request, problems) =>
        {
            problems.SerialName(request.Name);
            problems.Require(TenantId.TryParse(request.Tenant, out _), "tenant", "the name of a tenant, such as 'default'");
            problems.Length("cause", request.Cause, 1, Problems.CauseLengthMax);
        });
}
