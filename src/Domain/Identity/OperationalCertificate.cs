namespace Muster.Domain.Identity;

/// <summary>
/// A certificate that the fleet CA issued to a device (LDevID), as the device's record keeps it: enough to make it again.
/// </summary>
[GenerateSerializer, Immutable, Alias("muster.operational-certificate")]
public sealed record OperationalCertificate
{
    // Ticks of UTC take half of what an instant with an offset does, in every device. Only the serializer and this file set them.
    private long _notBefore;
    private long _notAfter;
    private long _replacedUntil;

    /// <param name="serial">See <see cref="Serial"/>.</param>
    /// <param name="generation">See <see cref="Generation"/>.</param>
    /// <param name="certificate">See <see cref="Certificate"/>.</param>
    /// <param name="key">See <see cref="Key"/>.</param>
    /// <param name="notBefore">See <see cref="NotBefore"/>.</param>
    /// <param name="notAfter">See <see cref="NotAfter"/>.</param>
    public OperationalCertificate(
        CertificateSerial serial,
        int generation,
        Sha256Hash certificate,
        Sha256Hash key,
        DateTimeOffset notBefore,
        DateTimeOffset notAfter)
    {
        (Serial, Generation, Certificate, Key) = (serial, generation, certificate, key);
        (NotBefore, NotAfter) = (notBefore, notAfter);
    }

    /// <summary>Its serial number.</summary>
    [Id(0)] public CertificateSerial Serial { get; init; }

    /// <summary>Which of the fleet's CAs signed it.</summary>
    [Id(1)] public int Generation { get; init; }

    /// <summary>Fingerprint of its DER form.</summary>
    [Id(2)] public Sha256Hash Certificate { get; init; }

    /// <summary>Hash of its SubjectPublicKeyInfo.</summary>
    [Id(3)] public Sha256Hash Key { get; init; }

    /// <summary>Whole seconds of UTC, as in the certificate.</summary>
    [Id(4)] public DateTimeOffset NotBefore
    {
        get => new(_notBefore, TimeSpan.Zero);
        internal set => _notBefore = value.UtcTicks;
    }

    /// <summary>Whole seconds of UTC, as in the certificate.</summary>
    [Id(5)] public DateTimeOffset NotAfter
    {
        get => new(_notAfter, TimeSpan.Zero);
        internal set => _notAfter = value.UtcTicks;
    }

    /// <summary>From when another took its place: the end of the overlap; null for the device's current one.</summary>
    [Id(6)] public DateTimeOffset? ReplacedUntil
    {
        get => _replacedUntil == 0 ? null : new DateTimeOffset(_replacedUntil, TimeSpan.Zero);
        internal set => _replacedUntil = value?.UtcTicks ?? 0;
    }

    /// <summary>
    /// The CA's signature (base64), when its key is in a module that draws another one each time: with it the certificate can be made
    /// again. Null for a CA whose key is in a file.
    /// </summary>
    [Id(7)] public string? Signature { get; init; }

    /// <summary>Another takes its place; until then both are good.</summary>
    public OperationalCertificate ReplacedWithOverlap(DateTimeOffset until) => this with { ReplacedUntil = until };

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
