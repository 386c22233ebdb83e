namespace Muster.Domain.Rollouts;

/// <summary>What the planner sees: totals per wave and partition, never devices.</summary>
/// <param name="Rollout">The rollout's id.</param>
/// <param name="Spec">What was ordered.</param>
/// <param name="Plan">The last committed plan.</param>
/// <param name="Shares">The newest known report of each partition; a missing one is waited for.</param>
/// <param name="Now">The time of the decision.</param>
public sealed record RolloutPlanInput(
    ResourceId Rollout,
    RolloutSpec Spec,
    RolloutPlan Plan,
    ImmutableArray<ShareReport> Shares,
    DateTimeOffset Now)
{
    /// <summary>Whether a failure gate may roll the rollout back (<see cref="RollBackOrders.IsApproved"/>); else it suspends.</summary>
    public bool MayRollBack { get; init; } = true;

    /// <summary>Devices in service that match and are no members, in partitions that have no share; null while it is not known.</summary>
    public long? LeftOutElsewhere { get; init; }
}

/// <summary>What the planner did and what each wave waits for.</summary>
/// <param name="Waves">By wave index.</param>
/// <param name="Facts">What happened; when there are none, the next plan need not be committed.</param>
/// <param name="NextLookAt">When time alone can change something; null when only reports can.</param>
public sealed record RolloutReport(
    ImmutableArray<WaveReport> Waves,
    ImmutableArray<DomainEvent> Facts,
    DateTimeOffset? NextLookAt);

/// <summary>What one wave waits for; empty when it waits for nothing.</summary>
[GenerateSerializer, Immutable, Alias("muster.wave-report")]
public sealed record WaveReport([property: Id(0)] ImmutableArray<WaitingOn> WaitingOn)
{
    /// <summary>When the next window opens; null when it does not wait for one.</summary>
    [Id(20)] public DateTimeOffset? WindowOpensAt { get; init; }

    /// <summary>When the next install window opens; null when none of its devices waits for one.</summary>
    [Id(134)] public DateTimeOffset? InstallWindowOpensAt { get; init; }
}
