using Muster.Contracts.Commit;
using Muster.Domain.Anchors;
using Muster.Domain.Inventory;

namespace Muster.Grains.Anchors;

/// <summary>A tenant's trust anchors as stored.</summary>
[GenerateSerializer, Immutable, Alias("muster.anchor-set-record")]
internal sealed record AnchorSetRecord : IGrainRecord<AnchorSetRecord>
{
    [Id(0)] public AnchorSet Set { get; init; } = AnchorSet.Empty;

    public object? Cold => null;

    public CommitAttachments Attachments { get; private init; } = CommitAttachments.None;

    public ICommitRecord WithCold(object? cold) => this;

    public AnchorSetRecord Attach(CommitAttachments attachments) => this with { Attachments = attachments };

    /// <summary>Anchors are listed from the set itself: there are few, and they are read together.</summary>
    public InventoryRow? ToRow(bool withCold) => null;

    public DateTimeOffset? NextDueAt() => null;
}
