using Muster.Contracts.Devices;
using Muster.Domain;
using Muster.Domain.Devices;

namespace Muster.Grains.Devices;

/// <summary>
/// Which of the rollouts that wait for the device gets it (rollouts.md 7); the rules are <see cref="ChangeTurns"/>. Volatile: those that
/// wait say so again, and a device that has forgotten takes who comes first.
/// </summary>
internal sealed partial class DeviceGrain
{
    /// <summary>Null while nobody waits, as for most devices always.</summary>
    private ChangeTurns? _turns;

    public async Task AwaitTurnAsync(AwaitTurn command)
    {
        ArgumentNullException.ThrowIfNull(command);
        if (Current is not { Change: { } change } device || change.Rollout == command.Rollout)
        {
            return;
        }

        var now = _services.Clock.GetUtcNow();
        var decision = DeviceChanges.StepAside(device, command.Rollout, command.Rank, _handover, now);
        await CommitAsync(decision.Next, decision.Events, RuleOf(command.Rollout), now);
        _turns = (_turns ?? ChangeTurns.None).Ask(command.Rollout, command.Rank, now);
    }

    /// <summary>An answer instead of the offer, when the device is kept for another rollout. A way back waits for nobody.</summary>
    private OfferReply? FindTurnOfOthers(OfferChange command, OfferDecision decision, DateTimeOffset now)
    {
        if (_turns is not { } turns || decision.Events.IsEmpty || WayBack.Is(command.Retry))
        {
            return null;
        }

        (_turns, var before, var until) = turns.Judge(command.Rollout, command.Rank ?? ChangeRank.Last, now);
        return before is null ? null : new OfferReply(OfferStatus.WaitingBusy, ChangeOutcome.Unspecified, "", null)
        {
            AskAgainAt = until,
        };
    }

    private string KeptFor(OfferChange command, OfferDecision decision, DateTimeOffset now) =>
        _turns is { } turns && !decision.Events.IsEmpty && !WayBack.Is(command.Retry)
        && turns.Judge(command.Rollout, command.Rank ?? ChangeRank.Last, now).Before is { } before
            ? before.Rollout.Value
            : "";

    private void TakeTurn(ResourceId rollout)
    {
        var turns = _turns?.Take(rollout);
        _turns = turns is { Waiting.IsEmpty: false } ? turns : null;
    }
}
