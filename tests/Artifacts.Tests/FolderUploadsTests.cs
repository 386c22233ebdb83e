using System.Security.Cryptography;
using Microsoft.Extensions.Time.Testing;
using Muster.Domain;
using Muster.Domain.Images;

namespace Muster.Artifacts.Tests;

/// <summary>Uploads in several calls, in a folder: what its files tell, and when they go.</summary>
public sealed class FolderUploadsTests : ArtifactStoreTests, IDisposable
{
    private static readonly byte[] Content = [.. Enumerable.Range(0, 200_000).Select(i => (byte)(i * 31))];
    private static readonly UploadKey Upload = new(TenantId.Default, ImageDigest.Of(SHA256.HashData(Content)), Content.Length);

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("muster-uploads-");
    private readonly FakeTimeProvider _clock = new(TimeProvider.System.GetUtcNow());

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    /// <summary>Its process had the last byte, and was killed before it had looked at the whole.</summary>
    [Fact]
    public async Task GetReceivedAsync_OfAWholeThatNobodyLookedAt_LooksAtIt()
    {
        await AppendAsync(0, 50_000);
        var file = Assert.Single(Directory.GetFiles(Path.Combine(_folder.FullName, "staged")));
        await File.WriteAllBytesAsync(file, Content, Stop);

        Assert.Equal(Content.Length, await Open().GetReceivedAsync(Upload, Stop));

        Assert.Equal(
            [Upload.Digest.Value],
            Directory.EnumerateFiles(Path.Combine(_folder.FullName, "staged")).Select(path => Path.GetFileName(path)!));
    }

    [Fact]
    public async Task AppendAsync_NotContinuedForADay_IsForgotten()
    {
        await AppendAsync(0, 50_000);
        _clock.Advance(FolderArtifactStore.StagedLifetime - TimeSpan.FromMinutes(1));
        Assert.Equal(50_000, await Open().GetReceivedAsync(Upload, Stop));
        await AppendAsync(50_000, 60_000);
        _clock.Advance(FolderArtifactStore.StagedLifetime - TimeSpan.FromMinutes(1));
        Assert.Equal(60_000, await Open().GetReceivedAsync(Upload, Stop));

        _clock.Advance(TimeSpan.FromMinutes(2));

        Assert.Equal(0, await Open().GetReceivedAsync(Upload, Stop));
    }

    [Fact]
    public async Task AppendAsync_BeyondWhatTheStageMayTake_IsRefusedByTheStatedSizes()
    {
        for (byte i = 0; i < 4; i++)
        {
            var large = new UploadKey(TenantId.Default, ImageDigest.Of(SHA256.HashData([i])), ImageManifest.SizeBytesMax);
            Assert.Null((await Open().AppendAsync(large, 0, Chunk([i]), Stop)).Error);
        }

        Assert.Equal("LIMIT_REACHED", (await AppendAsync(0, 10)).Error?.Reason);
        _clock.Advance(FolderArtifactStore.StagedLifetime + TimeSpan.FromMinutes(1));
        Assert.Null((await AppendAsync(0, 10)).Error);
    }

    public void Dispose() => _folder.Delete(recursive: true);

    private protected override IArtifactStore Open() => new FolderArtifactStore(_folder.FullName, _clock);

    private static async IAsyncEnumerable<ReadOnlyMemory<byte>> Chunk(byte[] content)
    {
        await Task.Yield();
        yield return content;
    }

    private Task<UploadProgress> AppendAsync(int from, int to) => Open().AppendAsync(Upload, from, Chunk(Content[from..to]), Stop);
}
