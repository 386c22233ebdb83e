using System.Globalization;

namespace Muster.Domain.Anchors;

/// <summary>The refusals of trust anchors; their reasons are names of <c>muster.v1.ErrorReason</c>.</summary>
public static class AnchorErrors
{
    public static FleetError NotFound(ResourceId anchor) => FleetError.Of(
        ErrorKind.NotFound, "NOT_FOUND", $"There is no anchor '{anchor}'.", ("anchor", anchor.Value));

    public static FleetError CertificateNotFound(ResourceId anchor, string certificate) => FleetError.Of(
        ErrorKind.NotFound,
        "NOT_FOUND",
        $"The anchor '{anchor}' has no certificate {certificate}.",
        ("anchor", anchor.Value),
        ("certificate", certificate));

    /// <summary>The text holds a private key: it was shown to more people than may have it.</summary>
    public static FleetError PrivateKey() => FleetError.Of(
        ErrorKind.Invalid,
        "ANCHOR_PRIVATE_KEY",
        "The PEM holds a private key. A maker's key has no business here: send certificates only, and think of the key as known.");

    public static FleetError Invalid(string field, string rule) => FleetError.Of(
        ErrorKind.Invalid, "ANCHOR_INVALID", $"The anchor's {field} cannot be taken: {rule}.", ("field", field), ("rule", rule));

    /// <summary>One certificate of a bundle is not one that trust may rest on.</summary>
    public static FleetError CertificateInvalid(int position, string subject, string cause) => FleetError.Of(
        ErrorKind.Invalid,
        "ANCHOR_CERTIFICATE_INVALID",
        $"Certificate {position} of the PEM ('{subject}') cannot be an anchor: {cause}.",
        ("position", position.ToString(CultureInfo.InvariantCulture)),
        ("subject", subject),
        ("cause", cause));

    /// <summary>The same id is an anchor that may speak for something else.</summary>
    public static FleetError Exists(AnchorSpec existing) => FleetError.Of(
        ErrorKind.AlreadyExists,
        "ALREADY_EXISTS",
        $"There already is an anchor '{existing.Id}' with the profile '{AnchorProfiles.NameOf(existing.Profile)}' and the serials "
        + $"'{Shown(existing)}'. Give the same to add certificates to it, or remove it first.",
        ("anchor", existing.Id.Value),
        ("profile", AnchorProfiles.NameOf(existing.Profile)),
        ("serials", Shown(existing)));

    /// <summary>Two anchors would speak for the same serials.</summary>
    public static FleetError SerialsTaken(string serials, string holder) => FleetError.Of(
        ErrorKind.Precondition,
        "ANCHOR_SERIALS_TAKEN",
        $"The serials '{serials}' are spoken for by '{holder}', and a serial is never served by two. State the beginnings of this "
        + "maker's serials, or add the certificates to that anchor.",
        ("serials", serials),
        ("anchor", holder));

    /// <summary>The same authority stands in another anchor.</summary>
    public static FleetError CertificateTaken(string subject, ResourceId holder) => FleetError.Of(
        ErrorKind.Precondition,
        "ANCHOR_CERTIFICATE_TAKEN",
        $"The authority '{subject}' is in the anchor '{holder}' already, and one speaks for one maker only.",
        ("subject", subject),
        ("anchor", holder.Value));

    /// <summary>An intermediate without the root above it.</summary>
    public static FleetError RootMissing(string subject) => FleetError.Of(
        ErrorKind.Precondition,
        "ANCHOR_ROOT_MISSING",
        $"'{subject}' is an intermediate, and no root of this anchor stands above it. Send root and intermediates in one PEM; to remove, "
        + "remove what stands under a root before the root.",
        ("subject", subject));

    public static FleetError LimitReached(string limit) => FleetError.Of(
        ErrorKind.Exhausted, "LIMIT_REACHED", $"The limit is reached: {limit}.", ("limit", limit));

    private static string Shown(AnchorSpec spec) => spec.SerialPrefixes.IsEmpty ? "all others" : string.Join(", ", spec.SerialPrefixes);
}
