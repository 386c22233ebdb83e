namespace Muster.Domain.Rollouts;

/// <summary>Where the waves end, or the buckets whose exact members are needed to say so.</summary>
/// <param name="Cuts">All waves, complete only when <paramref name="MissingBucket"/> is null.</param>
/// <param name="MissingBucket">Ask every partition for its members in this bucket and cut again.</param>
public sealed record CutResult(ImmutableArray<WaveCut> Cuts, int? MissingBucket);

/// <summary>
/// Cuts the frozen members into waves: n = round-half-up(total × percent / 100) − already assigned. Exact, although it
/// sees the members of only those buckets in which a wave ends.
/// </summary>
public static class WaveCutter
{
    // Above every place: no device id sorts after it.
    private static readonly Place Last = new(ulong.MaxValue, "\uffff");

    /// <summary>Cuts as far as the known buckets allow; call again with the missing one until none is.</summary>
    /// <param name="waves">The listed waves.</param>
    /// <param name="all">The histogram of all members.</param>
    /// <param name="buckets">All members of the buckets asked for so far, in any order.</param>
    public static CutResult Cut(
        ImmutableArray<WaveSpec> waves,
        MemberHistogram all,
        IReadOnlyDictionary<int, ImmutableArray<MemberPoint>> buckets)
    {
        ArgumentNullException.ThrowIfNull(all);
        ArgumentNullException.ThrowIfNull(buckets);
        var total = all.Total;
        var left = new Remainder(all, buckets);
        var cuts = ImmutableArray.CreateBuilder<WaveCut>(waves.Length + 1);
        var assigned = 0;
        for (var i = 0; i < waves.Length; i++)
        {
            var wanted = Wanted(waves[i].Size, total, assigned);
            if (left.Take(wanted, waves[i].ConnectedOnly, i, out var missing) is not { } cut)
            {
                return new([], missing);
            }

            assigned += cut.Members;
            cuts.Add(cut);
        }

        if (assigned < total)
        {
            cuts.Add(new(Last.Hash, Last.Device, ConnectedOnly: false, total - assigned, PassedOver: 0, waves.Length - 1));
        }

        return new(cuts.ToImmutable(), null);
    }

    private static int Wanted(Amount size, int total, int assigned)
    {
        var upTo = size.Kind switch
        {
            AmountKind.Count => (long)assigned + size.Value,
            AmountKind.Percent => (((long)total * size.Value) + 50) / 100,
            _ => throw new UnreachableException($"Unknown amount {size.Kind}."),
        };
        return (int)Math.Max(0, Math.Min(upTo, total) - assigned);
    }

    private readonly record struct Place(ulong Hash, string Device);

    /// <summary>What the waves before have left: connected and disconnected members each from a place on.</summary>
    private sealed class Remainder(MemberHistogram all, IReadOnlyDictionary<int, ImmutableArray<MemberPoint>> buckets)
    {
        private Place? _connectedFrom;
        private Place? _disconnectedFrom;

        public WaveCut? Take(int wanted, bool connectedOnly, int spec, out int? missing)
        {
            missing = null;
            if (wanted == 0)
            {
                return new(0, "", connectedOnly, 0, 0, spec);
            }

            var taken = 0;
            for (var bucket = 0; bucket < MemberHistogram.Buckets; bucket++)
            {
                var inBucket = Count(bucket, connected: true) + (connectedOnly ? 0 : Count(bucket, connected: false));
                if (taken + inBucket < wanted)
                {
                    taken += inBucket;
                    continue;
                }

                if (!buckets.TryGetValue(bucket, out var members))
                {
                    missing = bucket;
                    return null;
                }

                var end = members
                    .Where(member => IsLeft(member) && (member.Connected || !connectedOnly))
                    .OrderBy(member => member.Hash)
                    .ThenBy(member => member.Device.Value, StringComparer.Ordinal)
                    .ElementAt(wanted - taken - 1);
                return Close(new(end.Hash, end.Device.Value), connectedOnly, wanted, spec);
            }

            return Close(Last, connectedOnly, taken, spec);
        }

        private WaveCut Close(Place end, bool connectedOnly, int members, int spec)
        {
            var passedOver = connectedOnly ? DisconnectedUpTo(end) : 0;
            _connectedFrom = Later(_connectedFrom, end);
            if (!connectedOnly)
            {
                _disconnectedFrom = Later(_disconnectedFrom, end);
            }

            return new(end.Hash, end.Device, connectedOnly, members, passedOver, spec);
        }

        private static Place Later(Place? place, Place end) =>
            place is { } old && (old.Hash > end.Hash || (old.Hash == end.Hash && string.CompareOrdinal(old.Device, end.Device) > 0))
                ? old
                : end;

        private int DisconnectedUpTo(Place end)
        {
            var endBucket = Bucket(end);
            var count = 0;
            for (var bucket = 0; bucket <= endBucket; bucket++)
            {
                // When the wave took all connected members, its end is above every place and the last bucket counts whole.
                count += bucket < endBucket || end == Last
                    ? Count(bucket, connected: false)
                    : buckets[bucket].Count(member => !member.Connected && IsLeft(member) && member.CompareTo(end.Hash, end.Device) <= 0);
            }

            return count;
        }

        private int Count(int bucket, bool connected)
        {
            var from = connected ? _connectedFrom : _disconnectedFrom;
            var counts = connected ? all.Connected : all.Disconnected;
            if (from is not { } place || bucket > Bucket(place))
            {
                return counts[bucket];
            }

            return bucket < Bucket(place) || place == Last
                ? 0
                : buckets[bucket].Count(member => member.Connected == connected && IsLeft(member));
        }

        private bool IsLeft(MemberPoint member) =>
            (member.Connected ? _connectedFrom : _disconnectedFrom) is not { } place || member.CompareTo(place.Hash, place.Device) > 0;

        private static int Bucket(Place place) => (int)(place.Hash >> (64 - MemberHistogram.BucketBits));
    }
}
