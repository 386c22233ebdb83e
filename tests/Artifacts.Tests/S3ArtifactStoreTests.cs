using System.Security.Cryptography;
using Amazon.S3;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using Muster.Domain;
using Muster.Domain.Images;

namespace Muster.Artifacts.Tests;

/// <summary>The store in a bucket of a real server.</summary>
public sealed class S3ArtifactStoreTests : ArtifactStoreTests, IAsyncLifetime
{
    private readonly FakeTimeProvider _clock = new(TimeProvider.System.GetUtcNow());
    private readonly List<S3ArtifactStore> _opened = [];
    private S3Server? _server;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task VerifyAsync_WithTheKey_PassesAndWithAnotherThrows()
    {
        await ((S3ArtifactStore)Open()).VerifyAsync(Stop);
        var wrong = _server!.Options;
        wrong.AccessKey = "wrong";

        await Assert.ThrowsAsync<AmazonS3Exception>(() => Open(wrong).VerifyAsync(Stop));
    }

    [Fact]
    public async Task Append_NotContinuedForADay_MakesRoomForOthers()
    {
        for (byte i = 0; i < 4; i++)
        {
            Assert.Null((await BeginAsync(i)).Error);
        }

        Assert.Equal("LIMIT_REACHED", (await BeginAsync(4)).Error?.Reason);
        _clock.Advance(FolderArtifactStore.StagedLifetime + TimeSpan.FromMinutes(1));
        Assert.Null((await BeginAsync(4)).Error);
    }

    /// <summary>Its first piece is older than what is given up, and that it has come is answered.</summary>
    [Fact]
    public async Task Append_ThatGoesOnForMoreThanADay_KeepsItsFirstPieces()
    {
        var upload = new UploadKey(TenantId.Default, ImageDigest.Of(SHA256.HashData([1, 2, 3])), 3);
        Assert.Null((await Open().AppendAsync(upload, 0, Chunk([1]), Stop)).Error);
        _server!.Age(FolderArtifactStore.StagedLifetime + TimeSpan.FromMinutes(1));
        Assert.Null((await Open().AppendAsync(upload, 1, Chunk([2]), Stop)).Error);

        Assert.Null((await BeginAsync(1)).Error);
        Assert.Equal(2, await Open().GetReceivedAsync(upload, Stop));
        Assert.Null((await Open().AppendAsync(upload, 2, Chunk([3]), Stop)).Error);
        Assert.NotNull(await Open().FindStagedAsync(upload.Digest, Stop));

        _server.Age(FolderArtifactStore.StagedLifetime + TimeSpan.FromMinutes(1));
        Assert.Null((await BeginAsync(2)).Error);
        Assert.Null(await Open().FindStagedAsync(upload.Digest, Stop));
    }

    /// <summary>Of the size that cameras have: sixteen parts, and more than one buffer of anything.</summary>
    [Fact]
    public async Task Stage_OfALargeImage_IsReadAsItWasWritten()
    {
        const int megabytes = 128;
        var store = Open();
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

        var staged = await store.StageAsync(Megabytes(megabytes, hash), megabytes * 1024L * 1024, Stop);

        Assert.Equal(ImageDigest.Of(hash.GetHashAndReset()), staged.Content?.Digest);
        await using var artifact = await store.FindStagedAsync(staged.Content!.Digest, Stop);
        var content = await artifact!.OpenAsync(0, artifact.Length, Stop);
        Assert.Equal(staged.Content.Digest, ImageDigest.Of(await SHA256.HashDataAsync(content, Stop)));
    }

    [Theory]
    [InlineData("Images", "https://s3.example.com", "a", "b", "Bucket")]
    [InlineData("images", "s3.example.com", "a", "b", "Endpoint")]
    [InlineData("images", "http://s3.example.com", "a", "b", "AllowsHttp")]
    [InlineData("images", "https://s3.example.com", "", "b", "AccessKey")]
    [InlineData("images", "https://s3.example.com", "a", "b", null)]
    [InlineData("images", "http://127.0.0.1:9000", "a", "b", null)]
    [InlineData("", "", "", "", null)]
    public void Validate_OfSettings_NamesTheOneThatIsWrong(string bucket, string endpoint, string access, string secret, string? name)
    {
        var options = new S3ArtifactOptions { Bucket = bucket, Endpoint = endpoint, AccessKey = access, SecretKey = secret };
        IValidateOptions<S3ArtifactOptions>[] validators = [new S3ArtifactOptionsValidator(), new S3ArtifactOptionsCrossValidator()];

        var failures = validators.Select(validator => validator.Validate(null, options)).Where(result => result.Failed).ToList();

        Assert.Equal(name is null ? 0 : 1, failures.Count);
        Assert.All(failures, failure => Assert.Contains(name!, failure.FailureMessage, StringComparison.Ordinal));
    }

    public async ValueTask InitializeAsync() => _server = await S3Server.StartAsync();

    public async ValueTask DisposeAsync()
    {
        _opened.ForEach(store => store.Dispose());
        await _server!.DisposeAsync();
    }

    private protected override IArtifactStore Open() => Open(_server!.Options);

    private S3ArtifactStore Open(S3ArtifactOptions options)
    {
        var store = new S3ArtifactStore(options, _clock);
        _opened.Add(store);
        return store;
    }

    private Task<UploadProgress> BeginAsync(byte number)
    {
        var large = new UploadKey(TenantId.Default, ImageDigest.Of(SHA256.HashData([number])), ImageManifest.SizeBytesMax);
        return Open().AppendAsync(large, 0, Chunk([number]), Stop);
    }

    private static async IAsyncEnumerable<ReadOnlyMemory<byte>> Chunk(byte[] content)
    {
        await Task.Yield();
        yield return content;
    }

    private static async IAsyncEnumerable<ReadOnlyMemory<byte>> Megabytes(int count, IncrementalHash hash)
    {
        var chunk = new byte[1024 * 1024];
        for (var i = 0; i < count; i++)
        {
            await Task.Yield();
            RandomNumberGenerator.Fill(chunk);
            hash.AppendData(chunk);
            yield return chunk;
        }
    }
}
