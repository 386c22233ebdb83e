using Muster.Domain.Rollouts;

namespace Muster.Grains.Rollouts;

/// <summary>
/// What a share does of itself beside using permits follows from this much of the plan: when it is another, all shares are told, also those
/// that are quiet. Every decision makes another one, such as a wave that opens or an order of an operator.
/// </summary>
internal sealed record ShareOrders(long Decisions, long Epoch, RolloutState State, Joining Joining, int WavesOpened, bool IsWindowOpen)
{
    public static ShareOrders Of(Rollout rollout, DateTimeOffset now) => new(
        rollout.Plan.DecisionCount,
        rollout.Plan.Epoch,
        rollout.Plan.State,
        LateJoiners.JoiningOf(rollout.Plan),
        rollout.Plan.Waves.Count(wave => wave.StartedAt is not null),
        OfferWindow.IsOpen(rollout.Spec.Windows, now));
}
