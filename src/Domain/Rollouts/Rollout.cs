using Muster.Domain.Devices;

namespace Muster.Domain.Rollouts;

/// <summary>A rollout as committed: what was ordered, and how far it is.</summary>
[GenerateSerializer, Immutable, Alias("muster.rollout")]
public sealed record Rollout
{
    [Id(0)] public required TenantId Tenant { get; init; }

    [Id(1)] public required ResourceId Id { get; init; }

    [Id(2)] public required RolloutSpec Spec { get; init; }

    [Id(3)] public required RolloutPlan Plan { get; init; }

    [Id(4)] public required Actor CreatedBy { get; init; }

    [Id(5)] public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>The request id that created it (AIP-155).</summary>
    [Id(6)] public required string RequestId { get; init; }

    /// <summary>The image as it was in the catalogue at the start; null before.</summary>
    [Id(7)] public RolloutImage? Image { get; init; }

    /// <summary>The freeze that the plan was cut from; empty before the start.</summary>
    [Id(8)] public Guid Freeze { get; init; }
}

/// <summary>The image that a rollout offers.</summary>
/// <param name="Target">What the device is told.</param>
/// <param name="Track">Its track.</param>
/// <param name="Models">The models it is for.</param>
[GenerateSerializer, Immutable, Alias("muster.rollout-image")]
public sealed record RolloutImage(
    [property: Id(0)] OsTarget Target,
    [property: Id(1)] string Track,
    [property: Id(2)] ImmutableArray<string> Models);
