using System.Diagnostics.Metrics;

namespace Muster.Gateway.Broker;

/// <summary>What the way through the broker counts, beside what is counted of messages on every way.</summary>
internal sealed class BrokerInstruments
{
    public const string MeterName = "Muster.Gateway.Broker";

    private readonly Counter<long> _dropped;

    public BrokerInstruments(IMeterFactory meters, BrokerDevices devices)
    {
        var meter = meters.Create(MeterName);
        Connections = meter.CreateUpDownCounter<long>("muster_broker_connections", "{connection}", "Open connections to the broker");
        Waiting = meter.CreateUpDownCounter<long>("muster_broker_waiting", "{message}", "Messages taken and not settled");
        Retries = meter.CreateCounter<long>("muster_broker_retries_total", "{retry}", "Messages that were not possible at once");
        _dropped = meter.CreateCounter<long>("muster_broker_dropped_total", "{message}", "Messages dropped at a limit, by direction");
        meter.CreateObservableGauge("muster_broker_devices", () => devices.Count, "{device}", "Devices heard through the broker");
    }

    public UpDownCounter<long> Connections { get; }

    public UpDownCounter<long> Waiting { get; }

    public Counter<long> Retries { get; }

    public void DroppedUp() => _dropped.Add(1, new KeyValuePair<string, object?>("direction", "up"));

    public void DroppedDown() => _dropped.Add(1, new KeyValuePair<string, object?>("direction", "down"));
}
