using System.Buffers.Binary;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;

namespace Muster.Load.Generator;

/// <summary>
/// One connection of a device that says one thing at a time and then is quiet. Acknowledges what the server sends. Made for many that do
/// little; what <see cref="DeviceLink"/> measures is messages.
/// </summary>
internal sealed class DeviceConnection : IDisposable
{
    /// <summary>What a server has to say to a device without settings, several times.</summary>
    private const int ReadBytes = 4 * 1024;

    private readonly SslStream _tls;
    private readonly byte[] _read = new byte[ReadBytes];
    private int _readLength;
    private ushort _packetId;

    private DeviceConnection(SslStream tls) => _tls = tls;

    /// <summary>TCP, TLS, CONNECT, CONNACK.</summary>
    public static async Task<DeviceConnection> OpenAsync(
        IPEndPoint server, SslClientAuthenticationOptions identity, byte[] connect, CancellationToken cancellationToken)
    {
        var socket = new Socket(server.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        SslStream? tls = null;
        try
        {
            await socket.ConnectAsync(server, cancellationToken);
            tls = new SslStream(new NetworkStream(socket, ownsSocket: true));
            await tls.AuthenticateAsClientAsync(identity, cancellationToken);
            var connection = new DeviceConnection(tls);
            await tls.WriteAsync(connect, cancellationToken);
            var (header, body) = await connection.NextAsync(cancellationToken);
            return header == Packets.ConnAck && body[1] == 0
                ? connection
                : throw new IOException($"not admitted: packet {header:X2}, reason {body[1]:X2}");
        }
        catch
        {
            tls?.Dispose();
            socket.Dispose();
            throw;
        }
    }

    /// <summary>Sends a message and does not wait for its acknowledgement.</summary>
    public async Task SendAsync(UpTemplate template, long sequence, CancellationToken cancellationToken)
    {
        var packet = new byte[template.Length];
        template.Write(packet, ++_packetId, sequence);
        await _tls.WriteAsync(packet, cancellationToken);
    }

    /// <summary>Sends a message; returns when it is acknowledged.</summary>
    public async Task SayAsync(UpTemplate template, long sequence, CancellationToken cancellationToken)
    {
        await SendAsync(template, sequence, cancellationToken);
        while (true)
        {
            var (header, body) = await NextAsync(cancellationToken);
            if (header == Packets.PubAck && BinaryPrimitives.ReadUInt16BigEndian(body) == _packetId)
            {
                var reason = body.Length > 2 ? body[2] : 0;
                _ = reason < 0x80 ? reason : throw new InvalidDataException($"refused with {reason:X2}");
                return;
            }

            await AnswerAsync(header, body, cancellationToken);
        }
    }

    /// <summary>Is quiet until the server ends the connection.</summary>
    public async Task WaitForEndAsync(CancellationToken cancellationToken)
    {
        try
        {
            while (true)
            {
                var (header, body) = await NextAsync(cancellationToken);
                await AnswerAsync(header, body, cancellationToken);
            }
        }
        catch (Exception exception) when (exception is IOException or SocketException or ObjectDisposedException)
        {
            // It is over.
        }
    }

    /// <summary>Closes the socket; the server is told nothing before.</summary>
    public void Dispose() => _tls.Dispose();

    private async Task AnswerAsync(byte header, byte[] body, CancellationToken cancellationToken)
    {
        if ((header & 0xF0) == Packets.Publish && Packets.PacketIdOf(header, body) is > 0 and var id)
        {
            byte[] acknowledgement = [Packets.PubAck, 2, (byte)(id >> 8), (byte)id];
            await _tls.WriteAsync(acknowledgement, cancellationToken);
        }
        else if (header == Packets.Disconnect)
        {
            throw new IOException($"ended by the server{(body.Length > 0 ? $" with {body[0]:X2}" : "")}");
        }
    }

    private async Task<(byte Header, byte[] Body)> NextAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            if (TryTake() is { } packet)
            {
                return packet;
            }

            _readLength += await _tls.ReadAsync(_read.AsMemory(_readLength), cancellationToken) is > 0 and var count
                ? count
                : throw new IOException("closed by the server");
        }
    }

    private (byte Header, byte[] Body)? TryTake()
    {
        ReadOnlySpan<byte> rest = _read.AsSpan(0, _readLength);
        if (!Packets.TryCut(ref rest, out var header, out var body))
        {
            return null;
        }

        var taken = body.ToArray();
        rest.CopyTo(_read);
        _readLength = rest.Length;
        return (header, taken);
    }
}
