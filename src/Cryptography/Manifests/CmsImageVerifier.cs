using System.Buffers;
using Muster.Cryptography.Certificates;
using Muster.Domain.Images;

namespace Muster.Cryptography.Manifests;

/// <summary>
/// Verifies files with a detached signature under the trusted image roots, in one pass over the bytes and with one small buffer.
/// </summary>
/// <param name="roots">The publishers' roots.</param>
/// <param name="authorities">The roots of authorities for timestamps; null when no timestamp counts.</param>
public sealed class CmsImageVerifier(TrustStore roots, TrustStore? authorities = null)
{
    private const int BufferBytes = 128 * 1024;

    private readonly ImageSignerTrust _trust = new(roots, authorities ?? new TrustStore([]));

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

        var (cms, fault) = CmsSignature.Read(signature, CmsContent.Detached);
        if (cms is null)
        {
            return ImageVerdict.Refuse(fault is null ? ImageErrors.SignatureMissing() : ImageErrors.SignatureInvalid(fault));
        }

        using var certificate = cms.Certificate;
        var (refusal, timestamp) = _trust.Judge(cms, now);
        if (refusal is not null)
        {
            return ImageVerdict.Refuse(refusal);
        }

        var (read, digest) = Read(content, cms.Digest);
        if (read is null)
        {
            return ImageVerdict.Refuse(ImageErrors.TooLarge(ImageManifest.SizeBytesMax));
        }

        return cms.Verifies(digest)
            ? new ImageVerdict(read, ImageSignerTrust.SignerOf(cms), null) { Timestamp = timestamp }
            : ImageVerdict.Refuse(ImageErrors.SignatureInvalid("it is not over these bytes"), read);
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
