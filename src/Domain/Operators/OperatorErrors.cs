using System.Globalization;

namespace Muster.Domain.Operators;

/// <summary>The refusals of operators; their reasons are names of <c>muster.v1.ErrorReason</c>.</summary>
public static class OperatorErrors
{
    public static FleetError NotFound(ResourceId operatorId) => FleetError.Of(
        ErrorKind.NotFound, "NOT_FOUND", $"There is no operator '{operatorId}'.", ("operator", operatorId.Value));

    public static FleetError Exists(ResourceId operatorId) => FleetError.Of(
        ErrorKind.AlreadyExists, "ALREADY_EXISTS", $"There already is an operator '{operatorId}'.", ("operator", operatorId.Value));

    public static FleetError SigningRequestTooLarge() => FleetError.Of(
        ErrorKind.Invalid,
        "SIGNING_REQUEST_INVALID",
        string.Create(CultureInfo.InvariantCulture, $"A signing request has 1 to {OperatorAccount.SigningRequestLengthMax} characters."),
        ("limit", OperatorAccount.SigningRequestLengthMax.ToString(CultureInfo.InvariantCulture)));

    public static FleetError RolesInvalid() => FleetError.Of(
        ErrorKind.Invalid, "REQUEST_INVALID", "An operator has at least one role, each once, of the known ones.", ("roles", ""));

    /// <summary>The edge answers UNAUTHENTICATED. It does not say whether name, certificate or account is the problem.</summary>
    public static FleetError Unknown() =>
        FleetError.Of(ErrorKind.Denied, "OPERATOR_UNKNOWN", "The certificate belongs to no operator who may call.");

    public static FleetError NotYourself(ResourceId operatorId) => FleetError.Of(
        ErrorKind.Denied,
        "PERMISSION_DENIED",
        $"'{operatorId}' cannot disable itself: the last administrator would be lost.",
        ("operator", operatorId.Value));
}
