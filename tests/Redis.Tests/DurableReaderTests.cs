using Muster.Contracts.Commit;
using Muster.Storage;
using StackExchange.Redis;

namespace Muster.Redis.Tests;

/// <summary>They trim partitions of the shared servers in which no other test looks back to the beginning.</summary>
public sealed class DurableReaderTests(StoreServers servers)
{
    private const int Kept = 512;

    public static TheoryData<StoreKind> Both => StoreServers.Both;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory, MemberData(nameof(Both))]
    public async Task Trim_WithAReaderThatStopped_TakesNothingAwayThatItHasNotRead(StoreKind kind)
    {
        const int Partition = 4;
        await using var session = servers.Open(kind);
        var audit = NewReader();
        await WriteAsync(session, Partition, 1);
        var start = await session.Feed.GetEndAsync(Partition, Cancel);
        Assert.Equal(new ReaderReply(ReaderStatus.Held, start), await session.Readers.RegisterAsync(Partition, audit, start, Cancel));

        await WriteAsync(session, Partition, 2_000);
        var trim = await session.Trimmer.TrimAsync(Partition, Cancel);

        Assert.Equal(new ReaderLag(audit.Name, 2_000), trim.Slowest);
        Assert.True(trim.Mark < start.Sequence);
        var page = await session.Feed.FollowAsync(Partition, start, 1_000, Cancel);
        Assert.Equal((FeedContinuity.Follows, 1_000), (page.Continuity, page.Entries.Length));

        await session.Readers.AdvanceAsync(Partition, audit, page.Next, Cancel);
        trim = await session.Trimmer.TrimAsync(Partition, Cancel);

        Assert.Equal((page.Next.Sequence - 1, 1_000), (trim.Mark, trim.Slowest!.Entries));
        Assert.Equal(FeedContinuity.Trimmed, (await session.Feed.FollowAsync(Partition, start, 10, Cancel)).Continuity);
        Assert.Equal(1_000, (await session.Feed.FollowAsync(Partition, page.Next, 1_000, Cancel)).Entries.Length);

        await session.Readers.LeaveAsync(Partition, audit.Name, Cancel);
        trim = await session.Trimmer.TrimAsync(Partition, Cancel);

        Assert.Equal((trim.Head - Kept, null), (trim.Mark, trim.Slowest));
    }

    [Theory, MemberData(nameof(Both))]
    public async Task Register_OfAReaderThatIsThere_TellsWhereItGoesOn(StoreKind kind)
    {
        const int Partition = 5;
        var audit = NewReader();
        await using var session = servers.Open(kind);
        await WriteAsync(session, Partition, 20);
        var early = await session.Feed.GetEndAsync(Partition, Cancel);
        await session.Readers.RegisterAsync(Partition, audit, early, Cancel);
        await WriteAsync(session, Partition, 20);
        var late = await session.Feed.GetEndAsync(Partition, Cancel);

        // As it does after a restart, with another connection and nothing in memory.
        await using var restarted = servers.Open(kind);
        Assert.Equal(early, (await restarted.Readers.RegisterAsync(Partition, audit, late, Cancel)).Position);
        Assert.Equal(late, (await restarted.Readers.AdvanceAsync(Partition, audit, late, Cancel)).Position);
        Assert.Equal(late, (await restarted.Readers.AdvanceAsync(Partition, audit, early, Cancel)).Position);
        Assert.Contains(await restarted.Readers.GetLagsAsync(Partition, Cancel), lag => lag.Reader == audit.Name);

        await session.Readers.LeaveAsync(Partition, audit.Name, Cancel);
        Assert.Equal(ReaderStatus.Unknown, (await session.Readers.AdvanceAsync(Partition, audit, late, Cancel)).Status);
    }

    [Theory, MemberData(nameof(Both))]
    public async Task Register_AtAPlaceThatIsGoneOrNeverWas_IsRefused(StoreKind kind)
    {
        const int Partition = 6;
        var audit = NewReader();
        await using var session = servers.Open(kind);
        await WriteAsync(session, Partition, 1);
        var early = await session.Feed.GetEndAsync(Partition, Cancel);
        await WriteAsync(session, Partition, 600);
        var late = await session.Feed.GetEndAsync(Partition, Cancel);
        var other = late with { Fingerprint = late.Fingerprint + 1 };
        var ahead = late with { Sequence = late.Sequence + 1_000_000 };

        Assert.Equal(ReaderStatus.Rewound, (await session.Readers.RegisterAsync(Partition, audit, other, Cancel)).Status);
        Assert.Equal(ReaderStatus.Rewound, (await session.Readers.RegisterAsync(Partition, audit, ahead, Cancel)).Status);

        await session.Trimmer.TrimAsync(Partition, Cancel);
        Assert.Equal(ReaderStatus.Trimmed, (await session.Readers.RegisterAsync(Partition, audit, early, Cancel)).Status);
        Assert.Equal(ReaderStatus.Trimmed, (await session.Readers.RegisterAsync(Partition, audit, FeedPosition.Start, Cancel)).Status);
        Assert.DoesNotContain(await session.Readers.GetLagsAsync(Partition, Cancel), lag => lag.Reader == audit.Name);

        Assert.Equal(ReaderStatus.Held, (await session.Readers.RegisterAsync(Partition, audit, late, Cancel)).Status);
        Assert.Equal(ReaderStatus.Rewound, (await session.Readers.AdvanceAsync(Partition, audit, ahead, Cancel)).Status);
        await session.Readers.LeaveAsync(Partition, audit.Name, Cancel);
    }

    [Theory, MemberData(nameof(Both))]
    public async Task Trim_WithAReaderThatIsFurtherBehindThanItMayHold_LetsItGoAndTellsIt(StoreKind kind)
    {
        const int Partition = 7;
        var share = NewReader() with { LagMax = 800 };
        await using var session = servers.Open(kind);
        await WriteAsync(session, Partition, 1);
        var start = await session.Feed.GetEndAsync(Partition, Cancel);
        await session.Readers.RegisterAsync(Partition, share, start, Cancel);
        await WriteAsync(session, Partition, 700);
        Assert.Empty((await session.Trimmer.TrimAsync(Partition, Cancel)).LetGo);
        await WriteAsync(session, Partition, 200);

        var trim = await session.Trimmer.TrimAsync(Partition, Cancel);

        Assert.Equal([share.Name], trim.LetGo);
        Assert.Equal(trim.Head - Kept, trim.Mark);
        Assert.DoesNotContain(await session.Readers.GetLagsAsync(Partition, Cancel), lag => lag.Reader == share.Name);
        Assert.Equal(ReaderStatus.Unknown, (await session.Readers.AdvanceAsync(Partition, share, start, Cancel)).Status);
        Assert.Equal(ReaderStatus.Trimmed, (await session.Readers.RegisterAsync(Partition, share, start, Cancel)).Status);
    }

    [Theory, MemberData(nameof(Both))]
    public async Task Trim_WhileReadersRegister_NeverPassesOneThatWasTold(StoreKind kind)
    {
        const int Partition = 5;
        const int Rounds = 60;
        await using var session = servers.Open(kind);
        await WriteAsync(session, Partition, Kept);
        for (var round = 0; round < Rounds; round++)
        {
            var reader = NewReader();
            await WriteAsync(session, Partition, 1);
            var oldest = (await session.Feed.GetHeadAsync(Partition, Cancel)) - Kept + 1;
            var position = await PositionAtAsync(kind, Partition, oldest);
            await WriteAsync(session, Partition, 1);

            // The mark that is raised now would pass the position.
            var trimming = session.Trimmer.TrimAsync(Partition, Cancel);
            var registering = session.Readers.RegisterAsync(Partition, reader, position, Cancel);
            await Task.WhenAll(trimming, registering);

            var follows = (await session.Feed.FollowAsync(Partition, position, 1, Cancel)).Continuity == FeedContinuity.Follows;
            var isHeld = (await registering).Status == ReaderStatus.Held;
            Assert.Equal(isHeld, follows);
            await session.Readers.LeaveAsync(Partition, reader.Name, Cancel);
            await session.Trimmer.TrimAsync(Partition, Cancel);
        }
    }

    /// <param name="removed">How many entries were taken away when the server was killed: none, some, all but the second mark.</param>
    [Theory, InlineData(0), InlineData(700), InlineData(1_999)]
    public async Task Trim_KilledBetweenItsSteps_HasTakenNothingUnreadAndIsFinishedByTheNext(int removed)
    {
        const int Partition = 2;
        await using var redis = await RedisServer.StartAsync("always", Cancel);
        await using var session = StoreSession.Open(redis.ConnectionString);
        await WriteAsync(session, Partition, 3_000);
        var audit = NewReader();
        var page = await session.Feed.FollowAsync(Partition, FeedPosition.Start, 1_000, Cancel);
        var held = (await session.Feed.FollowAsync(Partition, page.Next, 1_000, Cancel)).Next;
        await session.Readers.RegisterAsync(Partition, audit, held, Cancel);

        // What takes entries away is refused, so that the server is killed behind the first mark. It forgets the refusal with its process.
        await using (var raw = await ConnectionMultiplexer.ConnectAsync(redis.ConnectionString))
        {
            await raw.GetDatabase().ExecuteAsync("ACL", "SETUSER", "default", "-hdel");
            await Assert.ThrowsAsync<StoreUnavailableException>(() => session.Trimmer.TrimAsync(Partition, Cancel));
        }

        await redis.KillAsync(Cancel);
        await redis.RestartAsync(Cancel);

        await using var fresh = StoreSession.Open(redis.ConnectionString);
        await using var again = await ConnectionMultiplexer.ConnectAsync(redis.ConnectionString);
        var database = again.GetDatabase();
        await database.HashDeleteAsync("{p2}:c", [.. Enumerable.Range(1, removed).Select(n => (RedisValue)$"f{n}")]);
        Assert.Equal(1_999, (int)await database.HashGetAsync("{p2}:c", "t"));
        Assert.Equal(RedisValue.Null, await database.HashGetAsync("{p2}:c", "d"));
        Assert.Equal(held, (await fresh.Readers.RegisterAsync(Partition, audit, held, Cancel)).Position);
        Assert.Equal(FeedContinuity.Trimmed, (await fresh.Feed.FollowAsync(Partition, page.Next, 1, Cancel)).Continuity);
        Assert.Equal(1_000, (await fresh.Feed.FollowAsync(Partition, held, 1_024, Cancel)).Entries.Length);

        var trim = await fresh.Trimmer.TrimAsync(Partition, Cancel);

        Assert.Equal((1_999, 1_000), (trim.Mark, trim.Slowest?.Entries));
        Assert.Equal(1_000, (await fresh.Feed.FollowAsync(Partition, held, 1_024, Cancel)).Entries.Length);

        // The entry at the position is kept as well: by it the reader's lineage is compared.
        var fields = await database.HashKeysAsync("{p2}:c");
        Assert.Equal(1_001, fields.Count(field => field.ToString().StartsWith('f')));
        Assert.Equal(1_999, (int)await database.HashGetAsync("{p2}:c", "d"));
    }

    [Fact]
    public async Task Register_OfMoreThanThePartitionTakes_IsRefused()
    {
        const int Partition = 1;
        await using var redis = await RedisServer.StartAsync("no", Cancel);
        await using var session = StoreSession.Open(redis.ConnectionString);
        for (var n = 0; n < FeedLimits.ReadersMax; n++)
        {
            Assert.Equal(ReaderStatus.Held, (await session.Readers.RegisterAsync(Partition, NewReader(), default, Cancel)).Status);
        }

        Assert.Equal(ReaderStatus.TooMany, (await session.Readers.RegisterAsync(Partition, NewReader(), default, Cancel)).Status);
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => session.Readers.RegisterAsync(
            Partition, new DurableReader(new string('x', FeedLimits.ReaderNameCharactersMax + 1)), default, Cancel));
    }

    private static DurableReader NewReader() => new($"tests/{Guid.NewGuid():N}");

    /// <summary>The position of a reader whose newest entry was the one of this sequence.</summary>
    private async Task<FeedPosition> PositionAtAsync(StoreKind kind, int partition, long sequence)
    {
        await using var raw = await ConnectionMultiplexer.ConnectAsync(servers.ConnectionString(kind));
        return FeedReader.PositionOf(sequence, await raw.GetDatabase().HashGetAsync($"{{p{partition}}}:c", $"f{sequence}"));
    }

    private static Task WriteAsync(StoreSession session, int partition, int facts) => FeedTrimTests.WriteAsync(session, partition, facts);
}
