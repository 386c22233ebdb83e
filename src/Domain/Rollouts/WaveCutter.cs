namespace Muster.Domain.Rollouts;

/// <summary>
/// Cuts the frozen members into waves: n = round-half-up(total × percent / 100) − already assigned, and at most as many as the wave may
/// take. Exact, although it sees the members of only those buckets in which a wave, or a stratum of a wave, ends.
/// </summary>
public sealed class WaveCutter
{
    private readonly ImmutableArray<WaveSpec> _waves;
    private readonly MemberPlaces _places;
    private readonly MemberRemainder _left;
    private readonly ImmutableArray<WaveCut>.Builder _cuts;
    private int _assigned;

    /// <param name="waves">The listed waves.</param>
    /// <param name="all">The histogram of all members.</param>
    public WaveCutter(ImmutableArray<WaveSpec> waves, MemberHistogram all)
    {
        _waves = waves;
        _places = new MemberPlaces(all);
        _left = new MemberRemainder(_places, WaveSorting.FieldsOf(waves));
        _cuts = ImmutableArray.CreateBuilder<WaveCut>(waves.Length + 1);
    }

    /// <summary>The waves so far; all of them once <see cref="Run"/> misses nothing.</summary>
    public ImmutableArray<WaveCut> Cuts => _cuts.ToImmutable();

    /// <summary>Cuts members of whom everything is known.</summary>
    public static ImmutableArray<WaveCut> Cut(ImmutableArray<WaveSpec> waves, IReadOnlyCollection<MemberPoint> members)
    {
        var cutter = new WaveCutter(waves, MemberHistogram.Of(members));
        while (cutter.Run() is { IsEmpty: false } missing)
        {
            cutter.Add(missing, members);
        }

        return cutter.Cuts;
    }

    /// <summary>
    /// Cuts as far as the known places allow, and says which are missing: ask every partition for them and go on. Once or twice per wave.
    /// </summary>
    public ImmutableArray<PlaceQuery> Run()
    {
        while (_cuts.Count < _waves.Length)
        {
            var index = _cuts.Count;
            if (_left.Take(_waves[index], index, Wanted(_waves[index].Size, _places.Total, _assigned)) is not { } cut)
            {
                return _left.Missing;
            }

            _assigned += cut.Members;
            _cuts.Add(cut);
        }

        if (_cuts.Count == _waves.Length && _assigned < _places.Total)
        {
            var rest = _places.Total - _assigned;
            _cuts.Add(new(MemberMark.Last.Hash, MemberMark.Last.Device, ConnectedOnly: false, rest, PassedOver: 0, _waves.Length - 1));
        }

        return [];
    }

    /// <summary>Takes in what was missing.</summary>
    /// <param name="missing">The questions.</param>
    /// <param name="members">At least all that they ask for, of all partitions, in any order.</param>
    public void Add(ImmutableArray<PlaceQuery> missing, IReadOnlyCollection<MemberPoint> members)
    {
        foreach (var query in missing)
        {
            _places.Add(query, members);
        }
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
}
