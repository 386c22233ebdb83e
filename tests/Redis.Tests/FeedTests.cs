using Microsoft.Extensions.DependencyInjection;
using Muster.Contracts;
using Muster.Contracts.Commit;
using Muster.Domain;

namespace Muster.Redis.Tests;

public sealed class FeedTests(StoreServers servers)
{
    private const int Writers = 64;
    private const int CommitsEach = 20;

    public static TheoryData<StoreKind> Both => StoreServers.Both;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory, MemberData(nameof(Both))]
    public async Task Read_AfterManyWritersOfOnePartition_HasNoGapAndNoDuplicate(StoreKind kind)
    {
        const int Partition = 9;
        await using var session = servers.Open(kind);
        var before = await session.Feed.GetHeadAsync(Partition, Cancel);

        await Task.WhenAll(Enumerable.Range(0, Writers).Select(_ => WriteManyAsync(session, Partition)));

        var feed = await session.ReadFeedAsync(Partition, Cancel, before);
        Assert.Equal(Writers * CommitsEach * 2, feed.Count);
        Assert.Equal(Enumerable.Range(1, feed.Count).Select(n => before + n), feed.Select(entry => entry.Sequence));
        Assert.Equal(feed.Count, feed.Select(entry => entry.Id).Distinct().Count());
        Assert.All(
            feed.GroupBy(entry => entry.Record),
            own => Assert.Equal(Enumerable.Range(1, 2 * CommitsEach).Select(n => (long)n), own.Select(NumberOf)));
    }

    [Theory, MemberData(nameof(Both))]
    public async Task Read_AfterACommitOfSeveralFacts_CarriesRowAndDateOnTheLastOnly(StoreKind kind)
    {
        const int Partition = 10;
        await using var session = servers.Open(kind);
        var id = NoteRecord.IdIn(Partition, Guid.NewGuid().ToString("N"));
        var before = await session.Feed.GetHeadAsync(Partition, Cancel);
        var due = new DateTimeOffset(2027, 1, 2, 3, 4, 5, TimeSpan.Zero);
        var next = new NoteRecord().Next("due", facts: 3);

        await session.WriteAsync(id, await session.ReadAsync(id), next with { Attachments = next.Attachments with { DueAt = due } });

        var feed = await session.ReadFeedAsync(Partition, Cancel, before);
        Assert.Equal([false, false, true], feed.Select(entry => entry.IsLast));
        Assert.Equal([null, null, (DateTimeOffset?)due], feed.Select(entry => entry.DueAt));
        Assert.All(feed, entry =>
        {
            Assert.Equal(1, entry.Version);
            Assert.Equal(Actor.Rule("tests"), entry.Actor);
            Assert.Equal(DateTimeOffset.UnixEpoch, entry.At);
            Assert.Equal(new RecordKey(GrainTypes.RolloutPartition, id.Key.ToString()!), entry.Record);
        });
    }

    [Theory, MemberData(nameof(Both))]
    public async Task IsAtEnd_OfAPosition_IsTrueOnlyForTheNewestEntryAsItWasRead(StoreKind kind)
    {
        const int Partition = 11;
        await using var session = servers.Open(kind);
        var id = NoteRecord.IdIn(Partition, Guid.NewGuid().ToString("N"));
        var state = await session.ReadAsync(id);
        await session.WriteAsync(id, state, state.State.Next("one", facts: 2));
        var end = await session.Feed.GetEndAsync(Partition, Cancel);

        Assert.True(await session.Feed.IsAtEndAsync(Partition, end, Cancel));
        Assert.False(await session.Feed.IsAtEndAsync(Partition, end with { Fingerprint = end.Fingerprint + 1 }, Cancel));
        Assert.False(await session.Feed.IsAtEndAsync(Partition, new FeedPosition(end.Sequence + 1, 1), Cancel));
        Assert.False(await session.Feed.IsAtEndAsync(Partition, FeedPosition.Start, Cancel));

        await session.WriteAsync(id, state, state.State.Next("two", facts: 1));

        Assert.False(await session.Feed.IsAtEndAsync(Partition, end, Cancel));
        Assert.True(await session.Feed.IsAtEndAsync(Partition, await session.Feed.GetEndAsync(Partition, Cancel), Cancel));
    }

    [Theory, MemberData(nameof(Both))]
    public async Task Read_MoreThanAskedFor_IsBounded(StoreKind kind)
    {
        const int Partition = 11;
        await using var session = servers.Open(kind);
        var before = await session.Feed.GetHeadAsync(Partition, Cancel);
        await WriteManyAsync(session, Partition);

        var read = await session.Feed.ReadAsync(Partition, before, 3, Cancel);

        Assert.Equal([before + 1, before + 2, before + 3], read.Select(entry => entry.Sequence));
        // Other tests write into every partition meanwhile, but not so much.
        Assert.Empty(await session.Feed.ReadAsync(Partition, before + 1_000_000, 3, Cancel));
    }

    [Theory, MemberData(nameof(Both))]
    public async Task Write_WithFacts_NudgesThePartitionAfterwards(StoreKind kind)
    {
        var nudged = new Nudges();
        await using var session = servers.Open(kind, configure: services => services.AddSingleton<IFeedNudge>(nudged));
        var id = NoteRecord.IdIn(12, Guid.NewGuid().ToString("N"));

        await session.WriteAsync(id, await session.ReadAsync(id), new NoteRecord().Next("told", facts: 1));

        Assert.Equal(12, await nudged.First.WaitAsync(TimeSpan.FromSeconds(10), Cancel));
    }

    private static async Task WriteManyAsync(StoreSession session, int partition)
    {
        var id = NoteRecord.IdIn(partition, Guid.NewGuid().ToString("N"));
        var state = await session.ReadAsync(id);
        for (var commit = 0; commit < CommitsEach; commit++)
        {
            await session.WriteAsync(id, state, state.State.Next($"c{commit}", facts: 2));
        }
    }

    private static long NumberOf(FeedEntry entry) => Assert.IsType<NoteWritten>(entry.Fact).Number;

    private sealed class Nudges : IFeedNudge
    {
        private readonly TaskCompletionSource<int> _first = new();

        public Task<int> First => _first.Task;

        public void Nudge(int partition) => _first.TrySetResult(partition);
    }
}
