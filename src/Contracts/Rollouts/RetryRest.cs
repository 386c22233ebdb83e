using Muster.Domain;
using Muster.Domain.Devices;
using Muster.Domain.Rollouts;

namespace Muster.Contracts.Rollouts;

/// <summary>The rollout whose rest is retried.</summary>
/// <param name="Rollout">Its id, of the same tenant.</param>
/// <param name="Freeze">The freeze that its plan was cut from.</param>
[GenerateSerializer, Immutable, Alias("muster.retried-members")]
public sealed record RetriedMembers(
    [property: Id(0)] ResourceId Rollout,
    [property: Id(1)] Guid Freeze);

/// <summary>Asks for a page of the members that did not succeed.</summary>
/// <param name="Freeze">The freeze that the plan of the rollout that is asked was cut from.</param>
/// <param name="From">Where the page begins in the order of the members; 0 for the first, then <see cref="RestPage.Next"/>.</param>
[GenerateSerializer, Immutable, Alias("muster.list-rest")]
public sealed record ListRest(
    [property: Id(0)] Guid Freeze,
    [property: Id(1)] int From);

/// <summary>A page of the members that did not succeed.</summary>
/// <param name="IsKnown">False when the share has no members of this freeze: they are gone.</param>
/// <param name="Devices">At most <see cref="DevicesMax"/>.</param>
/// <param name="Next">Null behind the last page.</param>
[GenerateSerializer, Immutable, Alias("muster.rest-page")]
public sealed record RestPage(
    [property: Id(0)] bool IsKnown,
    [property: Id(1)] ImmutableArray<DeviceId> Devices,
    [property: Id(2)] int? Next)
{
    /// <summary>About 20 kB in one message, as a page of rows has that many.</summary>
    public const int DevicesMax = 1_000;
}

/// <summary>Who would be frozen of the rest.</summary>
/// <param name="IsKnown">False when the share that is retried has no members of its freeze: they are gone.</param>
/// <param name="Images">By the image that they run, at most <see cref="ImageCount.ImagesMax"/>.</param>
[GenerateSerializer, Immutable, Alias("muster.rest-count")]
public sealed record RestCount(
    [property: Id(0)] bool IsKnown,
    [property: Id(1)] ImmutableArray<ImageCount> Images);

/// <summary>Stores how the members of a share ended.</summary>
/// <param name="Freeze">The freeze that the plan was cut from.</param>
/// <param name="Cuts">Of the plan: an activation may begin with this call.</param>
/// <param name="Retries">Of the spec; null for one attempt each.</param>
[GenerateSerializer, Immutable, Alias("muster.settle-share")]
public sealed record SettleShare(
    [property: Id(0)] Guid Freeze,
    [property: Id(1)] ImmutableArray<WaveCut> Cuts,
    [property: Id(2)] RetryPolicy? Retries);
