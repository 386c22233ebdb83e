using Muster.Contracts.Commit;
using Muster.Domain;

namespace Muster.Contracts.Inventory;

/// <summary>What a partition's tail hands on of its feed.</summary>
/// <param name="Continuity">Anything but <see cref="FeedContinuity.Follows"/> comes without changes.</param>
/// <param name="Changes">In order.</param>
/// <param name="Next">The position behind all that was looked at, whether it was handed on or not.</param>
/// <param name="IsAtEnd">Whether the tail knows of nothing behind <see cref="Next"/>.</param>
[GenerateSerializer, Immutable, Alias("muster.tail-page")]
public sealed record TailPage(
    [property: Id(0)] FeedContinuity Continuity,
    [property: Id(1)] ImmutableArray<DeviceChange> Changes,
    [property: Id(2)] FeedPosition Next,
    [property: Id(3)] bool IsAtEnd);

/// <summary>A fact about a change that a device was offered, or of a device that is not in service.</summary>
/// <param name="Record">The device.</param>
/// <param name="At">When.</param>
/// <param name="Fact">The fact.</param>
/// <param name="IsOutOfService">True when the device is not in service behind it.</param>
[GenerateSerializer, Immutable, Alias("muster.device-change")]
public sealed record DeviceChange(
    [property: Id(0)] RecordKey Record,
    [property: Id(1)] DateTimeOffset At,
    [property: Id(2)] DomainEvent Fact,
    [property: Id(3)] bool IsOutOfService);
