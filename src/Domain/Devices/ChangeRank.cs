namespace Muster.Domain.Devices;

/// <summary>Which of the rollouts that wait for the same device gets it first (rollouts.md 7).</summary>
/// <param name="Priority">The higher one first.</param>
/// <param name="StartedAt">When its rollout was started: of the same priority the older one first.</param>
[GenerateSerializer, Immutable, Alias("muster.change-rank")]
public readonly record struct ChangeRank([property: Id(0)] int Priority, [property: Id(1)] DateTimeOffset StartedAt)
{
    /// <summary>It takes the place of an older OS image that no connection has got yet.</summary>
    [Id(2)] public bool SupersedesOlder { get; init; }

    /// <summary>
    /// It is of an OS image, on its way there. False from a silo of an earlier version: then no other one takes its turn for that.
    /// </summary>
    [Id(3)] public bool IsOsImage { get; init; }

    /// <summary>What an order of an earlier version has, which names none: everybody else is first.</summary>
    public static ChangeRank Last { get; } = new(int.MinValue, DateTimeOffset.MaxValue);

    /// <summary>Of two OS images: whether this one takes the place of the other. One of a higher priority keeps its own.</summary>
    public bool Supersedes(ChangeRank older) => SupersedesOlder && older.StartedAt < StartedAt && older.Priority <= Priority;
}
