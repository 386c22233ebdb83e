using System.Net;
using System.Net.Sockets;

namespace Muster.Cluster.Tests;

internal static class Ports
{
    /// <summary>Free ports of loopback. Another process may be faster; then the start fails with its words.</summary>
    public static int[] Free(int count)
    {
        var listeners = Enumerable.Range(0, count).Select(_ => new TcpListener(IPAddress.Loopback, 0)).ToList();
        listeners.ForEach(listener => listener.Start());
        var ports = listeners.Select(listener => ((IPEndPoint)listener.LocalEndpoint).Port).ToArray();
        listeners.ForEach(listener => listener.Stop());
        return ports;
    }
}
