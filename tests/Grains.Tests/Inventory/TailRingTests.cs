using System.Collections.Immutable;
using Microsoft.Extensions.DependencyInjection;
using Muster.Contracts;
using Muster.Contracts.Commit;
using Muster.Contracts.Inventory;
using Muster.Domain;
using Muster.Domain.Devices;
using Muster.Grains.Inventory;
using Muster.Testing.Stores;

namespace Muster.Grains.Tests.Inventory;

/// <summary>One read of a partition's feed for all rollouts that follow it.</summary>
public sealed class TailRingTests
{
    private const int Partition = 5;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public void Find_OfAnyPosition_TellsWhatFollowsOrNothing()
    {
        const int Entries = 3_000;
        var ring = new TailRing();
        ring.Restart(PositionOf(100));
        for (var sequence = 101; sequence <= 100 + Entries; sequence++)
        {
            ring.Add(EntryOf(sequence));
        }

        for (var sequence = 0; sequence <= Entries + 200; sequence++)
        {
            var page = ring.Find(PositionOf(sequence));

            if (sequence < 100 + Entries - TailRing.EntriesMax || sequence > 100 + Entries)
            {
                Assert.Null(page);
                continue;
            }

            Assert.Equal((FeedContinuity.Follows, PositionOf(100 + Entries), true), (page!.Continuity, page.Next, page.IsAtEnd));
            Assert.Equal(
                Enumerable.Range(sequence + 1, 100 + Entries - sequence).Where(IsChange).Select(n => (long)n),
                page.Changes.Select(change => ((ChangeOffered)change.Fact).Epoch));
            Assert.Null(ring.Find(new FeedPosition(sequence, 1)));
        }
    }

    [Fact]
    public void Find_BehindARestart_TellsNothingOfBefore()
    {
        var ring = new TailRing();
        ring.Restart(FeedPosition.Start);
        ring.Add(EntryOf(1));
        ring.Add(EntryOf(2));

        ring.Restart(PositionOf(2));

        Assert.Null(ring.Find(PositionOf(1)));
        Assert.Empty(ring.Find(PositionOf(2))!.Changes);
    }

    [Theory, InlineData(false), InlineData(true)]
    public async Task FollowAsync_OfManyFollowers_ReadsTheStoreOnceForAll(bool isEmbedded)
    {
        const int Followers = 20;
        const int Commits = 50;
        CountingFeed? counting = null;
        await using var silo = await StoreSilo.StartAsync(isEmbedded, services =>
        {
            var real = services.Last(service => service.ServiceType == typeof(IFeedReader)).ImplementationType!;
            services.AddSingleton<IFeedReader>(provider =>
                counting = new CountingFeed((IFeedReader)ActivatorUtilities.CreateInstance(provider, real)));
        });
        var inventory = silo.Grains.GetInventory(Partition);
        var id = NoteRecord.IdIn(Partition, "tail");
        var state = await silo.Store.ReadAsync(id);
        var positions = new FeedPosition[Followers];
        var started = TimeProvider.System.GetTimestamp();
        await inventory.FollowAsync(FeedPosition.Start);
        var before = counting!.Follows;

        var asked = 0;
        for (var commit = 0; commit < Commits; commit++)
        {
            await silo.Store.WriteAsync(id, state, state.State.Next("x", 1));
            var end = await silo.Store.Feed.GetEndAsync(Partition, Cancel);

            // As the committing silo does; the nudge is one way.
            await inventory.NudgeAsync();
            for (var i = 0; i < Followers; i++)
            {
                while (positions[i] != end)
                {
                    positions[i] = (await inventory.FollowAsync(positions[i])).Next;
                    asked++;
                }
            }
        }

        var seconds = (int)TimeProvider.System.GetElapsedTime(started).TotalSeconds;
        Assert.True(asked >= Followers * Commits);
        Assert.InRange(counting.Follows - before, Commits, Commits + 2 + seconds);
        TestContext.Current.TestOutputHelper?.WriteLine($"{asked} questions, {counting.Follows - before} reads of the store.");
    }

