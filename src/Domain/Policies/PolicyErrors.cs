namespace Muster.Domain.Policies;

/// <summary>The refusals of policies; their reasons are names of <c>muster.v1.ErrorReason</c>.</summary>
public static class PolicyErrors
{
    public static FleetError NotFound(ResourceId policy) => FleetError.Of(
        ErrorKind.NotFound, "NOT_FOUND", $"There is no policy '{policy}'.", ("policy", policy.Value));

    public static FleetError Exists(ResourceId policy) => FleetError.Of(
        ErrorKind.AlreadyExists, "ALREADY_EXISTS", $"There already is a policy '{policy}'.", ("policy", policy.Value));

    public static FleetError Invalid(string field, string rule) => FleetError.Of(
        ErrorKind.Invalid, "POLICY_INVALID", $"The policy's {field} is not allowed: {rule}.", ("field", field), ("rule", rule));

    public static FleetError LimitReached(string limit) => FleetError.Of(
        ErrorKind.Exhausted, "LIMIT_REACHED", $"The limit is reached: {limit}.", ("limit", limit));
}
