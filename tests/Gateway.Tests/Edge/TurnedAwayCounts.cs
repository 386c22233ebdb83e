using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using Muster.Gateway.Identity;

namespace Muster.Gateway.Tests.Edge;

/// <summary>Reads what one edge's doors count.</summary>
internal sealed class TurnedAwayCounts : IDisposable
{
    private readonly MeterListener _listener = new();
    private readonly ConcurrentDictionary<string, long> _counts = new();
    private readonly ConcurrentQueue<(string Name, string Door, double Seconds)> _waits = new();

    public TurnedAwayCounts(DeviceEdge edge)
    {
        var meters = edge.Services.GetRequiredService<IMeterFactory>();
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            // Other edges of this process have meters of the same name.
            if (instrument.Meter.Name == DoorInstruments.MeterName && ReferenceEquals(instrument.Meter.Scope, meters))
            {
                listener.EnableMeasurementEvents(instrument);
            }
        };
        _listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) =>
        {
            var key = string.Join(' ', [instrument.Name, .. tags.ToArray().Select(tag => $"{tag.Value}")]);
            _counts.AddOrUpdate(key, value, (_, known) => known + value);
        });
        _listener.SetMeasurementEventCallback<int>((instrument, value, _, _) => _counts[instrument.Name] = value);
        _listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) =>
            _waits.Enqueue((instrument.Name, $"{tags[0].Value}", value)));
        _listener.Start();
    }

    public long Begun => _counts
        .Where(pair => pair.Key.StartsWith("muster_door_handshakes_total", StringComparison.Ordinal))
        .Sum(pair => pair.Value);

    public long Of(string door, string reason) => _counts.GetValueOrDefault($"muster_door_turned_away_total {door} {reason}");

    public long Refused(string reason) => _counts.GetValueOrDefault($"muster_door_refusals_total {reason}");

    /// <summary>How long those waited whose handshakes began at this door, in seconds.</summary>
    public double[] Waits(string door) =>
        [.. _waits.Where(wait => wait.Name == "muster_door_wait_seconds" && wait.Door == door).Select(wait => wait.Seconds)];

    /// <summary>What the gauge shows now.</summary>
    public long Gauge(string name)
    {
        _listener.RecordObservableInstruments();
        return _counts[name];
    }

    public void Dispose() => _listener.Dispose();
}
