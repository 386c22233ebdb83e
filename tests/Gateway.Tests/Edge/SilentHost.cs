using System.Net;
using System.Net.Sockets;

namespace Muster.Gateway.Tests.Edge;

/// <summary>A host of another address that opens sockets and says nothing.</summary>
internal sealed class SilentHost(int port, string address = SilentHost.Address) : IDisposable
{
    /// <summary>Loopback too, and another source to whoever counts by addresses.</summary>
    public const string Address = "127.0.0.2";

    private readonly List<TcpClient> _sockets = [];

    /// <summary>Sockets that nobody has closed.</summary>
    public int Open => _sockets.Count(IsOpen);

    public static bool IsOpen(TcpClient tcp) => !tcp.Client.Poll(0, SelectMode.SelectRead);

    public async Task<TcpClient> OpenAsync()
    {
        var tcp = new TcpClient(new IPEndPoint(IPAddress.Parse(address), 0));
        await tcp.ConnectAsync("127.0.0.1", port, TestContext.Current.CancellationToken);
        _sockets.Add(tcp);
        return tcp;
    }

    /// <summary>Opens one after the other until there is no place for more.</summary>
    public async Task FillAsync(Func<bool> isFull)
    {
        var attempts = 200;
        while (!isFull())
        {
            Assert.True(attempts-- > 0, "The host never filled its places.");
            await OpenAsync();
            await Task.Delay(20, TestContext.Current.CancellationToken);
        }
    }

    public void Dispose() => _sockets.ForEach(tcp => tcp.Dispose());
}
