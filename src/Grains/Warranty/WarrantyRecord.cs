using Muster.Contracts.Commit;
using Muster.Domain.Inventory;
using Muster.Domain.Warranty;

namespace Muster.Grains.Warranty;

/// <summary>A warranty as stored.</summary>
[GenerateSerializer, Immutable, Alias("muster.warranty-record")]
internal sealed record WarrantyRecord : IGrainRecord<WarrantyRecord>
{
    /// <summary>Null before the first commit.</summary>
    [Id(0)] public WarrantyCover? Cover { get; init; }

    public object? Cold => null;

    public CommitAttachments Attachments { get; private init; } = CommitAttachments.None;

    public ICommitRecord WithCold(object? cold) => this;

    public WarrantyRecord Attach(CommitAttachments attachments) => this with { Attachments = attachments };

    public InventoryRow? ToRow(bool withCold) => Cover is null ? null : WarrantyRow.Of(Cover);

    public DateTimeOffset? NextDueAt() => Cover is null ? null : WarrantyClock.NextDueAt(Cover);
}
