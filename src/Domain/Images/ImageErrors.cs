using System.Globalization;

namespace Muster.Domain.Images;

/// <summary>The refusals of images; their reasons are names of <c>muster.v1.ErrorReason</c>.</summary>
public static class ImageErrors
{
    /// <summary>Also why rollouts are halted and offers withdrawn.</summary>
    public const string RevokedReason = "IMAGE_REVOKED";

    public static FleetError NotFound(string digest) => FleetError.Of(
        ErrorKind.NotFound, "IMAGE_NOT_FOUND", $"There is no image '{digest}'.", ("image", digest));

    public static FleetError Exists(ImageDigest digest) => FleetError.Of(
        ErrorKind.AlreadyExists, "ALREADY_EXISTS", $"There already is an image '{digest}'.", ("image", digest.Value));

    public static FleetError FieldInvalid(string field, string rule) => FleetError.Of(
        ErrorKind.Invalid, "REQUEST_INVALID", $"The image's {field} is not allowed: {rule}.", ("field", field), ("rule", rule));

    public static FleetError SignatureMissing() => FleetError.Of(
        ErrorKind.Invalid, "IMAGE_UNSIGNED", "The image has no signature.");

    public static FleetError SignatureInvalid(string cause) => FleetError.Of(
        ErrorKind.Invalid, "IMAGE_SIGNATURE_INVALID", $"The image's signature does not verify: {cause}.", ("cause", cause));

    public static FleetError CertificateExpired(string signer) => FleetError.Of(
        ErrorKind.Invalid,
        "IMAGE_CERTIFICATE_EXPIRED",
        $"The certificate of the image's signer '{signer}', or one above it, is not valid now.",
        ("signer", signer));

    /// <summary>A timestamp says when it was signed, and the certificate was not valid then.</summary>
    public static FleetError CertificateExpiredAt(string signer, DateTimeOffset at) => FleetError.Of(
        ErrorKind.Invalid,
        "IMAGE_CERTIFICATE_EXPIRED",
        string.Create(
            CultureInfo.InvariantCulture,
            $"The certificate of the image's signer '{signer}', or one above it, was not valid at the time of its timestamp, {at:O}."),
        ("signer", signer),
        ("at", at.ToString("O", CultureInfo.InvariantCulture)));

    public static FleetError CertificateUntrusted(string signer) => FleetError.Of(
        ErrorKind.Invalid,
        "IMAGE_CERTIFICATE_UNTRUSTED",
        $"The certificate of the image's signer '{signer}' does not chain to a trusted image root.",
        ("signer", signer));

    public static FleetError CertificateUsage(string signer, string cause) => FleetError.Of(
        ErrorKind.Invalid,
        "IMAGE_CERTIFICATE_USAGE",
        $"The certificate of the image's signer '{signer}' is not for signing images: {cause}.",
        ("signer", signer),
        ("cause", cause));

    public static FleetError TimestampInvalid(string cause) => FleetError.Of(
        ErrorKind.Invalid,
        "IMAGE_TIMESTAMP_INVALID",
        $"The timestamp in the image's signature does not verify: {cause}.",
        ("cause", cause));

    public static FleetError TimestampUntrusted(string authority, string cause) => FleetError.Of(
        ErrorKind.Invalid,
        "IMAGE_TIMESTAMP_UNTRUSTED",
        $"The authority '{authority}' of the timestamp in the image's signature is not trusted: {cause}.",
        ("authority", authority),
        ("cause", cause));

    public static FleetError BundleInvalid(string cause) => FleetError.Of(
        ErrorKind.Invalid, "IMAGE_BUNDLE_INVALID", $"The file is not a RAUC bundle that can be verified: {cause}.", ("cause", cause));

    public static FleetError BundleCorrupt(string cause) => FleetError.Of(
        ErrorKind.Invalid, "IMAGE_BUNDLE_CORRUPT", $"The bundle's bytes are not those that its manifest names: {cause}.", ("cause", cause));

    public static FleetError BundleEncrypted() => FleetError.Of(
        ErrorKind.Invalid,
        "IMAGE_BUNDLE_ENCRYPTED",
        "The bundle is encrypted (format crypt): it cannot be verified without its key. Upload a verity bundle.");

    public static FleetError BundleMismatch(string field, string stated, string found) => FleetError.Of(
        ErrorKind.Invalid,
        "IMAGE_BUNDLE_MISMATCH",
        $"The {field} stated is '{stated}', the file's is '{found}'.",
        ("field", field),
        ("stated", stated),
        ("found", found));

    public static FleetError DigestMismatch(ImageDigest expected, ImageDigest actual) => FleetError.Of(
        ErrorKind.Invalid,
        "IMAGE_DIGEST_MISMATCH",
        $"The bytes have the digest {actual}, not {expected}.",
        ("expected", expected.Value),
        ("actual", actual.Value));

