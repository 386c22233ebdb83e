using Muster.Contracts.Commit;
using StackExchange.Redis;

namespace Muster.Redis.Tests;

public sealed class FeedTrimTests(StoreServers servers)
{
    private const int Kept = 512;

    public static TheoryData<StoreKind> Both => StoreServers.Both;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory, MemberData(nameof(Both))]
    public async Task Trim_OfALongFeed_KeepsTheNewestAndTellsWhoComesLate(StoreKind kind)
    {
        const int Partition = 13;
        await using var session = servers.Open(kind);
        var before = await session.Feed.GetEndAsync(Partition, Cancel);
        await WriteAsync(session, Partition, 1);
        var early = await session.Feed.GetEndAsync(Partition, Cancel);
        await WriteAsync(session, Partition, 1_200);
        var head = await session.Feed.GetHeadAsync(Partition, Cancel);

        await session.Trimmer.TrimAsync(Partition, Cancel);
        await session.Trimmer.TrimAsync(Partition, Cancel);

        Assert.Equal(before.Sequence + 1_201, head);
        Assert.Equal(FeedContinuity.Trimmed, (await session.Feed.FollowAsync(Partition, early, 100, Cancel)).Continuity);
        Assert.Equal(FeedContinuity.Trimmed, (await session.Feed.FollowAsync(Partition, FeedPosition.Start, 100, Cancel)).Continuity);
        Assert.Equal(Kept, (await session.ReadFeedAsync(Partition, Cancel, head - Kept)).Count);
        await using var raw = await ConnectionMultiplexer.ConnectAsync(servers.ConnectionString(kind));
        Assert.Equal(RedisValue.Null, await raw.GetDatabase().HashGetAsync($"{{p{Partition}}}:c", $"f{head - Kept}"));
    }

    [Theory, MemberData(nameof(Both))]
    public async Task Trim_CutOffBetweenItsMarks_FinishesNextTime(StoreKind kind)
    {
        const int Partition = 14;
        await using var session = servers.Open(kind);
        await WriteAsync(session, Partition, 900);
        var head = await session.Feed.GetHeadAsync(Partition, Cancel);
        await using var raw = await ConnectionMultiplexer.ConnectAsync(servers.ConnectionString(kind));
        var database = raw.GetDatabase();
        await database.HashSetAsync($"{{p{Partition}}}:c", "t", head - Kept);

        await session.Trimmer.TrimAsync(Partition, Cancel);

        Assert.Equal(RedisValue.Null, await database.HashGetAsync($"{{p{Partition}}}:c", $"f{head - Kept}"));
        Assert.Equal(head - Kept, (long)await database.HashGetAsync($"{{p{Partition}}}:c", "d"));
    }

    [Theory, MemberData(nameof(Both))]
    public async Task Follow_FromAnyPlace_TellsWhatFollowsInPages(StoreKind kind)
    {
        const int Partition = 15;
        await using var session = servers.Open(kind);
        var position = await session.Feed.GetEndAsync(Partition, Cancel);
        await WriteAsync(session, Partition, 70);

        var read = new List<long>();
        for (FeedPage? page = null; page is not { IsAtEnd: true };)
        {
            page = await session.Feed.FollowAsync(Partition, position, 30, Cancel);
            read.AddRange(page.Entries.Select(entry => entry.Sequence));
            position = page.Next;
        }

        Assert.Equal(Enumerable.Range(1, 70).Select(step => position.Sequence - 70 + step), read);
        Assert.Equal(position, await session.Feed.GetEndAsync(Partition, Cancel));
        Assert.Empty((await session.Feed.FollowAsync(Partition, position, 30, Cancel)).Entries);
    }

    [Theory, MemberData(nameof(Both))]
    public async Task Follow_InAStoreThatWentBackAndOn_IsRewound(StoreKind kind)
    {
        const int Partition = 3;
        await using var session = servers.Open(kind);
        await WriteAsync(session, Partition, 20);
        var position = await session.Feed.GetEndAsync(Partition, Cancel);
        await using var raw = await ConnectionMultiplexer.ConnectAsync(servers.ConnectionString(kind));
        var database = raw.GetDatabase();

        await database.HashSetAsync($"{{p{Partition}}}:c", "h", position.Sequence - 5);
        Assert.Equal(FeedContinuity.Rewound, (await session.Feed.FollowAsync(Partition, position, 30, Cancel)).Continuity);

        await WriteAsync(session, Partition, 9);
        Assert.Equal(FeedContinuity.Rewound, (await session.Feed.FollowAsync(Partition, position, 30, Cancel)).Continuity);
    }

    [Fact]
    public async Task Write_ToAFeedThatNobodyTrims_IsRefusedAndGoesOnAfterATrim()
    {
        const int Partition = 2;
        const int FactsPerCommit = 640;
        await using var redis = await RedisServer.StartAsync("no", Cancel);
        await using var session = StoreSession.Open(redis.ConnectionString);
        var id = NoteRecord.IdIn(Partition, "full");
        var state = await session.ReadAsync(id);
        var written = 0;

        var refusal = await Assert.ThrowsAsync<FeedFullException>(async () =>
        {
            for (; written < 200; written++)
            {
                await session.WriteAsync(id, state, state.State.Next("x", FactsPerCommit));
            }
        });

        Assert.Contains("partition 2", refusal.Message, StringComparison.Ordinal);
        Assert.Equal((65_536 + Kept + FactsPerCommit - 1) / FactsPerCommit, written);
        Assert.Equal(written * FactsPerCommit, await session.Feed.GetHeadAsync(Partition, Cancel));

        await session.Trimmer.TrimAsync(Partition, Cancel);
        state = await session.ReadAsync(id);
        await session.WriteAsync(id, state, state.State.Next("again", 1));
    }

    internal static async Task WriteAsync(StoreSession session, int partition, int facts)
    {
        var id = NoteRecord.IdIn(partition, Guid.NewGuid().ToString("N"));
        var state = await session.ReadAsync(id);
        for (var left = facts; left > 0; left -= 300)
        {
            await session.WriteAsync(id, state, state.State.Next("x", Math.Min(left, 300)));
        }
    }
}
