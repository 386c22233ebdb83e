namespace Muster.Domain.Rollouts;

/// <summary>Skipped members by reason; equal by value.</summary>
/// <param name="Counts">By <see cref="MemberReason"/>; one from another version may be shorter or longer.</param>
[GenerateSerializer, Immutable, Alias("muster.skip-totals")]
public sealed record SkipTotals([property: Id(0)] ImmutableArray<int> Counts)
{
    /// <summary>How many members were skipped for the reason.</summary>
    public int Of(MemberReason reason) => (int)reason < Counts.Length ? Counts[(int)reason] : 0;

    /// <summary>The sum of two, either of which may be none.</summary>
    public static SkipTotals? Sum(SkipTotals? left, SkipTotals? right)
    {
        if (left is null || right is null)
        {
            return left ?? right;
        }

        var (shorter, longer) = left.Counts.Length < right.Counts.Length ? (left.Counts, right.Counts) : (right.Counts, left.Counts);
        return new([.. longer.Select((count, i) => count + (i < shorter.Length ? shorter[i] : 0))]);
    }

    public bool Equals(SkipTotals? other) => other is not null && Counts.AsSpan().SequenceEqual(other.Counts.AsSpan());

    public override int GetHashCode() => Counts.Sum();
}
