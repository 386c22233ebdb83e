using System.Collections.Concurrent;
using System.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using Muster.Contracts.Commit;
using StackExchange.Redis;

namespace Muster.Redis.Tests;

/// <summary>
/// The provider as it is on Redis Sentinel and on a Redis Cluster, through the death of a master. Replication does not wait: what a master
/// acknowledged and no replica had is lost, counted here, and noticed by whoever had read it.
/// </summary>
public sealed class FailoverTests
{
    private const int Partition = 5;
    private const int Writers = 32;

    /// <summary>More than one step of a scan.</summary>
    private const int Records = 400;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    public static TheoryData<GroupKind> Groups => [GroupKind.Sentinel, GroupKind.Cluster];

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory, MemberData(nameof(Groups))]
    public async Task Master_KilledUnderLoad_TearsNothingAndCommitsGoOn(GroupKind kind)
    {
        await using var group = await StartAsync(kind);
        await using var session = StoreSession.Open(group.ConnectionString);
        await CheckEveryRoadAsync(session);
        using var silo = NoteSilo.Build(group.ConnectionString, StoreSession.Partitions);
        await silo.StartAsync(Cancel);
        var grain = silo.Services.GetRequiredService<IGrainFactory>().GetGrain<INoteGrain>("default/note");
        Assert.Equal(1, await grain.AddAsync("before"));
        var log = new CommitLog();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var writers = Enumerable.Range(0, Writers).Select(n => WriteAsync(session, log, n, stop.Token)).ToArray();
        await log.MoreThanAsync(1_000, Cancel);

        // Under load, with replicas that follow as they can.
        var key = $"{{p{Partition}}}:c";
        var (before, clock) = (log.OfPartition(Partition), Stopwatch.StartNew());
        await group.KillMasterOfAsync(key);
        await log.MoreThanAsync(Partition, before + Writers, Cancel);
        var away = clock.Elapsed;
        await stop.CancelAsync();
        await Task.WhenAll(writers);

        await using var fresh = StoreSession.Open(group.ConnectionString);
        var lost = await log.CheckAsync(fresh, Cancel);
        TestContext.Current.TestOutputHelper?.WriteLine(
            $"{kind}: {log.Total} acknowledged, {lost} of them lost; commits went on after {away.TotalSeconds:0.0} s.");
        await CheckEveryRoadAsync(session);
        await InsistAsync(() => grain.AddAsync("after"));
        Assert.InRange(await grain.AddAsync("with a reminder again"), 2, 3);
        await silo.StopAsync(Cancel);
    }

    [Theory, MemberData(nameof(Groups))]
    public async Task Master_GoneWithWhatNoReplicaHad_IsNoticedByReadersAndWriters(GroupKind kind)
    {
        await using var group = await StartAsync(kind);
        await using var session = StoreSession.Open(group.ConnectionString);
        var id = NoteRecord.IdIn(Partition, "note");
        var state = new NoteState();
        await session.WriteAsync(id, state, state.State.Next("kept", facts: 1));
        var kept = await session.Feed.GetEndAsync(Partition, Cancel);
        var run = await session.Scanner.GetRunAsync(Partition, Cancel);
        await group.WaitForReplicasOfAsync($"{{p{Partition}}}:c");

        await group.CutReplicasOfAsync($"{{p{Partition}}}:c");
        await session.WriteAsync(id, state, state.State.Next("lost", facts: 2));
        var lost = await session.Feed.GetEndAsync(Partition, Cancel);
        await group.KillMasterOfAsync($"{{p{Partition}}}:c");

        await InsistAsync(() => session.WriteAsync(NoteRecord.IdIn(Partition, "other"), new NoteState(), new NoteRecord().Next("x", 1)));
        Assert.Equal(FeedContinuity.Rewound, (await session.Feed.FollowAsync(Partition, lost, 10, Cancel)).Continuity);
        Assert.Equal(FeedContinuity.Follows, (await session.Feed.FollowAsync(Partition, kept, 10, Cancel)).Continuity);
        await Assert.ThrowsAsync<CommitConflictException>(() => session.WriteAsync(id, state, state.State.Next("after", facts: 1)));
        Assert.Equal("kept", (await session.ReadAsync(id)).State.Text);
        Assert.NotEqual(run, await session.Scanner.GetRunAsync(Partition, Cancel));
    }

    /// <summary>Commit, conflict, fence, scan and trim, in all partitions, which on a cluster are on several servers.</summary>
    private static async Task CheckEveryRoadAsync(StoreSession session)
    {
        var name = Guid.NewGuid().ToString("N");
        await Task.WhenAll(Enumerable.Range(0, StoreSession.Partitions).Select(async partition =>
        {
            var id = NoteRecord.IdIn(partition, name);
            var (mine, theirs) = (new NoteState(), new NoteState());
            var first = mine.State.Next("first", facts: 2) with { Cold = new NoteCold("cold") };
            await session.WriteAsync(id, mine, first with { Attachments = first.Attachments with { ColdChanged = true } });
            await Assert.ThrowsAsync<CommitConflictException>(() => session.WriteAsync(id, theirs, theirs.State.Next("late", facts: 1)));
        }));
        await session.Fences.RaiseAsync([.. Enumerable.Range(0, StoreSession.Partitions)], name, 2, Cancel);
        for (var partition = 0; partition < StoreSession.Partitions; partition++)
        {
            var id = NoteRecord.IdIn(partition, name);
            var state = await session.ReadAsync(id);
            Assert.Equal(new NoteCold("cold"), state.State.Cold);
            var fenced = state.State.Next("fenced", facts: 1);
            var attachments = fenced.Attachments with { Fences = [new Fence(name, 1)] };
            await Assert.ThrowsAsync<FenceRaisedException>(
                () => session.WriteAsync(id, state, fenced with { Attachments = attachments }));
            await session.Trimmer.TrimAsync(partition, Cancel);
        }

        await Task.WhenAll(Enumerable.Range(0, Records).Select(n => session.WriteAsync(
            NoteRecord.IdIn(Partition, $"{name}-{n}"), new NoteState(), new NoteRecord().Next("many", facts: 1))));
        var scanned = await session.Scanner.ScanAsync(Partition, Cancel).Select(record => record.Key).ToListAsync(Cancel);
        Assert.Equal(Records + 1, scanned.Distinct().Count(key => key.Key.StartsWith($"default/{name}", StringComparison.Ordinal)));
    }

    private static async Task<RedisGroup> StartAsync(GroupKind kind) =>
        kind == GroupKind.Sentinel ? await RedisSentinels.StartAsync() : await RedisCluster.StartAsync();

    /// <summary>Every commit of its own text, so that each that was acknowledged can be looked for.</summary>
    private static async Task WriteAsync(StoreSession session, CommitLog log, int number, CancellationToken cancellationToken)
    {
        var partition = number % StoreSession.Partitions;
        var id = NoteRecord.IdIn(partition, $"writer-{number}");
        NoteState? state = null;
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                state ??= await session.ReadAsync(id);
                var text = $"{Guid.NewGuid():N}";
                await session.WriteAsync(id, state, state.State.Next(text, facts: 1));
                log.Acknowledge(partition, text);
            }
            catch (Exception exception) when (exception is StoreUnavailableException or CommitConflictException)
            {
                state = null;
            }
        }
    }

    private static async Task InsistAsync(Func<Task> commit)
    {
        for (var started = Stopwatch.StartNew(); ;)
        {
            try
            {
                await commit();
                return;
            }
            catch (Exception fault) when (fault is StoreUnavailableException or RedisException && started.Elapsed < Patience)
            {
                // Nobody has taken over yet.
            }
        }
    }

    public enum GroupKind
    {
        Sentinel,
        Cluster,
    }

    private sealed class CommitLog
    {
        private readonly ConcurrentDictionary<string, int> _texts = new();
        private readonly long[] _counts = new long[StoreSession.Partitions];

        public long Total => _texts.Count;

        public void Acknowledge(int partition, string text)
        {
            _texts[text] = partition;
            Interlocked.Increment(ref _counts[partition]);
        }

        public long OfPartition(int partition) => Interlocked.Read(ref _counts[partition]);

        public Task MoreThanAsync(int total, CancellationToken cancellationToken) => UntilAsync(() => Total > total, cancellationToken);

        public Task MoreThanAsync(int partition, long count, CancellationToken cancellationToken) =>
            UntilAsync(() => OfPartition(partition) > count, cancellationToken);

        /// <summary>No feed has a gap or a duplicate, no record is torn. Returns how many acknowledged commits are not there.</summary>
        public async Task<int> CheckAsync(StoreSession session, CancellationToken cancellationToken)
        {
            var found = new HashSet<string>();
            for (var partition = 0; partition < StoreSession.Partitions; partition++)
            {
                var trimmed = await session.Feed.GetTrimmedAsync(partition, cancellationToken);
                var feed = await session.ReadFeedAsync(partition, cancellationToken, trimmed);
                Assert.Equal(Enumerable.Range(1, feed.Count).Select(n => trimmed + n), feed.Select(entry => entry.Sequence));
                Assert.Equal(feed.Count, feed.Select(entry => entry.Id).Distinct().Count());
                found.UnionWith(feed.Select(entry => ((NoteWritten)entry.Fact).Text));
                var written = feed.Where(entry => entry.Record.Key.Contains("writer-", StringComparison.Ordinal));
                foreach (var facts in written.GroupBy(entry => entry.Record))
                {
                    var state = await session.ReadAsync(GrainId.Create(facts.Key.Kind, facts.Key.Key));
                    Assert.Equal(((NoteWritten)facts.Last().Fact).Text, state.State.Text);
                    Assert.Equal($"{facts.Last().Version}", state.ETag);
                    Assert.Equal(Enumerable.Range(1, facts.Count()).Select(n => (long)n), facts.Select(fact => fact.Version));
                }
            }

            return _texts.Keys.Count(text => !found.Contains(text));
        }

        private static async Task UntilAsync(Func<bool> isSo, CancellationToken cancellationToken)
        {
            using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            timeout.CancelAfter(TimeSpan.FromSeconds(60));
            while (!isSo())
            {
                await Task.Delay(10, timeout.Token);
            }
        }
    }
}
