using System.Buffers;
using Muster.Cryptography.Certificates;
using Muster.Domain;
using Muster.Domain.Images;

namespace Muster.Cryptography.Manifests;

/// <summary>Verifies images under the trusted image roots, in one pass over the bytes and with one small buffer.</summary>
public sealed class CmsImageVerifier(TrustStore roots) : IImageVerifier
{
    private const int BufferBytes = 128 * 1024;

    private static readonly Oid CodeSigning = new(CertificateFacts.CodeSigning);

    private readonly TrustStore _roots = roots;

    public ImageVerdict Verify(Stream content, ReadOnlyMemory<byte> signature, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(content);
        if (signature.IsEmpty)
        {
            return ImageVerdict.Refuse(ImageErrors.SignatureMissing());
        }

        if (signature.Length > ImageManifest.SignatureBytesMax)
        {
            return ImageVerdict.Refuse(ImageErrors.SignatureInvalid($"it is longer than {ImageManifest.SignatureBytesMax} bytes"));
        }

        var (cms, fault) = CmsSignature.Read(signature);
        if (cms is null)
        {
            return ImageVerdict.Refuse(fault is null ? ImageErrors.SignatureMissing() : ImageErrors.SignatureInvalid(fault));
        }

        using var certificate = cms.Certificate;
        if (FaultOf(cms, now) is { } refusal)
        {
            return ImageVerdict.Refuse(refusal);
        }

        var (read, digest) = Read(content, cms.Digest);
        if (read is null)
        {
            return ImageVerdict.Refuse(ImageErrors.TooLarge(ImageManifest.SizeBytesMax));
        }

        return cms.Verifies(digest)
            ? new ImageVerdict(
                read,
                new ImageSigner(certificate.Subject, Convert.ToHexStringLower(SHA256.HashData(certificate.RawDataMemory.Span))),
                null)
            : ImageVerdict.Refuse(ImageErrors.SignatureInvalid("it is not over these bytes"), read);
    }

    private FleetError? FaultOf(CmsSignature cms, DateTimeOffset now)
    {
        var certificate = cms.Certificate;
        var chain = _roots.Follow(certificate, cms.Others, now, CodeSigning);
        switch (chain.State)
        {
            case ChainState.Untrusted:
                return ImageErrors.CertificateUntrusted(certificate.Subject);
            case ChainState.Expired:
                return ImageErrors.CertificateExpired(certificate.Subject);
            case ChainState.WrongUsage:
                return ImageErrors.CertificateUsage(certificate.Subject, "code signing is not among its usages, or those above it");
            case ChainState.Trusted:
                break;
            default:
                throw new UnreachableException($"Unknown chain state {chain.State}.");
        }

        // The chain takes an absent extension for "everything"; an image's signer has to say that it signs code.
        if (!CertificateFacts.AllowsUsage(certificate, CertificateFacts.CodeSigning, isRequired: true))
        {
            return ImageErrors.CertificateUsage(certificate.Subject, "its extended key usage does not contain code signing");
        }

        if (!CertificateFacts.AllowsSignatures(certificate))
        {
            return ImageErrors.CertificateUsage(certificate.Subject, "its key usage does not contain digital signature");
        }

        return CertificateFacts.IsAuthority(certificate)
            ? ImageErrors.CertificateUsage(certificate.Subject, "it is a certificate authority's")
            : null;
    }

    private static (ImageContent? Content, byte[] Digest) Read(Stream content, HashAlgorithmName algorithm)
    {
        using var sha256 = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        using var other = algorithm == HashAlgorithmName.SHA256 ? null : IncrementalHash.CreateHash(algorithm);
        var buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
        try
        {
            long size = 0;
            for (var count = content.Read(buffer); count > 0; count = content.Read(buffer))
            {
                size += count;
                if (size > ImageManifest.SizeBytesMax)
                {
                    return (null, []);
                }

                sha256.AppendData(buffer.AsSpan(0, count));
                other?.AppendData(buffer.AsSpan(0, count));
            }

            var digest = sha256.GetHashAndReset();
            return (new ImageContent(ImageDigest.Of(digest), size), other?.GetHashAndReset() ?? digest);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
