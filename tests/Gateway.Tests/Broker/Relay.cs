using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace Muster.Gateway.Tests.Broker;

/// <summary>A wire between a gateway and its broker that can be cut, without a goodbye to either.</summary>
internal sealed class Relay : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly ConcurrentBag<Socket> _open = [];
    private readonly int _port;
    private readonly Task _accepting;

    public Relay(int port)
    {
        _port = port;
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>What is under way in either direction is lost.</summary>
    public void Cut()
    {
        while (_open.TryTake(out var socket))
        {
            socket.Close(0);
        }
    }

    public async ValueTask DisposeAsync()
    {
        _listener.Dispose();
        await _accepting;
        Cut();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var client = await _listener.AcceptSocketAsync();
                var server = new Socket(SocketType.Stream, ProtocolType.Tcp);
                await server.ConnectAsync(IPAddress.Loopback, _port);
                _open.Add(client);
                _open.Add(server);
                _ = PassAsync(client, server);
                _ = PassAsync(server, client);
            }
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            // Stopped, or the broker is not there.
        }
    }

    private static async Task PassAsync(Socket from, Socket to)
    {
        try
        {
            var buffer = new byte[16 * 1024];
            while (await from.ReceiveAsync(buffer) is > 0 and var count)
            {
                await to.SendAsync(buffer.AsMemory(0, count));
            }

            to.Shutdown(SocketShutdown.Send);
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            // Cut.
        }
    }
}
