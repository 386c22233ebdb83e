using System.Diagnostics;
using Muster.Contracts.Commit;
using StackExchange.Redis;

namespace Muster.Redis.Tests;

/// <summary>The server applied a request and the client never heard of it.</summary>
public sealed class LostReplyTests(StoreServers servers)
{
    private const int Partition = 14;
    private const int TriesMax = 3;

    /// <summary>Two of a commit's four attempts.</summary>
    private static readonly TimeSpan s_backSoon = TimeSpan.FromSeconds(6);

    public static TheoryData<StoreKind> Both => StoreServers.Both;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory, MemberData(nameof(Both))]
    public async Task Write_WhenTheReplyIsLost_IsSentAgainAndAppliedOnce(StoreKind kind)
    {
        await using var proxy = new CuttingProxy(servers.EndPoint(kind));
        await using var session = servers.Open(kind, proxy.ConnectionString);
        var id = NoteRecord.IdIn(Partition, Guid.NewGuid().ToString("N"));
        var state = await session.ReadAsync(id);
        await session.WriteAsync(id, state, state.State.Next("first", facts: 1));
        var head = await session.Feed.GetHeadAsync(Partition, Cancel);
        proxy.CutReplyTo("EVALSHA"u8);

        await session.WriteAsync(id, state, state.State.Next("second", facts: 2));

        Assert.Equal(1, proxy.Cuts);
        Assert.Equal("2", state.ETag);
        Assert.Equal("2", (await session.ReadAsync(id)).ETag);
        Assert.Equal(head + 2, await session.Feed.GetHeadAsync(Partition, Cancel));
    }

    [Theory, MemberData(nameof(Both))]
    public async Task Write_WhenTheServerForgotTheScripts_SendsTheText(StoreKind kind)
    {
        await using var session = servers.Open(kind);
        var id = NoteRecord.IdIn(Partition, Guid.NewGuid().ToString("N"));
        var state = await session.ReadAsync(id);
        await session.WriteAsync(id, state, state.State.Next("first", facts: 1));
        await using (var other = await ConnectionMultiplexer.ConnectAsync(servers.ConnectionString(kind)))
        {
            await other.GetDatabase().ExecuteAsync("SCRIPT", "FLUSH");
        }

        await session.WriteAsync(id, state, state.State.Next("second", facts: 1));

        Assert.Equal("second", (await session.ReadAsync(id)).State.Text);
    }

    [Fact]
    public async Task Write_WhenTheServerIsGone_EndsInStoreUnavailable()
    {
        await using var redis = await RedisServer.StartAsync("no", Cancel);
        await using var session = StoreSession.Open(redis.ConnectionString);
        var id = NoteRecord.IdIn(Partition, "gone");
        var state = await session.ReadAsync(id);

        await redis.KillAsync(Cancel);

        var refusal = await Assert.ThrowsAsync<StoreUnavailableException>(
            () => session.WriteAsync(id, state, new NoteRecord().Next("lost", facts: 1)));
        Assert.True(refusal.InnerException is RedisException or TimeoutException, $"What the connection's fault is: {refusal}");
    }

    [Fact]
    public async Task Write_WhenTheServerComesBackMeanwhile_Succeeds()
    {
        await using var redis = await RedisServer.StartAsync("always", Cancel);
        await using var session = StoreSession.Open(redis.ConnectionString);
        var id = NoteRecord.IdIn(Partition, "back");

        var tries = 1;
        while (!await WritesWhileItIsAwayAsync(redis, session, id))
        {
            Assert.True(++tries <= TriesMax, $"The server needed more than {s_backSoon} to start in each of {TriesMax} tries.");
        }

        Assert.Equal("late", (await session.ReadAsync(id)).State.Text);
        Assert.Equal(1, await session.Feed.GetHeadAsync(Partition, Cancel));
    }

    /// <summary>
    /// False when a disk or a machine that stalls kept the server away for about as long as a commit is waited for: it did not come back
    /// meanwhile, and whether the commit landed is not known.
    /// </summary>
    private static async Task<bool> WritesWhileItIsAwayAsync(RedisServer redis, StoreSession session, GrainId id)
    {
        var state = await session.ReadAsync(id);
        await redis.KillAsync(Cancel);
        var gone = Stopwatch.StartNew();
        var write = session.WriteAsync(id, state, new NoteRecord().Next("late", facts: 1));
        await redis.RestartAsync(Cancel);
        var isLate = gone.Elapsed > s_backSoon;
        try
        {
            await write;
            return true;
        }
        catch (Exception exception) when (exception is StoreUnavailableException && isLate)
        {
            return (await session.ReadAsync(id)).State.Text == "late";
        }
    }
}
