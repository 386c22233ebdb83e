using System.Diagnostics.Metrics;
using Muster.Domain.Devices;

namespace Muster.Grains.Devices;

/// <summary>Counts what devices say.</summary>
internal sealed class DeviceInstruments
{
    public const string MeterName = "Muster.Devices";

    private readonly Counter<long> _messages;
    private readonly Counter<long> _unnoted;

    public DeviceInstruments(IMeterFactory meters)
    {
        var meter = meters.Create(MeterName);
        _messages = meter.CreateCounter<long>(
            "muster_device_messages_total", "{message}", "Up messages that reached their device, by kind and novelty");
        _unnoted = meter.CreateCounter<long>(
            "muster_device_refusals_unnoted_total", "{refusal}", "Refusals that should be on a device's record and are not, by cause");
    }

    /// <param name="cause"><c>full</c> or <c>failed</c>.</param>
    public void RefusalUnnoted(string cause) => _unnoted.Add(1, new KeyValuePair<string, object?>("cause", cause));

    public void Count(UpKind kind, MessageNovelty novelty)
    {
        if (_messages.Enabled)
        {
            _messages.Add(1, new KeyValuePair<string, object?>("kind", kind.ToString()), new("novelty", novelty.ToString()));
        }
    }
}
