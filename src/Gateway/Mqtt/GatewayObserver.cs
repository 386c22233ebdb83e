using MQTTnet.Protocol;
using Muster.Contracts.Devices;
using Muster.Contracts.Gateways;

namespace Muster.Gateway.Mqtt;

/// <summary>This gateway as grains see it: one object however many sessions there are.</summary>
internal sealed class GatewayObserver(SessionRegistry registry, IGrainFactory grains, GatewayInstruments instruments) : IGatewayObserver
{
    public Task DeliverAsync(DownDelivery delivery)
    {
        ArgumentNullException.ThrowIfNull(delivery);
        var isTaken = registry.Deliver(delivery);
        instruments.Delivered(delivery.Message, isTaken);
        return isTaken || ReturnDelivery.Of(delivery) is not { } returned
            ? Task.CompletedTask
            : grains.GetDevice(delivery.Tenant, delivery.Device).ReturnDeliveryAsync(returned);
    }

    public Task CloseAsync(CloseSession close)
    {
        ArgumentNullException.ThrowIfNull(close);
        var code = close.Reason.Reason == ReasonCodes.TakenOver
            ? MqttDisconnectReasonCode.SessionTakenOver
            : MqttDisconnectReasonCode.AdministrativeAction;
        foreach (var session in registry.FindToClose(close))
        {
            session.Close(code, close.Reason);
        }

        return Task.CompletedTask;
    }
}

/// <summary>The gateway's own reference, made once; grains keep it and send down messages through it.</summary>
internal sealed class GatewayReference(IGrainFactory grains, GatewayObserver observer)
{
    private readonly Lazy<IGatewayObserver> _reference = new(() => grains.CreateObjectReference<IGatewayObserver>(observer));

    public IGatewayObserver Value => _reference.Value;
}
