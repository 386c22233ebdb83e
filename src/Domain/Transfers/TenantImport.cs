namespace Muster.Domain.Transfers;

/// <summary>A record came with the export of a tenant, at the version that it had there.</summary>
/// <param name="Export">The export's id.</param>
[GenerateSerializer, Immutable, Alias("muster.record-imported")]
public sealed record RecordImported([property: Id(0)] Guid Export) : DomainEvent;

/// <summary>An import of a tenant began.</summary>
[GenerateSerializer, Immutable, Alias("muster.import-begun")]
public sealed record ImportBegun([property: Id(0)] Guid Export) : DomainEvent;

/// <summary>All of an export was taken in.</summary>
[GenerateSerializer, Immutable, Alias("muster.import-completed")]
public sealed record ImportCompleted([property: Id(0)] Guid Export) : DomainEvent;

/// <summary>The import of a tenant as committed: one in the life of an installation's tenant.</summary>
/// <param name="Export">The id of the export that is taken in.</param>
/// <param name="BegunAt">The first time that it was begun.</param>
/// <param name="CompletedAt">Null while parts may be missing.</param>
[GenerateSerializer, Immutable, Alias("muster.tenant-import")]
public sealed record TenantImport(
    [property: Id(0)] Guid Export,
    [property: Id(1)] DateTimeOffset BegunAt,
    [property: Id(2)] DateTimeOffset? CompletedAt)
{
    /// <summary>Whether it is taken in without its rollouts: what was written once is not written again the other way.</summary>
    [Id(3)] public bool IsWithoutRollouts { get; init; }
}

/// <summary>
/// Who may import what. An import is begun in a tenant that has nothing yet, and may be repeated until it is complete: whatever it has
/// written is found again and left.
/// </summary>
public static class TenantImportRules
{
    /// <summary>Begins, or goes on with what was begun.</summary>
    /// <param name="current">Null before the first import.</param>
    /// <param name="isEmpty">Whether the tenant has nothing but operators; asked only before the first import.</param>
    /// <param name="isWithoutRollouts">The same in every repetition.</param>
    public static Decision<TenantImport?> Begin(
        TenantImport? current, TenantId tenant, Guid export, bool isWithoutRollouts, bool isEmpty, DateTimeOffset now) =>
        current switch
        {
            null when !isEmpty => Decision.Refuse(current, TransferErrors.TenantNotEmpty(tenant)),
            null => Decision.Accept<TenantImport?>(
                new TenantImport(export, now, null) { IsWithoutRollouts = isWithoutRollouts }, new ImportBegun(export)),
            { CompletedAt: not null } => Decision.Refuse<TenantImport?>(current, TransferErrors.TenantNotEmpty(tenant)),
            _ when current.Export != export =>
                Decision.Refuse<TenantImport?>(current, TransferErrors.ImportUnderWay(tenant, current.Export)),
            _ when current.IsWithoutRollouts != isWithoutRollouts =>
                Decision.Refuse<TenantImport?>(current, TransferErrors.ImportUnderWayOtherwise(tenant, export, current.IsWithoutRollouts)),
            _ => Decision.Unchanged<TenantImport?>(current),
        };

    /// <summary>Ends what was begun.</summary>
    public static Decision<TenantImport?> Complete(TenantImport? current, TenantId tenant, Guid export, DateTimeOffset now) =>
        current switch
        {
            { CompletedAt: null } when current.Export == export =>
                Decision.Accept<TenantImport?>(current with { CompletedAt = now }, new ImportCompleted(export)),
            { CompletedAt: not null } when current.Export == export => Decision.Unchanged<TenantImport?>(current),
            _ => Decision.Refuse(current, TransferErrors.ImportUnderWay(tenant, current?.Export ?? Guid.Empty)),
        };
}
