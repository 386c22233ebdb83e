namespace Muster.Contracts.Inventory;

/// <summary>
/// Which table of a partition's devices was read, and how often who can be reached had changed: the same mark, the same answer.
/// </summary>
[GenerateSerializer, Immutable, Alias("muster.reach-mark")]
public readonly record struct ReachMark([property: Id(0)] Guid Table, [property: Id(1)] long Changes);

/// <summary>A device with a session.</summary>
/// <param name="Name">Its id.</param>
/// <param name="Rollout">The rollout that has it; empty for none.</param>
[GenerateSerializer, Immutable, Alias("muster.connected-device")]
public readonly record struct ConnectedDevice([property: Id(0)] string Name, [property: Id(1)] string Rollout);

/// <summary>
/// All devices of one tenant and partition that have a session, in no order. Without more of their rows: every share of a rollout asks
/// for them again and again, and a partition of a million devices has some four thousand (a hundred kilobytes).
/// </summary>
[GenerateSerializer, Immutable, Alias("muster.connected-devices")]
public sealed record ConnectedDevices(
    [property: Id(0)] ReachMark Mark, [property: Id(1)] ImmutableArray<ConnectedDevice> Devices);
