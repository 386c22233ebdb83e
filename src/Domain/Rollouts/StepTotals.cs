using Muster.Domain.Images;

namespace Muster.Domain.Rollouts;

/// <summary>
/// Members by how many steps are before them, with the one that they are offered; equal by value. What it says is as old as the list of
/// devices that it was taken from: it is for estimates, and nothing is offered by it.
/// </summary>
/// <param name="Counts">By the number of steps, from 0: members that were looked at.</param>
[GenerateSerializer, Immutable, Alias("muster.step-totals")]
public sealed record StepTotals([property: Id(0)] ImmutableArray<int> Counts)
{
    /// <summary>Members that were looked at.</summary>
    public int Known => Counts.Sum();

    /// <summary>Those of them that have steps before them.</summary>
    public int Below => Counts.Skip(1).Sum();

    /// <summary>The steps of all of them together.</summary>
    public long Steps => Counts.Select((count, steps) => (long)count * steps).Sum();

    /// <summary>The sum of two, either of which may be none.</summary>
    public static StepTotals? Sum(StepTotals? left, StepTotals? right)
    {
        if (left is null || right is null)
        {
            return left ?? right;
        }

        var (shorter, longer) = left.Counts.Length < right.Counts.Length ? (left.Counts, right.Counts) : (right.Counts, left.Counts);
        return new([.. longer.Select((count, i) => count + (i < shorter.Length ? shorter[i] : 0))]);
    }

    /// <summary>Of the members of each wave that wait, and of those in progress; all null when nobody has looked.</summary>
    /// <param name="share">The share.</param>
    /// <param name="waves">The wave of each member.</param>
    /// <param name="waveCount">How many waves there are.</param>
    /// <param name="steps">By member; at those behind its end nobody has looked, and null when at nobody.</param>
    internal static (StepTotals?[] Waiting, StepTotals?[] InProgress) Count(
        RolloutShare share, ImmutableArray<byte> waves, int waveCount, IReadOnlyList<byte>? steps)
    {
        if (steps is null)
        {
            return (new StepTotals?[waveCount], new StepTotals?[waveCount]);
        }

        // A share counts in every round: its members are gone through once, and not once for each wave.
        var (waiting, inProgress) = (new int[waveCount, 1 + ImageConditions.StepsMax], new int[waveCount, 1 + ImageConditions.StepsMax]);
        for (var i = 0; i < share.Members.Length && i < steps.Count; i++)
        {
            var left = Math.Min(steps[i], (byte)ImageConditions.StepsMax);
            waiting[waves[i], left] += share.Members[i] is MemberStatus.Waiting or MemberStatus.Retrying ? 1 : 0;
            inProgress[waves[i], left] += share.Members[i] == MemberStatus.Offered ? 1 : 0;
        }

        return (Of(waiting), Of(inProgress));
    }

    public bool Equals(StepTotals? other) => other is not null && Counts.AsSpan().SequenceEqual(other.Counts.AsSpan());

    public override int GetHashCode() => Counts.Sum();

    /// <summary>By wave, without what nobody has.</summary>
    private static StepTotals?[] Of(int[,] counts)
    {
        var totals = new StepTotals?[counts.GetLength(0)];
        for (var wave = 0; wave < totals.Length; wave++)
        {
            ImmutableArray<int> ofWave = [.. Enumerable.Range(0, counts.GetLength(1)).Select(left => counts[wave, left])];
            var length = ofWave.AsSpan().LastIndexOfAnyExcept(0) + 1;
            totals[wave] = length == 0 ? null : new(ofWave[..length]);
        }

        return totals;
    }
}
