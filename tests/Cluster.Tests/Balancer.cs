using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace Muster.Cluster.Tests;

/// <summary>
/// What stands before the gateways in a cluster: passes each connection on to the next one that answers, and looks at nothing.
/// </summary>
internal sealed class Balancer : IAsyncDisposable
{
    private const int BufferBytes = 64 * 1024;

    /// <summary>How long one side may go on after the other has ended.</summary>
    private static readonly TimeSpan HalfOpen = TimeSpan.FromSeconds(1);

    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly int[] _backends;
    private readonly ConcurrentDictionary<Socket, int> _connections = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _accepting;
    private int _next;

    public Balancer(params int[] backends)
    {
        _backends = backends;
        _listener.Start(backlog: 512);
        _accepting = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>Connections that go to this gateway now.</summary>
    public int CountOf(int backend) => _connections.Values.Count(port => port == backend);

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Dispose();
        await _accepting;
        foreach (var socket in _connections.Keys)
        {
            socket.Dispose();
        }

        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                _ = PassAsync(await _listener.AcceptSocketAsync(_stop.Token));
            }
            catch (Exception ended) when (ended is OperationCanceledException or SocketException or ObjectDisposedException)
            {
                return;
            }
        }
    }

    private async Task PassAsync(Socket client)
    {
        using (client)
        using (var gateway = await ConnectAsync())
        {
            if (gateway is null)
            {
                return;
            }

            _connections[gateway] = ((IPEndPoint)gateway.RemoteEndPoint!).Port;
            try
            {
                // What one side said before it ended reaches the other: a refusal is the last thing that a device hears.
                var (up, down) = (CopyAsync(client, gateway), CopyAsync(gateway, client));
                await Task.WhenAny(up, down);
                await Task.WhenAny(Task.Delay(HalfOpen, _stop.Token), Task.WhenAll(up, down));
            }
            finally
            {
                _connections.TryRemove(gateway, out _);
            }
        }
    }

    private async Task<Socket?> ConnectAsync()
    {
        for (var attempt = 0; attempt < _backends.Length; attempt++)
        {
            var backend = _backends[Interlocked.Increment(ref _next) % _backends.Length];
            var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            try
            {
                await socket.ConnectAsync(IPAddress.Loopback, backend, _stop.Token);
                return socket;
            }
            catch (Exception refused) when (refused is SocketException or OperationCanceledException)
            {
                socket.Dispose();
            }
        }

        return null;
    }

    private async Task CopyAsync(Socket from, Socket to)
    {
        var buffer = new byte[BufferBytes];
        try
        {
            for (int count; (count = await from.ReceiveAsync(buffer, _stop.Token)) > 0;)
            {
                for (var sent = 0; sent < count;)
                {
                    sent += await to.SendAsync(buffer.AsMemory(sent, count - sent), _stop.Token);
                }
            }

            to.Shutdown(SocketShutdown.Send);
        }
        catch (Exception ended) when (ended is SocketException or OperationCanceledException or ObjectDisposedException)
        {
            // The connection is over.
        }
    }
}
