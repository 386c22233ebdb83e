using System.Globalization;

namespace Muster.Domain.Images;

/// <summary>The refusals of images; their reasons are names of <c>muster.v1.ErrorReason</c>.</summary>
public static class ImageErrors
{
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

    public static FleetError UploadsBusy(int uploadsMax) => FleetError.Of(
        ErrorKind.Exhausted,
        "LIMIT_REACHED",
        string.Create(CultureInfo.InvariantCulture, $"There are {uploadsMax} uploads already; repeat when one has ended."),
        ("limit", uploadsMax.ToString(CultureInfo.InvariantCulture)));

    public static FleetError ModelNotCompatible(ImageDigest digest, string model) => FleetError.Of(
        ErrorKind.Precondition,
        "MODEL_NOT_COMPATIBLE",
        $"The image '{digest}' is not for the model '{model}'.",
        ("image", digest.Value),
        ("model", model));

    public static FleetError TrackMismatch(ImageTrack track, string deviceTrack) => FleetError.Of(
        ErrorKind.Precondition,
        "TRACK_MISMATCH",
        $"The image is of track '{track}', the device of '{deviceTrack}', and the rollout does not allow to cross.",
        ("image_track", track.Value),
        ("device_track", deviceTrack));
}
