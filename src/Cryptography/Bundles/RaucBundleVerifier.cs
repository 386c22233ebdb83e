using System.Buffers.Binary;
using Muster.Cryptography.Certificates;
using Muster.Cryptography.Manifests;
using Muster.Domain;
using Muster.Domain.Images;

namespace Muster.Cryptography.Bundles;

/// <summary>
/// Verifies RAUC bundles of the formats plain and verity under the trusted image roots. The end is read first; then all bytes pass by
/// once, so what is verified is what the digest is of.
/// </summary>
/// <param name="roots">The publishers' roots.</param>
/// <param name="authorities">The roots of authorities for timestamps; with none no timestamp counts.</param>
public sealed class RaucBundleVerifier(TrustStore roots, TrustStore authorities)
{
    /// <summary>A squashfs file system begins with it, and states its own length, 40 bytes behind.</summary>
    private static readonly byte[] SquashfsMagic = "hsqs"u8.ToArray();

    private const int SquashfsHeaderBytes = 96;
    private const int SquashfsLengthAt = 40;

    private readonly ImageSignerTrust _trust = new(roots, authorities);

    /// <summary>The content is seekable; all of it is the bundle, wherever it is positioned.</summary>
    public ImageVerdict Verify(Stream content, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(content);
        if (content.Length > ImageManifest.SizeBytesMax)
        {
            return ImageVerdict.Refuse(ImageErrors.TooLarge(ImageManifest.SizeBytesMax));
        }

        var (trailer, fault) = RaucTrailer.Read(content);
        if (trailer is null)
        {
            return ImageVerdict.Refuse(ImageErrors.BundleInvalid(fault!));
        }

        if (trailer.IsEncrypted)
        {
            return ImageVerdict.Refuse(ImageErrors.BundleEncrypted());
        }

        var (cms, flaw) = CmsSignature.Read(trailer.Message, CmsContent.Any);
        if (cms is null)
        {
            return ImageVerdict.Refuse(flaw is null ? ImageErrors.SignatureMissing() : ImageErrors.SignatureInvalid(flaw));
        }

        using var certificate = cms.Certificate;
        var (refusal, timestamp) = CmsShape.IsExact(trailer.Message, cms)
            ? _trust.Judge(cms, now)
            : (ImageErrors.SignatureInvalid("its message is not encoded as RAUC does (DER, without additions)"), null);
        if (refusal is not null)
        {
            return ImageVerdict.Refuse(refusal);
        }

        content.Position = 0;
        using var reader = new BundleReader(content);
        var (bundle, error) = cms.Content is { } manifest
            ? VerifyVerity(reader, trailer, cms, manifest)
            : VerifyPlain(reader, trailer, cms);
        return bundle is null
            ? ImageVerdict.Refuse(error!)
            : new ImageVerdict(
                new ImageContent(ImageDigest.Of(reader.Complete()), content.Length), ImageSignerTrust.SignerOf(cms), null)
            {
                Bundle = bundle,
                Timestamp = timestamp,
            };
    }

    private static (ImageBundle? Bundle, FleetError? Error) VerifyPlain(BundleReader reader, RaucTrailer trailer, CmsSignature cms)
    {
        using var digest = IncrementalHash.CreateHash(cms.Digest);
        if (CopySquashfs(reader, trailer.PayloadBytes, digest.AppendData) is { } error)
        {
            return (null, error);
        }

        if (!cms.Verifies(digest.GetHashAndReset()))
        {
            return (null, ImageErrors.SignatureInvalid("it is not over these bytes"));
        }

        return EndsWith(reader, trailer) ? (new ImageBundle(ImageFormat.RaucPlain, null, null, []), null) : (null, Changed());
    }

    private static (ImageBundle? Bundle, FleetError? Error) VerifyVerity(
        BundleReader reader, RaucTrailer trailer, CmsSignature cms, byte[] content)
    {
        if (!cms.Verifies(CryptographicOperations.HashData(cms.Digest, content)))
        {
            return (null, ImageErrors.SignatureInvalid("it is not over the bundle's manifest"));
        }

        var (manifest, fault, isEncrypted) = RaucManifest.Read(content);
        if (manifest is null)
        {
            return (null, isEncrypted ? ImageErrors.BundleEncrypted() : ImageErrors.BundleInvalid(fault!));
        }

        var dataBytes = trailer.PayloadBytes - manifest.TreeBytes;
        var dataBlocks = dataBytes / VerityTree.BlockBytes;
        if (dataBytes % VerityTree.BlockBytes != 0 || dataBlocks < 2 || VerityTree.TreeBytesOf(dataBlocks) != manifest.TreeBytes)
        {
            return (null, ImageErrors.BundleCorrupt("their number is not that of a file system and of the tree that its manifest states"));
        }

        using var tree = new VerityTree(manifest.Salt, dataBlocks);
        return VerifyTree(reader, manifest, tree, dataBytes) is { } error ? (null, error)
            : EndsWith(reader, trailer) ? (manifest.Bundle, null)
            : (null, Changed());
    }

    /// <summary>The tree that the data give has the root that is signed, and is the one in the file, which devices read.</summary>
    private static FleetError? VerifyTree(BundleReader reader, RaucManifest manifest, VerityTree tree, long dataBytes)
    {
        if (CopySquashfs(reader, dataBytes, tree.Append) is { } error)
        {
            return error;
        }

        if (!tree.Complete().SequenceEqual(manifest.RootHash))
        {
            return ImageErrors.BundleCorrupt("the file system is another one");
        }

        using var stored = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var (bytes, expected) in tree.LevelBytes.Zip(tree.CompleteLevels()))
        {
            if (!reader.TryRead(bytes, stored.AppendData) || !stored.GetHashAndReset().AsSpan().SequenceEqual(expected))
            {
                return ImageErrors.BundleCorrupt("the hash tree in the file is not that of its file system");
            }
        }

        return null;
    }

    private static FleetError? CopySquashfs(BundleReader reader, long count, BundleReader.Sink sink)
    {
        var isFirst = true;
        var isSquashfs = false;
        var isRead = reader.TryRead(count, bytes =>
        {
            isSquashfs = isFirst ? IsSquashfs(bytes, count) : isSquashfs;
            isFirst = false;
            sink(bytes);
        });
        return !isRead ? Changed()
            : isSquashfs ? null
            : ImageErrors.BundleInvalid("what is before its signature is not a squashfs file system of that length");
    }

    private static bool IsSquashfs(ReadOnlySpan<byte> header, long count) =>
        header.Length >= SquashfsHeaderBytes
        && header.StartsWith(SquashfsMagic)
        && BinaryPrimitives.ReadUInt64LittleEndian(header[SquashfsLengthAt..]) is var length
        && length >= SquashfsHeaderBytes && length <= (ulong)count;

    /// <summary>The end as it was read first: the store may be shared, and its files may change.</summary>
    private static bool EndsWith(BundleReader reader, RaucTrailer trailer)
    {
        var position = 0;
        var isSame = true;
        return reader.TryRead(trailer.Encoded.Length, bytes =>
        {
            isSame &= bytes.SequenceEqual(trailer.Encoded.AsSpan(position, bytes.Length));
            position += bytes.Length;
        }) && isSame;
    }

    private static FleetError Changed() => ImageErrors.BundleCorrupt("they changed while they were read");
}
