using System.Buffers;
using System.Globalization;
using System.Security.Cryptography;
using Muster.Domain.Images;

namespace Muster.Artifacts;

/// <summary>
/// Uploads that arrive in several calls, in a bucket: one object for each piece that came, <c>uploads/TENANT.DIGEST.SIZE.upload/OFFSET</c>.
/// They are all that is known of the upload; with the last byte they are read once and put together.
/// </summary>
internal sealed class S3Uploads(S3Objects objects)
{
    public const string Folder = "uploads/";

    private const int CopyBytes = 128 * 1024;

    /// <summary>The pieces of an upload are one, of the size that it will have; any other object is one by itself.</summary>
    public static IEnumerable<IGrouping<string, StoredObject>> Group(IEnumerable<StoredObject> found) =>
        found.GroupBy(one => one.Name.Split('/')[0], StringComparer.Ordinal);

    /// <summary>
    /// Nothing of it came since then. Its newest piece says so: of one that goes on for days the first pieces are as old as it is.
    /// </summary>
    public static bool IsGivenUp(IEnumerable<StoredObject> upload, DateTimeOffset since) => upload.All(piece => piece.At < since);

    /// <summary>How much came.</summary>
    public async Task<long> FindLengthAsync(UploadKey upload, CancellationToken cancellationToken) =>
        Chain(await objects.ListAsync(FolderOf(upload), cancellationToken)).Sum(piece => piece.Length);

    /// <summary>As <see cref="IArtifactStore.AppendAsync"/>, but that a whole one is not staged yet.</summary>
    public async Task<UploadProgress> AppendAsync(
        UploadKey upload, long offset, IAsyncEnumerable<ReadOnlyMemory<byte>> chunks, CancellationToken cancellationToken)
    {
        var received = await FindLengthAsync(upload, cancellationToken);
        if (received != offset)
        {
            return new UploadProgress(received, ImageErrors.UploadOffset(offset, received));
        }

        var piece = new byte[S3PartWriter.PartBytes];
        var length = 0;
        try
        {
            await foreach (var chunk in chunks.WithCancellation(cancellationToken))
            {
                if (received + length + chunk.Length > upload.SizeBytes)
                {
                    length = 0;
                    return new UploadProgress(received, ImageErrors.TooLarge(upload.SizeBytes));
                }

                for (var left = chunk; !left.IsEmpty;)
                {
                    var taken = Math.Min(left.Length, piece.Length - length);
                    left[..taken].CopyTo(piece.AsMemory(length));
                    (length, left) = (length + taken, left[taken..]);
                    if (length == piece.Length)
                    {
                        received = await PutAsync(upload, received, piece, length, cancellationToken);
                        length = 0;
                    }
                }
            }
        }
        finally
        {
            // What came stays, however the call ended.
            received = await PutAsync(upload, received, piece, length, CancellationToken.None);
        }

        return new UploadProgress(received, null);
    }

    /// <summary>Puts the pieces together as the object, if that is what its digest says; the pieces are gone then in any case.</summary>
    public async Task<UploadProgress> AssembleAsync(UploadKey upload, string staged, CancellationToken cancellationToken)
    {
        var pieces = await objects.ListAsync(FolderOf(upload), cancellationToken);
        var writer = await S3PartWriter.BeginAsync(objects, staged, cancellationToken);
        ImageDigest digest;
        try
        {
            digest = await CopyAsync(upload, Chain(pieces), writer, cancellationToken);
            if (digest == upload.Digest)
            {
                await writer.CompleteAsync(cancellationToken);
            }
            else
            {
                await writer.AbortAsync();
            }
        }
        catch
        {
            await writer.AbortAsync();
            throw;
        }

        foreach (var piece in pieces)
        {
            await objects.DeleteAsync(FolderOf(upload) + piece.Name, cancellationToken);
        }

        return digest == upload.Digest
            ? new UploadProgress(upload.SizeBytes, null)
            : new UploadProgress(0, ImageErrors.DigestMismatch(upload.Digest, digest));
    }

    private static string FolderOf(UploadKey upload) => $"{Folder}{FolderUploads.NameOf(upload)}/";

    /// <summary>
    /// The pieces that follow one another from the first byte on. Two hosts may have brought some twice, in other lengths: the whole is
    /// compared with its digest.
    /// </summary>
    private static IEnumerable<StoredObject> Chain(IEnumerable<StoredObject> pieces)
    {
        var next = 0L;
        foreach (var piece in pieces.OrderBy(piece => piece.Name, StringComparer.Ordinal))
        {
            if (long.TryParse(piece.Name, NumberStyles.None, CultureInfo.InvariantCulture, out var offset) && offset == next)
            {
                next += piece.Length;
                yield return piece;
            }
        }
    }

    private async Task<long> PutAsync(UploadKey upload, long offset, byte[] piece, int length, CancellationToken cancellationToken)
    {
        if (length > 0)
        {
            var name = string.Create(CultureInfo.InvariantCulture, $"{FolderOf(upload)}{offset:D12}");
            await objects.PutAsync(name, piece.AsMemory(0, length), cancellationToken);
        }

        return offset + length;
    }

    private async Task<ImageDigest> CopyAsync(
        UploadKey upload, IEnumerable<StoredObject> pieces, S3PartWriter writer, CancellationToken cancellationToken)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = ArrayPool<byte>.Shared.Rent(CopyBytes);
        try
        {
            foreach (var piece in pieces)
            {
                await using var artifact = await objects.FindAsync(FolderOf(upload) + piece.Name, cancellationToken)
                    ?? throw new IOException($"A piece of the upload of '{upload.Digest}' is gone.");
                var content = await artifact.OpenAsync(0, artifact.Length, cancellationToken);
                for (int read; (read = await content.ReadAsync(buffer, cancellationToken)) > 0;)
                {
                    hash.AppendData(buffer, 0, read);
                    await writer.WriteAsync(buffer.AsMemory(0, read), cancellationToken);
                }
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }

        return ImageDigest.Of(hash.GetHashAndReset());
    }
}
