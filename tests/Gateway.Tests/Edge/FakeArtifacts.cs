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

    public Stream? OpenPublished(ImageDigest digest) =>
        _published.TryGetValue(digest.Value, out var bytes) ? new MemoryStream(bytes, writable: false) : null;

    public Stream? OpenStaged(ImageDigest digest) => null;

    public bool Publish(ImageDigest digest) => throw new NotSupportedException();

    public Task<StageResult> StageAsync(
        IAsyncEnumerable<ReadOnlyMemory<byte>> chunks, long bytesMax, CancellationToken cancellationToken) =>
        throw new NotSupportedException();
}
