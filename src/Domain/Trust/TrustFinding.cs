namespace Muster.Domain.Trust;

/// <summary>What a hello of an enrolled device shows that should not be.</summary>
public enum TrustFindingKind
{
    /// <summary>Never stored.</summary>
    Unspecified = 0,

    /// <summary>The device does not claim an unbroken secure boot, without which it would not have been enrolled.</summary>
    SecureBootLost = 1,

    /// <summary>The digest of the running image is not that of a published image: the catalogue holds signed ones only.</summary>
    ImageUnknown = 2,

    /// <summary>The running OS is below the floor on record.</summary>
    OsBelowFloor = 3,

    /// <summary>A certificate lets the device run one special image of its maker that is not for production.</summary>
    CustomFirmwareCertificate = 4,

    /// <summary>The hello leaves out the digest of the running image, where only known ones are to run.</summary>
    ImageUnnamed = 5,
}

/// <summary>A finding beside the device's state: it stays until a hello does not show it any more.</summary>
/// <param name="Kind">What was found.</param>
/// <param name="Since">The first hello of an unbroken row that showed it.</param>
/// <param name="IsAccepted">An operator released the device with it: it quarantines again only when it was gone in between.</param>
[GenerateSerializer, Immutable, Alias("muster.trust-finding")]
public sealed record TrustFinding(
    [property: Id(0)] TrustFindingKind Kind,
    [property: Id(1)] DateTimeOffset Since,
    [property: Id(2)] bool IsAccepted);

/// <summary>Who set a device apart, and why; on record while it is quarantined.</summary>
/// <param name="By">An operator, or a rule such as <c>rule/trust.SecureBootLost</c>.</param>
/// <param name="Cause">In words, 1 to 200 characters.</param>
/// <param name="At">When.</param>
[GenerateSerializer, Immutable, Alias("muster.quarantine-order")]
public sealed record QuarantineOrder(
    [property: Id(0)] Actor By,
    [property: Id(1)] string Cause,
    [property: Id(2)] DateTimeOffset At);

/// <summary>What the catalogue says of the image that a hello names.</summary>
public enum ImageKnowledge
{
    /// <summary>The hello names no digest, or nobody asked.</summary>
    Unspecified = 0,

    /// <summary>A published image: its signature was verified.</summary>
    Published = 1,

    /// <summary>No published image has this digest.</summary>
    Unknown = 2,
}

/// <summary>What a hello is judged by.</summary>
/// <param name="Rules">The tenant's.</param>
/// <param name="Image">What is known of the image that it names.</param>
public sealed record TrustBasis(TrustRules Rules, ImageKnowledge Image);
