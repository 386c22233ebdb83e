using System.Security.Cryptography;
using Muster.Domain.Images;

namespace Muster.Artifacts;

/// <summary>
/// Artifacts in a folder: <c>staged/*.part</c> while a file arrives in one call, <c>staged/*.upload</c> while it arrives in several
/// (<see cref="FolderUploads"/>), <c>staged/DIGEST</c> when it is whole and on disk, <c>published/DIGEST</c> when it is servable. Each step
/// is one rename, so a crash leaves whole files or parts. Serves one host, or several that share the volume.
/// </summary>
public sealed class FolderArtifactStore : IArtifactStore
{
    /// <summary>Uploads at a time through this process; an administrator imports one or two.</summary>
    public const int UploadsMax = 4;

    /// <summary>Staged files that nobody has registered yet; with the largest image that is a bound for the disk.</summary>
    public const int StagedMax = 16;

    /// <summary>
    /// Of all of them: four of the largest image. A broken upload of somebody who does not come back must not fill the disk.
    /// </summary>
    public const long StagedBytesMax = 4 * ImageManifest.SizeBytesMax;

    /// <summary>
    /// An upload is registered seconds after it ends; a day leaves room for a silo that is down, and for whoever goes on with a broken one.
    /// </summary>
    public static readonly TimeSpan StagedLifetime = TimeSpan.FromDays(1);

    /// <summary>A part that has not grown for so long belongs to a process that is gone.</summary>
    public static readonly TimeSpan PartLifetime = TimeSpan.FromHours(1);

    private const string PartSuffix = ".part";

    private readonly string _staged;
    private readonly string _published;
    private readonly FolderUploads _continued;
    private readonly TimeProvider _clock;
    private int _uploads;

