using System.Diagnostics.Metrics;

namespace Muster.Gateway.Identity;

/// <summary>Why a connection is closed at a door without an answer.</summary>
internal enum TurnedAway
{
    /// <summary>Too many wait for their handshakes.</summary>
    NoPlace,

    /// <summary>Its place for waiting went to a network that has fewer.</summary>
    Displaced,

    /// <summary>Its turn did not come in time.</summary>
    WaitedTooLong,

    /// <summary>Its handshake, with the refusal that follows it, took too long.</summary>
    HandshakeTooLong,

    /// <summary>The listener has all its connections: known before the handshake.</summary>
    Full,

    /// <summary>The listener got the last of its connections meanwhile.</summary>
    FullBehindHandshake,

    /// <summary>The device has all of its connections.</summary>
    DeviceFull,
}

/// <summary>
/// What happens at the devices' doors. Doors and reasons are closed sets; who it was is in the log where he can be known.
/// </summary>
internal sealed class DoorInstruments
{
    public const string MeterName = "Muster.Gateway.Doors";

    private static readonly KeyValuePair<string, object?>[] s_reasons =
        [.. Enum.GetValues<TurnedAway>().Select(why => new KeyValuePair<string, object?>("reason", NameOf(why)))];

    private readonly Meter _meter;
    private readonly Counter<long> _begun;
    private readonly Counter<long> _turnedAway;
    private readonly Counter<long> _refused;
    private readonly Histogram<double> _waited;

    public DoorInstruments(IMeterFactory meters)
    {
        _meter = meters.Create(MeterName);
        _begun = _meter.CreateCounter<long>("muster_door_handshakes_total", "{handshake}", "TLS handshakes begun, by door");
        _turnedAway = _meter.CreateCounter<long>(
            "muster_door_turned_away_total", "{connection}", "Connections closed without an answer, by door and reason");
        _refused = _meter.CreateCounter<long>(
            "muster_door_refusals_total", "{request}", "Requests of EST and downloads refused, by reason");
        _waited = _meter.CreateHistogram<double>("muster_door_wait_seconds", "s", "Time between a connection and its handshake, by door");
    }

    /// <summary>Shows who is at the doors, as long as the process lives.</summary>
    public void Show(HandshakeTurns turns)
    {
        _meter.CreateObservableGauge(
            "muster_door_waiting", () => turns.Waiting, "{connection}", "Connections that wait for their handshake");
        _meter.CreateObservableGauge(
            "muster_door_handshakes", () => turns.Running, "{connection}", "Connections in their handshake, or refused after it");
        _meter.CreateObservableGauge(
            "muster_door_networks", () => turns.Networks, "{network}", "Networks that these connections are of");
    }

    public void Begun(string door, TimeSpan waited)
    {
        var tag = new KeyValuePair<string, object?>("door", door);
        _begun.Add(1, tag);
        _waited.Record(waited.TotalSeconds, tag);
    }

    public void TurnedAway(string door, TurnedAway why) =>
        _turnedAway.Add(1, new KeyValuePair<string, object?>("door", door), s_reasons[(int)why]);

    public void Refused(string reason) => _refused.Add(1, new KeyValuePair<string, object?>("reason", reason));

    private static string NameOf(TurnedAway why) => why switch
    {
        Identity.TurnedAway.NoPlace => "no-place",
        Identity.TurnedAway.Displaced => "displaced",
        Identity.TurnedAway.WaitedTooLong => "waited-too-long",
        Identity.TurnedAway.HandshakeTooLong => "handshake-too-long",
        Identity.TurnedAway.Full => "full",
        Identity.TurnedAway.FullBehindHandshake => "full-behind-handshake",
        Identity.TurnedAway.DeviceFull => "device-full",
        _ => throw new System.Diagnostics.UnreachableException(),
    };
}
