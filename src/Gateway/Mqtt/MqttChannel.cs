using System.Buffers;
using System.Buffers.Binary;
using System.IO.Pipelines;
using Microsoft.AspNetCore.Connections;
using MQTTnet.Adapter;
using MQTTnet.Formatter;
using MQTTnet.Packets;

namespace Muster.Gateway.Mqtt;

/// <summary>The packets of one connection: decodes with MQTTnet's formatter, and lets one writer at a time out.</summary>
internal sealed class MqttChannel(ConnectionContext connection, TimeProvider clock) : IDisposable
{
    private readonly SemaphoreSlim _writing = new(1, 1);
    private MqttProtocolVersion _version = MqttProtocolVersion.Unknown;
    private long _writeStarted;

    public PipeReader Input { get; } = connection.Transport.Input;

    public bool IsVersion5 => _version == MqttProtocolVersion.V500;

    public bool IsVersion310 => _version == MqttProtocolVersion.V310;

    public bool IsVersionKnown => _version != MqttProtocolVersion.Unknown;

    public DateTimeOffset Now => clock.GetUtcNow();

    public string Remote => connection.RemoteEndPoint?.ToString() ?? "unknown";

    /// <summary>The client's Maximum Packet Size; larger messages are not sent (MQTT 5, 3.1.2.11.4).</summary>
    public long PeerPacketBytesMax { get; set; } = long.MaxValue;

    /// <summary>Throws for what is not MQTT; the caller answers with Malformed Packet.</summary>
    public MqttPacket Decode(in Frame frame)
    {
        var body = frame.Body.IsSingleSegment && System.Runtime.InteropServices.MemoryMarshal.TryGetArray(frame.Body.First, out var segment)
            ? segment
            : new ArraySegment<byte>(frame.Body.ToArray());
        var received = new ReceivedMqttPacket(frame.Header, body, (int)frame.Length);
        if (!IsVersionKnown)
        {
            var first = PacketFormatters.ForTheFirst();
            first.DetectProtocolVersion(received);
            _version = first.ProtocolVersion;
            return first.Decode(received);
        }

        var formatters = PacketFormatters.Of(_version);
        var formatter = formatters.Get();
        var packet = formatter.Decode(received);
        formatters.Return(formatter);
        return packet;
    }

    /// <summary>PUBACK with reason 0: four bytes, the same in both versions.</summary>
    public async ValueTask AcknowledgeAsync(ushort packetId)
    {
        await _writing.WaitAsync();
        try
        {
            WritePubAck(packetId);
            await FlushAsync();
        }
        finally
        {
            _writing.Release();
        }
    }

    public async ValueTask PongAsync()
    {
        await _writing.WaitAsync();
        try
        {
            var span = connection.Transport.Output.GetSpan(2);
            span[0] = 0xD0;
            span[1] = 0;
            connection.Transport.Output.Advance(2);
            await FlushAsync();
        }
        finally
        {
            _writing.Release();
        }
    }

    /// <summary>
    /// Sends a packet, and before it in the same write a PUBACK if one is named. False when the packet is larger than the peer accepts;
    /// the PUBACK is sent all the same.
    /// </summary>
    public async ValueTask<bool> SendAsync(MqttPacket packet, ushort acknowledged = 0)
    {
        await _writing.WaitAsync();
        try
        {
            if (acknowledged != 0)
            {
                WritePubAck(acknowledged);
            }

            var isWritten = TryWrite(packet);
            await FlushAsync();
            return isWritten;
        }
        finally
        {
            _writing.Release();
        }
    }

    /// <summary>Reads and forgets what the peer is still sending, so that it can read why it is being closed.</summary>
    public async Task DrainAsync(long bytesMax, TimeSpan timeout)
    {
        using var cancellation = new CancellationTokenSource(timeout, clock);
        try
        {
            while (bytesMax > 0)
            {
                var result = await Input.ReadAsync(cancellation.Token);
                bytesMax -= result.Buffer.Length;
                Input.AdvanceTo(result.Buffer.End);
                if (result.IsCompleted)
                {
                    return;
                }
            }
        }
        catch (Exception exception) when (exception is OperationCanceledException or IOException or ConnectionAbortedException)
        {
            // It left, or it had its time.
        }
    }

    /// <summary>Ends a connection whose peer does not read.</summary>
    public bool AbortIfStuck(long now, long ticksMax)
    {
        var started = Volatile.Read(ref _writeStarted);
        if (started == 0 || now - started < ticksMax)
        {
            return false;
        }

        Abort();
        return true;
    }

    public void Dispose() => _writing.Dispose();

    public void Abort() => connection.Abort();

    private bool TryWrite(MqttPacket packet)
    {
        var formatters = PacketFormatters.Of(_version);
        var formatter = formatters.Get();
        var bytes = formatter.Encode(packet);
        var isAccepted = bytes.Length <= PeerPacketBytesMax;
        if (isAccepted)
        {
            connection.Transport.Output.Write(bytes.Packet.AsSpan());
            foreach (var part in bytes.Payload)
            {
                connection.Transport.Output.Write(part.Span);
            }
        }

        formatters.Return(formatter);
        return isAccepted;
    }

    private void WritePubAck(ushort packetId)
    {
        var span = connection.Transport.Output.GetSpan(4);
        span[0] = 0x40;
        span[1] = 2;
        BinaryPrimitives.WriteUInt16BigEndian(span[2..], packetId);
        connection.Transport.Output.Advance(4);
    }

    private async ValueTask FlushAsync()
    {
        var flush = connection.Transport.Output.FlushAsync();
        if (flush.IsCompletedSuccessfully)
        {
            _ = flush.Result;
            return;
        }

        Volatile.Write(ref _writeStarted, clock.GetTimestamp());
        try
        {
            await flush;
        }
        finally
        {
            Volatile.Write(ref _writeStarted, 0);
        }
    }
}
