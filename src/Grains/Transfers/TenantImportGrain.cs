using Muster.Contracts;
using Muster.Contracts.Commit;
using Muster.Contracts.Transfers;
using Muster.Domain;
using Muster.Domain.Inventory;
using Muster.Domain.Transfers;

namespace Muster.Grains.Transfers;

/// <summary>The one import in the life of an installation's tenant. The rules are <see cref="TenantImportRules"/>.</summary>
[GrainType(GrainTypes.TenantImport)]
internal sealed class TenantImportGrain : Grain, ITenantImportGrain
{
    /// <summary>Partitions asked at a time whether they are empty.</summary>
    private const int PartitionsAtOnce = 16;

    private readonly IPersistentState<TenantImportRecord> _record;
    private readonly StateWriter<TenantImportRecord> _writer;
    private readonly PartitionMap _partitions;
    private readonly TimeProvider _clock;

    public TenantImportGrain(
        [PersistentState("tenant-import", StorageNames.Muster)] IPersistentState<TenantImportRecord> record,
        PartitionMap partitions,
        TimeProvider clock)
    {
        _record = record;
        _writer = new StateWriter<TenantImportRecord>(record, this);
        (_partitions, _clock) = (partitions, clock);
    }

    private TenantId Tenant =>
        TenantId.TryParse(this.GetPrimaryKeyString(), out var tenant)
            ? tenant
            : throw new FormatException($"'{this.GetPrimaryKeyString()}' is not a tenant.");

    public async Task<FleetError?> BeginAsync(Actor actor, Guid export, bool isWithoutRollouts)
    {
        var isEmpty = _record.State.Import is null && await IsEmptyAsync();
        var now = _clock.GetUtcNow();
        return await CommitAsync(
            TenantImportRules.Begin(_record.State.Import, Tenant, export, isWithoutRollouts, isEmpty, now), actor, now);
    }

    public async Task<FleetError?> CompleteAsync(Actor actor, Guid export)
    {
        var now = _clock.GetUtcNow();
        var decision = TenantImportRules.Complete(_record.State.Import, Tenant, export, now);
        if (decision.Error is null)
        {
            // Grains that were asked before their records were there remember that there was nothing. Before the commit, so that a crash
            // between the two repeats it.
            await GrainFactory.GetGrain<IManagementGrain>(0).ForceActivationCollection(TimeSpan.Zero);
        }

        return await CommitAsync(decision, actor, now);
    }

    private async Task<FleetError?> CommitAsync(Decision<TenantImport?> decision, Actor actor, DateTimeOffset now)
    {
        if (!decision.Events.IsEmpty)
        {
            await _writer.CommitAsync(
                _record.State with { Import = decision.Next },
                new CommitAttachments { Facts = decision.Events, Actor = actor, At = now });
        }

        return decision.Error;
    }

    private async Task<bool> IsEmptyAsync()
    {
        foreach (var batch in Enumerable.Range(0, _partitions.Count).Chunk(PartitionsAtOnce))
        {
            var found = await Task.WhenAll(batch.Select(partition => GrainFactory.GetTransfer(partition).HasRecordsAsync(Tenant)));
            if (found.Contains(true))
            {
                return false;
            }
        }

        return true;
    }
}

/// <summary>An import as stored.</summary>
[GenerateSerializer, Immutable, Alias("muster.tenant-import-record")]
internal sealed record TenantImportRecord : IGrainRecord<TenantImportRecord>
{
    /// <summary>Null before the first.</summary>
    [Id(0)] public TenantImport? Import { get; init; }

    public object? Cold => null;

    public CommitAttachments Attachments { get; private init; } = CommitAttachments.None;

    public ICommitRecord WithCold(object? cold) => this;

    public TenantImportRecord Attach(CommitAttachments attachments) => this with { Attachments = attachments };

    public InventoryRow? ToRow(bool withCold) => null;

    public DateTimeOffset? NextDueAt() => null;
}
