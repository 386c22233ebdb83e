namespace Muster.Domain.Rollouts;

/// <summary>An operator or a failure gate ordered the way back; nothing more is offered on the way there.</summary>
[GenerateSerializer, Immutable, Alias("muster.rollout-rolling-back")]
public sealed record RolloutRollingBack(
    [property: Id(0)] ResourceId Rollout,
    [property: Id(1)] long Epoch,
    [property: Id(2)] int? Wave,
    [property: Id(3)] string Reason) : DomainEvent;

/// <summary>The members of a wave (zero-based) are offered what they ran before.</summary>
[GenerateSerializer, Immutable, Alias("muster.wave-rolling-back")]
public sealed record WaveRollingBack(
    [property: Id(0)] ResourceId Rollout,
    [property: Id(1)] int Wave) : DomainEvent;

/// <summary>Who could be reached of the wave is back; who could not is offered the way back when it returns.</summary>
[GenerateSerializer, Immutable, Alias("muster.wave-rolled-back")]
public sealed record WaveRolledBack(
    [property: Id(0)] ResourceId Rollout,
    [property: Id(1)] int Wave,
    [property: Id(2)] ShareTotals Totals) : DomainEvent;

/// <summary>Terminal: every member that the rollout had touched is back, or cannot be brought back.</summary>
[GenerateSerializer, Immutable, Alias("muster.rollout-rolled-back")]
public sealed record RolloutRolledBack(
    [property: Id(0)] ResourceId Rollout,
    [property: Id(1)] int Succeeded,
    [property: Id(2)] int Failed,
    [property: Id(3)] int NoWayBack) : DomainEvent;

/// <summary>A partition has heard that the rollout is rolled back: its members begin anew.</summary>
[GenerateSerializer, Immutable, Alias("muster.rollout-share-turned")]
public sealed record RolloutShareTurned(
    [property: Id(0)] ResourceId Rollout,
    [property: Id(1)] int Partition) : DomainEvent;
