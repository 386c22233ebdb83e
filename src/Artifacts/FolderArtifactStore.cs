using System.Security.Cryptography;
using Muster.Domain.Images;

namespace Muster.Artifacts;

/// <summary>
/// Artifacts in a folder: <c>staged/*.part</c> while a file arrives, <c>staged/DIGEST</c> when it is whole and on disk,
/// <c>published/DIGEST</c> when it is servable. Each step is one rename, so a crash leaves whole files or parts. Serves one host, or
/// several that share the volume.
/// </summary>
public sealed class FolderArtifactStore : IArtifactStore
{
    /// <summary>Uploads at a time through this process; an administrator imports one or two.</summary>
    public const int UploadsMax = 4;

    /// <summary>Staged files that nobody has registered yet; with the largest image that is a bound for the disk.</summary>
    public const int StagedMax = 16;

    /// <summary>An upload is registered seconds after it ends; a day leaves room for a silo that is down.</summary>
    public static readonly TimeSpan StagedLifetime = TimeSpan.FromDays(1);

    /// <summary>A part that has not grown for so long belongs to a process that is gone.</summary>
    public static readonly TimeSpan PartLifetime = TimeSpan.FromHours(1);

    private const string PartSuffix = ".part";

    private readonly string _staged;
    private readonly string _published;
    private readonly TimeProvider _clock;
    private int _uploads;

    public FolderArtifactStore(string folder, TimeProvider clock)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        ArgumentNullException.ThrowIfNull(clock);
        _staged = Path.Combine(folder, "staged");
        _published = Path.Combine(folder, "published");
        _clock = clock;
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

            RemoveExpired();
            return Directory.EnumerateFiles(_staged).Take(StagedMax).Count() == StagedMax
                ? new StageResult(null, ImageErrors.UploadsBusy(StagedMax))
                : await WriteAsync(chunks, bytesMax, cancellationToken);
        }
        finally
        {
            Interlocked.Decrement(ref _uploads);
        }
    }

    public Stream? OpenStaged(ImageDigest digest) => Open(Path.Combine(_staged, digest.Value));

    public Stream? OpenPublished(ImageDigest digest) => Open(Path.Combine(_published, digest.Value));

    public bool Publish(ImageDigest digest)
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

    private static FileStream? Open(string path)
    {
        try
        {
            return new FileStream(
                path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, bufferSize: 0, FileOptions.Asynchronous);
        }
        catch (FileNotFoundException)
        {
            return null;
        }
    }
}
