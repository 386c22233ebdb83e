using System.Net;
using System.Net.Sockets;

namespace Muster.Cluster.Tests;

internal static class Ports
{
    /// <summary>
    /// Below what systems give to outgoing connections (from 32,768 on): the programs of one test open dozens of them, and one took the
    /// port that another program was about to listen on.
    /// </summary>
    private const int First = 15_000;
    private const int Last = 32_000;

    private static readonly HashSet<int> Given = [];

    /// <summary>
    /// Free ports of loopback, none of them twice. Another process may be faster; then the start fails with its words.
    /// </summary>
    public static int[] Free(int count)
    {
        lock (Given)
        {
            return [.. Enumerable.Range(0, count).Select(_ => Next())];
        }
    }

    private static int Next()
    {
        while (true)
        {
            var port = Random.Shared.Next(First, Last);
            if (!Given.Contains(port) && IsFree(port))
            {
                Given.Add(port);
                return port;
            }
        }
    }

    private static bool IsFree(int port)
    {
        try
        {
            using var listener = new TcpListener(IPAddress.Loopback, port);
            listener.Start();
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
