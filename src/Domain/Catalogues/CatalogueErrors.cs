using System.Globalization;
using Muster.Domain.Images;

namespace Muster.Domain.Catalogues;

/// <summary>The refusals of catalogues; their reasons are names of <c>muster.v1.ErrorReason</c>.</summary>
public static class CatalogueErrors
{
    public static FleetError NotFound() => FleetError.Of(ErrorKind.NotFound, "NOT_FOUND", "No catalogue was imported yet.");

    /// <summary>The document cannot be read, or says what cannot be.</summary>
    public static FleetError Invalid(string cause) => FleetError.Of(
        ErrorKind.Invalid, "CATALOGUE_INVALID", $"The document is not a catalogue: {cause}.", ("cause", cause));

    /// <summary>The verifier's refusal names the reason that it has for images.</summary>
    public static FleetError Unverified(FleetError cause)
    {
        ArgumentNullException.ThrowIfNull(cause);
        return FleetError.Of(
            ErrorKind.Invalid,
            "CATALOGUE_SIGNATURE_INVALID",
            $"The catalogue is not signed as images are ({cause.Reason}): {cause.Message}",
            ("cause", cause.Reason));
    }

    /// <summary>An older catalogue, or another one of the same version.</summary>
    public static FleetError RolledBack(long known, long offered) => FleetError.Of(
        ErrorKind.Precondition,
        "CATALOGUE_ROLLED_BACK",
        string.Create(CultureInfo.InvariantCulture, $"The catalogue has version {offered}; version {known} is known already."),
        ("known", known.ToString(CultureInfo.InvariantCulture)),
        ("offered", offered.ToString(CultureInfo.InvariantCulture)));

    public static FleetError Expired(long version, DateTimeOffset expiresAt) => FleetError.Of(
        ErrorKind.Precondition,
        "CATALOGUE_EXPIRED",
        string.Create(CultureInfo.InvariantCulture, $"Catalogue {version} expired at {expiresAt:u}; import a newer one."),
        ("version", version.ToString(CultureInfo.InvariantCulture)),
        ("expired_at", expiresAt.ToString("O", CultureInfo.InvariantCulture)));

    public static FleetError Contradicted(ImageDigest digest, string field, long version) => FleetError.Of(
        ErrorKind.Precondition,
        "CATALOGUE_CONTRADICTED",
        string.Create(
            CultureInfo.InvariantCulture, $"The {field} stated of the image '{digest}' is not what catalogue {version} says."),
        ("image", digest.Value),
        ("field", field),
        ("version", version.ToString(CultureInfo.InvariantCulture)));

    public static FleetError NotListed(ImageDigest digest) => FleetError.Of(
        ErrorKind.Precondition,
        "IMAGE_NOT_IN_CATALOGUE",
        $"The image '{digest}' is not in the catalogue, and only such images are published here.",
        ("image", digest.Value));
}
