using System.Collections.Immutable;
using Grpc.Core;
using Microsoft.Extensions.Options;
using Muster.Contracts;
using Muster.Contracts.Operators;
using Muster.Domain;
using Muster.Domain.Inventory;
using Muster.Domain.Operators;
using Muster.Gateway.Grpc;
using V1 = Muster.Protocol.V1;

namespace Muster.Gateway.Operators;

/// <summary>The operators of the API.</summary>
internal sealed class OperatorsService(IGrainFactory grains, RowLister lister, IOptions<OperatorsOptions> options)
    : V1.Operators.OperatorsBase
{
    /// <summary>The CA of the server's certificate in the folder of the CAs.</summary>
    private const string ServerAuthorityFile = "server-ca.pem";

    public override async Task<V1.Operator> GetOperator(V1.GetOperatorRequest request, ServerCallContext context)
    {
        var (tenant, id) = ResourceNames.ResourceOf(request.Name, OperatorsMapping.Collection);
        return OperatorsMapping.ToApi(Account(await grains.GetOperator(tenant, id).GetAsync()));
    }

    public override async Task<V1.ListOperatorsResponse> ListOperators(V1.ListOperatorsRequest request, ServerCallContext context)
    {
        var listing = new Listing(ResourceNames.ParentOf(request.Parent), GrainTypes.Operator, "");
        var page = await lister.ListAsync(listing, request.PageSize, request.PageToken, context.CancellationToken);
        var response = new V1.ListOperatorsResponse { NextPageToken = page.NextPageToken };
        response.Operators.AddRange(page.Rows.Select(row => OperatorsMapping.ToApi((OperatorRow)row.Row)));
        return response;
    }

    public override async Task<V1.CreateOperatorResponse> CreateOperator(V1.CreateOperatorRequest request, ServerCallContext context)
    {
        var tenant = ResourceNames.ParentOf(request.Parent);
        var id = ResourceId.TryParse(request.OperatorId, out var parsed) ? parsed : throw new FormatException(request.OperatorId);
        var roles = OperatorRules.Normalize([.. request.Operator.Roles.Select(role => (OperatorRole)role)]);
        var command = new AddOperator(Caller.Of(context).Actor, request.RequestId, roles, request.CertificateRequest);
        var account = Account(await grains.GetOperator(tenant, id).AddAsync(command));
        var serverAuthority = Path.Combine(options.Value.PkiDirectory, ServerAuthorityFile);
        return new V1.CreateOperatorResponse
        {
            Operator = OperatorsMapping.ToApi(account),
            Certificate = account.Certificate.Pem,
            ServerCa = await File.ReadAllTextAsync(serverAuthority, context.CancellationToken),
        };
    }

    public override async Task<V1.Operator> WhoAmI(V1.WhoAmIRequest request, ServerCallContext context)
    {
        var caller = Caller.Of(context);
        return OperatorsMapping.ToApi(Account(await grains.GetOperator(caller.Tenant, caller.Operator).GetAsync()));
    }

    private static OperatorAccount Account(OperatorReply reply) => reply switch
    {
        { Error: { } error } => throw FleetErrors.ToRpcException(error),
        { Account: { } account } => account,
        _ => throw new InvalidOperationException("Neither an operator nor an error."),
    };
}

/// <summary>Operators of the API and of the domain.</summary>
internal static class OperatorsMapping
{
    public const string Collection = "operators";

    public static V1.Operator ToApi(OperatorAccount account) => ToApi(OperatorRow.Of(account));

    public static V1.Operator ToApi(OperatorRow row)
    {
        var api = new V1.Operator { Name = ResourceNames.Of(row.Tenant, Collection, row.Name), Disabled = !row.Enabled };
        api.Roles.AddRange(row.Roles.Select(role => (V1.OperatorRole)role));
        api.CertificateSha256.Add(row.CertificateSha256);
        return api;
    }
}

/// <summary>What requests of the operators service have to look like.</summary>
internal static class OperatorsValidators
{
    private static readonly ImmutableArray<V1.OperatorRole> Roles =
        [.. System.Enum.GetValues<V1.OperatorRole>().Where(role => role != V1.OperatorRole.Unspecified)];

    public static void AddTo(RequestValidators validators) => validators
        .Add<V1.GetOperatorRequest>((request, problems) => problems.OperatorName(request.Name))
        .Add<V1.ListOperatorsRequest>((request, problems) => problems.Page(request.Parent, request.PageSize, request.PageToken))
        .Add<V1.CreateOperatorRequest>(CheckCreate)
        .Add<V1.WhoAmIRequest>((_, _) => { });

    private static void CheckCreate(V1.CreateOperatorRequest request, Problems problems)
    {
        problems.Parent(request.Parent);
        problems.ResourceIdOf("operator_id", request.OperatorId);
        problems.RequestId(request.RequestId);
        problems.Require(
            request.Operator is { Roles: { Count: > 0 } roles } && roles.Count <= Roles.Length && roles.All(Roles.Contains),
            "operator.roles",
            "at least one, of " + string.Join(", ", Roles));
    }
}
