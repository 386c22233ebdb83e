using Muster.Contracts.Commit;
using StackExchange.Redis;

namespace Muster.Redis.Tests;

/// <summary>A store that is full, gone, emptied or another: each is told, and none is taken for an empty fleet.</summary>
public sealed class LostStoreTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task AnEmptiedStore_IsRefusedOnEveryRoad()
    {
        await using var redis = await RedisServer.StartAsync("no", Cancel);
        await using var session = StoreSession.Open(redis.ConnectionString);
        var id = NoteRecord.IdIn(5, "note");
        var state = await session.ReadAsync(id);
        await session.WriteAsync(id, state, state.State.Next("first", 1));

        await CommandAsync(redis, "FLUSHALL");

        await AssertLostAsync(() => session.ReadAsync(id));
        await AssertLostAsync(() => session.WriteAsync(id, state, state.State.Next("second", 1)));
        await AssertLostAsync(() => session.Feed.GetHeadAsync(5, Cancel));
        await AssertLostAsync(() => session.Feed.FollowAsync(5, FeedPosition.Start, 10, Cancel));
        await AssertLostAsync(() => session.Feed.IsAtEndAsync(5, FeedPosition.Start, Cancel));
        await AssertLostAsync(() => session.Trimmer.TrimAsync(5, Cancel));
        await AssertLostAsync(async () => await session.Scanner.ScanAsync(5, Cancel).ToListAsync(Cancel));
    }

    [Fact]
    public async Task AStoreOfWhichAPartIsLost_IsRefusedAtTheStart()
    {
        await using var redis = await RedisServer.StartAsync("no", Cancel);
        await using (var first = StoreSession.Open(redis.ConnectionString))
        {
            await first.ReadAsync(NoteRecord.IdIn(5, "note"));
        }

        await CommandAsync(redis, "DEL", "{p5}:c");

        await using var second = StoreSession.Open(redis.ConnectionString);
        var refusal = await Assert.ThrowsAsync<InvalidOperationException>(() => second.ReadAsync(NoteRecord.IdIn(1, "note")));
        Assert.Contains("Partition 5", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AStoreWithoutMemory_RefusesCommitsAndGoesOnWhenThereIsSome()
    {
        await using var redis = await RedisServer.StartAsync("no", Cancel);
        await using var session = StoreSession.Open(redis.ConnectionString);
        var id = NoteRecord.IdIn(5, "note");
        var state = await session.ReadAsync(id);
        await session.WriteAsync(id, state, state.State.Next("first", 1));
        await CommandAsync(redis, "CONFIG", "SET", "maxmemory", "1");

        var refusal = await Assert.ThrowsAsync<StoreFullException>(() => session.WriteAsync(id, state, state.State.Next("second", 1)));
        Assert.Contains("maxmemory", refusal.Message, StringComparison.Ordinal);
        Assert.Equal("first", (await session.ReadAsync(id)).State.Text);

        await CommandAsync(redis, "CONFIG", "SET", "maxmemory", "0");
        state = await session.ReadAsync(id);
        await session.WriteAsync(id, state, state.State.Next("third", 1));
        Assert.Equal("third", (await session.ReadAsync(id)).State.Text);
    }

    [Fact]
    public async Task AStoreThatIsReadOnly_RefusesCommitsAndGoesOnAfterwards()
    {
        await using var redis = await RedisServer.StartAsync("no", Cancel);
        await using var session = StoreSession.Open(redis.ConnectionString);
        var id = NoteRecord.IdIn(5, "note");
        var state = await session.ReadAsync(id);
        await session.WriteAsync(id, state, state.State.Next("first", 1));
        await CommandAsync(redis, "CONFIG", "SET", "min-replicas-to-write", "1");

        await Assert.ThrowsAsync<StoreUnavailableException>(() => session.WriteAsync(id, state, state.State.Next("second", 1)));

        await CommandAsync(redis, "CONFIG", "SET", "min-replicas-to-write", "0");
        state = await session.ReadAsync(id);
        await session.WriteAsync(id, state, state.State.Next("third", 1));
        Assert.Equal("third", (await session.ReadAsync(id)).State.Text);
    }

    [Fact]
    public async Task AStoreThatIsGoneForThirtySeconds_IsFoundAgain()
    {
        await using var redis = await RedisServer.StartAsync("always", Cancel);
        await using var session = StoreSession.Open(redis.ConnectionString);
        var id = NoteRecord.IdIn(5, "note");
        var state = await session.ReadAsync(id);
        await session.WriteAsync(id, state, state.State.Next("first", 1));

        await redis.KillAsync(Cancel);
        await Assert.ThrowsAsync<StoreUnavailableException>(() => session.WriteAsync(id, state, state.State.Next("second", 1)));
        await Task.Delay(TimeSpan.FromSeconds(30), Cancel);
        await redis.RestartAsync(Cancel);

        state = await session.ReadAsync(id);
        Assert.Equal("first", state.State.Text);
        await session.WriteAsync(id, state, state.State.Next("third", 1));
    }

    /// <summary>An old copy of the log put in its place while everybody works.</summary>
    [Fact]
    public async Task AStoreThatIsAnHourOlder_IsNoticedByReadersAndWriters()
    {
        await using var redis = await RedisServer.StartAsync("always", Cancel);
        await using var session = StoreSession.Open(redis.ConnectionString);
        var id = NoteRecord.IdIn(5, "note");
        var state = await session.ReadAsync(id);
        await session.WriteAsync(id, state, state.State.Next("an hour ago", 1));
        var backup = redis.CopyLog();
        await session.WriteAsync(id, state, state.State.Next("since then", 1));
        var end = await session.Feed.GetEndAsync(5, Cancel);

        await redis.RestartFromAsync(backup, Cancel);

        var page = await session.Feed.FollowAsync(5, end, 10, Cancel);
        Assert.Equal(FeedContinuity.Rewound, page.Continuity);
        await Assert.ThrowsAsync<CommitConflictException>(() => session.WriteAsync(id, state, state.State.Next("in spite of it", 1)));
        state = await session.ReadAsync(id);
        Assert.Equal("an hour ago", state.State.Text);
        await session.WriteAsync(id, state, state.State.Next("again", 1));
        Assert.Equal(FeedContinuity.Rewound, (await session.Feed.FollowAsync(5, end, 10, Cancel)).Continuity);
    }

    private static async Task AssertLostAsync(Func<Task> request)
    {
        var refusal = await Assert.ThrowsAsync<StoreUnavailableException>(request);
        Assert.Contains("emptied or replaced", refusal.Message, StringComparison.Ordinal);
    }

    private static async Task CommandAsync(RedisServer redis, string command, params string[] arguments)
    {
        await using var raw = await ConnectionMultiplexer.ConnectAsync(redis.ConnectionString);
        await raw.GetDatabase().ExecuteAsync(command, [.. arguments]);
    }
}
