using System.Runtime.InteropServices;
using Muster.Domain.Strategies;

namespace Muster.Domain.Rollouts;

/// <summary>
/// How a partition's members spread over the order, by the top bits of their hashes: enough to find the bucket in which
/// a wave ends without a message as large as the fleet.
/// </summary>
/// <param name="Connected">Members with a session at the freeze, by bucket.</param>
/// <param name="Disconnected">Members without one, by bucket.</param>
[GenerateSerializer, Immutable, Alias("muster.member-histogram")]
public sealed record MemberHistogram(
    [property: Id(0)] ImmutableArray<int> Connected,
    [property: Id(1)] ImmutableArray<int> Disconnected)
{
    /// <summary>1,024 buckets: 8 KiB per partition, and a bucket of a million members holds about 1,000.</summary>
    public const int BucketBits = 10;

    public const int Buckets = 1 << BucketBits;

    /// <summary>No members.</summary>
    public static MemberHistogram Empty { get; } = Of([]);

    /// <summary>The same members by class, each class once; empty (or none at all) where waves have neither filters nor strata.</summary>
    [Id(80)] public ImmutableArray<ClassHistogram> Classes { get; init; } = [];

    /// <summary>The members are of more than <see cref="MemberClass.ClassesMax"/> classes: that is all, and nothing was frozen.</summary>
    [Id(81)] public bool IsTooFine { get; init; }

    /// <summary>
    /// Where the members were when they were frozen, by the tenant's site rules; null without rules, and when it is not known (any more).
    /// </summary>
    [Id(85)] public SiteTally? Sites { get; init; }

    /// <summary>How many of them run a newer version than the image's; null when nobody asks, and from a silo that cannot say.</summary>
    [Id(115)] public int? Downgrades { get; init; }

    /// <summary>Whom the image is for among them; null when nobody asks, and from a silo that cannot say.</summary>
    [Id(130)] public FitTally? Fit { get; init; }

    /// <summary>The share is stored and takes members later, also when it has none; false from a silo of an earlier version.</summary>
    [Id(100)] public bool TakesJoiners { get; init; }

    /// <summary>The members were frozen with their groups, as far as any were asked for; false from a silo of an earlier version.</summary>
    [Id(105)] public bool KnowsGroups { get; init; }

    /// <summary>All members.</summary>
    public int Total => Connected.Sum() + Disconnected.Sum();

    public static MemberHistogram Of(IEnumerable<MemberPoint> members)
    {
        ArgumentNullException.ThrowIfNull(members);
        var all = new Spread();
        var classes = new Dictionary<MemberClass, Spread>();
        foreach (var member in members)
        {
            all.Add(member.Connected, member.Bucket, 1);
            if (member.Class is { } kind)
            {
                SpreadOf(classes, kind).Add(member.Connected, member.Bucket, 1);
            }
        }

        return Of(all, classes);
    }

    /// <summary>The histogram of both.</summary>
    public MemberHistogram Plus(MemberHistogram other)
    {
        ArgumentNullException.ThrowIfNull(other);
        return Sum([this, other]);
    }

    /// <summary>The histogram of all.</summary>
    public static MemberHistogram Sum(IReadOnlyCollection<MemberHistogram> parts)
    {
        ArgumentNullException.ThrowIfNull(parts);
        var all = new Spread();
        var classes = new Dictionary<MemberClass, Spread>();
        foreach (var part in parts)
        {
            all.Add(connected: true, part.Connected);
            all.Add(connected: false, part.Disconnected);
            foreach (var kind in part.Classes.IsDefault ? [] : part.Classes)
            {
                var spread = SpreadOf(classes, kind.Class);
                spread.Add(connected: true, kind.Connected);
                spread.Add(connected: false, kind.Disconnected);
                if (classes.Count > MemberClass.ClassesMax)
                {
                    // Refused by whoever asked: no more of them are held meanwhile.
                    return Of(all, []) with { IsTooFine = true };
                }
            }
        }

        return Of(all, classes) with { IsTooFine = parts.Any(part => part.IsTooFine) };
    }

    private static MemberHistogram Of(Spread all, Dictionary<MemberClass, Spread> classes) =>
        new([.. all.Connected], [.. all.Disconnected])
        {
            Classes =
            [
                .. classes.Select(kind => new ClassHistogram(
                    kind.Key, BucketCounts.Of(kind.Value.Connected), BucketCounts.Of(kind.Value.Disconnected))),
            ],
        };

    private static Spread SpreadOf(Dictionary<MemberClass, Spread> classes, MemberClass kind) =>
        CollectionsMarshal.GetValueRefOrAddDefault(classes, kind, out _) ??= new Spread();

    /// <summary>Counts by bucket that are added up.</summary>
    private sealed class Spread
    {
        public int[] Connected { get; } = new int[Buckets];

        public int[] Disconnected { get; } = new int[Buckets];

        public void Add(bool connected, int bucket, int count) => (connected ? Connected : Disconnected)[bucket] += count;

        public void Add(bool connected, ImmutableArray<int> counts)
        {
            for (var bucket = 0; bucket < counts.Length; bucket++)
            {
                Add(connected, bucket, counts[bucket]);
            }
        }

        public void Add(bool connected, BucketCounts counts)
        {
            for (var i = 0; i < counts.Buckets.Length; i++)
            {
                Add(connected, counts.Buckets[i], counts.Counts[i]);
            }
        }
    }
}

/// <summary>How the members of one class spread over the order.</summary>
[GenerateSerializer, Immutable, Alias("muster.class-histogram")]
public sealed record ClassHistogram(
    [property: Id(0)] MemberClass Class,
    [property: Id(1)] BucketCounts Connected,
    [property: Id(2)] BucketCounts Disconnected);

/// <summary>Counts of those buckets alone that hold anything: a partition has never more of them than members.</summary>
/// <param name="Buckets">Ascending.</param>
/// <param name="Counts">At least one each.</param>
[GenerateSerializer, Immutable, Alias("muster.bucket-counts")]
public sealed record BucketCounts([property: Id(0)] ImmutableArray<int> Buckets, [property: Id(1)] ImmutableArray<int> Counts)
{
    /// <summary>Of counts by bucket.</summary>
    public static BucketCounts Of(ReadOnlySpan<int> dense)
    {
        var buckets = ImmutableArray.CreateBuilder<int>();
        var counts = ImmutableArray.CreateBuilder<int>();
        for (var bucket = 0; bucket < dense.Length; bucket++)
        {
            if (dense[bucket] > 0)
            {
                buckets.Add(bucket);
                counts.Add(dense[bucket]);
            }
        }

        return new(buckets.ToImmutable(), counts.ToImmutable());
    }

    /// <summary>All together.</summary>
    public int Total => Counts.Sum();
}
