namespace Muster.Domain.Images;

/// <summary>What the bytes of an image and its signature prove: the digest and the signer, or why they prove nothing.</summary>
/// <param name="Content">What was read; null when nothing was.</param>
/// <param name="Signer">Who signed; null when refused.</param>
/// <param name="Error">The refusal; null when the signature verifies under a trusted root.</param>
public sealed record ImageVerdict(ImageContent? Content, ImageSigner? Signer, FleetError? Error)
{
    /// <summary>What a bundle holds; null for other formats, and when refused.</summary>
    public ImageBundle? Bundle { get; init; }

    /// <summary>The timestamp that the verdict rests on; null without one.</summary>
    public ImageTimestamp? Timestamp { get; init; }

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

/// <summary>When an image was signed at the latest, as a trusted authority for timestamps states (RFC 3161).</summary>
/// <param name="At">The instant of the token.</param>
/// <param name="Authority">The subject of the authority's certificate (RFC 4514), for people.</param>
[GenerateSerializer, Immutable, Alias("muster.image-timestamp")]
public sealed record ImageTimestamp(
    [property: Id(0)] DateTimeOffset At,
    [property: Id(1)] string Authority);

/// <summary>
/// Port: verifies an image's CMS signature (RFC 5652) under the trusted image roots. It never throws because of what the bytes say.
/// </summary>
public interface IImageVerifier
{
    /// <summary>
    /// Reads the content in one pass and in bounded memory; a bundle's end is read before, so its content has to be seekable. The
    /// signature is empty for a bundle, and which of the bundles it is the verdict says. The verdict holds at <paramref name="now"/>.
    /// </summary>
    ImageVerdict Verify(Stream content, ImageFormat format, ReadOnlyMemory<byte> signature, DateTimeOffset now);
}
