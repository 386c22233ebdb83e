using Muster.Domain;
using Muster.Domain.Devices;
using Orleans.Concurrency;

namespace Muster.Contracts.Gateways;

/// <summary>
/// A gateway as grains see it. Deliveries are one way and may be lost: the record is the truth and repeats on connect and
/// until acknowledged.
/// </summary>
[GrainInterfaceType("muster.gateway-observer"), Alias("muster.IGatewayObserver")]
public interface IGatewayObserver : IGrainObserver
{
    /// <summary>Hands a message to the device's receiving session if it still has this epoch.</summary>
    [Alias("Deliver"), OneWay]
    Task DeliverAsync(DownDelivery delivery);

    /// <summary>Closes every session of the device up to this epoch (taken over, tombstone).</summary>
    [Alias("Close"), OneWay]
    Task CloseAsync(CloseSession close);
}

/// <summary>One message for a device.</summary>
[GenerateSerializer, Immutable, Alias("muster.down-delivery")]
public sealed record DownDelivery(
    [property: Id(0)] TenantId Tenant,
    [property: Id(1)] DeviceId Device,
    [property: Id(2)] long Epoch,
    [property: Id(3)] DownMessage Message)
{
    /// <summary>
    /// How often its grain has sent the offer that it carries, this time included: when there is no connection to hand it to, the gateway
    /// returns this number (<see cref="Devices.IDeviceGrain.ReturnDeliveryAsync"/>). 0 for what nobody wants back.
    /// </summary>
    [Id(110)] public int Sent { get; init; }
}

/// <summary>Closes sessions.</summary>
/// <param name="EpochMax">Sessions with this epoch or an older one; publish-only sessions only when <paramref name="All"/>.</param>
/// <param name="All">True for a tombstone: every session of the device.</param>
[GenerateSerializer, Immutable, Alias("muster.close-session")]
public sealed record CloseSession(
    [property: Id(0)] TenantId Tenant,
    [property: Id(1)] DeviceId Device,
    [property: Id(2)] long EpochMax,
    [property: Id(3)] bool All,
    [property: Id(4)] FleetError Reason);

/// <summary>What a device can be told.</summary>
[GenerateSerializer, Immutable, Alias("muster.down-message")]
public abstract record DownMessage;

/// <summary>The newest desired state.</summary>
[GenerateSerializer, Immutable, Alias("muster.down-desired")]
public sealed record DesiredMessage([property: Id(0)] DesiredState Desired) : DownMessage
{
    /// <summary>
    /// When the device may begin to install, at most <see cref="InstallTimes.IntervalsMax"/> intervals from now on; null for always.
    /// </summary>
    [Id(120)] public ImmutableArray<InstallInterval>? InstallTimes { get; init; }
}

/// <summary>A one-shot command.</summary>
[GenerateSerializer, Immutable, Alias("muster.down-command")]
public sealed record CommandMessage([property: Id(0)] DeviceCommand Command) : DownMessage;

/// <summary>The message with this stamp and kind is taken.</summary>
[GenerateSerializer, Immutable, Alias("muster.down-ack")]
public sealed record AckMessage([property: Id(0)] UpKind Kind, [property: Id(1)] MessageStamp Stamp) : DownMessage;

/// <summary>The message with this stamp and kind is refused for ever.</summary>
[GenerateSerializer, Immutable, Alias("muster.down-rejection")]
public sealed record RejectionMessage(
    [property: Id(0)] UpKind Kind,
    [property: Id(1)] MessageStamp Stamp,
    [property: Id(2)] FleetError Error) : DownMessage;
