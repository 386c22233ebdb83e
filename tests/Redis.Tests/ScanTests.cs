using Muster.Contracts;
using Muster.Contracts.Commit;

namespace Muster.Redis.Tests;

public sealed class ScanTests(StoreServers servers)
{
    private const int Partition = 15;

    /// <summary>With their facts and versions, several steps of a scan.</summary>
    private const int Records = 1_500;

    public static TheoryData<StoreKind> Both => StoreServers.Both;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory, MemberData(nameof(Both))]
    public async Task Scan_ManyRecordsAndFacts_FindsEachRecord(StoreKind kind)
    {
        await using var session = servers.Open(kind);
        var batch = Guid.NewGuid().ToString("N");
        var due = new DateTimeOffset(2030, 1, 1, 0, 0, 0, TimeSpan.Zero);
        await Task.WhenAll(Enumerable.Range(0, Records).Select(async n =>
        {
            var id = NoteRecord.IdIn(Partition, $"{batch}-{n}");
            var next = new NoteRecord().Next($"{n}", facts: 1);
            await session.WriteAsync(id, new NoteState(), next with { Attachments = next.Attachments with { DueAt = due } });
        }));

        var found = new Dictionary<RecordKey, StoredRecord>();
        await foreach (var record in session.Scanner.ScanAsync(Partition, Cancel))
        {
            found[record.Key] = record;
        }

        for (var n = 0; n < Records; n++)
        {
            var record = found[new RecordKey(GrainTypes.RolloutPartition, $"default/{batch}-{n}/{Partition}")];
            Assert.Equal(1, record.Version);
            Assert.Equal(due, record.DueAt);
            Assert.Equal($"{n}", Assert.IsType<NoteRecord>(record.Record).Text);
        }
    }

    [Theory, MemberData(nameof(Both))]
    public async Task Scan_WhileRecordsAreWritten_FindsAllThatWereThereBefore(StoreKind kind)
    {
        await using var session = servers.Open(kind);
        var batch = Guid.NewGuid().ToString("N");
        await Task.WhenAll(Enumerable.Range(0, Records).Select(n =>
            session.WriteAsync(NoteRecord.IdIn(Partition, $"{batch}-{n}"), new NoteState(), new NoteRecord().Next($"{n}", facts: 1))));
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var writing = WriteNewRecordsAsync(session, stop.Token);

        var found = new HashSet<string>();
        await foreach (var record in session.Scanner.ScanAsync(Partition, Cancel))
        {
            found.Add(record.Key.Key);
        }

        await stop.CancelAsync();
        await writing;
        Assert.All(Enumerable.Range(0, Records), n => Assert.Contains($"default/{batch}-{n}/{Partition}", found));
    }

    [Fact]
    public async Task Scan_OfAServerThatIsKilledAndStartedMeanwhile_IsBrokenOffAndAnotherFindsAll()
    {
        await using var redis = await RedisServer.StartAsync("always", Cancel);
        await using var session = StoreSession.Open(redis.ConnectionString);
        await WriteAsync(session, "note");
        var run = await session.Scanner.GetRunAsync(Partition, Cancel);
        var found = 0;

        await Assert.ThrowsAsync<ScanBrokenException>(async () =>
        {
            await foreach (var record in session.Scanner.ScanAsync(Partition, Cancel))
            {
                if (++found == 1)
                {
                    await redis.RestartAsync(Cancel);
                }
            }
        });

        Assert.InRange(found, 1, Records - 1);
        Assert.NotEqual(run, await session.Scanner.GetRunAsync(Partition, Cancel));
        var again = await session.Scanner.ScanAsync(Partition, Cancel).Select(record => record.Key).ToListAsync(Cancel);
        Assert.Equal(Records, again.Distinct().Count());
    }

    [Fact]
    public async Task Pages_OfAServerThatIsKilledAndStartedMeanwhile_BeginAgain()
    {
        await using var redis = await RedisServer.StartAsync("always", Cancel);
        await using var session = StoreSession.Open(redis.ConnectionString);
        await WriteAsync(session, "note");
        var first = await session.Archive.ReadAsync(Partition, GrainTypes.RolloutPartition, "*", "", Cancel);

        await redis.RestartAsync(Cancel);

        await Assert.ThrowsAsync<ScanBrokenException>(
            () => session.Archive.ReadAsync(Partition, GrainTypes.RolloutPartition, "*", first.Next!, Cancel));
        Assert.Equal(Records, (await PageAsync(session, "", () => Task.CompletedTask)).Count);
    }

    [Fact]
    public async Task Scan_OfAStoreThatIsEmptiedMeanwhile_IsRefused()
    {
        await using var redis = await RedisServer.StartAsync("no", Cancel);
        await using var session = StoreSession.Open(redis.ConnectionString);
        await WriteAsync(session, "note");
        await using var raw = await StackExchange.Redis.ConnectionMultiplexer.ConnectAsync(redis.ConnectionString);

        await Assert.ThrowsAsync<StoreUnavailableException>(async () =>
        {
            await foreach (var record in session.Scanner.ScanAsync(Partition, Cancel))
            {
                await raw.GetDatabase().ExecuteAsync("FLUSHALL");
            }
        });
    }

    /// <summary>The feed is the larger part of a partition, and its tail takes it away while somebody reads the records.</summary>
    [Theory, MemberData(nameof(Both))]
    public async Task Pages_WhileTheFeedIsTrimmed_LeaveNoRecordOut(StoreKind kind)
    {
        await using var session = servers.Open(kind);
        var batch = Guid.NewGuid().ToString("N");
        await WriteAsync(session, batch);

        var found = await PageAsync(session, batch, () => session.Trimmer.TrimAsync(Partition, Cancel));

        Assert.Equal(Records, found.Count);
    }

    private static async Task WriteAsync(StoreSession session, string batch) =>
        await Task.WhenAll(Enumerable.Range(0, Records).Select(n =>
            session.WriteAsync(NoteRecord.IdIn(Partition, $"{batch}-{n}"), new NoteState(), new NoteRecord().Next($"{n}", facts: 1))));

    private static async Task<HashSet<RecordKey>> PageAsync(StoreSession session, string batch, Func<Task> between)
    {
        var found = new HashSet<RecordKey>();
        for (var next = ""; next is not null;)
        {
            var page = await session.Archive.ReadAsync(Partition, GrainTypes.RolloutPartition, $"default/{batch}*", next, Cancel);
            found.UnionWith(page.Records.Select(record => record.Key));
            next = page.Next;
            await between();
        }

        return found;
    }

    private static async Task WriteNewRecordsAsync(StoreSession session, CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            var id = NoteRecord.IdIn(Partition, Guid.NewGuid().ToString("N"));
            await session.WriteAsync(id, new NoteState(), new NoteRecord().Next("meanwhile", facts: 2));
        }
    }
}
