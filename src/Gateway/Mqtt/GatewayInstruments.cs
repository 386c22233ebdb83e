using System.Diagnostics.Metrics;
using Muster.Contracts.Gateways;
using Muster.Domain.Devices;
using Muster.Gateway.Devices;

namespace Muster.Gateway.Mqtt;

/// <summary>What the device edge counts. Kinds and reasons are closed sets, so that no label grows with the fleet.</summary>
internal sealed class GatewayInstruments
{
    public const string MeterName = "Muster.Gateway.Mqtt";

    private readonly Counter<long> _connections;
    private readonly Counter<long> _messages;
    private readonly Counter<long> _events;
    private readonly Counter<long> _deliveries;
    private readonly Counter<double> _throttled;

    public GatewayInstruments(IMeterFactory meters)
    {
        var meter = meters.Create(MeterName);
        Sessions = meter.CreateUpDownCounter<long>("muster_mqtt_sessions", "{session}", "Open sessions");
        _connections = meter.CreateCounter<long>("muster_mqtt_connections_total", "{connection}", "Connections by outcome");
        _messages = meter.CreateCounter<long>("muster_mqtt_messages_total", "{message}", "Up messages by kind and outcome");
        _events = meter.CreateCounter<long>("muster_axis_events_total", "{event}", "Events of AXIS OS by alarm and outcome");
        _deliveries = meter.CreateCounter<long>("muster_mqtt_deliveries_total", "{message}", "Down messages by kind and outcome");
        _throttled = meter.CreateCounter<double>("muster_mqtt_throttled_seconds_total", "s", "Time that noisy devices were made to wait");
    }

    public UpDownCounter<long> Sessions { get; }

    public void Connected(string outcome) => _connections.Add(1, new KeyValuePair<string, object?>("outcome", outcome));

    public void Received(UpKind kind, string outcome)
    {
        if (_messages.Enabled)
        {
            _messages.Add(
                1, new KeyValuePair<string, object?>("kind", UpTopic.NameOf(kind)), new KeyValuePair<string, object?>("outcome", outcome));
        }
    }

    /// <summary>Its own topics are a device's to choose, so that only alarms are told apart.</summary>
    public void ReceivedEvent(AlarmKind? alarm, string outcome)
    {
        if (_events.Enabled)
        {
            _events.Add(
                1,
                new KeyValuePair<string, object?>("alarm", alarm is { } kind ? DeviceAlarms.NameOf(kind) : "none"),
                new KeyValuePair<string, object?>("outcome", outcome));
        }
    }

    public void Delivered(DownMessage message, bool found)
    {
        if (_deliveries.Enabled)
        {
            _deliveries.Add(
                1,
                new KeyValuePair<string, object?>("kind", DownMessageWriter.KindOf(message)),
                new KeyValuePair<string, object?>("outcome", found ? "queued" : "no-session"));
        }
    }

    /// <summary>It waited for its session, and then could not be sent.</summary>
    public void NotSent(DownMessage message, UnsentReason why)
    {
        if (_deliveries.Enabled)
        {
            _deliveries.Add(
                1,
                new KeyValuePair<string, object?>("kind", DownMessageWriter.KindOf(message)),
                new KeyValuePair<string, object?>("outcome", why == UnsentReason.Expired ? "expired" : "too-large"));
        }
    }

    public void Throttled(TimeSpan wait) => _throttled.Add(wait.TotalSeconds);
}
