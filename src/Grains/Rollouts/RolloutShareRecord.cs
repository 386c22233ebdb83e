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
    /// <summary>Each once, at most <see cref="MemberClass.ClassesMax"/>; empty where waves have neither filters nor strata.</summary>
    [Id(80)] public ImmutableArray<MemberClass> Classes { get; init; } = [];

    /// <summary>Null without budgets per value.</summary>
    [Id(105)] public ShareGroups? Groups { get; init; }

    public static ShareMembers Of(IEnumerable<MemberPoint> ordered, long seed)
    {
        var classes = new Dictionary<MemberClass, ushort>();
        ImmutableArray<MemberChunk> chunks = [.. ordered.Chunk(MemberChunk.MembersMax).Select(chunk => ChunkOf(chunk, classes))];
        return new(chunks, seed) { Classes = [.. classes.OrderBy(entry => entry.Value).Select(entry => entry.Key)] };
    }

    /// <summary>With the groups of the same members in the same order.</summary>
    public ShareMembers With(MemberGroups? groups) => groups is null ? this : this with
    {
        Groups = ShareGroups.Of(groups),
    };

    public ImmutableArray<MemberPoint> ToPoints() => [.. Chunks.SelectMany(ToPoints)];

    private static MemberChunk ChunkOf(MemberPoint[] points, Dictionary<MemberClass, ushort> classes)
    {
        var chunk = new MemberChunk([.. points.Select(point => new FrozenMember(point.Device, point.Connected))]);
        return Array.TrueForAll(points, point => point.Class is null)
            ? chunk
            : chunk with { Classes = [.. points.Select(point => PlaceOf(point.Class!, classes))] };
    }

    private static ushort PlaceOf(MemberClass kind, Dictionary<MemberClass, ushort> classes)
    {
        if (!classes.TryGetValue(kind, out var place))
        {
            classes.Add(kind, place = (ushort)classes.Count);
        }

        return place;
    }

    private IEnumerable<MemberPoint> ToPoints(MemberChunk chunk) => chunk.Members.Select((member, i) =>
        MemberPoint.Of(member.Device, Seed, member.Connected) with
        {
            Class = chunk.Classes.IsDefaultOrEmpty ? null : Classes[chunk.Classes[i]],
        });
}

/// <summary>Which groups the members of a partition are in; as many groups as members and budgets at most, each name once.</summary>
/// <param name="Names">Each at most <see cref="ValueBudget.ValueCharactersMax"/> characters beside its field.</param>
/// <param name="Budgets">How many budgets there are.</param>
/// <param name="OfMembers">By member and budget the place of the group's name, or -1; in pieces of <see cref="ChunkMax"/>.</param>
[GenerateSerializer, Immutable, Alias("muster.share-groups")]
internal sealed record ShareGroups(
    [property: Id(0)] ImmutableArray<GroupName> Names,
    [property: Id(1)] int Budgets,
    [property: Id(2)] ImmutableArray<ImmutableArray<int>> OfMembers)
{
    /// <summary>As small as the pieces of members are.</summary>
    public const int ChunkMax = MemberChunk.MembersMax * ValueBudget.BudgetsMax;

    public static ShareGroups Of(MemberGroups groups) => new(
        groups.Groups, groups.Budgets, [.. groups.OfMembers.Chunk(ChunkMax).Select(chunk => chunk.ToImmutableArray())]);

    public MemberGroups ToGroups() => new(Names, Budgets, [.. OfMembers.SelectMany(chunk => chunk)]);
}
