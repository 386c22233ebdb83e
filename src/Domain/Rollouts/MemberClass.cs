namespace Muster.Domain.Rollouts;

/// <summary>
/// What decides, beside its place and its session, which waves may take a member: the filters that it matched at the freeze, and its
/// values in the fields that waves are stratified by. Members of one class are told apart by their places alone.
/// </summary>
/// <param name="Matches">A bit for each listed wave whose filter it matched; waves without a filter have none.</param>
/// <param name="Values">In the order of <see cref="WaveSorting.Fields"/>, as the API writes them; empty text for no value.</param>
[GenerateSerializer, Immutable, Alias("muster.member-class")]
public sealed record MemberClass([property: Id(0)] uint Matches, [property: Id(1)] ImmutableArray<string> Values)
{
    /// <summary>
    /// Of one rollout: the coordinator adds up a histogram of 8 KiB for each, and a partition tells at most so many, however large it is.
    /// </summary>
    public const int ClassesMax = 1_024;

    /// <summary>Whether the filter of the listed wave matched.</summary>
    public bool Matched(int wave) => (Matches & (1u << wave)) != 0;

    /// <summary>By value: partitions tell of the same class.</summary>
    public bool Equals(MemberClass? other) =>
        other is not null && Matches == other.Matches && Values.AsSpan().SequenceEqual(other.Values.AsSpan());

    public override int GetHashCode()
    {
        var hash = default(HashCode);
        hash.Add(Matches);
        foreach (var value in Values.AsSpan())
        {
            hash.Add(value);
        }

        return hash.ToHashCode();
    }

    /// <summary>How its values in the fields at <paramref name="by"/> are ordered beside a stratum's: value by value.</summary>
    internal int CompareTo(ImmutableArray<string> stratum, ImmutableArray<int> by)
    {
        for (var i = 0; i < by.Length; i++)
        {
            var order = string.CompareOrdinal(Values[by[i]], stratum[i]);
            if (order != 0)
            {
                return order;
            }
        }

        return 0;
    }
}

/// <summary>Strata by their values.</summary>
internal static class StratumValues
{
    public static IComparer<ImmutableArray<string>> Order { get; } = Comparer<ImmutableArray<string>>.Create(
        (left, right) => left.Zip(right, string.CompareOrdinal).FirstOrDefault(order => order != 0));

    public static IEqualityComparer<ImmutableArray<string>> Equality { get; } = EqualityComparer<ImmutableArray<string>>.Create(
        (left, right) => left.AsSpan().SequenceEqual(right.AsSpan()),
        values => values.Aggregate(0, HashCode.Combine));
}
