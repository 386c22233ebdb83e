namespace Muster.Domain.Images;

/// <summary>What the bytes of an image and its signature prove: the digest and the signer, or why they prove nothing.</summary>
/// <param name="Content">What was read; null when nothing was.</param>
/// <param name="Signer">Who signed; null when refused.</param>
/// <param name="Error">The refusal; null when the signature verifies under a trusted root.</param>
public sealed record ImageVerdict(ImageContent? Content, ImageSigner? Signer, FleetError? Error)
{
    /// <summary>The signature does not make the bytes an image.</summary>
    public static ImageVerdict Refuse(FleetError error, ImageContent? content = null) => new(content, null, error);
}

/// <summary>What was read.</summary>
/// <param name="Digest">SHA-256 of all bytes.</param>
/// <param name="SizeBytes">How many there were.</param>
public sealed record ImageContent(ImageDigest Digest, long SizeBytes);

/// <summary>The signer of an image, under a trusted image root.</summary>
/// <param name="Subject">The certificate's subject (RFC 4514), for people.</param>
/// <param name="CertificateSha256">Fingerprint of the certificate's DER form, 64 lower-case hex digits.</param>
[GenerateSerializer, Immutable, Alias("muster.image-signer")]
public sealed record ImageSigner(
    [property: Id(0)] string Subject,
    [property: Id(1)] string CertificateSha256);

/// <summary>
/// Port: verifies an image's detached CMS signature (RFC 5652) under the trusted image roots. It never throws because of what
/// the bytes say.
/// </summary>
public interface IImageVerifier
{
    /// <summary>
    /// Reads the content once, from its position to its end, in bounded memory. The verdict holds at <paramref name="now"/>.
    /// </summary>
    ImageVerdict Verify(Stream content, ReadOnlyMemory<byte> signature, DateTimeOffset now);
}
