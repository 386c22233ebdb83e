using Muster.Contracts.Devices;
using Muster.Contracts.Gateways;
using Muster.Domain.Devices;
using Muster.Gateway.Mqtt;

namespace Muster.Gateway.Broker;

/// <summary>The devices behind the broker as grains see them: one object however many there are.</summary>
internal sealed class BrokerObserver(
    BrokerDevices devices, BrokerOutbox outbox, IGrainFactory grains, GatewayInstruments instruments) : IGatewayObserver
{
    public Task DeliverAsync(DownDelivery delivery)
    {
        ArgumentNullException.ThrowIfNull(delivery);
        var device = devices.Find(delivery.Tenant, delivery.Device);
        var isHere = device?.IsCurrent(delivery.Epoch) == true;
        instruments.Delivered(delivery.Message, isHere);
        if (isHere)
        {
            outbox.Put(device!, delivery.Message);
            return Task.CompletedTask;
        }

        return ReturnDelivery.Of(delivery) is { } returned
            ? grains.GetDevice(delivery.Tenant, delivery.Device).ReturnDeliveryAsync(returned)
            : Task.CompletedTask;
    }

    /// <summary>The connection is the broker's to keep: it has nothing to say any more, and nothing is said to it.</summary>
    public Task CloseAsync(CloseSession close)
    {
        ArgumentNullException.ThrowIfNull(close);
        if (devices.Find(close.Tenant, close.Device) is { } device)
        {
            var reason = close.Reason.Reason == ReasonCodes.TakenOver ? DisconnectReason.TakenOver : DisconnectReason.ClosedByServer;
            if (device.Detach(close.All ? long.MaxValue : close.EpochMax, reason))
            {
                devices.MarkChanged(device, null);
            }
        }

        return Task.CompletedTask;
    }
}

/// <summary>Its reference, made once.</summary>
internal sealed class BrokerReference(IGrainFactory grains, BrokerObserver observer)
{
    private readonly Lazy<IGatewayObserver> _reference = new(() => grains.CreateObjectReference<IGatewayObserver>(observer));

    public IGatewayObserver Value => _reference.Value;
}
