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

    public Task AwaitTurnAsync(AwaitTurn command)
    {
        ArgumentNullException.ThrowIfNull(command);
        if (Current is { Change: { } change } && change.Rollout != command.Rollout)
        {
            _turns = (_turns ?? ChangeTurns.None).Ask(command.Rollout, command.Rank, _services.Clock.GetUtcNow());
        }

        return Task.CompletedTask;
    }

    /// <summary>An answer instead of the offer, when the device is kept for another rollout. A way back waits for nobody.</summary>
    private OfferReply? FindTurnOfOthers(OfferChange command, OfferDecision decision, DateTimeOffset now)
    {
        if (_turns is not { } turns || decision.Events.IsEmpty || WayBack.Is(command.Retry))
        {
            return null;
        }

        var rank = command.Rank ?? ChangeRank.Last;
        var waits = new OfferReply(OfferStatus.WaitingBusy, ChangeOutcome.Unspecified, "", null);
        if (Current?.Change is not null)
        {
            // It supersedes the offer that the device has. Nobody loses a turn meanwhile: the device is not free.
            var first = turns.FindBefore(command.Rollout, rank, now);
            _turns = first is null ? turns : turns.Ask(command.Rollout, rank, now);
            return first is null ? null : waits;
        }

        (_turns, var before, var until) = turns.Judge(command.Rollout, rank, now);
        return before is null ? null : waits with { AskAgainAt = until };
    }

    /// <summary>Who gets the device before this rollout: one that it is kept for, or that is first when it is free.</summary>
    private string KeptFor(OfferChange command, OfferDecision decision, DateTimeOffset now)
    {
        if (_turns is not { } turns || WayBack.Is(command.Retry))
        {
            return "";
        }

        var rank = command.Rank ?? ChangeRank.Last;
        var before = !decision.Events.IsEmpty ? turns.Judge(command.Rollout, rank, now).Before
            : decision.Verdict is OfferVerdict.Busy or OfferVerdict.Offline ? turns.FindBefore(command.Rollout, rank, now)
            : null;
        return before?.Rollout.Value ?? "";
    }

    private void TakeTurn(ResourceId rollout)
    {
        var turns = _turns?.Take(rollout);
        _turns = turns is { Waiting.IsEmpty: false } ? turns : null;
    }
}
