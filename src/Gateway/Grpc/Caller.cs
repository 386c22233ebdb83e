using System.Collections.Immutable;
using Grpc.Core;
using Muster.Domain;
using Muster.Domain.Operators;

namespace Muster.Gateway.Grpc;

/// <summary>The operator who makes a call, and what he may do.</summary>
internal sealed record Caller(TenantId Tenant, ResourceId Operator, ImmutableArray<OperatorRole> Roles)
{
    public Actor Actor => Actor.Operator(Operator.Value);

    /// <summary>Put there by the authentication; a call without one never reaches a service.</summary>
    public static Caller Of(ServerCallContext context) =>
        context.UserState.TryGetValue(typeof(Caller), out var caller) && caller is Caller found
            ? found
            : throw new InvalidOperationException("The call was not authenticated.");

    public void Attach(ServerCallContext context) => context.UserState[typeof(Caller)] = this;
}
