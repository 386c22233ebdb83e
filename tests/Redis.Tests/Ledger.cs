using System.Collections.Concurrent;
using Muster.Contracts.Commit;

namespace Muster.Redis.Tests;

/// <summary>What was acknowledged, to be compared with what a store holds after a crash.</summary>
internal sealed class Ledger
{
    private readonly ConcurrentDictionary<int, long> _highest = new();
    private long _total;

    public long Total => Interlocked.Read(ref _total);

    public ValueTask AcknowledgeAsync(int number, long version)
    {
        _highest[number] = version;
        Interlocked.Increment(ref _total);
        return ValueTask.CompletedTask;
    }

    /// <summary>Returns when something was acknowledged again; a store that stays away for half a minute fails the test.</summary>
    public async Task WaitUntilMoreThanAsync(long total, CancellationToken cancellationToken)
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        timeout.CancelAfter(TimeSpan.FromSeconds(30));
        while (Total <= total)
        {
            await Task.Delay(10, timeout.Token);
        }
    }

    /// <summary>Nothing acknowledged is missing, no commit is torn, no feed has a gap or a duplicate.</summary>
    public async Task VerifyAsync(StoreSession session, CancellationToken cancellationToken)
    {
        var facts = new Dictionary<RecordKey, List<FeedEntry>>();
        for (var partition = 0; partition < StoreSession.Partitions; partition++)
        {
            var feed = await session.ReadFeedAsync(partition, cancellationToken);
            Assert.Equal(Enumerable.Range(1, feed.Count).Select(n => (long)n), feed.Select(entry => entry.Sequence));
            Assert.Equal(feed.Count, feed.Select(entry => entry.Id).Distinct().Count());
            foreach (var entries in feed.GroupBy(entry => entry.Record))
            {
                facts[entries.Key] = [.. entries];
            }
        }

        for (var number = 0; number < NoteWriter.RecordsTotal; number++)
        {
            var id = NoteWriter.Id(number);
            var state = await session.ReadAsync(id);
            var version = NoteWriter.Version(state);
            var acknowledged = _highest.GetValueOrDefault(number);
            Assert.True(version >= acknowledged, $"Record {number} is at {version}, acknowledged was {acknowledged}.");

            var own = facts.GetValueOrDefault(new RecordKey(id.Type.ToString()!, id.Key.ToString()!)) ?? [];
            Assert.Equal(Enumerable.Range(1, (int)state.State.FactsTotal).Select(n => (long)n), own.Select(Number));
            Assert.All(own, entry => Assert.True(entry.Version <= version));
        }
    }

    /// <summary>The same of feeds that are trimmed: what they still hold ends where the records are.</summary>
    public async Task VerifyRetainedAsync(StoreSession session, CancellationToken cancellationToken)
    {
        var facts = new List<FeedEntry>();
        for (var partition = 0; partition < StoreSession.Partitions; partition++)
        {
            var after = await session.Feed.GetTrimmedAsync(partition, cancellationToken);
            var head = await session.Feed.GetHeadAsync(partition, cancellationToken);
            while (after < head)
            {
                var read = await session.Feed.ReadAsync(partition, after, (int)Math.Min(head - after, 1_000), cancellationToken);
                facts.AddRange(read);
                after += read.Length;
            }
        }

        Assert.Equal(facts.Count, facts.Select(entry => entry.Id).Distinct().Count());
        var byRecord = facts.ToLookup(entry => entry.Record);
        for (var number = 0; number < NoteWriter.RecordsTotal; number++)
        {
            var id = NoteWriter.Id(number);
            var state = await session.ReadAsync(id);
            var version = NoteWriter.Version(state);
            Assert.True(version >= _highest.GetValueOrDefault(number), $"Record {number} is at {version}, and more was acknowledged.");
            var own = byRecord[new RecordKey(id.Type.ToString()!, id.Key.ToString()!)].ToList();
            Assert.Equal(Enumerable.Range(1, own.Count).Select(n => state.State.FactsTotal - own.Count + n), own.Select(Number));
            Assert.All(own, entry => Assert.InRange(entry.Version, 1, version));
        }
    }

    private static long Number(FeedEntry entry) => Assert.IsType<NoteWritten>(entry.Fact).Number;
}