    [Theory, InlineData(false), InlineData(true)]
    public async Task FollowAsync_FromPlacesThatTheRingDoesNotHave_AsksTheStore(bool isEmbedded)
    {
        await using var silo = await StoreSilo.StartAsync(isEmbedded);
        await silo.Store.Readers.RegisterAsync(Partition, new DurableReader("holds"), FeedPosition.Start, Cancel);
        var inventory = silo.Grains.GetInventory(Partition);
        await inventory.FollowAsync(FeedPosition.Start);
        var id = NoteRecord.IdIn(Partition, "tail");
        var state = await silo.Store.ReadAsync(id);
        for (var commit = 0; commit < 6; commit++)
        {
            await silo.Store.WriteAsync(id, state, state.State.Next("x", 400));
        }

        // Ahead of the tail, which nobody nudged.
        var end = await silo.Store.Feed.GetEndAsync(Partition, Cancel);
        Assert.Equal((FeedContinuity.Follows, end), Of(await inventory.FollowAsync(end)));

        // Long before it.
        var position = FeedPosition.Start;
        var pages = 0;
        for (TailPage? page = null; page is not { IsAtEnd: true }; pages++)
        {
            page = await inventory.FollowAsync(position);
            Assert.Equal(FeedContinuity.Follows, page.Continuity);
            position = page.Next;
        }

        Assert.Equal(end, position);
        Assert.True(pages > 1);
        Assert.Equal(FeedContinuity.Rewound, (await inventory.FollowAsync(end with { Fingerprint = 1 })).Continuity);
        Assert.Equal(FeedContinuity.Rewound, (await inventory.FollowAsync(end with { Sequence = end.Sequence + 1 })).Continuity);
    }

    private static (FeedContinuity Continuity, FeedPosition Next) Of(TailPage page) => (page.Continuity, page.Next);

    private static FeedPosition PositionOf(long sequence) => new(sequence, sequence == 0 ? 0 : (ulong)sequence * 7919);

    private static bool IsChange(int sequence) => sequence % 3 == 0;

    private static FeedEntry EntryOf(int sequence) => new()
    {
        Id = Guid.Empty,
        Sequence = sequence,
        Fingerprint = PositionOf(sequence).Fingerprint,
        Record = new RecordKey(IsChange(sequence) ? GrainTypes.Device : GrainTypes.Rollout, "default/A"),
        Version = sequence,
        At = DateTimeOffset.UnixEpoch,
        Actor = Actor.Rule("tests"),
        Fact = new ChangeOffered(default, sequence, 1, ""),
    };

    private sealed class CountingFeed(IFeedReader inner) : IFeedReader
    {
        private int _follows;

        public int Follows => Volatile.Read(ref _follows);

        public Task<FeedPosition> GetEndAsync(int partition, CancellationToken cancellationToken) =>
            inner.GetEndAsync(partition, cancellationToken);

        public Task<FeedPage> FollowAsync(int partition, FeedPosition after, int entriesMax, CancellationToken cancellationToken)
        {
            if (partition == Partition)
            {
                Interlocked.Increment(ref _follows);
            }

            return inner.FollowAsync(partition, after, entriesMax, cancellationToken);
        }

        public Task<bool> IsAtEndAsync(int partition, FeedPosition position, CancellationToken cancellationToken) =>
            inner.IsAtEndAsync(partition, position, cancellationToken);

        public Task<long> GetTrimmedAsync(int partition, CancellationToken cancellationToken) =>
            inner.GetTrimmedAsync(partition, cancellationToken);

        public Task<long> GetHeadAsync(int partition, CancellationToken cancellationToken) =>
            inner.GetHeadAsync(partition, cancellationToken);

        public Task<ImmutableArray<FeedEntry>> ReadAsync(int partition, long after, int entriesMax, CancellationToken cancellationToken) =>
            inner.ReadAsync(partition, after, entriesMax, cancellationToken);
    }
}
