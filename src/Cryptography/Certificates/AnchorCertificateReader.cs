using Muster.Domain;
using Muster.Domain.Anchors;
using Muster.Domain.Identity;

namespace Muster.Cryptography.Certificates;

/// <summary>Reads the PEM bundles that operators send, and judges each certificate as an authority of devices.</summary>
public sealed class AnchorCertificateReader : IAnchorCertificateReader
{
    private const string CertificateLabel = "CERTIFICATE";

    private const string PrivateKeyMark = "PRIVATE KEY-----";

    public (ImmutableArray<AnchorCertificate> Certificates, FleetError? Error) Read(string pem, AnchorProfile profile, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(pem);
        if (pem.Length > AnchorRules.PemLengthMax)
        {
            return ([], AnchorErrors.Invalid("pem", $"it is longer than {AnchorRules.PemLengthMax} characters"));
        }

        // Looked for in the text, so that a key in a broken block is found as well.
        if (pem.Contains(PrivateKeyMark, StringComparison.OrdinalIgnoreCase))
        {
            return ([], AnchorErrors.PrivateKey());
        }

        var found = ImmutableArray.CreateBuilder<AnchorCertificate>();
        var rest = pem.AsSpan();
        for (var position = 1; PemEncoding.TryFind(rest, out var block); position++)
        {
            if (position > AnchorRules.CertificatesMax)
            {
                return ([], AnchorErrors.Invalid("pem", $"it has more than {AnchorRules.CertificatesMax} certificates"));
            }

            var (certificate, error) = ReadBlock(rest, block, position, profile, now);
            if (certificate is null)
            {
                return ([], error);
            }

            if (found.All(other => other.Sha256 != certificate.Sha256))
            {
                found.Add(certificate);
            }

            rest = rest[block.Location.End..];
        }

        // What does not parse as a block is passed over; a half of a bundle is not taken for the whole.
        return rest.Contains("-----BEGIN", StringComparison.Ordinal) || found.Count == 0
            ? ([], AnchorErrors.Invalid("pem", found.Count == 0 ? "it holds no certificate" : "a block of it cannot be read"))
            : (found.ToImmutable(), null);
    }

    public AnchorCertificate? FindLoose(ImmutableArray<AnchorCertificate> certificates)
    {
        var loaded = certificates.Select(one => X509CertificateLoader.LoadCertificate(one.Der.AsSpan())).ToArray();
        try
        {
            var store = new TrustStore(loaded);
            for (var i = 0; i < loaded.Length; i++)
            {
                // One that has not begun, or whose root ended, stands under it all the same.
                if (!certificates[i].IsRoot
                    && store.Follow(loaded[i], null, new DateTimeOffset(loaded[i].NotBefore)).State
                        is not (ChainState.Trusted or ChainState.Expired))
                {
                    return certificates[i];
                }
            }

            return null;
        }
        finally
        {
            Array.ForEach(loaded, one => one.Dispose());
        }
    }

    private static (AnchorCertificate? Certificate, FleetError? Error) ReadBlock(
        ReadOnlySpan<char> pem, PemFields block, int position, AnchorProfile profile, DateTimeOffset now)
    {
        var label = pem[block.Label];
        if (!label.SequenceEqual(CertificateLabel))
        {
            return (null, AnchorErrors.Invalid("pem", $"it holds a block that is no certificate, number {position}"));
        }

        X509Certificate2 certificate;
        try
        {
            certificate = X509CertificateLoader.LoadCertificate(Convert.FromBase64String(pem[block.Base64Data].ToString()));
        }
        catch (Exception fault) when (fault is CryptographicException or FormatException)
        {
            return (null, AnchorErrors.CertificateInvalid(position, "", "it cannot be read"));
        }

        using (certificate)
        {
            var isRoot = TrustStore.IsRoot(certificate);
            var subject = ShownSubject(certificate);
            var fault = FaultOf(certificate, now) ?? DeviceProfile.Of(profile).FaultOfAuthority(certificate, isRoot);
            return fault is null
                ? (Describe(certificate, isRoot, subject), null)
                : (null, AnchorErrors.CertificateInvalid(position, subject, fault));
        }
    }

    private static string? FaultOf(X509Certificate2 certificate, DateTimeOffset now)
    {
        if (certificate.RawDataMemory.Length > AnchorRules.CertificateBytesMax)
        {
            return $"it has more than {AnchorRules.CertificateBytesMax} bytes";
        }

        if (!CertificateFacts.IsAuthority(certificate))
        {
            return "it is not a certificate authority's (basic constraints)";
        }

        if (!CertificateFacts.AllowsSigningCertificates(certificate))
        {
            return "its key usage does not contain certificate signing";
        }

        if (!CertificateFacts.HasStrongKey(certificate.PublicKey))
        {
            return "its key is neither RSA 2048 to 4096 nor P-256, P-384, P-521";
        }

        if (!CertificateFacts.HasStrongSignature(certificate))
        {
            return "it is not signed with SHA-2";
        }

        return CertificateFacts.EndOf(certificate) is { } end && end <= now
            ? FormattableString.Invariant($"it ended on {end:yyyy-MM-dd}")
            : null;
    }

    private static AnchorCertificate Describe(X509Certificate2 certificate, bool isRoot, string subject) => new(
        Sha256Hash.Of(SHA256.HashData(certificate.RawDataMemory.Span)),
        Sha256Hash.Of(SHA256.HashData(CertificateFacts.Canonical(certificate.PublicKey))),
        isRoot,
        subject,
        CertificateFacts.EndOf(certificate),
        [.. certificate.RawDataMemory.Span]);

    /// <summary>Shown in terminals: one line, not longer than names are.</summary>
    private static string ShownSubject(X509Certificate2 certificate)
    {
        var text = string.Concat(certificate.Subject.Select(c => char.IsControl(c) ? ' ' : c));
        return text.Length <= AnchorRules.SubjectLengthMax ? text : text[..AnchorRules.SubjectLengthMax];
    }
}
