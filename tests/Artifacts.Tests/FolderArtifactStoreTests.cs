using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using Microsoft.Extensions.Time.Testing;
using Muster.Domain.Images;

namespace Muster.Artifacts.Tests;

public sealed class FolderArtifactStoreTests : IDisposable
{
    private const long Limit = 1 << 20;

    private static readonly byte[] Content = [.. Enumerable.Range(0, 200_000).Select(i => (byte)(i * 31))];
    private static readonly ImageDigest Digest = ImageDigest.Of(SHA256.HashData(Content));

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("muster-artifacts-");
    private readonly FakeTimeProvider _clock = new(TimeProvider.System.GetUtcNow());
    private readonly FolderArtifactStore _store;

    public FolderArtifactStoreTests() => _store = new FolderArtifactStore(_folder.FullName, _clock);

    [Fact]
    public async Task StageAsync_WholeFile_IsNamedByItsDigestAndNotServable()
    {
        var staged = await StageAsync(Content);

        Assert.Equal(new ImageContent(Digest, Content.Length), staged.Content);
        Assert.Equal(Content, ReadAll(_store.OpenStaged(Digest)));
        Assert.Null(_store.OpenPublished(Digest));
        Assert.Equal([Digest.Value], Names("staged"));
        Assert.Empty(Names("published"));
    }

    [Fact]
    public async Task Publish_Staged_MovesTheBytesAndMayBeRepeated()
    {
        await StageAsync(Content);

        Assert.True(_store.Publish(Digest));
        Assert.True(_store.Publish(Digest));

        Assert.Null(_store.OpenStaged(Digest));
        Assert.Equal(Content, ReadAll(_store.OpenPublished(Digest)));
        Assert.Empty(Names("staged"));
    }

    [Fact]
    public void Publish_NeverStaged_IsFalse() => Assert.False(_store.Publish(Digest));

    [Fact]
    public async Task Publish_StagedAgain_KeepsOneFile()
    {
        await StageAsync(Content);
        _store.Publish(Digest);
        await StageAsync(Content);

        Assert.True(_store.Publish(Digest));

        Assert.Empty(Names("staged"));
        Assert.Equal([Digest.Value], Names("published"));
    }

    [Fact]
    public async Task OpenPublished_Seeks()
    {
        await StageAsync(Content);
        _store.Publish(Digest);

        using var stream = _store.OpenPublished(Digest)!;
        Assert.True(stream.CanSeek);
        Assert.Equal(Content.Length, stream.Length);
        stream.Position = 199_990;
        Assert.Equal(Content[199_990..], ReadAll(stream));
    }

    [Fact]
    public async Task StageAsync_ExactlyTheLimit_IsTakenAndOneMoreIsNot()
    {
        Assert.Null((await StageAsync(Content, Content.Length)).Error);

        var refused = await StageAsync(Content, Content.Length - 1);

        Assert.Equal("IMAGE_TOO_LARGE", refused.Error?.Reason);
        Assert.Equal([Digest.Value], Names("staged"));
    }

    [Fact]
    public async Task StageAsync_SourceFails_LeavesNothing()
    {
        await Assert.ThrowsAsync<IOException>(() => _store.StageAsync(Failing(), Limit, TestContext.Current.CancellationToken));

        Assert.Empty(Names("staged"));
    }

    [Fact]
    public async Task StageAsync_TooManyAtATime_IsRefusedUntilOneEnds()
    {
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var running = Enumerable.Range(0, FolderArtifactStore.UploadsMax)
            .Select(_ => _store.StageAsync(Waiting(gate.Task), Limit, TestContext.Current.CancellationToken)).ToList();

        var refused = await StageAsync(Content);
        gate.SetResult();
        await Task.WhenAll(running);

        Assert.Equal("LIMIT_REACHED", refused.Error?.Reason);
        Assert.Null((await StageAsync(Content)).Error);
    }

    [Fact]
    public async Task StageAsync_ManyUnregistered_IsRefusedUntilTheyExpire()
    {
        for (byte i = 0; i < FolderArtifactStore.StagedMax; i++)
        {
            Assert.Null((await StageAsync([i])).Error);
        }

        Assert.Equal("LIMIT_REACHED", (await StageAsync(Content)).Error?.Reason);
        _clock.Advance(FolderArtifactStore.StagedLifetime + TimeSpan.FromMinutes(1));
        Assert.Null((await StageAsync(Content)).Error);
        Assert.Equal([Digest.Value], Names("staged"));
    }

    [Fact]
    public async Task Start_AfterACrash_RemovesOldPartsAndKeepsWhatIsFresh()
    {
        await StageAsync(Content);
        var part = Path.Combine(_folder.FullName, "staged", "0123.part");
        await File.WriteAllBytesAsync(part, Content, TestContext.Current.CancellationToken);

        _ = new FolderArtifactStore(_folder.FullName, _clock);
        Assert.True(File.Exists(part));
        _clock.Advance(FolderArtifactStore.PartLifetime + TimeSpan.FromMinutes(1));
        var restarted = new FolderArtifactStore(_folder.FullName, _clock);

        Assert.False(File.Exists(part));
        Assert.Equal(Content, ReadAll(restarted.OpenStaged(Digest)));
    }

    [Fact]
    public async Task Start_LongAfterPublishing_KeepsWhatIsPublished()
    {
        await StageAsync(Content);
        _store.Publish(Digest);
        _clock.Advance(TimeSpan.FromDays(3650));

        Assert.Equal(Content, ReadAll(new FolderArtifactStore(_folder.FullName, _clock).OpenPublished(Digest)));
    }

    [Fact]
    public async Task StageAsync_SameFileTwiceAtATime_EndsWithOne()
    {
        await Task.WhenAll(StageAsync(Content), StageAsync(Content));

        Assert.Equal([Digest.Value], Names("staged"));
        Assert.Equal(Content, ReadAll(_store.OpenStaged(Digest)));
    }

    public void Dispose() => _folder.Delete(recursive: true);

    private static byte[] ReadAll(Stream? stream)
    {
        Assert.NotNull(stream);
        using (stream)
        using (var copy = new MemoryStream())
        {
            stream.CopyTo(copy);
            return copy.ToArray();
        }
    }

    private static async IAsyncEnumerable<ReadOnlyMemory<byte>> Chunks(byte[] content)
    {
        for (var position = 0; position < content.Length; position += 64 * 1024)
        {
            await Task.Yield();
            yield return content.AsMemory(position, Math.Min(64 * 1024, content.Length - position));
        }
    }

    private static async IAsyncEnumerable<ReadOnlyMemory<byte>> Failing()
    {
        yield return Content;
        await Task.Yield();
        throw new IOException("The peer is gone.");
    }

    private static async IAsyncEnumerable<ReadOnlyMemory<byte>> Waiting(
        Task gate, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        await gate.WaitAsync(cancellationToken);
        yield return Content;
    }

    private Task<StageResult> StageAsync(byte[] content, long bytesMax = Limit) =>
        _store.StageAsync(Chunks(content), bytesMax, TestContext.Current.CancellationToken);

    private IEnumerable<string> Names(string folder) =>
        Directory.EnumerateFiles(Path.Combine(_folder.FullName, folder)).Select(path => Path.GetFileName(path)!);
}
