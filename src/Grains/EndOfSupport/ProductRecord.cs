using Muster.Contracts.Commit;
using Muster.Domain.EndOfSupport;
using Muster.Domain.Inventory;

namespace Muster.Grains.EndOfSupport;

/// <summary>A product as stored.</summary>
[GenerateSerializer, Immutable, Alias("muster.product-record")]
internal sealed record ProductRecord : IGrainRecord<ProductRecord>
{
    /// <summary>Null before the first commit.</summary>
    [Id(0)] public Product? Product { get; init; }

    public object? Cold => null;

    public CommitAttachments Attachments { get; private init; } = CommitAttachments.None;

    public ICommitRecord WithCold(object? cold) => this;

    public ProductRecord Attach(CommitAttachments attachments) => this with { Attachments = attachments };

    public InventoryRow? ToRow(bool withCold) => Product is null ? null : ProductRow.Of(Product);

    public DateTimeOffset? NextDueAt() => Product is null ? null : ProductRules.NextDueAt(Product);
}
