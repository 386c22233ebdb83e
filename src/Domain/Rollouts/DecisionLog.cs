using System.Buffers.Binary;
using System.IO.Hashing;
using System.Text;

namespace Muster.Domain.Rollouts;

/// <summary>
/// The last decision that a reader was told, by its number and what it was. A store that lost commits and went on has another decision
/// under the same number.
/// </summary>
/// <param name="Number">0 before the first.</param>
/// <param name="Fingerprint">XXH64 of the decision; 0 before the first.</param>
[GenerateSerializer, Immutable, Alias("muster.decision-mark")]
public readonly record struct DecisionMark([property: Id(0)] long Number, [property: Id(1)] ulong Fingerprint)
{
    /// <summary>Before the first decision.</summary>
    public static DecisionMark Start { get; }

    /// <summary>The mark of a reader who was told the decision.</summary>
    public static DecisionMark Of(long number, PlanDecision decision)
    {
        ArgumentNullException.ThrowIfNull(decision);
        Span<byte> head = stackalloc byte[sizeof(long)];
        BinaryPrimitives.WriteInt64LittleEndian(head, decision.At.UtcTicks);
        var hash = new XxHash64();
        hash.Append(head);
        hash.Append(Encoding.UTF8.GetBytes($"{decision.Actor}\n{decision.Reason}\n{decision.Wave}\n{decision.Text}"));
        return new DecisionMark(number, hash.GetCurrentHashAsUInt64());
    }
}

/// <summary>What a reader of decisions finds behind its mark.</summary>
/// <param name="First">The number of the first of the decisions; what lies between the mark and it is not kept any more.</param>
/// <param name="Decisions">In order, numbered without a gap.</param>
/// <param name="IsEnded">The rollout has ended: there will be no other decision.</param>
/// <param name="IsRewound">The decision at the mark never happened in this store; then there are no decisions.</param>
[GenerateSerializer, Immutable, Alias("muster.decision-page")]
public sealed record DecisionPage(
    [property: Id(0)] long First,
    [property: Id(1)] ImmutableArray<PlanDecision> Decisions,
    [property: Id(2)] bool IsEnded,
    [property: Id(3)] bool IsRewound)
{
    /// <summary>The mark of a reader who was told all of this; the one that he had when it is nothing.</summary>
    public DecisionMark Next(DecisionMark mark) =>
        Decisions.IsEmpty ? mark : DecisionMark.Of(First + Decisions.Length - 1, Decisions[^1]);
}

/// <summary>
/// The decisions of a rollout, numbered from 1 without a gap. The record keeps the newest; the numbers tell a reader whether he has all.
/// </summary>
public static class DecisionLog
{
    /// <summary>The plan with one decision more; the oldest is forgotten when there is no room.</summary>
    public static RolloutPlan With(RolloutPlan plan, PlanDecision decision)
    {
        ArgumentNullException.ThrowIfNull(plan);
        var excess = plan.Decisions.Length + 1 - RolloutLimits.DecisionsMax;
        return plan with
        {
            DecisionsMade = plan.DecisionCount + 1,
            Decisions = (excess > 0 ? plan.Decisions.RemoveRange(0, excess) : plan.Decisions).Add(decision),
        };
    }

    /// <summary>What was decided behind the mark, as far as it is kept.</summary>
    public static DecisionPage ReadAfter(RolloutPlan plan, DecisionMark mark)
    {
        ArgumentNullException.ThrowIfNull(plan);
        var oldest = plan.DecisionCount - plan.Decisions.Length + 1;
        if (mark.Number > plan.DecisionCount || IsAnother(plan, oldest, mark))
        {
            return new DecisionPage(mark.Number + 1, [], plan.IsTerminal, IsRewound: true);
        }

        var first = Math.Max(mark.Number + 1, oldest);
        return new DecisionPage(first, plan.Decisions[(int)(first - oldest)..], plan.IsTerminal, IsRewound: false);
    }

    private static bool IsAnother(RolloutPlan plan, long oldest, DecisionMark mark) =>
        mark.Number >= oldest && mark.Number > 0
        && DecisionMark.Of(mark.Number, plan.Decisions[(int)(mark.Number - oldest)]) != mark;
}
