using System.Globalization;
using System.Security.Cryptography;
using Muster.Domain.Images;

namespace Muster.Artifacts;

/// <summary>
/// Uploads that arrive in several calls: one file each, <c>TENANT.DIGEST.SIZE.upload</c>, which is as long as what came. It is all that is
/// known of the upload, so that any process goes on with it, also after one was killed.
/// </summary>
internal sealed class FolderUploads(string folder, TimeProvider clock)
{
    private const string Suffix = ".upload";

    public string PathOf(UploadKey upload) => Path.Combine(folder, NameOf(upload));

    /// <summary>Says what it will be, and whose.</summary>
    public static string NameOf(UploadKey upload) =>
        string.Create(CultureInfo.InvariantCulture, $"{upload.Tenant.Value}.{upload.Digest.Value}.{upload.SizeBytes}{Suffix}");

    /// <summary>The size that an upload will have, by the name of its file; null for other files.</summary>
    public static long? FindSize(string fileName) =>
        fileName.Split('.') is [_, _, var size, "upload"]
        && long.TryParse(size, NumberStyles.None, CultureInfo.InvariantCulture, out var bytes)
            ? bytes
            : null;

    /// <summary>How much came; null when nobody began it.</summary>
    public long? FindLength(UploadKey upload)
    {
        var file = new FileInfo(PathOf(upload));
        return file.Exists ? file.Length : null;
    }

    /// <summary>As <see cref="IArtifactStore.AppendAsync"/>; a whole one is still where it is.</summary>
    public async Task<UploadProgress> AppendAsync(
        UploadKey upload, long offset, IAsyncEnumerable<ReadOnlyMemory<byte>> chunks, CancellationToken cancellationToken)
    {
        var path = PathOf(upload);
        await using var file = Open(path);
        if (file is null)
        {
            return new UploadProgress(0, ImageErrors.UploadBusy());
        }

        if (file.Length != offset)
        {
            return new UploadProgress(file.Length, ImageErrors.UploadOffset(offset, file.Length));
        }

        file.Position = offset;
        try
        {
            if (!await CopyAsync(file, upload.SizeBytes, chunks, cancellationToken))
            {
                file.SetLength(offset);
                return new UploadProgress(offset, ImageErrors.TooLarge(upload.SizeBytes));
            }
        }
        finally
        {
            // What the next call goes on behind is on disk, however this one ended.
            file.Flush(flushToDisk: true);
            File.SetLastWriteTimeUtc(file.SafeFileHandle, clock.GetUtcNow().UtcDateTime);
        }

        if (file.Length < upload.SizeBytes)
        {
            return new UploadProgress(file.Length, null);
        }

        // Other calls, perhaps of other processes, brought parts of it: it is read whole once.
        file.Position = 0;
        var digest = ImageDigest.Of(await SHA256.HashDataAsync(file, cancellationToken));
        if (digest == upload.Digest)
        {
            return new UploadProgress(file.Length, null);
        }

        File.Delete(path);
        return new UploadProgress(0, ImageErrors.DigestMismatch(upload.Digest, digest));
    }

    /// <summary>False when there are more bytes than the whole has.</summary>
    private static async Task<bool> CopyAsync(
        FileStream file, long sizeBytes, IAsyncEnumerable<ReadOnlyMemory<byte>> chunks, CancellationToken cancellationToken)
    {
        await foreach (var chunk in chunks.WithCancellation(cancellationToken))
        {
            if (file.Position + chunk.Length > sizeBytes)
            {
                return false;
            }

            await file.WriteAsync(chunk, cancellationToken);
        }

        return true;
    }

    /// <summary>For one call at a time, on this host or on another: the lock goes with the process. Null when there is one.</summary>
    private static FileStream? Open(string path)
    {
        try
        {
            return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, bufferSize: 0, useAsync: true);
        }
        catch (IOException) when (File.Exists(path))
        {
            return null;
        }
    }
}
