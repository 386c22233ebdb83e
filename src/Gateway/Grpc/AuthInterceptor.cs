using Grpc.Core;
using Muster.Domain;
using Muster.Domain.Operators;

namespace Muster.Gateway.Grpc;

/// <summary>
/// Who calls, and may he? Decided before the request is looked at, so that permission always comes before existence. Calls that
/// did not come by the operators' listener have no certificate and end here.
/// </summary>
internal sealed class AuthInterceptor(OperatorAccounts accounts) : CallInterceptor
{
    protected override async Task AroundAsync(object? request, ServerCallContext context, Func<Task> next)
    {
        if (OperatorTls.PeerOf(context.GetHttpContext()) is not { } certificate)
        {
            throw FleetErrors.ToRpcException(OperatorErrors.Unknown());
        }

        var (caller, error) = await accounts.FindAsync(certificate);
        if (caller is null)
        {
            throw FleetErrors.ToRpcException(error ?? OperatorErrors.Unknown());
        }

        var action = OperatorMethods.Actions.GetValueOrDefault(context.Method);
        if (!OperatorRules.Allows(caller.Roles, action))
        {
            throw FleetErrors.ToRpcException(Denied(caller, context.Method));
        }

        if (caller.Tenant != TenantId.Default && OperatorMethods.InstallationWide.Contains(context.Method))
        {
            throw FleetErrors.ToRpcException(FleetError.Of(
                ErrorKind.Denied,
                "PERMISSION_DENIED",
                $"{context.Method} is work on all tenants, for administrators of the tenant '{TenantId.Default}'.",
                ("operator", caller.Operator.Value),
                ("tenant", caller.Tenant.Value),
                ("method", context.Method)));
        }

        caller.Attach(context);
        await next();
    }

    private static FleetError Denied(Caller caller, string method)
    {
        var roles = string.Join(", ", caller.Roles);
        return FleetError.Of(
            ErrorKind.Denied,
            "PERMISSION_DENIED",
            $"The roles of '{caller.Operator}' ({roles}) do not allow {method}.",
            ("operator", caller.Operator.Value),
            ("roles", roles),
            ("method", method));
    }
}
