using Muster.Contracts.Commit;
using Muster.Domain.Inventory;
using Muster.Domain.Rollouts;

namespace Muster.Grains.Rollouts;

/// <summary>The seats of a bucket of groups as stored. When its rollout is over it is empty, and stays as the shares do.</summary>
[GenerateSerializer, Immutable, Alias("muster.rollout-groups-record")]
internal sealed record RolloutGroupsRecord : IGrainRecord<RolloutGroupsRecord>
{
    [Id(0)] public GroupBucket Bucket { get; init; } = new();

    public object? Cold => null;

    public CommitAttachments Attachments { get; private init; } = CommitAttachments.None;

    public ICommitRecord WithCold(object? cold) => this;

    public RolloutGroupsRecord Attach(CommitAttachments attachments) => this with { Attachments = attachments };

    public InventoryRow? ToRow(bool withCold) => null;

    public DateTimeOffset? NextDueAt() => null;
}
