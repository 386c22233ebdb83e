using Muster.Contracts.Commit;

namespace Muster.Redis.Tests;

/// <summary>I6: every reader sees the same facts, whatever its pace, while others write, trim and restart.</summary>
public sealed class SameFactsTests(StoreServers servers)
{
    private const int Partition = 0;
    private const int Writers = 16;
    private const int CommitsEach = 80;
    private const int FactsPerCommit = 3;

    public static TheoryData<StoreKind> Both => StoreServers.Both;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory, MemberData(nameof(Both))]
    public async Task Readers_OfDifferentPacesThatRestart_SeeTheSameFacts(StoreKind kind)
    {
        await using var session = servers.Open(kind);
        var start = await session.Feed.GetEndAsync(Partition, Cancel);
        Reader[] durable =
        [
            new(() => servers.Open(kind), entriesMax: 500, restartsEvery: 0),
            new(() => servers.Open(kind), entriesMax: 100, restartsEvery: 5),
            new(() => servers.Open(kind), entriesMax: 7, restartsEvery: 11),
        ];
        foreach (var reader in durable)
        {
            Assert.Equal(ReaderStatus.Held, (await reader.RegisterAsync(start, Cancel)).Status);
        }

        using var written = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var readers = durable.Select(reader => reader.ReadAsync(written.Token, Cancel)).ToArray();
        var derived = DeriveAsync(kind, start, written.Token);
        var trimming = TrimAsync(session, written.Token);
        await Task.WhenAll(Enumerable.Range(0, Writers).Select(_ => WriteAsync(session)));
        await written.CancelAsync();
        await Task.WhenAll([.. readers, derived, trimming]);
        foreach (var reader in durable)
        {
            await reader.DisposeAsync();
        }

        // Other tests write into every partition, so that there may be more than was written here.
        var first = durable[0].Seen;
        Assert.True(first.Count >= Writers * CommitsEach * FactsPerCommit);
        Assert.Equal(Enumerable.Range(1, first.Count).Select(n => start.Sequence + n), first.Select(fact => fact.Sequence));
        Assert.All(durable, reader => Assert.Equal(first, reader.Seen.Take(first.Count)));
        Assert.All(durable[1..], reader => Assert.True(reader.Restarts > 0));
        Assert.Subset(first.Concat(durable[2].Seen).ToHashSet(), (await derived).ToHashSet());
        Assert.True(await session.Feed.GetTrimmedAsync(Partition, Cancel) > start.Sequence, "Nothing was trimmed meanwhile.");
    }

    private static async Task WriteAsync(StoreSession session)
    {
        var id = NoteRecord.IdIn(Partition, Guid.NewGuid().ToString("N"));
        var state = await session.ReadAsync(id);
        for (var commit = 0; commit < CommitsEach; commit++)
        {
            await session.WriteAsync(id, state, state.State.Next($"c{commit}", FactsPerCommit));
        }
    }

    private static async Task TrimAsync(StoreSession session, CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            await session.Trimmer.TrimAsync(Partition, Cancel);
        }
    }

    /// <summary>A reader without a stored position: when it was trimmed away it begins with what there is.</summary>
    private async Task<List<Fact>> DeriveAsync(StoreKind kind, FeedPosition position, CancellationToken stop)
    {
        await using var session = servers.Open(kind);
        var seen = new List<Fact>();
        while (!stop.IsCancellationRequested)
        {
            var page = await session.Feed.FollowAsync(Partition, position, 20, Cancel);
            Assert.NotEqual(FeedContinuity.Rewound, page.Continuity);
            seen.AddRange(page.Entries.Select(Fact.Of));
            position = page.Continuity == FeedContinuity.Follows ? page.Next : await session.Feed.GetEndAsync(Partition, Cancel);
        }

        return seen;
    }

    private readonly record struct Fact(long Sequence, Guid Id)
    {
        public static Fact Of(FeedEntry entry) => new(entry.Sequence, entry.Id);
    }

    /// <summary>
    /// A durable reader that keeps nothing but what it has seen. Where it restarts it has seen more than its stored position says, as after
    /// a crash before the position was moved, and leaves out what it has seen by its sequence.
    /// </summary>
    private sealed class Reader(Func<StoreSession> open, int entriesMax, int restartsEvery) : IAsyncDisposable
    {
        private readonly DurableReader _reader = new($"tests/{Guid.NewGuid():N}");
        private StoreSession _session = open();

        public List<Fact> Seen { get; } = [];

        public int Restarts { get; private set; }

        public Task<ReaderReply> RegisterAsync(FeedPosition position, CancellationToken cancellationToken) =>
            _session.Readers.RegisterAsync(Partition, _reader, position, cancellationToken);

        public async Task ReadAsync(CancellationToken written, CancellationToken cancellationToken)
        {
            var position = await RestoreAsync(cancellationToken);
            for (var pages = 1; ; pages++)
            {
                var isLast = written.IsCancellationRequested;
                var page = await _session.Feed.FollowAsync(Partition, position, entriesMax, cancellationToken);
                Assert.Equal(FeedContinuity.Follows, page.Continuity);
                var last = Seen.Count == 0 ? 0 : Seen[^1].Sequence;
                Seen.AddRange(page.Entries.Where(entry => entry.Sequence > last).Select(Fact.Of));
                if (restartsEvery > 0 && pages % restartsEvery == 0)
                {
                    await _session.DisposeAsync();
                    _session = open();
                    Restarts++;
                    position = await RestoreAsync(cancellationToken);
                    continue;
                }

                position = page.Next;
                await _session.Readers.AdvanceAsync(Partition, _reader, position, cancellationToken);
                if (isLast && page.IsAtEnd)
                {
                    return;
                }
            }
        }

        public async ValueTask DisposeAsync()
        {
            await _session.Readers.LeaveAsync(Partition, _reader.Name, CancellationToken.None);
            await _session.DisposeAsync();
        }

        /// <summary>Where the store says that it was; what it is told to begin with does not count.</summary>
        private async Task<FeedPosition> RestoreAsync(CancellationToken cancellationToken)
        {
            var end = await _session.Feed.GetEndAsync(Partition, cancellationToken);
            var reply = await _session.Readers.RegisterAsync(Partition, _reader, end, cancellationToken);
            Assert.Equal(ReaderStatus.Held, reply.Status);
            return reply.Position;
        }
    }
}
