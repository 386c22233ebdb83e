using Muster.Domain.Devices;

namespace Muster.Domain.Tests.Rollouts;

/// <summary>Another rollout over the same devices.</summary>
internal sealed record Rival(ResourceId Id, ChangeRank Rank);

/// <summary>
/// Which of several rollouts has a device, or has it next. What <see cref="ChangeTurns"/> says is compared with who was heard of: the
/// device is kept for nobody who does not wait or is behind, for nobody longer than his minute, and nobody is passed over.
/// </summary>
internal sealed class WorldTurns
{
    private readonly Dictionary<ResourceId, Heard> _heard = [];
    private ChangeTurns _turns = ChangeTurns.None;
    private (ResourceId Rollout, DateTimeOffset Since)? _first;

    /// <summary>The other rollout that has the device; null for none.</summary>
    public Rival? Holder { get; private set; }

    /// <summary>Nobody was told of its offer yet.</summary>
    public bool IsHere { get; set; }

    /// <summary>Since when newer rollouts that supersede older ones were started that have been here; null for none.</summary>
    public DateTimeOffset? SupersedesBefore { get; private set; }

    /// <summary>It says that it waits.</summary>
    public void Await(ResourceId rollout, ChangeRank rank, DateTimeOffset now)
    {
        _turns = _turns.Ask(rollout, rank, now);
        _heard[rollout] = new Heard(rank, now, MayBeLost: false);
    }

    /// <summary>Whether nobody else who waits is before it; then it may take the place of the offer that is there.</summary>
    public bool IsFirst(ResourceId rollout, ChangeRank rank, DateTimeOffset now)
    {
        var before = _turns.FindBefore(rollout, rank, now);
        CheckFirst(rollout, rank, before, now);
        return before is null;
    }

    /// <summary>For whom the free device is kept instead, and until when; null when it is this one's turn.</summary>
    public (ResourceId Rollout, DateTimeOffset Until)? FindBefore(ResourceId rollout, ChangeRank rank, DateTimeOffset now)
    {
        (_turns, var before, var until) = _turns.Judge(rollout, rank, now);
        if (_first is { } first && first.Rollout != rollout && first.Since + ChangeTurns.KeptFor <= now)
        {
            Demand(before?.Rollout != first.Rollout, "kept for longer than a minute");
            _heard[first.Rollout] = _heard[first.Rollout] with { MayBeLost = true };
        }

        CheckFirst(rollout, rank, before, now);
        if (before is not { } kept)
        {
            _first = null; // it came, and whoever waits for it again does so from now on
            return null;
        }

        _first = _first?.Rollout == kept.Rollout ? _first : (kept.Rollout, now);
        Demand(until == _first.Value.Since + ChangeTurns.KeptFor, "kept until another time than the end of a minute");
        _heard[rollout] = new Heard(rank, now, MayBeLost: false);
        return (kept.Rollout, until);
    }

    /// <summary>It has the device, which was free, or whose offer it took the place of.</summary>
    public void Take(ResourceId rollout)
    {
        _turns = _turns.Take(rollout);
        _heard.Remove(rollout);
        _first = null;
        Holder = null;
    }

    /// <summary>Another rollout has it.</summary>
    public void Take(Rival rival)
    {
        Take(rival.Id);
        (Holder, IsHere) = (rival, true);
    }

    /// <summary>The other rollout ends here; what was taken back was not there.</summary>
    public void End(bool isTakenBack)
    {
        if (!isTakenBack && Holder is { Rank: { IsOsImage: true, SupersedesOlder: true } rank }
            && !(SupersedesBefore >= rank.StartedAt))
        {
            SupersedesBefore = rank.StartedAt;
        }

        Holder = null;
    }

    /// <summary>Whether a newer rollout that supersedes this one is here or was.</summary>
    public bool IsSuperseded(ChangeRank rank) =>
        SupersedesBefore > rank.StartedAt
        || (Holder is { Rank: { IsOsImage: true, SupersedesOlder: true } holder } && holder.StartedAt > rank.StartedAt);

    /// <summary>The device's activation was lost.</summary>
    public void Forget()
    {
        _turns = ChangeTurns.None;
        _heard.Clear();
        _first = null;
    }

    private void CheckFirst(ResourceId rollout, ChangeRank rank, WaitingRollout? before, DateTimeOffset now)
    {
        if (before is { Rollout: var first })
        {
            Demand(
                first != rollout && _heard.TryGetValue(first, out var heard) && heard.IsFresh(now) && MayBeBefore(heard.Rank, rank),
                "kept for somebody who does not wait, or is behind");
            return;
        }

        Demand(
            !_heard.Any(one => one.Key != rollout && one.Value is { MayBeLost: false } other && other.IsFresh(now)
                && IsBefore(other.Rank, rank)),
            "somebody was passed over who waits");
    }

    private static bool MayBeBefore(ChangeRank one, ChangeRank other) =>
        one.Priority > other.Priority
        || (one.Priority == other.Priority && (one.StartedAt < other.StartedAt || one.SupersedesOlder));

    /// <summary>Whoever else waits.</summary>
    private static bool IsBefore(ChangeRank one, ChangeRank other) =>
        one.Priority > other.Priority
        || (one.Priority == other.Priority && !other.SupersedesOlder
            && (one.StartedAt < other.StartedAt || (one.IsOsImage && other.IsOsImage && one.Supersedes(other))));

    private static void Demand(bool condition, string what)
    {
        if (!condition)
        {
            throw new InvalidOperationException(what);
        }
    }

    /// <param name="Rank">Of the rollout.</param>
    /// <param name="At">When it said last that it waits.</param>
    /// <param name="MayBeLost">It did not come in its minute, and may have to say so again.</param>
    private readonly record struct Heard(ChangeRank Rank, DateTimeOffset At, bool MayBeLost)
    {
        public bool IsFresh(DateTimeOffset now) => At + ChangeTurns.RememberedFor > now;
    }
}
