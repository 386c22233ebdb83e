using System.Collections.Concurrent;
using System.Security.Cryptography;
using Muster.Domain;
using Muster.Domain.Images;

namespace Muster.Artifacts;

/// <summary>
/// Artifacts in a bucket: <c>uploads/</c> while a file arrives, <c>staged/DIGEST</c> when it is whole, <c>published/DIGEST</c> when it is
/// servable. Each step is one copy within the server. No host keeps anything, so that any number of them share the bucket.
/// </summary>
public sealed class S3ArtifactStore(S3ArtifactOptions options, TimeProvider clock) : IArtifactStore, IDisposable
{
    private const string Staged = "staged/";
    private const string Published = "published/";

    private readonly S3Objects _objects = new(options);
    private readonly ConcurrentDictionary<UploadKey, bool> _appended = new();
    private int _uploads;

    /// <summary>Throws what the server answers when the bucket cannot be listed, written or read.</summary>
    public async Task VerifyAsync(CancellationToken cancellationToken)
    {
        var probe = $"{S3Uploads.Folder}probe-{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8))}";
        await _objects.PutAsync(probe, new byte[1], cancellationToken);
        await _objects.ListAsync(probe, cancellationToken);
        await _objects.FindLengthAsync(probe, cancellationToken);
        await _objects.DeleteAsync(probe, cancellationToken);
    }

    public async Task<StageResult> StageAsync(
        IAsyncEnumerable<ReadOnlyMemory<byte>> chunks, long bytesMax, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(chunks);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(bytesMax);
        try
        {
            if (Interlocked.Increment(ref _uploads) > FolderArtifactStore.UploadsMax)
            {
                return new StageResult(null, ImageErrors.UploadsBusy(FolderArtifactStore.UploadsMax));
            }

            return await FindFullAsync(bytesMax, cancellationToken) is { } full
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
        var pieces = new S3Uploads(_objects);
        var length = await FindWholeAsync(upload.Digest, cancellationToken) ?? await pieces.FindLengthAsync(upload, cancellationToken);

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
        if (!_appended.TryAdd(upload, true))
        {
            return new UploadProgress(0, ImageErrors.UploadBusy());
        }

        try
        {
            return Interlocked.Increment(ref _uploads) > FolderArtifactStore.UploadsMax
                ? new UploadProgress(0, ImageErrors.UploadsBusy(FolderArtifactStore.UploadsMax))
                : await AddAsync(upload, offset, chunks, cancellationToken);
        }
        finally
        {
            Interlocked.Decrement(ref _uploads);
            _appended.TryRemove(upload, out _);
        }
    }

    public Task<Artifact?> FindStagedAsync(ImageDigest digest, CancellationToken cancellationToken) =>
        _objects.FindAsync(Staged + digest.Value, cancellationToken);

    public Task<Artifact?> FindPublishedAsync(ImageDigest digest, CancellationToken cancellationToken) =>
        _objects.FindAsync(Published + digest.Value, cancellationToken);

    public async Task<bool> PublishAsync(ImageDigest digest, CancellationToken cancellationToken)
    {
        var (staged, published) = (Staged + digest.Value, Published + digest.Value);
        if (await _objects.FindLengthAsync(published, cancellationToken) is null
            && !await _objects.TryCopyAsync(staged, published, cancellationToken))
        {
            // Never uploaded, or another silo was faster.
            return await _objects.FindLengthAsync(published, cancellationToken) is not null;
        }

        await _objects.DeleteAsync(staged, cancellationToken);
        return true;
    }

    public void Dispose() => _objects.Dispose();

    private async Task<StageResult> WriteAsync(
        IAsyncEnumerable<ReadOnlyMemory<byte>> chunks, long bytesMax, CancellationToken cancellationToken)
    {
        var key = $"{S3Uploads.Folder}{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16))}.part";
        var writer = await S3PartWriter.BeginAsync(_objects, key, cancellationToken);
        var (isWhole, bytes) = (false, 0L);
        try
        {
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            await foreach (var chunk in chunks.WithCancellation(cancellationToken))
            {
                bytes += chunk.Length;
                if (bytes > bytesMax)
                {
                    return new StageResult(null, ImageErrors.TooLarge(bytesMax));
                }

                hash.AppendData(chunk.Span);
                await writer.WriteAsync(chunk, cancellationToken);
            }

            await writer.CompleteAsync(cancellationToken);
            isWhole = true;
            var digest = ImageDigest.Of(hash.GetHashAndReset());
            if (!await _objects.TryCopyAsync(key, Staged + digest.Value, cancellationToken))
            {
                throw new IOException($"The bucket has lost '{key}', which it took a moment ago.");
            }

            await _objects.DeleteAsync(key, cancellationToken);
            return new StageResult(new ImageContent(digest, bytes), null);
        }
        finally
        {
            if (!isWhole)
            {
                await writer.AbortAsync();
            }
        }
    }

    private async Task<UploadProgress> AddAsync(
        UploadKey upload, long offset, IAsyncEnumerable<ReadOnlyMemory<byte>> chunks, CancellationToken cancellationToken)
    {
        if (await FindWholeAsync(upload.Digest, cancellationToken) is { } length)
        {
            return new UploadProgress(length, null);
        }

        if (offset == 0 && await FindFullAsync(upload.SizeBytes, cancellationToken) is { } full)
        {
            return new UploadProgress(0, full);
        }

        var pieces = new S3Uploads(_objects);
        var progress = await pieces.AppendAsync(upload, offset, chunks, cancellationToken);
        return progress.Error is null && progress.ReceivedBytes == upload.SizeBytes
            ? await pieces.AssembleAsync(upload, Staged + upload.Digest.Value, cancellationToken)
            : progress;
    }

    private async Task<long?> FindWholeAsync(ImageDigest digest, CancellationToken cancellationToken) =>
        await _objects.FindLengthAsync(Published + digest.Value, cancellationToken)
        ?? await _objects.FindLengthAsync(Staged + digest.Value, cancellationToken);

    /// <summary>Why there is no room for another upload; null when there is. What has expired goes first.</summary>
    private async Task<FleetError?> FindFullAsync(long bytes, CancellationToken cancellationToken)
    {
        var oldest = clock.GetUtcNow() - FolderArtifactStore.StagedLifetime;
        var uploads = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (var folder in (string[])[Staged, S3Uploads.Folder])
        {
            foreach (var upload in S3Uploads.Group(await _objects.ListAsync(folder, cancellationToken)))
            {
                if (!S3Uploads.IsGivenUp(upload, oldest))
                {
                    uploads[folder + upload.Key] = FolderUploads.FindSize(upload.Key) ?? upload.Sum(found => found.Length);
                    continue;
                }

                foreach (var found in upload)
                {
                    await _objects.DeleteAsync(folder + found.Name, cancellationToken);
                }
            }
        }

        return uploads.Count >= FolderArtifactStore.StagedMax ? ImageErrors.UploadsBusy(FolderArtifactStore.StagedMax)
            : uploads.Values.Sum() + bytes > FolderArtifactStore.StagedBytesMax
                ? ImageErrors.StageFull(FolderArtifactStore.StagedBytesMax)
                : null;
    }
}
