using System.Globalization;
using Muster.Contracts;
using Muster.Contracts.Commit;
using Orleans.Serialization.Serializers;
using Orleans.Storage;
using StackExchange.Redis;

namespace Muster.Storage;

/// <summary>
/// The provider whose write is the commit (design D2): record, facts and feed head in one atomic, durable step with a
/// version check and fences. Its ETag is the version as text.
/// </summary>
internal sealed class CommitStorage(
    CommitPipeline pipeline,
    StoreConnection connection,
    PartitionMap partitions,
    PayloadSerializer payloads,
    FactEncoder facts,
    IActivatorProvider activators)
    : IGrainStorage
{
    public async Task ReadStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        var name = RecordName(grainId);
        var partition = partitions.Of(name);
        RedisKey key = RecordLayout.PartitionKey(partition);
        RedisValue[] fields =
            [RecordLayout.RecordField(name), RecordLayout.ColdField(name), RecordLayout.InstallationField];
        var values = await connection.RunAsync(database => database.HashGetAsync(key, fields), CancellationToken.None);
        connection.Verify(partition, values[2]);
        if (values[0].IsNull)
        {
            grainState.State = activators.GetActivator<T>().Create();
            grainState.RecordExists = false;
            grainState.ETag = null!;
            return;
        }

        ReadOnlyMemory<byte> bytes = values[0];
        var (header, record) = payloads.ReadStored(name.ToString(), bytes, values[1]);
        grainState.State = record is T state
            ? state
            : throw new InvalidDataException($"The stored {name} is a {record.GetType().Name}, not a {typeof(T).Name}.");
        grainState.RecordExists = true;
        grainState.ETag = VersionText(header.Version);
    }

    public async Task WriteStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        if (grainState.State is not ICommitRecord record)
        {
            throw new NotSupportedException(
                $"Storage '{StorageNames.Muster}' commits records; {typeof(T).Name} does not implement {nameof(ICommitRecord)}.");
        }

        var version = string.IsNullOrEmpty(grainState.ETag) ? 0 : long.Parse(grainState.ETag, CultureInfo.InvariantCulture);
        var commit = Encode(RecordName(grainId), version, record);
        commit.Check();
        await pipeline.CommitAsync(commit);
        grainState.RecordExists = true;
        grainState.ETag = VersionText(version + 1);
    }

    /// <summary>A record ends as a tombstone or a terminal state, never as nothing.</summary>
    public Task ClearStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState) =>
        throw new NotSupportedException($"Storage '{StorageNames.Muster}' never clears a record: it ends in a state that is kept.");

    private PendingCommit Encode(RecordKey name, long version, ICommitRecord record)
    {
        var attachments = record.Attachments;
        var commitId = RandomId.Next();
        return new PendingCommit
        {
            Partition = partitions.Of(name),
            Record = name,
            ExpectedVersion = version,
            Version = version + 1,
            CommitId = commitId,
            RecordBytes = payloads.Record(new RecordHeader(version + 1, commitId, attachments.DueAt), record),
            ColdBytes = attachments.ColdChanged ? payloads.Cold(record.Cold) : null,
            Facts = facts.Encode(name, version + 1, attachments),
            Fences = attachments.Fences.IsDefaultOrEmpty ? [] : [.. attachments.Fences],
        };
    }

    private static RecordKey RecordName(GrainId grainId) => new(grainId.Type.ToString()!, grainId.Key.ToString()!);

    private static string VersionText(long version) => version.ToString(CultureInfo.InvariantCulture);
}
