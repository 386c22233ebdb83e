using System.Security.Cryptography;
using Muster.Domain;
using Muster.Domain.Images;

namespace Muster.Artifacts.Tests;

/// <summary>What every store does: each call is made by a store of its own, as processes that come and go make them.</summary>
public abstract class ArtifactStoreTests
{
    /// <summary>More than a part of a bucket's object, and no multiple of anything.</summary>
    private const int Length = 20_000_003;

    private static readonly byte[] Content = RandomNumberGenerator.GetBytes(Length);
    private static readonly UploadKey Upload = new(TenantId.Default, ImageDigest.Of(SHA256.HashData(Content)), Length);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    /// <summary>Another process on the same bytes.</summary>
    private protected abstract IArtifactStore Open();

    [Fact]
    public async Task Stage_ThenPublish_ServesTheBytesWholeAndInRanges()
    {
        var staged = await Open().StageAsync(Chunks(Content), Length, Stop);
        Assert.Equal(new ImageContent(Upload.Digest, Length), staged.Content);
        Assert.Null(await Open().FindPublishedAsync(Upload.Digest, Stop));
        Assert.Equal(Content, await ReadAsync(await Open().FindStagedAsync(Upload.Digest, Stop), 0, Length));

        Assert.True(await Open().PublishAsync(Upload.Digest, Stop));
        Assert.True(await Open().PublishAsync(Upload.Digest, Stop));

        Assert.Null(await Open().FindStagedAsync(Upload.Digest, Stop));
        Assert.Equal(Content, await ReadAsync(await Open().FindPublishedAsync(Upload.Digest, Stop), 0, Length));
        Assert.Equal(
            Content[9_999_999..10_000_100], await ReadAsync(await Open().FindPublishedAsync(Upload.Digest, Stop), 9_999_999, 101));
        Assert.Equal([Content[^1]], await ReadAsync(await Open().FindPublishedAsync(Upload.Digest, Stop), Length - 1, 1));
        Assert.Equal(Content, await ReadWholeAsync(await Open().FindPublishedAsync(Upload.Digest, Stop)));
    }

    [Fact]
    public async Task Stage_OfMoreThanAllowed_LeavesNothing()
    {
        Assert.Equal("IMAGE_TOO_LARGE", (await Open().StageAsync(Chunks(Content), Length - 1, Stop)).Error?.Reason);

        Assert.Null(await Open().FindStagedAsync(Upload.Digest, Stop));
        Assert.False(await Open().PublishAsync(Upload.Digest, Stop));
    }

    [Fact]
    public async Task Append_InThreeProcesses_IsStagedWithTheLastByte()
    {
        Assert.Equal(0, await Open().GetReceivedAsync(Upload, Stop));
        Assert.Equal(new UploadProgress(9_000_000, null), await AppendAsync(0, 9_000_000));
        Assert.Equal(9_000_000, await Open().GetReceivedAsync(Upload, Stop));
        Assert.Equal(new UploadProgress(9_000_001, null), await AppendAsync(9_000_000, 9_000_001));
        Assert.Null(await Open().FindStagedAsync(Upload.Digest, Stop));

        Assert.Equal(new UploadProgress(Length, null), await AppendAsync(9_000_001, Length));

        Assert.Equal(Content, await ReadWholeAsync(await Open().FindStagedAsync(Upload.Digest, Stop)));
        Assert.Equal(Length, await Open().GetReceivedAsync(Upload, Stop));
        Assert.True(await Open().PublishAsync(Upload.Digest, Stop));
        Assert.Equal(Length, await Open().GetReceivedAsync(Upload, Stop));
        Assert.Equal(new UploadProgress(Length, null), await AppendAsync(0, 10));
    }

    [Fact]
    public async Task Append_WhoseSourceBreaksOff_KeepsWhatCame()
    {
        await Assert.ThrowsAsync<IOException>(() => Open().AppendAsync(Upload, 0, BreaksOff(12_345_678), Stop));

        Assert.Equal(12_345_678, await Open().GetReceivedAsync(Upload, Stop));
        Assert.Equal(new UploadProgress(Length, null), await AppendAsync(12_345_678, Length));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(49_999)]
    [InlineData(50_001)]
    public async Task Append_AtAnotherPlace_IsToldWhereItIs(int offset)
    {
        await AppendAsync(0, 50_000);

        var progress = await AppendAsync(offset, Length);

        Assert.Equal((50_000, "UPLOAD_OFFSET_WRONG"), (progress.ReceivedBytes, progress.Error?.Reason));
        Assert.Equal(50_000, await Open().GetReceivedAsync(Upload, Stop));
    }

