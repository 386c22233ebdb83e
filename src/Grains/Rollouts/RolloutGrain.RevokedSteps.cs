using Muster.Domain;
using Muster.Domain.Devices;
using Muster.Domain.Rollouts;

namespace Muster.Grains.Rollouts;

/// <summary>The images of the steps, which are revoked as any other.</summary>
internal sealed partial class RolloutGrain
{
    private readonly RevokedImages _revokedSteps;
    private Task _askingForSteps = Task.CompletedTask;
    private long? _stepsAskedAt;

    /// <summary>
    /// The store refuses offers of a revoked step already; what is left is to say so and to take back what was not delivered. Nobody waits
    /// for the catalogue with a round: what it has answered by the next one is committed then. On the way back there are no steps, and once
    /// the rollout's own image is revoked every offer is taken back.
    /// </summary>
    private async Task GiveUpRevokedStepsAsync()
    {
        if (_record.State.Rollout is not { Spec.Path: { IsDefaultOrEmpty: false } path } rollout
            || Plan is { IsLive: false } or { IsImageRevoked: true } or { RollBack: not null })
        {
            return;
        }

        AskForSteps([.. path.Select(step => step.Digest).Where(digest => !_revokedSteps.Contains(digest)).Distinct()]);
        var order = new RolloutOrder(_id, Actor.Rule("images"), "", _clock.GetUtcNow());
        var decision = RolloutLifecycle.GiveUpSteps(Plan, path.Where(step => _revokedSteps.Contains(step.Digest)), order);
        if (!decision.Events.IsEmpty)
        {
            await CommitAsync(rollout with { Plan = decision.Next }, decision.Events, order.Actor, order.Now);
        }
    }

    /// <summary>Begins to ask, when it is time and all were answered: at most <see cref="StepImage.PathMax"/> calls at a time.</summary>
    private void AskForSteps(ImmutableArray<string> digests)
    {
        if (_askingForSteps.IsCompleted
            && !(_stepsAskedAt is { } askedAt && _clock.GetElapsedTime(askedAt) < RevocationInterval))
        {
            _stepsAskedAt = _clock.GetTimestamp();
            _askingForSteps = Task.WhenAll(digests.Select(_revokedSteps.AskAsync));
        }
    }
}
