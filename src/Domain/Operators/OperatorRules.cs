namespace Muster.Domain.Operators;

/// <summary>Decides who is an operator and what roles allow.</summary>
public static class OperatorRules
{
    /// <summary>
    /// May an operator with these roles make calls of this class? An approver only reads and approves, and nobody else approves:
    /// so that a request and its approval are always two decisions.
    /// </summary>
    public static bool Allows(ImmutableArray<OperatorRole> roles, OperatorAction action) => action switch
    {
        OperatorAction.Read => !roles.IsDefaultOrEmpty,
        OperatorAction.Operate => roles.Contains(OperatorRole.Operator) || roles.Contains(OperatorRole.Administrator),
        OperatorAction.Approve => roles.Contains(OperatorRole.Approver),
        OperatorAction.Administer => roles.Contains(OperatorRole.Administrator),
        OperatorAction.Unspecified => false,
        _ => throw new UnreachableException($"Unknown action {action}."),
    };

    /// <summary>A request larger than any real one is not even parsed; null when it may be.</summary>
    public static FleetError? CheckSigningRequest(string signingRequest)
    {
        ArgumentNullException.ThrowIfNull(signingRequest);
        return signingRequest.Length is 0 or > OperatorAccount.SigningRequestLengthMax ? OperatorErrors.SigningRequestTooLarge() : null;
    }

    /// <summary>Adds an operator. The same request again gives the same answer, the certificate included.</summary>
    public static Decision<OperatorAccount?> Add(OperatorAccount? current, OperatorAccount added)
    {
        ArgumentNullException.ThrowIfNull(added);
        if (current is not null)
        {
            if (added.RequestId.Length == 0 || current.RequestId != added.RequestId)
            {
                return Decision.Refuse<OperatorAccount?>(current, OperatorErrors.Exists(added.Id));
            }

            return current.SigningRequestSha256 == added.SigningRequestSha256 && current.Roles.SequenceEqual(added.Roles)
                ? Decision.Unchanged<OperatorAccount?>(current)
                : Decision.Refuse<OperatorAccount?>(current, RequestErrors.IdReused(added.RequestId));
        }

        return AreValid(added.Roles)
            ? Decision.Accept<OperatorAccount?>(added, new OperatorAdded(added.Id, added.Roles, added.Certificate.CertificateSha256))
            : Decision.Refuse(current, OperatorErrors.RolesInvalid());
    }

    /// <summary>Nobody disables himself; twice is not an error.</summary>
    public static Decision<OperatorAccount> Disable(OperatorAccount current, Actor actor)
    {
        ArgumentNullException.ThrowIfNull(current);
        if (!current.Enabled)
        {
            return Decision.Unchanged(current);
        }

        return actor == Actor.Operator(current.Id.Value)
            ? Decision.Refuse(current, OperatorErrors.NotYourself(current.Id))
            : Decision.Accept(current with { Enabled = false }, new OperatorDisabled(current.Id));
    }

    /// <summary>Does the certificate belong to the operator, and may he call now? Null when he may.</summary>
    public static FleetError? Authenticate(OperatorAccount? current, string certificateSha256, DateTimeOffset now) =>
        current is { Enabled: true }
        && string.Equals(current.Certificate.CertificateSha256, certificateSha256, StringComparison.Ordinal)
        && now < current.Certificate.NotAfter
            ? null
            : OperatorErrors.Unknown();

    /// <summary>Known roles in the enum's order, each once.</summary>
    public static ImmutableArray<OperatorRole> Normalize(ImmutableArray<OperatorRole> roles) =>
        roles.IsDefaultOrEmpty ? [] : [.. roles.Distinct().Order()];

    private static bool AreValid(ImmutableArray<OperatorRole> roles) =>
        !roles.IsDefaultOrEmpty && roles.All(role => role != OperatorRole.Unspecified && Enum.IsDefined(role));
}
