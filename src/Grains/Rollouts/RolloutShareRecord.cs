using Muster.Contracts.Commit;
using Muster.Domain.Inventory;
using Muster.Domain.Rollouts;

namespace Muster.Grains.Rollouts;

/// <summary>A partition's share as stored: what moves in the hot part, the members in the cold part, written at the freeze.</summary>
[GenerateSerializer, Immutable, Alias("muster.rollout-share-record")]
internal sealed record RolloutShareRecord : IGrainRecord<RolloutShareRecord>
{
    /// <summary>Null before the freeze, and when the partition holds no member.</summary>
    [Id(0)] public RolloutShare? Share { get; init; }

    /// <summary>The members in their order; null when there are none.</summary>
    public ShareMembers? Members { get; init; }

    public object? Cold => Members;

    public CommitAttachments Attachments { get; private init; } = CommitAttachments.None;

    public ICommitRecord WithCold(object? cold) => this with { Members = (ShareMembers?)cold };

    public RolloutShareRecord Attach(CommitAttachments attachments) => this with { Attachments = attachments };

    public InventoryRow? ToRow(bool withCold) => null;

    public DateTimeOffset? NextDueAt() => null;
}

/// <summary>The members of a partition in their order.</summary>
[GenerateSerializer, Immutable, Alias("muster.share-members")]
internal sealed record ShareMembers([property: Id(0)] ImmutableArray<MemberChunk> Chunks, [property: Id(1)] long Seed)
{
    public static ShareMembers Of(IEnumerable<MemberPoint> ordered, long seed) => new(
        [.. ordered
            .Select(point => new FrozenMember(point.Device, point.Connected))
            .Chunk(MemberChunk.MembersMax)
            .Select(chunk => new MemberChunk([.. chunk]))],
        seed);

    public ImmutableArray<MemberPoint> ToPoints() =>
        [.. Chunks.SelectMany(chunk => chunk.Members).Select(member => MemberPoint.Of(member.Device, Seed, member.Connected))];
}
