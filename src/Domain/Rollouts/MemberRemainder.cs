namespace Muster.Domain.Rollouts;

/// <summary>What the waves before have left. Each wave takes what it may take of every pile, up to its end in the order.</summary>
internal sealed class MemberRemainder(MemberPlaces places, ImmutableArray<string> fields)
{
    private static readonly MemberMark s_nowhere = new(0, "");

    private readonly ImmutableArray<MemberPile> _piles =
    [
        .. Enumerable.Range(0, places.Classes.Length)
            .SelectMany(kind => new MemberPile[] { new(places, kind, connected: true), new(places, kind, connected: false) }),
    ];

    private readonly List<PlaceQuery> _missing = [];

    /// <summary>What the last wave has to know.</summary>
    public ImmutableArray<PlaceQuery> Missing => [.. _missing];

    /// <summary>Takes a wave; null when places are missing, and then nothing is taken.</summary>
    public WaveCut? Take(WaveSpec wave, int index, int wanted)
    {
        _missing.Clear();
        var cut = new WaveCut(0, "", wave.ConnectedOnly, 0, 0, index)
        {
            IsFiltered = wave.HasFilter,
            StratifiedBy = wave.IsStratified ? [.. wave.StratifyBy.Select(field => fields.IndexOf(field))] : [],
        };
        if (wanted == 0)
        {
            return cut;
        }

        var matching = _piles.Where(pile => !wave.HasFilter || pile.Class?.Matched(index) == true).ToList();
        return wave.IsStratified ? TakeStrata(cut, matching, wanted) : TakeAll(cut, matching, wanted);
    }

    private WaveCut? TakeAll(WaveCut cut, List<MemberPile> matching, int wanted)
    {
        var candidates = matching.FindAll(pile => pile.Connected || !cut.ConnectedOnly);
        if (FindEnd(candidates, wanted, PlaceQuery.All) is not var (end, members))
        {
            return null;
        }

        return cut with
        {
            UpToHash = end.Hash,
            UpToDevice = end.Device,
            Members = members,
            PassedOver = Close(matching, candidates, end),
        };
    }

    private WaveCut? TakeStrata(WaveCut cut, List<MemberPile> matching, int wanted)
    {
        var strata = matching
            .GroupBy(pile => cut.StratifiedBy.Select(at => pile.Class!.Values[at]).ToImmutableArray(), StratumValues.Equality)
            .OrderBy(group => group.Key, StratumValues.Order)
            .Select(group => new Stratum(group.Key, [.. group], cut.ConnectedOnly))
            .ToImmutableArray();
        ImmutableArray<Stratum> present = [.. strata.Where(stratum => stratum.Available > 0)];
        var available = present.Sum(stratum => (long)stratum.Available);
        var members = Apportionment.Of([.. present.Select(stratum => stratum.Available)], (int)Math.Min(wanted, available));
        ImmutableArray<MemberMark> ends = [.. present.Select((stratum, i) => FindEnd(cut, stratum, members[i]))];
        if (_missing.Count > 0)
        {
            return null;
        }

        // Of a stratum that is absent for lack of sessions alone the wave has passed over everybody.
        var passedOver = strata.Where(stratum => stratum.Available == 0).SelectMany(stratum => stratum.Matching).Sum(pile => pile.Left);
        for (var i = 0; i < present.Length; i++)
        {
            passedOver += members[i] == 0 ? 0 : Close(present[i].Matching, present[i].Candidates, ends[i]);
        }

        return cut with
        {
            Members = members.Sum(),
            PassedOver = passedOver,
            Strata = [.. present.Select((stratum, i) =>
                new StratumCut(stratum.Values, ends[i].Hash, ends[i].Device, members[i], stratum.Available))],
        };
    }

    private MemberMark FindEnd(WaveCut cut, Stratum stratum, int members) =>
        members == 0 ? s_nowhere
        : members == stratum.Available ? MemberMark.Last
        : FindEnd(stratum.Candidates, members, bucket => new(bucket, cut.StratifiedBy, stratum.Values))?.End ?? s_nowhere;

    /// <summary>The place of the last that is taken of the piles, and how many that are; null when its bucket has to be known.</summary>
    private (MemberMark End, int Members)? FindEnd(List<MemberPile> piles, int wanted, Func<int, PlaceQuery> query)
    {
        var counts = new int[MemberHistogram.Buckets];
        piles.ForEach(pile => pile.AddTo(counts));
        var taken = 0;
        for (var bucket = 0; bucket < counts.Length; bucket++)
        {
            if (taken + counts[bucket] < wanted)
            {
                taken += counts[bucket];
                continue;
            }

            if (!piles.TrueForAll(pile => pile.Knows(bucket)))
            {
                _missing.Add(query(bucket));
                return null;
            }

            var end = piles.SelectMany(pile => pile.LeftIn(bucket))
                .OrderBy(member => member.Hash)
                .ThenBy(member => member.Device.Value, StringComparer.Ordinal)
                .ElementAt(wanted - taken - 1);
            return (new(end.Hash, end.Device.Value), wanted);
        }

        return (MemberMark.Last, taken);
    }

    /// <summary>The candidates up to the end are gone; says how many were passed over.</summary>
    private static int Close(List<MemberPile> matching, List<MemberPile> candidates, MemberMark end)
    {
        var passedOver = matching.Except(candidates).Sum(pile => pile.CountUpTo(end));
        candidates.ForEach(pile => pile.Take(end));
        return passedOver;
    }

    /// <summary>The members with the same values in the fields of a wave.</summary>
    private sealed class Stratum
    {
        public Stratum(ImmutableArray<string> values, List<MemberPile> matching, bool connectedOnly)
        {
            (Values, Matching) = (values, matching);
            Candidates = matching.FindAll(pile => pile.Connected || !connectedOnly);
            Available = Candidates.Sum(pile => pile.Left);
        }

        public ImmutableArray<string> Values { get; }

        /// <summary>What the wave's filter takes of them.</summary>
        public List<MemberPile> Matching { get; }

        public List<MemberPile> Candidates { get; }

        /// <summary>How many of them the wave could take.</summary>
        public int Available { get; }
    }
}
