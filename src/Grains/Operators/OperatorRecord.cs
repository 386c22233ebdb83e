using Muster.Contracts.Commit;
using Muster.Domain.Inventory;
using Muster.Domain.Operators;

namespace Muster.Grains.Operators;

/// <summary>An operator as stored.</summary>
[GenerateSerializer, Immutable, Alias("muster.operator-record")]
internal sealed record OperatorRecord : IGrainRecord<OperatorRecord>
{
    /// <summary>Null before the first commit.</summary>
    [Id(0)] public OperatorAccount? Account { get; init; }

    public object? Cold => null;

    public CommitAttachments Attachments { get; private init; } = CommitAttachments.None;

    public ICommitRecord WithCold(object? cold) => this;

    public OperatorRecord Attach(CommitAttachments attachments) => this with { Attachments = attachments };

    public InventoryRow? ToRow(bool withCold) => Account is null ? null : OperatorRow.Of(Account);

    public DateTimeOffset? NextDueAt() => null;
}
