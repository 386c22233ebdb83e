namespace Muster.Domain.Devices;

/// <summary>A rollout that waits until a device is free.</summary>
/// <param name="Rollout">The rollout.</param>
/// <param name="Rank">Its place among those that wait.</param>
/// <param name="AskedAt">When it said so last.</param>
public readonly record struct WaitingRollout(ResourceId Rollout, ChangeRank Rank, DateTimeOffset AskedAt);

/// <summary>
/// Who waits for a device that is busy, and so who is first when it is free. Volatile: it is heard anew from those that wait.
/// </summary>
public sealed record ChangeTurns
{
    /// <summary>More rollouts than anybody lets run over the same device at once; the last of more is not remembered.</summary>
    public const int RolloutsMax = 4;

    /// <summary>So often a rollout says that it waits: often enough that a device that forgot hears of it again soon.</summary>
    public static readonly TimeSpan AskInterval = TimeSpan.FromMinutes(5);

    /// <summary>A rollout that has not said so twice does not wait any more.</summary>
    public static readonly TimeSpan RememberedFor = TimeSpan.FromMinutes(11);

    /// <summary>
    /// So long a free device is kept for the first of them: some rounds of its coordinator. One that is paused, or has no permit, does not
    /// hold up the others for longer.
    /// </summary>
    public static readonly TimeSpan KeptFor = TimeSpan.FromSeconds(60);

    /// <summary>Nobody waits.</summary>
    public static ChangeTurns None { get; } = new();

    public ImmutableArray<WaitingRollout> Waiting { get; private init; } = [];

    /// <summary>The first of them, and since when the device is kept for it; null while nobody else wants it.</summary>
    private (ResourceId Rollout, DateTimeOffset Since)? Kept { get; init; }

    /// <summary>The rollout waits.</summary>
    public ChangeTurns Ask(ResourceId rollout, ChangeRank rank, DateTimeOffset now) =>
        this with { Waiting = Limit(Order(FindFresh(now), rollout, rank, now)) };

    /// <summary>Who is first of those that wait, other than this rollout; null when it is first itself.</summary>
    public WaitingRollout? FindBefore(ResourceId rollout, ChangeRank rank, DateTimeOffset now) =>
        Order(FindFresh(now), rollout, rank, now)[0] is var first && first.Rollout != rollout ? first : null;

    /// <summary>
    /// Who is before this rollout at a device that is free, and until when it is kept for him; null when it is this rollout's turn. Who
    /// does not come in that time has lost his turn, and he alone: the next has as long. A rollout that is refused waits from here on.
    /// </summary>
    public (ChangeTurns Next, WaitingRollout? Before, DateTimeOffset Until) Judge(ResourceId rollout, ChangeRank rank, DateTimeOffset now)
    {
        var fresh = FindFresh(now);
        var order = Order(fresh, rollout, rank, now);
        if (Kept is { } kept && kept.Rollout == order[0].Rollout && kept.Rollout != rollout && kept.Since + KeptFor <= now)
        {
            fresh = fresh.RemoveAll(waiting => waiting.Rollout == kept.Rollout);
            order = Order(fresh, rollout, rank, now);
        }

        var first = order[0];
        if (first.Rollout == rollout)
        {
            return (this with { Waiting = fresh, Kept = null }, null, default);
        }

        var since = Kept is { } still && still.Rollout == first.Rollout ? still.Since : now;
        return (this with { Waiting = Limit(order), Kept = (first.Rollout, since) }, first, since + KeptFor);
    }

    /// <summary>The rollout has its turn: the device is busy with it.</summary>
    public ChangeTurns Take(ResourceId rollout) => this with
    {
        Waiting = Waiting.RemoveAll(waiting => waiting.Rollout == rollout),
        Kept = null,
    };

    private ImmutableArray<WaitingRollout> FindFresh(DateTimeOffset now) =>
        Waiting.RemoveAll(waiting => waiting.AskedAt + RememberedFor <= now);

    private static ImmutableArray<WaitingRollout> Limit(ImmutableArray<WaitingRollout> waiting) =>
        waiting.Length > RolloutsMax ? waiting[..RolloutsMax] : waiting;

    /// <summary>All of them with this rollout, the first one first: by priority, then by age, of equals who asked first.</summary>
    private static ImmutableArray<WaitingRollout> Order(
        ImmutableArray<WaitingRollout> waiting, ResourceId rollout, ChangeRank rank, DateTimeOffset now)
    {
        var all = waiting.RemoveAll(other => other.Rollout == rollout).Add(new WaitingRollout(rollout, rank, now));
        return
        [
            .. all
                .OrderByDescending(one => one.Rank.Priority)
                .ThenBy(one => PlaceOf(one.Rank, all))
                .ThenByDescending(one => one.Rank.StartedAt),
        ];
    }

    /// <summary>
    /// One that supersedes older ones takes the place of the oldest of them, and is before all of them then: which of two is first can be
    /// said of the whole line only, as there may be rollouts of other kinds between them.
    /// </summary>
    private static DateTimeOffset PlaceOf(ChangeRank rank, ImmutableArray<WaitingRollout> all) => all
        .Where(other => rank.IsOsImage && other.Rank.IsOsImage && other.Rank.Priority == rank.Priority && rank.Supersedes(other.Rank))
        .Select(other => other.Rank.StartedAt)
        .Append(rank.StartedAt)
        .Min();
}
