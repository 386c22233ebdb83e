using Muster.Domain;

namespace Muster.Contracts.Inventory;

/// <summary>A device in service.</summary>
/// <param name="Name">Its id.</param>
/// <param name="Connected">Whether it has a session.</param>
[GenerateSerializer, Immutable, Alias("muster.device-in-service")]
public readonly record struct DeviceInService([property: Id(0)] string Name, [property: Id(1)] bool Connected);

/// <summary>
/// A page of the devices in service that match, in the order of their names. Without more of their rows: the freeze of a rollout asks for
/// all of a million, and rows are ten times as large.
/// </summary>
/// <param name="Devices">At most <see cref="DevicesMax"/>; fewer, and even none, do not say that it is the last page.</param>
/// <param name="After">Where the next page begins; null when there is none.</param>
/// <param name="Error">What is wrong with the filter; null for nothing.</param>
[GenerateSerializer, Immutable, Alias("muster.devices-in-service")]
public sealed record DevicesInService(
    [property: Id(0)] ImmutableArray<DeviceInService> Devices,
    [property: Id(1)] string? After,
    [property: Id(2)] FleetError? Error)
{
    /// <summary>All that a partition of a million devices has, in one message of some hundred kilobytes.</summary>
    public const int DevicesMax = 8_192;
}
