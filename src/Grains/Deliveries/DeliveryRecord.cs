using Muster.Contracts.Commit;
using Muster.Domain.Deliveries;
using Muster.Domain.Inventory;

namespace Muster.Grains.Deliveries;

/// <summary>A delivery as stored.</summary>
[GenerateSerializer, Immutable, Alias("muster.delivery-record")]
internal sealed record DeliveryRecord : IGrainRecord<DeliveryRecord>
{
    /// <summary>Null before the first commit.</summary>
    [Id(0)] public Delivery? Delivery { get; init; }

    public object? Cold => null;

    public CommitAttachments Attachments { get; private init; } = CommitAttachments.None;

    public ICommitRecord WithCold(object? cold) => this;

    public DeliveryRecord Attach(CommitAttachments attachments) => this with { Attachments = attachments };

    public InventoryRow? ToRow(bool withCold) => Delivery is null ? null : DeliveryRow.Of(Delivery);

    public DateTimeOffset? NextDueAt() => null;
}
