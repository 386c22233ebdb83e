using Muster.Contracts.Commit;
using Muster.Domain.Catalogues;
using Muster.Domain.Inventory;

namespace Muster.Grains.Catalogues;

/// <summary>A tenant's catalogue as stored.</summary>
[GenerateSerializer, Immutable, Alias("muster.catalogue-record")]
internal sealed record CatalogueRecord : IGrainRecord<CatalogueRecord>
{
    [Id(0)] public CatalogueState State { get; init; } = CatalogueState.None;

    public object? Cold => null;

    public CommitAttachments Attachments { get; private init; } = CommitAttachments.None;

    public ICommitRecord WithCold(object? cold) => this;

    public CatalogueRecord Attach(CommitAttachments attachments) => this with { Attachments = attachments };

    /// <summary>There is one in a tenant: no list shows it.</summary>
    public InventoryRow? ToRow(bool withCold) => null;

    public DateTimeOffset? NextDueAt() => null;
}
