using System.Collections.Concurrent;
using System.Collections.Immutable;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Muster.Contracts.Commit;
using Muster.Contracts.Inventory;
using Muster.Testing.Stores;

namespace Muster.Grains.Tests.Inventory;

/// <summary>The backstop of the tails. Nobody nudges here, as if every nudge were lost.</summary>
public sealed class TailPollTests
{
    private const int Partition = 5;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory, InlineData(false), InlineData(true)]
    public async Task Tail_WhoseNudgeIsLost_ReadsAllTheSame(bool isEmbedded)
    {
        await using var silo = await StoreSilo.StartAsync(isEmbedded);
        var inventory = silo.Grains.GetInventory(Partition);
        await inventory.FollowAsync(FeedPosition.Start);

        await WriteAsync(silo, Partition);

        await ReadsAsync(silo, Partition);
    }

    [Theory, InlineData(false), InlineData(true)]
    public async Task Poll_OfManyTails_ReadsOnlyTheFeedsThatHaveMoved(bool isEmbedded)
    {
        LoggedFeed? feed = null;
        await using var silo = await StoreSilo.StartAsync(isEmbedded, services => feed = LoggedFeed.Decorate(services));
        var partitions = Enumerable.Range(0, PartitionMap.CountMin).ToArray();
        await Task.WhenAll(partitions.Select(partition => silo.Grains.GetInventory(partition).FollowAsync(FeedPosition.Start)));
        await StoreSilo.UntilAsync(() => partitions.All(partition => feed!.LooksAt(partition) > 0));
        var before = partitions.Select(feed!.ReadsOf).ToArray();

        await WriteAsync(silo, Partition);
        await ReadsAsync(silo, Partition);
        var looks = partitions.Select(feed.LooksAt).ToArray();
        await StoreSilo.UntilAsync(() => partitions.All(partition => feed.LooksAt(partition) > looks[partition]));

        // One whose tail is slow to answer is nudged twice.
        Assert.InRange(feed.ReadsOf(Partition) - before[Partition], 1, 3);
        Assert.All(partitions.Where(partition => partition != Partition), quiet => Assert.Equal(before[quiet], feed.ReadsOf(quiet)));
    }

    [Fact]
    public async Task Tail_WhenTheStoreWasGoneAndIsBack_ReadsOn()
    {
        await using var silo = await StoreSilo.StartAsync(isEmbedded: false);
        var inventory = silo.Grains.GetInventory(Partition);
        await inventory.FollowAsync(FeedPosition.Start);
        await WriteAsync(silo, Partition);
        await ReadsAsync(silo, Partition);

        await silo.Redis.KillAsync(Cancel);
        await StoreSilo.UntilAsync(() => silo.Log.Count(LogLevel.Warning, "could not be looked at") > 0);
        await silo.Redis.RestartAsync(Cancel);
        await StoreSilo.UntilAsync(() => WriteAsync(silo, Partition));

        await ReadsAsync(silo, Partition);

        // One line for all partitions and seconds.
        Assert.Equal(1, silo.Log.Count(LogLevel.Warning, "could not be looked at"));
    }

    [Fact]
    public async Task Tail_WhenTheStoreWentBackWithoutANudge_IsBuiltAgain()
    {
        await using var silo = await StoreSilo.StartAsync(isEmbedded: false);
        await WriteAsync(silo, Partition);
        var backup = silo.Redis.CopyLog();
        await WriteAsync(silo, Partition);
        var inventory = silo.Grains.GetInventory(Partition);
        await inventory.FollowAsync(FeedPosition.Start);

        // The same number under which the tail stands, with another entry.
        await silo.Redis.RestartFromAsync(backup, Cancel);
        await StoreSilo.UntilAsync(() => WriteAsync(silo, Partition));

        await StoreSilo.UntilAsync(() => silo.Log.Count(LogLevel.Error, $"Feed of partition {Partition} is Rewound") > 0);
    }

    /// <summary>False when the store does not answer.</summary>
    private static async Task<bool> WriteAsync(StoreSilo silo, int partition)
    {
        try
        {
            var id = NoteRecord.IdIn(partition, "tail");
            var state = await silo.Store.ReadAsync(id);
            await silo.Store.WriteAsync(id, state, state.State.Next("x", 1));
            return true;
        }
        catch (StoreUnavailableException)
        {
            return false;
        }
    }

    /// <summary>The tail has read up to the end: what it hands on of where it stands comes from its memory.</summary>
    private static async Task ReadsAsync(StoreSilo silo, int partition)
    {
        var end = await silo.Store.Feed.GetEndAsync(partition, Cancel);
        var position = FeedPosition.Start;
        await StoreSilo.UntilAsync(async () =>
        {
            position = (await silo.Grains.GetInventory(partition).FollowAsync(position)).Next;
            return position == end;
        });
    }

    /// <summary>Counts what a silo asks of the feeds.</summary>
    private sealed class LoggedFeed : IFeedReader
    {
        private readonly ConcurrentDictionary<int, int> _looks = new();
        private readonly ConcurrentDictionary<int, int> _reads = new();
        private IFeedReader _inner = null!;

        public static LoggedFeed Decorate(IServiceCollection services)
        {
            var feed = new LoggedFeed();
            var real = services.Last(service => service.ServiceType == typeof(IFeedReader)).ImplementationType!;
            services.AddSingleton<IFeedReader>(provider =>
            {
                feed._inner = (IFeedReader)ActivatorUtilities.CreateInstance(provider, real);
                return feed;
            });
            return feed;
        }

        public int LooksAt(int partition) => _looks.GetValueOrDefault(partition);

        public int ReadsOf(int partition) => _reads.GetValueOrDefault(partition);

        public Task<FeedPosition> GetEndAsync(int partition, CancellationToken cancellationToken) =>
            _inner.GetEndAsync(partition, cancellationToken);

        public Task<FeedPage> FollowAsync(int partition, FeedPosition after, int entriesMax, CancellationToken cancellationToken)
        {
            _reads.AddOrUpdate(partition, 1, (_, reads) => reads + 1);
            return _inner.FollowAsync(partition, after, entriesMax, cancellationToken);
        }

        public async Task<bool> IsAtEndAsync(int partition, FeedPosition position, CancellationToken cancellationToken)
        {
            var isAtEnd = await _inner.IsAtEndAsync(partition, position, cancellationToken);
            _looks.AddOrUpdate(partition, 1, (_, looks) => looks + 1);
            return isAtEnd;
        }

        public Task<long> GetTrimmedAsync(int partition, CancellationToken cancellationToken) =>
            _inner.GetTrimmedAsync(partition, cancellationToken);

        public Task<long> GetHeadAsync(int partition, CancellationToken cancellationToken) =>
            _inner.GetHeadAsync(partition, cancellationToken);

        public Task<ImmutableArray<FeedEntry>> ReadAsync(int partition, long after, int entriesMax, CancellationToken cancellationToken) =>
            _inner.ReadAsync(partition, after, entriesMax, cancellationToken);
    }
}
