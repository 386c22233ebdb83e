using Muster.Domain;
using Muster.Domain.Rollouts;
using Muster.Gateway.Grpc;

namespace Muster.Gateway.Rollouts;

/// <summary>How far one watch of all rollouts of a tenant has told each; what its resume tokens are made of.</summary>
/// <param name="from">Where it goes on; null for a new one.</param>
/// <param name="now">When it begins.</param>
internal sealed class ToldRollouts(DecisionPoint? from, DateTimeOffset now)
{
    /// <summary>Between the commit that creates a rollout and the time of a token: silos and gateways have clocks of their own.</summary>
    private static readonly TimeSpan ClockDifference = TimeSpan.FromMinutes(10);

    /// <summary>Those that ended while they were watched are remembered, so that a row that is told late brings nothing twice.</summary>
    private const int RememberedMax = 10 * DecisionTokens.RolloutsMax;

    private readonly Dictionary<ResourceId, Known> _known =
        from?.Told.ToDictionary(pair => pair.Key, pair => new Known(pair.Value, IsEnded: false, DateTimeOffset.MinValue)) ?? [];

    private readonly DateTimeOffset _since = (from?.At ?? now) - ClockDifference;

    private int _live = from?.Told.Count ?? 0;

    /// <summary>The mark to read on from; null when there is nothing to read.</summary>
    public DecisionMark? Wants(RolloutRow row)
    {
        if (_known.TryGetValue(IdOf(row), out var known))
        {
            // Asked for in any case when it has ended: the mark of one that has is in no token for long.
            return row.Decisions != known.Mark.Number || (row.IsEnded && !known.IsEnded) ? known.Mark : null;
        }

        // One that had ended before, and that nobody asked for.
        return row.IsEnded && row.CreatedAt < _since ? null : DecisionMark.Start;
    }

    public void Put(RolloutRow row, DecisionMark mark, bool isEnded)
    {
        var rollout = IdOf(row);
        _live += (isEnded ? 0 : 1) - (_known.TryGetValue(rollout, out var before) && !before.IsEnded ? 1 : 0);
        _known[rollout] = new Known(mark, isEnded, row.CreatedAt);
        if (_live > DecisionTokens.RolloutsMax)
        {
            throw FleetErrors.LimitReached("rollouts that have not ended, in one watch", DecisionTokens.RolloutsMax);
        }

        if (_known.Count > RememberedMax)
        {
            throw FleetErrors.LimitReached("rollouts in one watch; go on with its last resume token", RememberedMax);
        }
    }

    /// <summary>With those that have ended and are so young that another watch would take them for new.</summary>
    public DecisionPoint PointAt(DateTimeOffset at) => new(
        at,
        _known.Where(pair => !pair.Value.IsEnded || pair.Value.CreatedAt >= at - (2 * ClockDifference))
            .ToDictionary(pair => pair.Key, pair => pair.Value.Mark));

    // A row is named by what was a valid id when it was created.
    public static ResourceId IdOf(RolloutRow row) =>
        ResourceId.TryParse(row.Name, out var id) ? id : throw new FormatException($"'{row.Name}' is no id of a rollout.");

    private readonly record struct Known(DecisionMark Mark, bool IsEnded, DateTimeOffset CreatedAt);
}
