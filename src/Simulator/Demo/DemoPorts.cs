using System.Net;
using System.Net.Sockets;

namespace Muster.Simulator.Demo;

/// <summary>Ports for one demo: the same ones every time, for people, unless they are taken; then free ones of the system.</summary>
internal sealed class DemoPorts : IDisposable
{
    private const int Count = 5;
    private const int First = 28_880;

    private readonly int[] _ports;
    private readonly FileStream? _claim;

    private DemoPorts(int[] ports, FileStream? claim) => (_ports, _claim) = (ports, claim);

    public int Mqtt => _ports[0];

    public int Https => _ports[1];

    public int Grpc => _ports[2];

    public int Silo => _ports[3];

    public int Gateway => _ports[4];

    public static DemoPorts Take()
    {
        // Between this look and the host's own listening are seconds, in which another demo would see the same ports free.
        var claim = Claim();
        var preferred = Enumerable.Range(First, Count).ToArray();
        if (claim is not null && TryListen(preferred) is { } free)
        {
            return new DemoPorts(free, claim);
        }

        claim?.Dispose();
        return new DemoPorts(
            TryListen(new int[Count]) ?? throw new DemoFaultException("the system has no free ports"), claim: null);
    }

    public void Dispose() => _claim?.Dispose();

    private static FileStream? Claim()
    {
        try
        {
            var path = Path.Combine(Path.GetTempPath(), $"muster-demo-{First}.lock");
            return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (Exception taken) when (taken is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>All at once, so that no two are the same; 0 lets the system choose.</summary>
    private static int[]? TryListen(int[] ports)
    {
        var listeners = ports.Select(port => new TcpListener(IPAddress.Loopback, port)).ToList();
        try
        {
            listeners.ForEach(listener => listener.Start());
            return [.. listeners.Select(listener => ((IPEndPoint)listener.LocalEndpoint).Port)];
        }
        catch (SocketException)
        {
            return null;
        }
        finally
        {
            listeners.ForEach(listener => listener.Dispose());
        }
    }
}
