using System.Collections.Concurrent;
using System.Collections.Immutable;
using Muster.Contracts.Commit;
using Muster.Domain;
using Muster.Domain.Inventory;
using Orleans.Serialization;
using Orleans.Storage;

namespace Muster.Grains.Tests.Lifecycle;

/// <summary>How a write fails.</summary>
public enum WriteFault
{
    None = 0,

    /// <summary>Nothing is written.</summary>
    Lost = 1,

    /// <summary>It is written, and the caller is told that it failed.</summary>
    ReplyLost = 2,
}

/// <summary>A store in memory that commits like the real one, through the real serializer, and fails when told to.</summary>
internal sealed class MemoryCommits(Serializer serializer) : IGrainStorage
{
    private readonly ConcurrentDictionary<RecordKey, Stored> _records = new();
    private readonly ConcurrentDictionary<RecordKey, WriteFault> _faults = new();
    private readonly ConcurrentQueue<CommittedFact> _facts = new();

    public ImmutableArray<CommittedFact> FactsOf(RecordKey record) => [.. _facts.Where(fact => fact.Record == record)];

    public InventoryRow? RowOf(RecordKey record) => _records.TryGetValue(record, out var stored) ? stored.Row : null;

    public DateTimeOffset? DueAtOf(RecordKey record) => _records.TryGetValue(record, out var stored) ? stored.DueAt : null;

    public void FailNextWrite(RecordKey record, WriteFault fault) => _faults[record] = fault;

    public Task ReadStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        var found = _records.TryGetValue(KeyOf(grainId), out var stored);
        grainState.State = found ? serializer.Deserialize<T>(stored!.Bytes) : Activator.CreateInstance<T>();
        grainState.RecordExists = found;
        grainState.ETag = found ? stored!.Version.ToString(System.Globalization.CultureInfo.InvariantCulture) : null!;
        return Task.CompletedTask;
    }

    public Task WriteStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        var key = KeyOf(grainId);
        _faults.TryRemove(key, out var fault);
        if (fault == WriteFault.Lost)
        {
            throw new StoreUnavailableException("Lost on purpose.");
        }

        var version = 1 + (_records.TryGetValue(key, out var stored) ? stored.Version : 0);
        var expected = grainState.ETag is null ? 1 : 1 + long.Parse(grainState.ETag, System.Globalization.CultureInfo.InvariantCulture);
        if (version != expected)
        {
            throw new CommitConflictException($"{key} is at {version - 1}.");
        }

        var attachments = ((ICommitRecord)grainState.State!).Attachments;
        _records[key] = new Stored(
            serializer.SerializeToArray(grainState.State), version, RoundTrip(attachments.Row), attachments.DueAt);
        foreach (var fact in attachments.Facts)
        {
            _facts.Enqueue(new CommittedFact(key, RoundTrip(fact), attachments.Actor));
        }

        grainState.ETag = version.ToString(System.Globalization.CultureInfo.InvariantCulture);
        grainState.RecordExists = true;
        return fault == WriteFault.ReplyLost ? throw new StoreUnavailableException("The reply is lost on purpose.") : Task.CompletedTask;
    }

    public Task ClearStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState) => throw new NotSupportedException();

    private T RoundTrip<T>(T value) =>
        serializer.Deserialize<T>(serializer.SerializeToArray(value))!;

    private static RecordKey KeyOf(GrainId id) => new(id.Type.ToString()!, id.Key.ToString()!);

    private sealed record Stored(byte[] Bytes, long Version, InventoryRow? Row, DateTimeOffset? DueAt);
}

/// <summary>A fact as the feed would have it.</summary>
internal sealed record CommittedFact(RecordKey Record, DomainEvent Fact, Actor Actor);
