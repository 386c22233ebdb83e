using Muster.Contracts.Devices;
using Muster.Domain.Devices;

namespace Muster.Grains.Tests.Rollouts;

/// <summary>Who waits for devices that are busy with other rollouts.</summary>
internal sealed partial class RolloutFleet
{
    private readonly Dictionary<string, ChangeTurns> _turns = [];

    /// <summary>What devices were told of rollouts that wait for them.</summary>
    public List<(string Key, AwaitTurn Command)> TurnsAsked { get; } = [];

    public Task AwaitTurnAsync(string key, AwaitTurn command)
    {
        lock (_gate)
        {
            TurnsAsked.Add((key, command));
            _turns[key] = _turns.GetValueOrDefault(key, ChangeTurns.None).Ask(command.Rollout, command.Rank, clock.GetUtcNow());
        }

        return Task.CompletedTask;
    }

    /// <summary>How often devices heard of a rollout that waits.</summary>
    public int CountTurnsAsked(string rollout)
    {
        lock (_gate)
        {
            return TurnsAsked.Count(asked => asked.Command.Rollout.Value == rollout);
        }
    }

    /// <summary>An offer to a device that other rollouts want, too.</summary>
    public Task<OfferReply> OfferInTurnAsync(string key, OfferChange command)
    {
        lock (_gate)
        {
            if (SteppedUnheard.Contains(key))
            {
                Asked[key] = Asked.GetValueOrDefault(key) + 1;
                return Task.FromResult(new OfferReply(OfferStatus.WaitingBusy, default, "", null) { HasStepped = true });
            }

            if (_units[key].Change is { } other && other != command.Rollout)
            {
                return Task.FromResult(new OfferReply(OfferStatus.WaitingBusy, default, "", null));
            }

            if (_units[key].Change is null && _turns.TryGetValue(key, out var turns))
            {
                (_turns[key], var before, var until) = turns.Judge(command.Rollout, command.Rank!.Value, clock.GetUtcNow());
                if (before is not null)
                {
                    return Task.FromResult(new OfferReply(OfferStatus.WaitingBusy, default, "", null) { AskAgainAt = until });
                }

                _turns[key] = _turns[key].Take(command.Rollout);
            }
        }

        return OfferAsync(key, command);
    }
}
