namespace Muster.Domain.Anchors;

/// <summary>Port: reads and judges the certificates of anchors. It knows certificates and no tenant.</summary>
public interface IAnchorCertificateReader
{
    /// <summary>
    /// The certificates of a PEM text, each once, in order. Each is a CA's, has a strong key and a SHA-2 signature, has not ended at
    /// <paramref name="now"/>, and its names are those of the profile. A text with a private key is refused as a whole.
    /// </summary>
    (ImmutableArray<AnchorCertificate> Certificates, FleetError? Error) Read(string pem, AnchorProfile profile, DateTimeOffset now);

    /// <summary>The first intermediate that no chain of these certificates leads from to one of their roots; null for none.</summary>
    AnchorCertificate? FindLoose(ImmutableArray<AnchorCertificate> certificates);
}
