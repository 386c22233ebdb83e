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

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("muster-artifacts-");
    private readonly FakeTimeProvider _clock = new(TimeProvider.System.GetUtcNow());
    private readonly FolderArtifactStore _store;

    public FolderArtifactStoreTests() => _store = new FolderArtifactStore(_folder.FullName, _clock);

    [Fact]
    public async Task StageAsync_WholeFile_IsNamedByItsDigestAndNotServable()
    {
        var staged = await StageAsync(Content);

        Assert.Equal(new ImageContent(Digest, Content.Length), staged.Content);
        Assert.Equal(Content, await ReadAllAsync(_store.FindStagedAsync(Digest, Stop)));
        Assert.Null(await _store.FindPublishedAsync(Digest, Stop));
        Assert.Equal([Digest.Value], Names("staged"));
        Assert.Empty(Names("published"));
    }

    [Fact]
    public async Task Publish_Staged_MovesTheBytesAndMayBeRepeated()
    {
        await StageAsync(Content);

        Assert.True(await _store.PublishAsync(Digest, Stop));
        Assert.True(await _store.PublishAsync(Digest, Stop));

        Assert.Null(await _store.FindStagedAsync(Digest, Stop));
        Assert.Equal(Content, await ReadAllAsync(_store.FindPublishedAsync(Digest, Stop)));
        Assert.Empty(Names("staged"));
    }

    [Fact]
    public async Task Publish_NeverStaged_IsFalse() => Assert.False(await _store.PublishAsync(Digest, Stop));

    [Fact]
    public async Task Publish_StagedAgain_KeepsOneFile()
    {
        await StageAsync(Content);
        await _store.PublishAsync(Digest, Stop);
        await StageAsync(Content);

        Assert.True(await _store.PublishAsync(Digest, Stop));

        Assert.Empty(Names("staged"));
        Assert.Equal([Digest.Value], Names("published"));
    }

    [Fact]
    public async Task FindPublishedAsync_WhoseNameIsGoneMeanwhile_GivesWhatWasFound()
    {
        await StageAsync(Content);
        await _store.PublishAsync(Digest, Stop);
        await using var artifact = (await _store.FindPublishedAsync(Digest, Stop))!;

        File.Delete(Path.Combine(_folder.FullName, "published", Digest.Value));

        using var rest = new MemoryStream();
        await (await artifact.OpenAsync(199_990, 10, Stop)).CopyToAsync(rest, Stop);
        Assert.Equal(Content[199_990..], rest.ToArray());
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
        Assert.Equal(Content, await ReadAllAsync(restarted.FindStagedAsync(Digest, Stop)));
    }

    [Fact]
    public async Task Start_LongAfterPublishing_KeepsWhatIsPublished()
    {
        await StageAsync(Content);
        await _store.PublishAsync(Digest, Stop);
        _clock.Advance(TimeSpan.FromDays(3650));

        Assert.Equal(Content, await ReadAllAsync(new FolderArtifactStore(_folder.FullName, _clock).FindPublishedAsync(Digest, Stop)));
    }

    [Fact]
    public async Task StageAsync_SameFileTwiceAtATime_EndsWithOne()
    {
        await Task.WhenAll(StageAsync(Content), StageAsync(Content));

        Assert.Equal([Digest.Value], Names("staged"));
        Assert.Equal(Content, await ReadAllAsync(_store.FindStagedAsync(Digest, Stop)));
    }

    public void Dispose() => _folder.Delete(recursive: true);

    private static async Task<byte[]> ReadAllAsync(Task<Artifact?> finding)
    {
        await using var artifact = await finding;
        Assert.NotNull(artifact);
        using var copy = new MemoryStream();
        await (await artifact.OpenWholeAsync(Stop)).CopyToAsync(copy, Stop);
        return copy.ToArray();
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