    [Fact]
    public async Task Append_OfOtherBytesThanNamed_LeavesNothing()
    {
        await AppendAsync(0, 50_000);

        var progress = await Open().AppendAsync(Upload, 50_000, Chunks(new byte[Length - 50_000]), Stop);

        Assert.Equal((0, "IMAGE_DIGEST_MISMATCH"), (progress.ReceivedBytes, progress.Error?.Reason));
        Assert.Equal(0, await Open().GetReceivedAsync(Upload, Stop));
        Assert.Null(await Open().FindStagedAsync(Upload.Digest, Stop));
    }

    [Fact]
    public async Task Append_OfMoreThanStated_IsRefused()
    {
        await AppendAsync(0, 50_000);

        var progress = await Open().AppendAsync(Upload, 50_000, Chunks([.. Content[50_000..], 1]), Stop);

        Assert.Equal("IMAGE_TOO_LARGE", progress.Error?.Reason);
        Assert.Equal(progress.ReceivedBytes, await Open().GetReceivedAsync(Upload, Stop));
        Assert.InRange(progress.ReceivedBytes, 50_000, Length - 1);
    }

    [Fact]
    public async Task Append_WhileAnotherCallAdds_IsBusyUntilThatEnds()
    {
        var gate = new TaskCompletionSource();
        var store = Open();
        var first = store.AppendAsync(Upload, 0, Waits(gate.Task), Stop);

        var second = await store.AppendAsync(Upload, 0, Chunks(Content[..10]), Stop);
        gate.SetResult();

        Assert.Equal("UPLOAD_BUSY", second.Error?.Reason);
        Assert.Equal(new UploadProgress(Length, null), await first);
    }

    [Fact]
    public async Task Append_OfAnotherTenant_IsAnotherUpload()
    {
        await AppendAsync(0, 50_000);
        Assert.True(TenantId.TryParse("other", out var other));

        Assert.Equal(0, await Open().GetReceivedAsync(Upload with { Tenant = other }, Stop));
    }

    private Task<UploadProgress> AppendAsync(int from, int to) =>
        Open().AppendAsync(Upload, from, Chunks(Content[Math.Min(from, to)..to]), Stop);

    private static async IAsyncEnumerable<ReadOnlyMemory<byte>> Chunks(byte[] content)
    {
        const int size = 256 * 1024;
        for (var position = 0; position < content.Length; position += size)
        {
            await Task.Yield();
            yield return content.AsMemory(position, Math.Min(size, content.Length - position));
        }
    }

    private static async IAsyncEnumerable<ReadOnlyMemory<byte>> BreaksOff(int at)
    {
        yield return Content.AsMemory(0, at);
        await Task.Yield();
        throw new IOException("The peer is gone.");
    }

    private static async IAsyncEnumerable<ReadOnlyMemory<byte>> Waits(Task gate)
    {
        await gate;
        yield return Content;
    }

    private static async Task<byte[]> ReadAsync(Artifact? artifact, long from, int length)
    {
        Assert.NotNull(artifact);
        await using (artifact)
        {
            Assert.Equal(Length, artifact.Length);
            var bytes = new byte[length];
            await (await artifact.OpenAsync(from, length, Stop)).ReadExactlyAsync(bytes, Stop);
            return bytes;
        }
    }

    private static async Task<byte[]> ReadWholeAsync(Artifact? artifact)
    {
        Assert.NotNull(artifact);
        await using (artifact)
        {
            await using var stream = await artifact.OpenWholeAsync(Stop);
            var bytes = new byte[Length];
            stream.Position = Length - 1;
            await stream.ReadExactlyAsync(bytes.AsMemory(Length - 1), Stop);
            stream.Position = 0;
            await stream.ReadExactlyAsync(bytes.AsMemory(0, Length - 1), Stop);
            return bytes;
        }
    }
}