    public FolderArtifactStore(string folder, TimeProvider clock)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        ArgumentNullException.ThrowIfNull(clock);
        _staged = Path.Combine(folder, "staged");
        _published = Path.Combine(folder, "published");
        _clock = clock;
        _continued = new FolderUploads(_staged, clock);
        Directory.CreateDirectory(_staged);
        Directory.CreateDirectory(_published);
        RemoveExpired();
    }

    public async Task<StageResult> StageAsync(
        IAsyncEnumerable<ReadOnlyMemory<byte>> chunks, long bytesMax, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(chunks);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(bytesMax);
        try
        {
            if (Interlocked.Increment(ref _uploads) > UploadsMax)
            {
                return new StageResult(null, ImageErrors.UploadsBusy(UploadsMax));
            }

            return FindFull(bytesMax) is { } full
                ? new StageResult(null, full)
                : await WriteAsync(chunks, bytesMax, cancellationToken);
        }
        finally
        {
            Interlocked.Decrement(ref _uploads);
        }
    }

    public async Task<long> GetReceivedAsync(UploadKey upload, CancellationToken cancellationToken)
    {
        var length = FindWhole(upload.Digest) ?? _continued.FindLength(upload) ?? 0;

        // All of it, and perhaps the process that had to look at the whole was killed before it did.
        return length == upload.SizeBytes
            ? (await AppendAsync(upload, length, AsyncEnumerable.Empty<ReadOnlyMemory<byte>>(), cancellationToken)).ReceivedBytes
            : length;
    }

    public async Task<UploadProgress> AppendAsync(
        UploadKey upload, long offset, IAsyncEnumerable<ReadOnlyMemory<byte>> chunks, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(chunks);
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(upload.SizeBytes);
        try
        {
            if (Interlocked.Increment(ref _uploads) > UploadsMax)
            {
                return new UploadProgress(0, ImageErrors.UploadsBusy(UploadsMax));
            }

            if (FindWhole(upload.Digest) is { } length)
            {
                return new UploadProgress(length, null);
            }

            if (_continued.FindLength(upload) is null && FindFull(upload.SizeBytes) is { } full)
            {
                return new UploadProgress(0, full);
            }

            var progress = await _continued.AppendAsync(upload, offset, chunks, cancellationToken);
            if (progress.Error is null && progress.ReceivedBytes == upload.SizeBytes)
            {
                Move(_continued.PathOf(upload), Path.Combine(_staged, upload.Digest.Value));
            }

            return progress;
        }
        catch (FileNotFoundException) when (FindWhole(upload.Digest) is { })
        {
            // Two calls brought the last byte, and the other one was faster.
            return new UploadProgress(upload.SizeBytes, null);
        }
        finally
        {
            Interlocked.Decrement(ref _uploads);
        }
    }

    public Task<Artifact?> FindStagedAsync(ImageDigest digest, CancellationToken cancellationToken) =>
        Task.FromResult<Artifact?>(Find(Path.Combine(_staged, digest.Value)));

    public Task<Artifact?> FindPublishedAsync(ImageDigest digest, CancellationToken cancellationToken) =>
        Task.FromResult<Artifact?>(Find(Path.Combine(_published, digest.Value)));

    public Task<bool> PublishAsync(ImageDigest digest, CancellationToken cancellationToken) => Task.FromResult(Publish(digest));

    private bool Publish(ImageDigest digest)
    {
        var staged = Path.Combine(_staged, digest.Value);
        var published = Path.Combine(_published, digest.Value);
        if (!File.Exists(published))
        {
            try
            {
                Move(staged, published);
            }
            catch (FileNotFoundException)
            {
                // Never uploaded, or another silo was faster.
                return File.Exists(published);
            }
        }

        File.Delete(staged);
        return true;
    }

    /// <summary>The length of the staged or published bytes; null when they are neither.</summary>
    private long? FindWhole(ImageDigest digest)
    {
        foreach (var folder in (string[])[_published, _staged])
        {
            var file = new FileInfo(Path.Combine(folder, digest.Value));
            if (file.Exists)
            {
                return file.Length;
            }
        }

        return null;
    }

    /// <summary>Why there is no room for another upload; null when there is. What has expired goes first.</summary>
    private Domain.FleetError? FindFull(long bytes)
    {
        RemoveExpired();
        var (count, staged) = (0, bytes);
        foreach (var file in new DirectoryInfo(_staged).EnumerateFiles())
        {
            count++;
            staged += FolderUploads.FindSize(file.Name) ?? file.Length;
        }

        return count >= StagedMax ? ImageErrors.UploadsBusy(StagedMax)
            : staged > StagedBytesMax ? ImageErrors.StageFull(StagedBytesMax)
            : null;
    }

    /// <summary>Removes parts of processes that are gone, and uploads that nobody registered in time.</summary>
    private void RemoveExpired()
    {
        var now = _clock.GetUtcNow().UtcDateTime;
        foreach (var file in new DirectoryInfo(_staged).EnumerateFiles())
        {
            var lifetime = file.Name.EndsWith(PartSuffix, StringComparison.Ordinal) ? PartLifetime : StagedLifetime;
            if (now - file.LastWriteTimeUtc > lifetime)
            {
                file.Delete();
            }
        }
    }

    private async Task<StageResult> WriteAsync(
        IAsyncEnumerable<ReadOnlyMemory<byte>> chunks, long bytesMax, CancellationToken cancellationToken)
    {
        var part = Path.Combine(_staged, Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16)) + PartSuffix);
        try
        {
            var content = await CopyAsync(part, chunks, bytesMax, cancellationToken);
            if (content is null)
            {
                return new StageResult(null, ImageErrors.TooLarge(bytesMax));
            }

            var staged = Path.Combine(_staged, content.Digest.Value);
            File.SetLastWriteTimeUtc(part, _clock.GetUtcNow().UtcDateTime);
            Move(part, staged);
            return new StageResult(content, null);
        }
        finally
        {
            File.Delete(part);
        }
    }

    /// <summary>Null when there are more bytes than allowed.</summary>
    private static async Task<ImageContent?> CopyAsync(
        string path, IAsyncEnumerable<ReadOnlyMemory<byte>> chunks, long bytesMax, CancellationToken cancellationToken)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        await using var file = new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 0, useAsync: true);
        await foreach (var chunk in chunks.WithCancellation(cancellationToken))
        {
            if (file.Position + chunk.Length > bytesMax)
            {
                return null;
            }

            hash.AppendData(chunk.Span);
            await file.WriteAsync(chunk, cancellationToken);
        }

        file.Flush(flushToDisk: true);
        return new ImageContent(ImageDigest.Of(hash.GetHashAndReset()), file.Position);
    }

    /// <summary>
    /// What was acknowledged survives a loss of power: journalling file systems (ext4, XFS) put a rename on disk with the file that is
    /// flushed after it.
    /// </summary>
    private static void Move(string from, string to)
    {
        File.Move(from, to, overwrite: true);
        using var file = File.OpenHandle(to, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);
        RandomAccess.FlushToDisk(file);
    }

    private static FolderArtifact? Find(string path)
    {
        try
        {
            return new FolderArtifact(new FileStream(
                path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, bufferSize: 0, FileOptions.Asynchronous));
        }
        catch (FileNotFoundException)
        {
            return null;
        }
    }
}
