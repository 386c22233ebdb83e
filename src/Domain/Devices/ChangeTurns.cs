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

    /// <summary>Since when the device is kept for the first of them; null while nobody else wants it.</summary>
    private DateTimeOffset? KeptSince { get; init; }

    /// <summary>The rollout waits.</summary>
    public ChangeTurns Ask(ResourceId rollout, ChangeRank rank, DateTimeOffset now)
    {
        var others = Waiting.RemoveAll(waiting => waiting.Rollout == rollout || waiting.AskedAt + RememberedFor <= now);
        var at = others.Count(waiting => !rank.IsBefore(waiting.Rank));
        var next = others.Insert(at, new WaitingRollout(rollout, rank, now));
        return this with { Waiting = next.Length > RolloutsMax ? next[..RolloutsMax] : next };
    }

    /// <summary>
    /// Who is before this rollout at a device that is free, and until when it is kept for him; null when it is this rollout's turn. Who
    /// does not come in that time has lost his turn.
    /// </summary>
    public (ChangeTurns Next, WaitingRollout? Before, DateTimeOffset Until) Judge(ResourceId rollout, ChangeRank rank, DateTimeOffset now)
    {
        var fresh = Waiting.RemoveAll(waiting => waiting.AskedAt + RememberedFor <= now);
        var before = fresh.Where(waiting => waiting.Rollout != rollout && waiting.Rank.IsBefore(rank)).ToImmutableArray();
        if (before.IsEmpty)
        {
            return (this with { Waiting = fresh, KeptSince = null }, null, default);
        }

        var since = KeptSince ?? now;
        return now < since + KeptFor
            ? (this with { Waiting = fresh, KeptSince = since }, before[0], since + KeptFor)
            : (this with { Waiting = fresh.RemoveRange(before), KeptSince = null }, null, default);
    }

    /// <summary>The rollout has its turn: the device is busy with it.</summary>
    public ChangeTurns Take(ResourceId rollout) => this with
    {
        Waiting = Waiting.RemoveAll(waiting => waiting.Rollout == rollout),
        KeptSince = null,
    };
}
