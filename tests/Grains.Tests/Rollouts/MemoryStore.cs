using System.Collections.Immutable;
using System.Globalization;
using Muster.Contracts.Commit;
using Muster.Domain;
using Orleans.Serialization;
using Orleans.Storage;

namespace Muster.Grains.Tests.Rollouts;

/// <summary>
/// A store in memory with what rollouts need of the real one: versions, cold parts, feeds and fences in one step, and writes
/// that fail when told to.
/// </summary>
internal sealed class MemoryStore(Serializer serializer, PartitionMap partitions)
    : IGrainStorage, IFeedReader, IFenceWriter, IDurableReaders
{
    private readonly Lock _gate = new();
    private readonly Dictionary<RecordKey, Stored> _records = [];
    private readonly Dictionary<int, List<FeedEntry>> _feeds = [];
    private readonly Dictionary<(int Partition, string Name), long> _fences = [];
    private readonly HashSet<RecordKey> _failing = [];
    private readonly HashSet<RecordKey> _losing = [];
    private readonly Dictionary<(int Partition, string Name), FeedPosition> _readers = [];

    /// <summary>Asked at each step, by its name, what goes wrong; null when nothing does.</summary>
    public Func<string, StoreFault>? Faults { get; set; }

    /// <summary>The next raise of a fence is lost.</summary>
    public bool FailNextRaise { get; set; }

    /// <summary>The next write of the record is lost.</summary>
    public void FailNextWrite(RecordKey record)
    {
        lock (_gate)
        {
            _failing.Add(record);
        }
    }

    /// <summary>The next write of the record is stored, and whoever wrote it does not hear of it: as when he dies then.</summary>
    public void LoseNextAnswer(RecordKey record)
    {
        lock (_gate)
        {
            _losing.Add(record);
        }
    }

    /// <summary>A write that was to go wrong has not come yet.</summary>
    public bool IsPending(RecordKey record)
    {
        lock (_gate)
        {
            return _failing.Contains(record) || _losing.Contains(record);
        }
    }

    /// <summary>The record is gone, as after a loss of the store.</summary>
    public void Forget(RecordKey record)
    {
        lock (_gate)
        {
            Assert.True(_records.Remove(record));
        }
    }

    public bool Has(RecordKey record)
    {
        lock (_gate)
        {
            return _records.ContainsKey(record);
        }
    }

    public ImmutableArray<DomainEvent> FactsOf(RecordKey record)
    {
        lock (_gate)
        {
            return [.. Feed(partitions.Of(record)).Where(entry => entry.Record == record).Select(entry => entry.Fact)];
        }
    }

    public DateTimeOffset? DueAtOf(RecordKey record)
    {
        lock (_gate)
        {
            return _records.TryGetValue(record, out var stored) ? stored.DueAt : null;
        }
    }

    /// <summary>Commits facts of a record whose grain is not part of the test.</summary>
    public void Append(RecordKey record, CommitAttachments attachments)
    {
        lock (_gate)
        {
            AppendFacts(record, 1, attachments);
        }
    }

    public Task ReadStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        Meet($"read {KeyOf(grainId)}");
        lock (_gate)
        {
            var found = _records.TryGetValue(KeyOf(grainId), out var stored);
            var state = found ? serializer.Deserialize<T>(stored!.Hot) : Activator.CreateInstance<T>();
            grainState.State = found && stored!.Cold is { } cold
                ? (T)((ICommitRecord)state!).WithCold(serializer.Deserialize<object>(cold))
                : state;
            grainState.RecordExists = found;
            grainState.ETag = found ? stored!.Version.ToString(CultureInfo.InvariantCulture) : null!;
            return Task.CompletedTask;
        }
    }

    public Task WriteStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        var isAnswerLost = Meet($"write {KeyOf(grainId)}");
        lock (_gate)
        {
            var key = KeyOf(grainId);
            if (_failing.Remove(key))
            {
                throw new StoreUnavailableException("Lost on purpose.");
            }

            _records.TryGetValue(key, out var stored);
            var version = 1 + (stored?.Version ?? 0);
            if (grainState.ETag != stored?.Version.ToString(CultureInfo.InvariantCulture))
            {
                throw new CommitConflictException($"{key} is at {version - 1}.");
            }

            var record = (ICommitRecord)grainState.State!;
            AppendFacts(key, version, record.Attachments);
            var cold = record.Attachments.ColdChanged ? serializer.SerializeToArray(record.Cold) : stored?.Cold;
            _records[key] = new Stored(serializer.SerializeToArray(grainState.State), cold, version, record.Attachments.DueAt);
            grainState.ETag = version.ToString(CultureInfo.InvariantCulture);
            grainState.RecordExists = true;
            return _losing.Remove(key) | isAnswerLost
                ? throw new StoreUnavailableException("The answer is lost on purpose.")
                : Task.CompletedTask;
        }
    }

    public Task ClearStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState) => throw new NotSupportedException();

    public Task<FeedPosition> GetEndAsync(int partition, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            return Task.FromResult(new FeedPosition(Feed(partition).Count, Lineage));
        }
    }

    /// <summary>What is behind a position of another lineage never happened here.</summary>
    public ulong Lineage { get; set; }

    public async Task<FeedPage> FollowAsync(int partition, FeedPosition after, int entriesMax, CancellationToken cancellationToken)
    {
        var head = await GetHeadAsync(partition, cancellationToken);
        if (after.Sequence > 0 && after.Fingerprint != Lineage)
        {
            return new FeedPage(FeedContinuity.Rewound, [], after, head);
        }

        var entries = await ReadAsync(partition, after.Sequence, entriesMax, cancellationToken);
        return new FeedPage(FeedContinuity.Follows, entries, new FeedPosition(after.Sequence + entries.Length, Lineage), head);
    }

    public async Task<bool> IsAtEndAsync(int partition, FeedPosition position, CancellationToken cancellationToken) =>
        await GetEndAsync(partition, cancellationToken) == position;

    public Task<long> GetTrimmedAsync(int partition, CancellationToken cancellationToken) => Task.FromResult(0L);

    public Task<long> GetHeadAsync(int partition, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            return Task.FromResult((long)Feed(partition).Count);
        }
    }

    public Task<ImmutableArray<FeedEntry>> ReadAsync(int partition, long after, int entriesMax, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            return Task.FromResult<ImmutableArray<FeedEntry>>([.. Feed(partition).Skip((int)after).Take(entriesMax)]);
        }
    }

    public Task RaiseAsync(IReadOnlyCollection<int> raised, string fence, long value, CancellationToken cancellationToken)
    {
        var isAnswerLost = Meet($"raise {fence}");
        lock (_gate)
        {
            if (FailNextRaise)
            {
                FailNextRaise = false;
                throw new StoreUnavailableException("Lost on purpose.");
            }

            foreach (var partition in raised)
            {
                _fences[(partition, fence)] = Math.Max(value, _fences.GetValueOrDefault((partition, fence)));
            }

            return isAnswerLost ? throw new StoreUnavailableException("The answer is lost on purpose.") : Task.CompletedTask;
        }
    }

    /// <summary>The position of a durable reader; null when nobody of this name holds the feed.</summary>
    public FeedPosition? HeldBy(int partition, string reader)
    {
        lock (_gate)
        {
            return _readers.TryGetValue((partition, reader), out var position) ? position : null;
        }
    }

    public Task<ReaderReply> RegisterAsync(
        int partition, DurableReader reader, FeedPosition position, CancellationToken cancellationToken)
    {
        var isAnswerLost = Meet($"hold {reader.Name}");
        lock (_gate)
        {
            _readers.TryAdd((partition, reader.Name), position);
            return isAnswerLost
                ? throw new StoreUnavailableException("The answer is lost on purpose.")
                : Task.FromResult(new ReaderReply(ReaderStatus.Held, _readers[(partition, reader.Name)]));
        }
    }

    public Task<ReaderReply> AdvanceAsync(
        int partition, DurableReader reader, FeedPosition position, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            var isHeld = _readers.ContainsKey((partition, reader.Name));
            if (isHeld)
            {
                _readers[(partition, reader.Name)] = position;
            }

            return Task.FromResult(new ReaderReply(isHeld ? ReaderStatus.Held : ReaderStatus.Unknown, position));
        }
    }

    public Task LeaveAsync(int partition, string reader, CancellationToken cancellationToken)
    {
        var isAnswerLost = Meet($"leave {reader}");
        lock (_gate)
        {
            _readers.Remove((partition, reader));
            return isAnswerLost ? throw new StoreUnavailableException("The answer is lost on purpose.") : Task.CompletedTask;
        }
    }

    public Task<ImmutableArray<ReaderLag>> GetLagsAsync(int partition, CancellationToken cancellationToken) =>
        throw new NotSupportedException();

    /// <summary>Throws where the step is not taken; true when it is, and its answer lost.</summary>
    public bool Meet(string step) => Faults?.Invoke(step) switch
    {
        null or StoreFault.None => false,
        StoreFault.Lost => throw new StoreUnavailableException($"Lost on purpose: {step}."),
        StoreFault.Unanswered => true,
        var other => throw new InvalidOperationException($"No such fault: {other}."),
    };

    private void AppendFacts(RecordKey record, long version, CommitAttachments attachments)
    {
        var partition = partitions.Of(record);
        foreach (var fence in attachments.Fences)
        {
            if (_fences.GetValueOrDefault((partition, fence.Name)) != fence.Expected)
            {
                throw new FenceRaisedException($"{fence.Name} is not {fence.Expected}.");
            }
        }

        for (var i = 0; i < attachments.Facts.Length; i++)
        {
            var isLast = i == attachments.Facts.Length - 1;
            Feed(partition).Add(new FeedEntry
            {
                Id = Guid.NewGuid(),
                Sequence = Feed(partition).Count + 1,
                Record = record,
                Version = version,
                At = attachments.At,
                Actor = attachments.Actor,
                Fact = serializer.Deserialize<DomainEvent>(serializer.SerializeToArray(attachments.Facts[i]))!,
                IsLast = isLast,
                Row = isLast ? attachments.Row : null,
            });
        }
    }

    private List<FeedEntry> Feed(int partition) =>
        _feeds.TryGetValue(partition, out var feed) ? feed : _feeds[partition] = [];

    private static RecordKey KeyOf(GrainId id) => new(id.Type.ToString()!, id.Key.ToString()!);

    private sealed record Stored(byte[] Hot, byte[]? Cold, long Version, DateTimeOffset? DueAt);
}
