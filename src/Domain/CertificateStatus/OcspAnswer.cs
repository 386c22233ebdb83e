namespace Muster.Domain.CertificateStatus;

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
