using Muster.Contracts.Commit;
using Muster.Domain.Inventory;
using Muster.Domain.Rollouts;

namespace Muster.Grains.Rollouts;

/// <summary>A rollout as stored.</summary>
[GenerateSerializer, Immutable, Alias("muster.rollout-record")]
internal sealed record RolloutRecord : IGrainRecord<RolloutRecord>
{
    /// <summary>Null before the first commit.</summary>
    [Id(0)] public Rollout? Rollout { get; init; }

    public object? Cold => null;

    public CommitAttachments Attachments { get; private init; } = CommitAttachments.None;

    public ICommitRecord WithCold(object? cold) => this;

    public RolloutRecord Attach(CommitAttachments attachments) => this with { Attachments = attachments };

    public InventoryRow? ToRow(bool withCold) => Rollout is null ? null : RolloutRow.Of(Rollout);

    // Always in the past while it is live: the due list then keeps a coordinator alive, whatever became of the last one.
    public DateTimeOffset? NextDueAt() => Rollout is { Plan.IsLive: true } ? Rollout.Plan.StartedAt : null;
}
