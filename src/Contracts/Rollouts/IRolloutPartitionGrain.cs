using Muster.Domain.Rollouts;
using Orleans.CodeGeneration;

namespace Muster.Contracts.Rollouts;

/// <summary>
/// A rollout's share in one partition, called by the coordinator only: knows the members, makes the offers and reports
/// totals. It makes no choice but the order of its members. Key: <c>tenant/rollout/partition</c>.
/// </summary>
[GrainInterfaceType("muster.rollout-partition"), Alias("muster.IRolloutPartitionGrain"), Version(1)]
public interface IRolloutPartitionGrain : IGrainWithStringKey
{
    /// <summary>Counts the devices that match now; stores nothing.</summary>
    [Alias("Count")]
    Task<int> CountAsync(string filter);

    /// <summary>Stores the devices in service that match now, in their order. The same freeze again gives the same answer.</summary>
    [Alias("Freeze")]
    Task<MemberHistogram> FreezeAsync(FreezeMembers command);

    /// <summary>The exact places of the members in one bucket.</summary>
    [Alias("GetBucket")]
    Task<ImmutableArray<MemberPoint>> GetBucketAsync(int bucket);

    /// <summary>Takes in the feed, makes the offers that the grant allows and that it has not made, and reports the totals.</summary>
    [Alias("Advance")]
    Task<ShareReport> AdvanceAsync(AdvanceShare command);
}

/// <summary>Freezes the members of a partition.</summary>
/// <param name="Freeze">The start that it belongs to.</param>
/// <param name="Filter">Which devices.</param>
/// <param name="Seed">The key of the order.</param>
[GenerateSerializer, Immutable, Alias("muster.freeze-members")]
public sealed record FreezeMembers(
    [property: Id(0)] Guid Freeze,
    [property: Id(1)] string Filter,
    [property: Id(2)] long Seed);

/// <summary>The part of the committed plan that a share executes.</summary>
[GenerateSerializer, Immutable, Alias("muster.advance-share")]
public sealed record AdvanceShare
{
    /// <summary>The freeze that the plan was cut from.</summary>
    [Id(0)] public required Guid Freeze { get; init; }

    [Id(1)] public required long Epoch { get; init; }

    /// <summary>False while nothing may be offered: permits that were not used lapse.</summary>
    [Id(2)] public required bool IsOffering { get; init; }

    [Id(3)] public required long Seed { get; init; }

    [Id(4)] public required ImmutableArray<WaveCut> Cuts { get; init; }

    /// <summary>Permits by wave, cumulative.</summary>
    [Id(5)] public required ImmutableArray<long> Granted { get; init; }

    /// <summary>When each wave opened, null before: the members' first turn.</summary>
    [Id(6)] public required ImmutableArray<DateTimeOffset?> OpenedAt { get; init; }

    [Id(7)] public required RolloutImage Image { get; init; }

    [Id(8)] public required bool AllowTrackChange { get; init; }

    [Id(9)] public required TimeSpan InProgressTimeout { get; init; }

    [Id(10)] public required TimeSpan UndeliveredTimeout { get; init; }

    /// <summary>Permits by wave that the plan knows to be used or lapsed; empty from a silo of an earlier version.</summary>
    [Id(11)] public ImmutableArray<long> Seen { get; init; } = [];
}
