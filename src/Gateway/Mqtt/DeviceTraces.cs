using System.Buffers;
using System.Diagnostics;
using System.Text;
using Muster.Domain.Devices;

namespace Muster.Gateway.Mqtt;

/// <summary>
/// Traces that devices begin: <c>traceparent</c> and <c>tracestate</c> (W3C Trace Context) as user properties of a PUBLISH. A message
/// without them is not traced, and neither is one that nobody collects: both cost a look at one field.
/// </summary>
internal static class DeviceTraces
{
    public const string SourceName = "Muster.Gateway.Mqtt";

    /// <summary>Version 00: two, 32, 16 and two digits, and what is between them.</summary>
    private const int ParentBytes = 55;

    /// <summary>What every participant has to hand on (W3C Trace Context, 3.3.1.5); a longer one is left out.</summary>
    private const int StateBytesMax = 512;

    private static readonly ActivitySource Source = new(SourceName);

    /// <summary>What the device says its message is a part of; false for nothing, and for what cannot be read.</summary>
    public static bool TryReadParent(in PublishFrame publish, out ActivityContext parent)
    {
        parent = default;
        return !publish.Properties.IsEmpty
            && Source.HasListeners()
            && MqttProperties.TryFindUser(publish.Properties, "traceparent"u8, out var value)
            && value.Length == ParentBytes
            && ActivityContext.TryParse(Encoding.ASCII.GetString(value), ReadState(publish.Properties), isRemote: true, out parent);
    }

    /// <summary>From the message's reading to its end: its PUBACK is written, or the session closed. Null when it is not sampled.</summary>
    public static Activity? Start(MqttSession session, UpKind kind, in ActivityContext parent)
    {
        var name = kind == UpKind.Unspecified ? "event" : UpTopic.NameOf(kind);
        return Source.StartActivity($"device {name}", ActivityKind.Server, parent)
            ?.SetTag("muster.tenant", session.Address.Tenant.Value)
            .SetTag("muster.device", session.Address.Device.Value);
    }

    private static string? ReadState(in ReadOnlySequence<byte> properties)
    {
        if (!MqttProperties.TryFindUser(properties, "tracestate"u8, out var value) || value.Length > StateBytesMax)
        {
            return null;
        }

        var state = Encoding.Latin1.GetString(value);
        return state.AsSpan().ContainsAnyExceptInRange(' ', '~') ? null : state;
    }
}
