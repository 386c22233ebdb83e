using System.Collections.Concurrent;
using Muster.Artifacts;
using Muster.Domain.Images;

namespace Muster.Gateway.Tests.Edge;

/// <summary>Published bytes in memory.</summary>
internal sealed class FakeArtifacts : IArtifactStore
{
    private readonly ConcurrentDictionary<string, byte[]> _published = new();

    public ImageDigest Add(byte[] bytes)
    {
        var digest = ImageDigest.Of(System.Security.Cryptography.SHA256.HashData(bytes));
        _published[digest.Value] = bytes;
        return digest;
    }

    public Task<Artifact?> FindPublishedAsync(ImageDigest digest, CancellationToken cancellationToken) =>
        Task.FromResult<Artifact?>(_published.TryGetValue(digest.Value, out var bytes) ? new InMemory(bytes) : null);

    public Task<long> GetReceivedAsync(UploadKey upload, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task<UploadProgress> AppendAsync(
        UploadKey upload, long offset, IAsyncEnumerable<ReadOnlyMemory<byte>> chunks, CancellationToken cancellationToken) =>
        throw new NotSupportedException();

    public Task<Artifact?> FindStagedAsync(ImageDigest digest, CancellationToken cancellationToken) =>
        Task.FromResult<Artifact?>(null);

    public Task<bool> PublishAsync(ImageDigest digest, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task<StageResult> StageAsync(
        IAsyncEnumerable<ReadOnlyMemory<byte>> chunks, long bytesMax, CancellationToken cancellationToken) =>
        throw new NotSupportedException();

    private sealed class InMemory(byte[] bytes) : Artifact
    {
        public override long Length => bytes.Length;

        public override Task<Stream> OpenAsync(long from, long length, CancellationToken cancellationToken) =>
            Task.FromResult<Stream>(new MemoryStream(bytes, (int)from, (int)length, writable: false));

        public override Task<Stream> OpenWholeAsync(CancellationToken cancellationToken) => OpenAsync(0, Length, cancellationToken);

        public override ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
