using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Threading.Channels;

namespace Muster.Testing.Stores;

/// <summary>Stands between a client and a server of loopback and holds every reply back for a time.</summary>
public sealed class DelayProxy : IAsyncDisposable
{
    private const int BufferBytes = 64 * 1024;

    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private readonly int _server;
    private readonly Task _accepting;
    private long _delayTicks;

    public DelayProxy(int server)
    {
        _server = server;
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public string ConnectionString =>
        string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}");

    public TimeSpan Delay
    {
        get => TimeSpan.FromTicks(Interlocked.Read(ref _delayTicks));
        set => Interlocked.Exchange(ref _delayTicks, value.Ticks);
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Stop();
        await _accepting;
        _stop.Dispose();
        _listener.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var client = await _listener.AcceptSocketAsync(_stop.Token);
                _ = PassAsync(client);
            }
        }
        catch (Exception exception) when (exception is OperationCanceledException or SocketException)
        {
            // The test is over.
        }
    }

    private async Task PassAsync(Socket client)
    {
        using var server = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        using (client)
        {
            client.NoDelay = true;
            try
            {
                await server.ConnectAsync(IPAddress.Loopback, _server, _stop.Token);
                await Task.WhenAny(CopyAsync(client, server, isDelayed: false), CopyAsync(server, client, isDelayed: true));
            }
            catch (Exception exception) when (exception is OperationCanceledException or SocketException)
            {
                // One side is gone, and the other goes with it.
            }
        }
    }

    private async Task CopyAsync(Socket from, Socket to, bool isDelayed)
    {
        var pieces = Channel.CreateUnbounded<(byte[] Bytes, TimeSpan Due)>();
        var writing = WriteAsync(pieces.Reader, to);
        try
        {
            var buffer = new byte[BufferBytes];
            for (int read; (read = await from.ReceiveAsync(buffer, _stop.Token)) > 0;)
            {
                pieces.Writer.TryWrite((buffer[..read], _clock.Elapsed + (isDelayed ? Delay : TimeSpan.Zero)));
            }
        }
        finally
        {
            pieces.Writer.Complete();
            await writing;
        }
    }

    private async Task WriteAsync(ChannelReader<(byte[] Bytes, TimeSpan Due)> pieces, Socket to)
    {
        await foreach (var (bytes, due) in pieces.ReadAllAsync(_stop.Token))
        {
            if (due - _clock.Elapsed is var wait && wait > TimeSpan.Zero)
            {
                await Task.Delay(wait, _stop.Token);
            }

            await to.SendAsync(bytes, _stop.Token);
        }
    }
}
