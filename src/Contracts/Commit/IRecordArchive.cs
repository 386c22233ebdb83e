namespace Muster.Contracts.Commit;

/// <summary>A record as its bytes, to be taken to another store.</summary>
/// <param name="Key">Kind and key.</param>
/// <param name="Bytes">As stored, with version, commit id and due date before the payload (ADR 0002).</param>
/// <param name="Cold">The cold part as stored; empty for none.</param>
[GenerateSerializer, Immutable, Alias("muster.packed-record")]
public sealed record PackedRecord(
    [property: Id(0)] RecordKey Key,
    [property: Id(1)] ImmutableArray<byte> Bytes,
    [property: Id(2)] ImmutableArray<byte> Cold);

/// <summary>Some records of a partition.</summary>
/// <param name="Records">In no particular order; one may come again on a later page.</param>
/// <param name="Next">Where to go on; null behind the last page.</param>
[GenerateSerializer, Immutable, Alias("muster.record-page")]
public sealed record RecordPage([property: Id(0)] ImmutableArray<PackedRecord> Records, [property: Id(1)] string? Next);

/// <summary>Takes records out of a store, and into another, without changing a byte of them.</summary>
public interface IRecordArchive
{
    /// <summary>
    /// A page of the partition's records of one kind. Over all pages each record that is there all the time comes at least once.
    /// </summary>
    /// <param name="partition">Counted from 0.</param>
    /// <param name="kind">A <see cref="GrainTypes"/> name.</param>
    /// <param name="keys">What the keys look like, with <c>*</c> for anything.</param>
    /// <param name="after">Empty for the first page, then what the page before said.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="ScanBrokenException">The server was restarted, or another took over: begin with the first page.</exception>
    Task<RecordPage> ReadAsync(int partition, string kind, string keys, string after, CancellationToken cancellationToken);

    /// <summary>What the bytes hold.</summary>
    /// <exception cref="RecordUnreadableException">A newer version wrote them, or they are damaged.</exception>
    StoredRecord Unpack(PackedRecord packed);

    /// <summary>The same record, version and commit with something else in its hot part; the cold part stays.</summary>
    PackedRecord Repack(PackedRecord packed, ICommitRecord record);

    /// <summary>
    /// Commits the record as it is, at the version that it has, unless there is one of its key. True when it is there now, also from an
    /// earlier try; false when there is another under its key, which is left.
    /// </summary>
    Task<bool> WriteAsync(PackedRecord packed, CommitAttachments attachments);
}
