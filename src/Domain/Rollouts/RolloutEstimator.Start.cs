using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Muster.Domain.Rollouts;

/// <summary>What a dry run says of the end: the same calculation, from a start that there was not.</summary>
public static partial class RolloutEstimator
{
    /// <summary>
    /// The draft as it would be if it was started now, of which an estimate can be made (rollouts.md 24). Which devices are away or busy
    /// then, and what steps are before them, nobody has looked: all wait for their turn. Null where there is nothing to start.
    /// </summary>
    /// <param name="draft">The dry run's.</param>
    /// <param name="cuts">The waves of such a start.</param>
    /// <param name="now">When it is asked.</param>
    public static Rollout? StartOf(Rollout draft, ImmutableArray<WaveCut> cuts, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(draft);
        if (!draft.Plan.IsDraft || cuts.IsDefaultOrEmpty)
        {
            return null;
        }

        // The wave of late joiners, of whom there are none yet, is the start's to add.
        var frozen = new FrozenMembers([.. cuts.Where(cut => !cut.TakesJoiners)], [0]);
        var order = new RolloutOrder(draft.Id, Actor.Rule("estimates"), "", now);
        var started = RolloutLifecycle.Start(RolloutPlan.Draft, draft.Spec, frozen, order);
        return started.Error is not null ? null : draft with
        {
            Freeze = KeyOf(draft.Spec, cuts),
            Plan = started.Next with
            {
                Waves = [.. started.Next.Waves.Select(wave => wave.With(
                    new ShareTotals { Members = wave.Cut.Members, Waiting = wave.Cut.Members }))],
            },
        };
    }

    /// <summary>
    /// Instead of a freeze, of which there is none: the same spec that finds the same waves has the same end. Who asks again, because it
    /// took longer than he was let wait, is told what was calculated meanwhile; another spec, or another fleet, is another question.
    /// </summary>
    private static Guid KeyOf(RolloutSpec spec, ImmutableArray<WaveCut> cuts)
    {
        var places = cuts.Select(cut => string.Create(
            CultureInfo.InvariantCulture,
            $"{cut.Spec} {cut.Members} {cut.PassedOver} {cut.ConnectedOnly} {cut.TakesJoiners} {cut.UpToHash} {cut.UpToDevice}"));
        var text = string.Join('\n', places.Prepend(SpecFingerprint.Of(spec)));
        return new Guid(SHA256.HashData(Encoding.UTF8.GetBytes(text)).AsSpan(0, 16));
    }
}
