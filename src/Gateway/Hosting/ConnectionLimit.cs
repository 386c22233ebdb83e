using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Muster.Gateway.Hosting;

/// <summary>Bounds the connections that a listener has at once: one more is closed before a byte is read of what it says there.</summary>
internal static class ConnectionLimit
{
    public static void LimitConnections(this ListenOptions listen, int connectionsMax)
    {
        var connections = 0;
        listen.Use(next => async connection =>
        {
            try
            {
                if (Interlocked.Increment(ref connections) <= connectionsMax)
                {
                    await next(connection);
                }
            }
            finally
            {
                Interlocked.Decrement(ref connections);
            }
        });
    }
}
