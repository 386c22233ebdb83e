using MQTTnet;
using MQTTnet.Protocol;
using Muster.Domain.Devices;

namespace Muster.Gateway.Broker;

/// <summary>One message of a device in this gateway's memory: the broker has it too until it is acknowledged.</summary>
/// <param name="Kind">What it is; unspecified for a last will.</param>
/// <param name="IsGone">True for a last will: the broker lost the device.</param>
/// <param name="Payload">As the device wrote it.</param>
/// <param name="Source">What the client library needs to acknowledge it.</param>
/// <param name="Over">Cancelled with its connection: the broker then sends the message again, here or to another gateway.</param>
internal sealed record BrokerMessage(
    UpKind Kind, bool IsGone, byte[] Payload, MqttApplicationMessageReceivedEventArgs Source, CancellationToken Over)
{
    /// <summary>The topic after the serial of what AXIS OS says by itself; null for Muster's own messages.</summary>
    public ReadOnlyMemory<byte>? AxisRest { get; init; }

    /// <summary>True for one that the broker does not keep, and that no Receive Maximum bounds.</summary>
    public bool IsQos0 => Source.ApplicationMessage.QualityOfServiceLevel == MqttQualityOfServiceLevel.AtMostOnce;

    /// <summary>True for one that the broker sends again.</summary>
    public bool IsRepeated => Source.ApplicationMessage.Dup;

    /// <summary>
    /// PUBACK to the broker, in whatever order messages are done: one device that has to wait must not hold up the others (ADR 22).
    /// </summary>
    public async Task AcknowledgeAsync()
    {
        if (IsQos0 || Over.IsCancellationRequested)
        {
            return;
        }

        try
        {
            await Source.AcknowledgeAsync(Over);
        }
        catch (Exception exception) when (exception is not OutOfMemoryException)
        {
            // The connection ended in between: the broker sends it again, and its stamp says that it is a repetition.
        }
    }
}
