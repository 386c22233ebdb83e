using System.Buffers.Binary;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;

namespace Muster.Load.Generator;

/// <summary>
/// One connection of one device: a fixed number of messages in flight; each acknowledgement lets the next message go, and what
/// arrived together is answered together.
/// </summary>
internal sealed class DeviceLink(string device, UpTemplate template, long sequence, int inFlight) : IDisposable
{
    private const int ReadBytes = 8 * 1024;
    private const int AckBytes = 4;

    private readonly byte[] _read = new byte[ReadBytes];
    private readonly byte[] _write = new byte[(inFlight * template.Length) + (ReadBytes / AckBytes * AckBytes)];
    private SslStream? _tls;
    private int _readLength;
    private long _sequence = sequence;
    private ushort _packetId;
    private long _sent;
    private long _acknowledged;

    /// <summary>Acknowledged with a reason below 0x80. Read by others while the link runs.</summary>
    public long Acknowledged => Volatile.Read(ref _acknowledged);

    public long Sent => _sent;

    /// <summary>Refused, with the last reason code.</summary>
    public long Refused { get; private set; }

    public int RefusedWith { get; private set; }

    /// <summary>Why the link ended before it was told to; null when it did not.</summary>
    public string? Fault { get; private set; }

    public async Task ConnectAsync(IPEndPoint server, SslClientAuthenticationOptions tls, CancellationToken cancellationToken)
    {
        var socket = new Socket(server.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(server, cancellationToken);
        _tls = new SslStream(new NetworkStream(socket, ownsSocket: true));
        await _tls.AuthenticateAsClientAsync(tls, cancellationToken);
        await _tls.WriteAsync(Packets.Connect(device), cancellationToken);
        await _tls.FlushAsync(cancellationToken);
        while (true)
        {
            _readLength += await _tls.ReadAsync(_read.AsMemory(_readLength), cancellationToken) is > 0 and var count
                ? count
                : throw new IOException("closed before CONNACK");
            if (ReadConnAck())
            {
                return;
            }
        }
    }

    /// <summary>Sends until told to stop or <paramref name="messagesMax"/> are sent, then waits for what is unacknowledged.</summary>
    public async Task RunAsync(StopSign stop, long messagesMax, CancellationToken cancellationToken)
    {
        try
        {
            var length = Fill(0, (int)Math.Min(inFlight, messagesMax));
            while (true)
            {
                if (length > 0)
                {
                    await _tls!.WriteAsync(_write.AsMemory(0, length), cancellationToken);
                }

                if (_acknowledged + Refused == _sent && (stop.IsSet || _sent >= messagesMax))
                {
                    return;
                }

                var count = await _tls!.ReadAsync(_read.AsMemory(_readLength), cancellationToken);
                if (count == 0)
                {
                    throw new IOException("closed by the server");
                }

                _readLength += count;
                length = Answer(out var answered);
                length = stop.IsSet ? length : Fill(length, (int)Math.Min(answered, messagesMax - _sent));
            }
        }
        catch (Exception exception) when (exception is IOException or SocketException or OperationCanceledException or InvalidDataException)
        {
            Fault = exception is OperationCanceledException ? "unacknowledged for too long" : exception.Message;
        }
    }

    public void Dispose() => _tls?.Dispose();

    private bool ReadConnAck()
    {
        ReadOnlySpan<byte> rest = _read.AsSpan(0, _readLength);
        if (!Packets.TryCut(ref rest, out var header, out var body))
        {
            return false;
        }

        if (header != Packets.ConnAck || body[1] != 0)
        {
            throw new IOException($"not admitted: packet {header:X2}, reason {body[1]:X2}");
        }

        Keep(rest);
        return true;
    }

    private int Fill(int length, int messages)
    {
        for (var i = 0; i < messages; i++)
        {
            _packetId = _packetId == ushort.MaxValue ? (ushort)1 : (ushort)(_packetId + 1);
            template.Write(_write.AsSpan(length), _packetId, _sequence++);
            length += template.Length;
            _sent++;
        }

        return length;
    }

    /// <summary>Counts acknowledgements, and writes ours of what the server sent; answers with the bytes to send.</summary>
    private int Answer(out int answered)
    {
        answered = 0;
        var length = 0;
        ReadOnlySpan<byte> rest = _read.AsSpan(0, _readLength);
        while (Packets.TryCut(ref rest, out var header, out var body))
        {
            switch (header & 0xF0)
            {
                case Packets.PubAck:
                    answered++;
                    Count(body.Length > 2 ? body[2] : 0);
                    break;
                case Packets.Publish when Packets.PacketIdOf(header, body) is > 0 and var id:
                    _write[length] = Packets.PubAck;
                    _write[length + 1] = 2;
                    BinaryPrimitives.WriteUInt16BigEndian(_write.AsSpan(length + 2), id);
                    length += AckBytes;
                    break;
                default:
                    throw new InvalidDataException($"packet {header:X2}{(body.IsEmpty ? "" : $", reason {body[0]:X2}")}");
            }
        }

        Keep(rest);
        return length;
    }

    private void Count(int reason)
    {
        if (reason < 0x80)
        {
            Volatile.Write(ref _acknowledged, _acknowledged + 1);
            return;
        }

        Refused++;
        RefusedWith = reason;
    }

    private void Keep(ReadOnlySpan<byte> rest)
    {
        rest.CopyTo(_read);
        _readLength = rest.Length;
    }
}

/// <summary>Tells all links to send nothing new.</summary>
internal sealed class StopSign
{
    private volatile bool _isSet;

    public bool IsSet => _isSet;

    public void Set() => _isSet = true;
}
