using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Muster.Testing.Stores;

/// <summary>
/// Stands between a client and a server. When armed, it passes the next request that holds the named bytes on to the
/// server, swallows the reply and cuts the connection: the request was applied and the client cannot know.
/// </summary>
public sealed class CuttingProxy : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly EndPoint _server;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _accepting;
    private byte[]? _armed;
    private int _cuts;

    public CuttingProxy(EndPoint server)
    {
        _server = server;
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public string ConnectionString =>
        string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}");

    /// <summary>How many replies were swallowed.</summary>
    public int Cuts => Volatile.Read(ref _cuts);

    public void CutReplyTo(ReadOnlySpan<byte> request) => Volatile.Write(ref _armed, request.ToArray());

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Dispose();
        await _accepting;
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                _ = ServeAsync(await _listener.AcceptSocketAsync(_stop.Token));
            }
        }
        catch (Exception exception) when (exception is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // Stopped.
        }
    }

    private async Task ServeAsync(Socket client)
    {
        var isUnix = _server.AddressFamily == AddressFamily.Unix;
        using var near = client;
        using var far = new Socket(_server.AddressFamily, SocketType.Stream, isUnix ? ProtocolType.Unspecified : ProtocolType.Tcp);
        try
        {
            await far.ConnectAsync(_server, _stop.Token);
            var cut = new CutFlag();
            await Task.WhenAny(PassRequestsAsync(near, far, cut), PassRepliesAsync(far, near, cut));
        }
        catch (Exception exception) when (exception is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // Either side is gone, and with it the connection.
        }
    }

    private async Task PassRequestsAsync(Socket client, Socket server, CutFlag cut)
    {
        var buffer = new byte[64 * 1024];
        while (await client.ReceiveAsync(buffer, _stop.Token) is var read and > 0)
        {
            if (Volatile.Read(ref _armed) is { } armed && buffer.AsSpan(0, read).IndexOf(armed) >= 0)
            {
                Volatile.Write(ref _armed, null);
                cut.IsSet = true;
            }

            await server.SendAsync(buffer.AsMemory(0, read), _stop.Token);
        }
    }

    private async Task PassRepliesAsync(Socket server, Socket client, CutFlag cut)
    {
        var buffer = new byte[64 * 1024];
        while (await server.ReceiveAsync(buffer, _stop.Token) is var read and > 0)
        {
            if (cut.IsSet)
            {
                Interlocked.Increment(ref _cuts);
                return;
            }

            await client.SendAsync(buffer.AsMemory(0, read), _stop.Token);
        }
    }

    private sealed class CutFlag
    {
        private volatile bool _isSet;

        public bool IsSet
        {
            get => _isSet;
            set => _isSet = value;
        }
    }
}
