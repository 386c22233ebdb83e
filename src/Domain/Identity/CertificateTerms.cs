namespace Muster.Domain.Identity;

/// <summary>How long certificates of the fleet CA live.</summary>
public static class CertificateTerms
{
    /// <summary>A device that is thrown out is out by its tombstone at once; for others, who only look at the end, within this.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromDays(30);

    /// <summary>
    /// The lifetime is shorter by up to this share, drawn from the serial number: a fleet that was enrolled in an hour does not renew in
    /// one.
    /// </summary>
    public const int JitterPercent = 10;

    /// <summary>
    /// Two keys of one device are good at the same time for this long: a weekend, for a device that was cut off after it got its new one.
    /// </summary>
    public static readonly TimeSpan Overlap = TimeSpan.FromDays(3);

    /// <summary>Clocks of devices may be behind by some minutes.</summary>
    public static readonly TimeSpan Backdating = TimeSpan.FromMinutes(5);

    /// <summary>A first certificate is issued on a hello that is not older than this.</summary>
    public const int HelloMinutesMax = 15;

    /// <summary><see cref="HelloMinutesMax"/>.</summary>
    public static readonly TimeSpan HelloAgeMax = TimeSpan.FromMinutes(HelloMinutesMax);

    private const int Steps = 1000;

    /// <summary>
    /// From when to when a certificate with this serial number is valid that is issued now; not longer than the CA that signs it.
    /// </summary>
    public static (DateTimeOffset NotBefore, DateTimeOffset NotAfter) ValidityOf(
        CertificateSerial serial, DateTimeOffset authorityEnds, DateTimeOffset now)
    {
        // Certificates know whole seconds only.
        var second = new DateTimeOffset(now.UtcTicks - (now.UtcTicks % TimeSpan.TicksPerSecond), TimeSpan.Zero);
        var jitter = (long)Lifetime.TotalSeconds * JitterPercent / 100 * (long)(serial.Low % Steps) / Steps;
        var end = second + Lifetime - TimeSpan.FromSeconds(jitter);
        return (second - Backdating, end < authorityEnds ? end : authorityEnds);
    }

    /// <summary>From two thirds of its life on it is renewed; before, the same request is answered with the same certificate.</summary>
    public static DateTimeOffset RenewFrom(OperationalCertificate certificate)
    {
        ArgumentNullException.ThrowIfNull(certificate);
        return certificate.NotBefore + ((certificate.NotAfter - certificate.NotBefore) * 2 / 3);
    }
}
