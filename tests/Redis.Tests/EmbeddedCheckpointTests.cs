using Muster.EmbeddedStore;
using StackExchange.Redis;

namespace Muster.Redis.Tests;

/// <summary>What very many checkpoints under load leave of a store: each appends a copy of every key that is written meanwhile.</summary>
public sealed class EmbeddedCheckpointTests : IDisposable
{
    private const int KeysTotal = 256;

    /// <summary>Some 10 kB of copies each: the 256 kB that the pages of keys have here are written through more than twice.</summary>
    private const int CheckpointsTotal = 80;

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("muster-checkpoints-");

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task ManyCheckpoints_UnderLoad_KeepWhatWasWrittenOnceAndNeverAgain()
    {
        long passes;
        await using (var server = EmbeddedStoreServer.Start(_folder.FullName, LogLimits.Frequent, null))
        await using (var connection = await ConnectionMultiplexer.ConnectAsync(server.ConnectionString))
        {
            var database = connection.GetDatabase();
            await database.StringSetAsync("once", "text");
            await database.HashSetAsync("once-hash", "field", "value");

            passes = await WriteThroughCheckpointsAsync(server, database);

            Assert.True(await TailAsync(connection) > 2 * 64 * 4096, "The pages were not written through.");
            await AssertAllThereAsync(database, passes);
        }

        await using var again = EmbeddedStoreServer.Start(_folder.FullName, LogLimits.Frequent, null);
        await using var fresh = await ConnectionMultiplexer.ConnectAsync(again.ConnectionString);
        await AssertAllThereAsync(fresh.GetDatabase(), passes);
    }

    /// <summary>The server counts a value again with each checkpoint, and evicts records when its limit is reached (ADR 0011).</summary>
    [Fact]
    public async Task MemoryOfValues_IsNotCounted_SoThatNothingIsEvicted()
    {
        await using var server = EmbeddedStoreServer.Start(_folder.FullName);
        await using var connection = await ConnectionMultiplexer.ConnectAsync(server.ConnectionString);
        await connection.GetDatabase().HashSetAsync("hash", "field", new byte[1 << 20]);

        Assert.Equal(0, await NumberAsync(connection, "Log.CurrentHeapSizeBytes"));
    }

    private static async Task<long> WriteThroughCheckpointsAsync(EmbeddedStoreServer server, IDatabase database)
    {
        // A checkpoint holds its connection until it is taken.
        await using var other = await ConnectionMultiplexer.ConnectAsync($"{server.ConnectionString},asyncTimeout=60000,allowAdmin=true");
        var pass = 0L;
        for (var taken = 0; taken < CheckpointsTotal; taken++)
        {
            var checkpoint = other.GetDatabase().ExecuteAsync("SAVE");
            do
            {
                pass++;
                await Task.WhenAll(Enumerable.Range(0, KeysTotal).Select(key => database.HashSetAsync($"hash{key}", "pass", pass)));
            }
            while (!checkpoint.IsCompleted);

            Assert.Equal("OK", (string?)await checkpoint);
        }

        await server.CommitAsync(Cancel);
        return pass;
    }

    private static async Task AssertAllThereAsync(IDatabase database, long passes)
    {
        Assert.Equal("text", (string?)await database.StringGetAsync("once"));
        Assert.Equal("value", (string?)await database.HashGetAsync("once-hash", "field"));
        for (var key = 0; key < KeysTotal; key++)
        {
            Assert.Equal(passes, (long)await database.HashGetAsync($"hash{key}", "pass"));
        }
    }

    private static Task<long> TailAsync(ConnectionMultiplexer connection) => NumberAsync(connection, "Log.TailAddress");

    private static async Task<long> NumberAsync(ConnectionMultiplexer connection, string name)
    {
        var text = (string)(await connection.GetDatabase().ExecuteAsync("INFO", "STORE"))!;
        var line = text.Split("\r\n").Single(line => line.StartsWith($"{name}:", StringComparison.Ordinal));
        return long.Parse(line[(name.Length + 1)..], System.Globalization.CultureInfo.InvariantCulture);
    }
}
