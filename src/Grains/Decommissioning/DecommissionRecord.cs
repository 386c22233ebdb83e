using Muster.Contracts.Commit;
using Muster.Domain.Decommissioning;
using Muster.Domain.Inventory;

namespace Muster.Grains.Decommissioning;

/// <summary>A decommission as stored.</summary>
[GenerateSerializer, Immutable, Alias("muster.decommission-record")]
internal sealed record DecommissionRecord : IGrainRecord<DecommissionRecord>
{
    /// <summary>Null before the first commit.</summary>
    [Id(0)] public Decommission? Decommission { get; init; }

    public object? Cold => null;

    public CommitAttachments Attachments { get; private init; } = CommitAttachments.None;

    public ICommitRecord WithCold(object? cold) => this;

    public DecommissionRecord Attach(CommitAttachments attachments) => this with { Attachments = attachments };

    public InventoryRow? ToRow(bool withCold) => Decommission is null ? null : DecommissionRow.Of(Decommission);

    public DateTimeOffset? NextDueAt() => ErasureRules.NextDueAt(Decommission);
}
