using Muster.Contracts.Commit;
using Muster.Domain;
using Orleans.CodeGeneration;
using Orleans.Concurrency;

namespace Muster.Contracts.Transfers;

/// <summary>Reads and writes the records of a tenant in one partition, as they are stored. Key: the partition's number.</summary>
[GrainInterfaceType("muster.transfer"), Alias("muster.ITransferGrain"), Version(1)]
public interface ITransferGrain : IGrainWithIntegerKey
{
    /// <summary>A page of the tenant's records of one kind.</summary>
    /// <param name="after">Empty for the first page, then what the page before said.</param>
    /// <param name="since">Only images made since then; null for all.</param>
    [Alias("Read"), ResponseTimeout(CallTimeouts.Sweep), AlwaysInterleave]
    Task<RecordPage> ReadAsync(TenantId tenant, string kind, string after, DateTimeOffset? since);

    /// <summary>Whether the tenant has anything in this partition but operators.</summary>
    [Alias("HasRecords"), ResponseTimeout(CallTimeouts.Sweep), AlwaysInterleave]
    Task<bool> HasRecordsAsync(TenantId tenant);

    /// <summary>Writes records that belong here. All are checked before the first is written.</summary>
    [Alias("Write"), ResponseTimeout(CallTimeouts.Sweep), AlwaysInterleave]
    Task<RecordsWritten> WriteAsync(WriteRecords command);
}

/// <summary>Writes records of an export.</summary>
[GenerateSerializer, Immutable, Alias("muster.write-records")]
public sealed record WriteRecords(
    [property: Id(0)] Actor Actor,
    [property: Id(1)] TenantId Tenant,
    [property: Id(2)] Guid Export,
    [property: Id(3)] ImmutableArray<PackedRecord> Records)
{
    /// <summary>The rollouts of the export stay behind: what its devices know of them is forgotten.</summary>
    [Id(4)] public bool IsWithoutRollouts { get; init; }
}

/// <summary>What became of the records, or why nothing was written.</summary>
/// <param name="Left">Those that were not written; the others are there.</param>
[GenerateSerializer, Immutable, Alias("muster.records-written")]
public sealed record RecordsWritten(
    [property: Id(0)] int Written, [property: Id(1)] ImmutableArray<RecordLeft> Left, [property: Id(2)] FleetError? Error);

/// <summary>A record that was not written.</summary>
/// <param name="Why">For people: another has its key, or its image does not verify here.</param>
[GenerateSerializer, Immutable, Alias("muster.record-left")]
public sealed record RecordLeft([property: Id(0)] RecordKey Key, [property: Id(1)] string Why);

/// <summary>The import of a tenant: whether it may begin, and that it is complete. Key: the tenant.</summary>
[GrainInterfaceType("muster.tenant-import"), Alias("muster.ITenantImportGrain"), Version(1)]
public interface ITenantImportGrain : IGrainWithStringKey
{
    /// <summary>Begins, or goes on with the same export.</summary>
    [Alias("Begin"), ResponseTimeout(CallTimeouts.Sweep)]
    Task<FleetError?> BeginAsync(Actor actor, Guid export, bool isWithoutRollouts);

    /// <summary>Everything was written: whatever remembers the tenant from before forgets it.</summary>
    [Alias("Complete"), ResponseTimeout(CallTimeouts.Sweep)]
    Task<FleetError?> CompleteAsync(Actor actor, Guid export);
}

/// <summary>The only place where the keys of transfers are written.</summary>
public static class TransferGrainFactoryExtensions
{
    public static ITransferGrain GetTransfer(this IGrainFactory grains, int partition)
    {
        ArgumentNullException.ThrowIfNull(grains);
        return grains.GetGrain<ITransferGrain>(partition);
    }

    public static ITenantImportGrain GetTenantImport(this IGrainFactory grains, TenantId tenant)
    {
        ArgumentNullException.ThrowIfNull(grains);
        return grains.GetGrain<ITenantImportGrain>(tenant.Value);
    }
}
