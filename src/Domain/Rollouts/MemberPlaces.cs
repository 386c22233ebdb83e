namespace Muster.Domain.Rollouts;

/// <summary>Asks for the exact places of some members in one bucket.</summary>
/// <param name="Bucket">The bucket.</param>
/// <param name="By">Which values of a <see cref="MemberClass"/> are compared; empty to ask for all members of the bucket.</param>
/// <param name="Values">What they have to be.</param>
[GenerateSerializer, Immutable, Alias("muster.place-query")]
public sealed record PlaceQuery(
    [property: Id(0)] int Bucket,
    [property: Id(1)] ImmutableArray<int> By,
    [property: Id(2)] ImmutableArray<string> Values)
{
    /// <summary>All members of a bucket.</summary>
    public static PlaceQuery All(int bucket) => new(bucket, [], []);

    /// <summary>Whether it asks for members of the class.</summary>
    public bool Covers(MemberClass? kind) => By.IsEmpty || (kind is not null && kind.CompareTo(Values, By) == 0);

    /// <summary>Those of the members that any of the queries asks for, each once.</summary>
    public static ImmutableArray<MemberPoint> Select(ImmutableArray<PlaceQuery> queries, ImmutableArray<MemberPoint> members)
    {
        var byBucket = queries.ToLookup(query => query.Bucket);
        return [.. members.Where(member => byBucket[member.Bucket].Any(query => query.Covers(member.Class)))];
    }
}

/// <summary>
/// What the coordinator knows of the members while it cuts them: how many there are by class and bucket, and the exact places in those
/// buckets that it asked for.
/// </summary>
public sealed class MemberPlaces
{
    private readonly Dictionary<(int Bucket, int Class), ImmutableArray<MemberPoint>> _known = [];
    private readonly Dictionary<MemberClass, int> _byClass = [];

    public MemberPlaces(MemberHistogram all)
    {
        ArgumentNullException.ThrowIfNull(all);
        Total = all.Total;
        Classes = all.Classes.IsDefaultOrEmpty
            ? [new(null, BucketCounts.Of(all.Connected.AsSpan()), BucketCounts.Of(all.Disconnected.AsSpan()))]
            : [.. all.Classes.Select(kind => new Counted(kind.Class, kind.Connected, kind.Disconnected))];
        for (var i = 0; i < Classes.Length; i++)
        {
            if (Classes[i].Class is { } kind)
            {
                _byClass.Add(kind, i);
            }
        }
    }

    /// <summary>All members.</summary>
    public int Total { get; }

    internal ImmutableArray<Counted> Classes { get; }

    /// <summary>Takes in what was asked for.</summary>
    /// <param name="query">The question.</param>
    /// <param name="members">At least all that it asks for, of all partitions, in any order.</param>
    public void Add(PlaceQuery query, IEnumerable<MemberPoint> members)
    {
        ArgumentNullException.ThrowIfNull(query);
        var byClass = members.Where(member => member.Bucket == query.Bucket)
            .ToLookup(member => member.Class is { } kind ? _byClass[kind] : 0);
        for (var i = 0; i < Classes.Length; i++)
        {
            if (query.Covers(Classes[i].Class))
            {
                _known[(query.Bucket, i)] = [.. byClass[i]];
            }
        }
    }

    internal bool Knows(int bucket, int kind) => _known.ContainsKey((bucket, kind));

    internal ImmutableArray<MemberPoint> In(int bucket, int kind) => _known[(bucket, kind)];

    /// <summary>The members of one class, by bucket.</summary>
    internal sealed record Counted(MemberClass? Class, BucketCounts Connected, BucketCounts Disconnected);
}