    public static FleetError SizeMismatch(long expected, long actual) => FleetError.Of(
        ErrorKind.Invalid,
        "IMAGE_DIGEST_MISMATCH",
        string.Create(CultureInfo.InvariantCulture, $"The file has {actual} bytes, not {expected}."),
        ("expected", expected.ToString(CultureInfo.InvariantCulture)),
        ("actual", actual.ToString(CultureInfo.InvariantCulture)));

    public static FleetError TooLarge(long bytesMax) => FleetError.Of(
        ErrorKind.Exhausted,
        "IMAGE_TOO_LARGE",
        string.Create(CultureInfo.InvariantCulture, $"The image is larger than {bytesMax} bytes."),
        ("limit", bytesMax.ToString(CultureInfo.InvariantCulture)));

    /// <summary>The upload is not there, or no longer.</summary>
    public static FleetError NotUploaded(ImageDigest digest) => FleetError.Of(
        ErrorKind.Precondition, "IMAGE_NOT_FOUND", $"The bytes of image '{digest}' were not uploaded.", ("image", digest.Value));

    /// <summary>A draft is neither offered nor served.</summary>
    public static FleetError NotPublished(ImageDigest digest) => FleetError.Of(
        ErrorKind.Precondition,
        "IMAGE_NOT_PUBLISHED",
        $"The image '{digest}' is a draft; it has to be published first.",
        ("image", digest.Value));

    public static FleetError Revoked(Image image)
    {
        ArgumentNullException.ThrowIfNull(image);
        var why = image.Revocation is { } revocation ? $" by {revocation.Actor}: {revocation.Reason}" : "";
        return FleetError.Of(
            ErrorKind.Precondition,
            RevokedReason,
            $"The image '{image.Digest}' was revoked{why}.",
            ("image", image.Digest.Value));
    }

    /// <summary>The verb is not possible in this state.</summary>
    public static FleetError WrongState(Image image, string verb)
    {
        ArgumentNullException.ThrowIfNull(image);
        return FleetError.Of(
            ErrorKind.Precondition,
            "IMAGE_STATE_INVALID",
            $"The image '{image.Digest}' is {image.State}; it cannot be {verb}.",
            ("image", image.Digest.Value),
            ("state", image.State.ToString()),
            ("verb", verb));
    }

    /// <summary>The approver has read another statement than the one that is there now.</summary>
    public static FleetError StatementChanged(ImageDigest digest) => FleetError.Of(
        ErrorKind.Precondition,
        "IMAGE_STATEMENT_CHANGED",
        $"The statement of the image '{digest}' is another one now; read it again before approving it.",
        ("image", digest.Value));

    public static FleetError ApproverIsAuthor(ImageDigest digest, string approver) => FleetError.Of(
        ErrorKind.Denied,
        "APPROVER_IS_REQUESTER",
        $"'{approver}' uploaded the image '{digest}' or wrote its statement; somebody else has to approve it.",
        ("approver", approver),
        ("image", digest.Value));

    public static FleetError ApproverRoleMissing(ImageDigest digest, string approver) => FleetError.Of(
        ErrorKind.Denied,
        "APPROVER_ROLE_MISSING",
        $"'{approver}' has not the role approver, which publishing the image '{digest}' needs.",
        ("approver", approver),
        ("image", digest.Value));

    public static FleetError UploadsBusy(int uploadsMax) => FleetError.Of(
        ErrorKind.Exhausted,
        "LIMIT_REACHED",
        string.Create(CultureInfo.InvariantCulture, $"There are {uploadsMax} uploads already; repeat when one has ended."),
        ("limit", uploadsMax.ToString(CultureInfo.InvariantCulture)));

    public static FleetError StageFull(long bytesMax) => FleetError.Of(
        ErrorKind.Exhausted,
        "LIMIT_REACHED",
        string.Create(
            CultureInfo.InvariantCulture,
            $"Uploads that are not registered yet may take {bytesMax} bytes; finish those that are there, or wait until they expire."),
        ("limit", bytesMax.ToString(CultureInfo.InvariantCulture)));

    public static FleetError UploadOffset(long offset, long received) => FleetError.Of(
        ErrorKind.Precondition,
        "UPLOAD_OFFSET_WRONG",
        string.Create(CultureInfo.InvariantCulture, $"The upload is at byte {received}, not at {offset}: go on from there."),
        ("offset", offset.ToString(CultureInfo.InvariantCulture)),
        ("received", received.ToString(CultureInfo.InvariantCulture)));

    public static FleetError UploadBusy() => FleetError.Of(
        ErrorKind.Unavailable, "UPLOAD_BUSY", "Another call adds to this upload, or has not noticed yet that its caller is gone; repeat.");
}
