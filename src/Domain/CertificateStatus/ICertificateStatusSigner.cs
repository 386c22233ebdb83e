using Muster.Domain.Identity;

namespace Muster.Domain.CertificateStatus;

/// <summary>Signs what is said of certificates in the fleet CAs' name: revocation lists and OCSP answers.</summary>
public interface ICertificateStatusSigner
{
    /// <summary>The fleet's CAs whose keys are here, newest first.</summary>
    ImmutableArray<int> Generations { get; }

    /// <summary>The list (RFC 5280), DER.</summary>
    ImmutableArray<byte> SignList(RevocationList list);

    /// <summary>
    /// Answers an OCSP request (RFC 6960). A serial number that no fleet CA chose is unknown, one that <paramref name="find"/> knows is
    /// revoked, others are good.
    /// </summary>
    /// <param name="request">OCSPRequest, DER; whatever was sent.</param>
    /// <param name="find">The revocation in force of a generation's certificate, or null.</param>
    /// <param name="thisUpdate">When what <paramref name="find"/> says was true.</param>
    /// <param name="now">Now.</param>
    OcspAnswer Answer(
        ReadOnlySpan<byte> request,
        Func<int, CertificateSerial, RevokedCertificate?> find,
        DateTimeOffset thisUpdate,
        DateTimeOffset now);
}

/// <summary>An OCSP answer.</summary>
/// <param name="Der">OCSPResponse, DER.</param>
/// <param name="NextUpdate">Until when it may be given to others who ask the same; null when it may not (a nonce, an error).</param>
public sealed record OcspAnswer(ImmutableArray<byte> Der, DateTimeOffset? NextUpdate);

/// <summary>OCSP answers that say nothing of a certificate; they are not signed (RFC 6960 2.3).</summary>
public static class OcspErrors
{
    public static OcspAnswer MalformedRequest { get; } = Of(1);

    public static OcspAnswer TryLater { get; } = Of(3);

    /// <summary>Another CA's certificate (RFC 5019 2.2.3).</summary>
    public static OcspAnswer Unauthorized { get; } = Of(6);

    private static OcspAnswer Of(byte status) => new([0x30, 0x03, 0x0A, 0x01, status], null);
}
