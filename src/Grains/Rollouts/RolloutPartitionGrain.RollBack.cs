using Muster.Contracts.Devices;
using Muster.Contracts.Rollouts;
using Muster.Domain.Devices;
using Muster.Domain.Images;
using Muster.Domain.Rollouts;

namespace Muster.Grains.Rollouts;

/// <summary>The share of a rollout that is rolled back; the rules are <see cref="RollBackRules"/>.</summary>
internal sealed partial class RolloutPartitionGrain
{
    /// <summary>
    /// Committed before anybody is offered a way back: a fact of the way there that is read later is told from those of the way back by
    /// its attempt.
    /// </summary>
    private async Task TurnRoundAsync(AdvanceShare command)
    {
        if (command.IsRollingBack && !RollBackRules.HasBegun(_share!))
        {
            await CommitAsync(
                RollBackRules.Begin(_share!, command.Granted, _clock.GetUtcNow()), new RolloutShareTurned(_rollout, _partition));
        }
    }

    /// <summary>
    /// What the device has not named yet is taken back: of a revoked image or step, and of the way there once it is left.
    /// </summary>
    private bool IsWithdrawn(OpenOffer offer, AdvanceShare command) =>
        offer.DeliveredAt is null
        && (!RollBackRules.HasBegun(_share!) ? command.IsWithdrawing || IsOfRevokedStep(offer, command)
            : RollBackRules.IsOnTheWayThere(_share!, offer.Member) || IsOfRevokedImage(offer));

    /// <summary>Of a rollout that is cancelled each device is asked to give up whatever it has.</summary>
    private bool IsOfRevokedStep(OpenOffer offer, AdvanceShare command) => !IsCancelling(command) && IsOfRevokedImage(offer);

    /// <summary>Why; the share knows better than an order that comes late which way it is on.</summary>
    private WithdrawChange WithdrawalOf(OpenOffer offer, AdvanceShare command) => RollBackRules.HasBegun(_share!)
        ? new(_rollout, RollBackRules.IsOnTheWayThere(_share!, offer.Member) ? WayBack.Ordered : WayBack.NoWayBack)
        : command.IsWithdrawing
            ? new(_rollout, ImageErrors.RevokedReason)
            : new(_rollout, DeviceChanges.StepRevoked) { RevokedStep = _chosen.Find(offer)! };
}
