using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Muster.EmbeddedStore;
using Muster.Storage;
using StackExchange.Redis;

namespace Muster.Redis.Tests;

public sealed class StoreStartTests(StoreServers servers)
{
    public static TheoryData<StoreKind> Both => StoreServers.Both;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory, MemberData(nameof(Both))]
    public async Task Open_WithAnotherNumberOfPartitions_IsRefusedWithASentence(StoreKind kind)
    {
        await using (var first = servers.Open(kind))
        {
            await first.Feed.GetHeadAsync(0, Cancel);
        }

        await using var other = servers.Open(kind, configure: services => services.Configure<StoreOptions>(o => o.Partitions = 32));

        var refusal = await Assert.ThrowsAsync<InvalidOperationException>(() => other.Feed.GetHeadAsync(0, Cancel));
        Assert.Contains("laid out with 16 partitions and this host is configured for 32", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Open_WhenTheInstallationsKeyIsGone_IsRefusedAndWritesNothing()
    {
        await using var redis = await RedisServer.StartAsync("no", Cancel);
        await using (var first = StoreSession.Open(redis.ConnectionString))
        {
            await first.Feed.GetHeadAsync(0, Cancel);
        }

        await using var raw = await ConnectionMultiplexer.ConnectAsync(redis.ConnectionString);
        Assert.True(await raw.GetDatabase().KeyDeleteAsync("muster:installation"));
        await using var second = StoreSession.Open(redis.ConnectionString);

        var refusal = await Assert.ThrowsAsync<InvalidOperationException>(() => second.Feed.GetHeadAsync(0, Cancel));

        Assert.Contains("muster:installation is gone", refusal.Message, StringComparison.Ordinal);
        Assert.False(await raw.GetDatabase().KeyExistsAsync("muster:installation"));
    }

    [Theory]
    [InlineData("", 16, 4, "connection string is missing")]
    [InlineData("localhost", 17, 4, "power of two")]
    [InlineData("localhost", 16, 0, "from 1 to 8 times")]
    [InlineData("localhost,nonsense=1", 16, 4, "cannot be read")]
    public void Validate_WrongOptions_SaysWhatIsWrong(string connectionString, int partitions, int attempts, string expected)
    {
        var services = new ServiceCollection().AddMusterStorage(options =>
        {
            options.ConnectionString = connectionString;
            options.Partitions = partitions;
            options.AttemptsMax = attempts;
        });
        using var provider = services.BuildServiceProvider();

        var exception = Assert.Throws<OptionsValidationException>(() => provider.GetRequiredService<IOptions<StoreOptions>>().Value);

        Assert.Contains(expected, exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task EmbeddedStore_FolderInUse_IsRefusedWithASentence()
    {
        var folder = Directory.CreateTempSubdirectory("muster-lock-");
        await using (EmbeddedStoreServer.Start(folder.FullName))
        {
            var refusal = Assert.Throws<StoreInUseException>(() => EmbeddedStoreServer.Start(folder.FullName));
            Assert.Contains("in use by another process", refusal.Message, StringComparison.Ordinal);
        }

        folder.Delete(recursive: true);
    }

    [Fact]
    public async Task EmbeddedStore_Listening_OnlyTheOwnerMayOpenItsSocket()
    {
        var folder = Directory.CreateTempSubdirectory("muster-modes-");
        await using (var server = EmbeddedStoreServer.Start(folder.FullName))
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(server.SocketPath));
            Assert.Equal(
                UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(folder.FullName));
        }

        folder.Delete(recursive: true);
    }

    [Fact]
    public async Task EmbeddedStore_VeryLongFolderAndCleanRestart_KeepsItsData()
    {
        var root = Directory.CreateTempSubdirectory("muster-long-");
        var folder = Path.Combine(root.FullName, new string('a', 90), "store");
        var id = NoteRecord.IdIn(1, "kept");
        await using (var server = EmbeddedStoreServer.Start(folder))
        await using (var session = StoreSession.Open(server.ConnectionString, server))
        {
            await session.WriteAsync(id, await session.ReadAsync(id), new NoteRecord().Next("kept", facts: 1));
        }

        await using (var server = EmbeddedStoreServer.Start(folder))
        await using (var session = StoreSession.Open(server.ConnectionString, server))
        {
            Assert.Equal("kept", (await session.ReadAsync(id)).State.Text);
        }

        root.Delete(recursive: true);
    }
}
