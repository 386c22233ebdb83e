using Muster.Contracts.Commit;
using Muster.Domain.Inventory;
using Muster.Domain.Strategies;

namespace Muster.Grains.Strategies;

/// <summary>A tenant's strategies and site rules as stored.</summary>
[GenerateSerializer, Immutable, Alias("muster.strategy-set-record")]
internal sealed record StrategySetRecord : IGrainRecord<StrategySetRecord>
{
    [Id(0)] public StrategySet Set { get; init; } = StrategySet.Empty;

    public object? Cold => null;

    public CommitAttachments Attachments { get; private init; } = CommitAttachments.None;

    public ICommitRecord WithCold(object? cold) => this;

    public StrategySetRecord Attach(CommitAttachments attachments) => this with { Attachments = attachments };

    /// <summary>Strategies are listed from the set itself: there are few.</summary>
    public InventoryRow? ToRow(bool withCold) => null;

    public DateTimeOffset? NextDueAt() => null;
}
