namespace Muster.Domain.Identity;

/// <summary>
/// A certificate that the fleet CA issued to a device (LDevID), as the device's record keeps it: enough to make it again.
/// </summary>
/// <param name="Serial">Its serial number.</param>
/// <param name="Generation">Which of the fleet's CAs signed it.</param>
/// <param name="Certificate">Fingerprint of its DER form.</param>
/// <param name="Key">Hash of its SubjectPublicKeyInfo.</param>
/// <param name="NotBefore">Whole seconds, as in the certificate.</param>
/// <param name="NotAfter">Whole seconds, as in the certificate.</param>
[GenerateSerializer, Immutable, Alias("muster.operational-certificate")]
public sealed record OperationalCertificate(
    [property: Id(0)] CertificateSerial Serial,
    [property: Id(1)] int Generation,
    [property: Id(2)] Sha256Hash Certificate,
    [property: Id(3)] Sha256Hash Key,
    [property: Id(4)] DateTimeOffset NotBefore,
    [property: Id(5)] DateTimeOffset NotAfter)
{
    /// <summary>From when another took its place: the end of the overlap; null for the device's current one.</summary>
    [Id(6)] public DateTimeOffset? ReplacedUntil { get; init; }

    /// <summary>When it stops opening doors: its own end, or that of the overlap.</summary>
    public DateTimeOffset AcceptedUntil => ReplacedUntil is { } until && until < NotAfter ? until : NotAfter;
}

/// <summary>Why a certificate was revoked before its end.</summary>
public enum RevocationCause
{
    /// <summary>Never stored.</summary>
    Unspecified = 0,

    /// <summary>The device has a newer one, and the overlap is over.</summary>
    Superseded = 1,

    /// <summary>The device is a tombstone.</summary>
    Decommissioned = 2,
}

/// <summary>A certificate that must not be accepted although it has not ended.</summary>
[GenerateSerializer, Immutable, Alias("muster.revoked-certificate")]
public sealed record RevokedCertificate(
    [property: Id(0)] CertificateSerial Serial,
    [property: Id(1)] int Generation,
    [property: Id(2)] RevocationCause Cause,
    [property: Id(3)] DateTimeOffset RevokedAt,
    [property: Id(4)] DateTimeOffset NotAfter);

/// <summary>The last hello that was taken, as evidence for the fleet CA.</summary>
[GenerateSerializer, Immutable, Alias("muster.hello-evidence")]
public readonly record struct HelloEvidence([property: Id(0)] DateTimeOffset At, [property: Id(1)] IdentityKind By);
