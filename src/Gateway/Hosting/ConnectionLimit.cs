using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Muster.Gateway.Hosting;

/// <summary>Bounds the connections that a listener has at once: one more is closed before a byte is read of what it says there.</summary>
internal sealed class ConnectionLimit(int connectionsMax)
{
    private int _connections;

    /// <summary>
    /// Where TLS is in between, also in front of it: whoever finds no place tries again, and each time would cost a whole handshake. Those
    /// whose handshakes are under way are not counted here, so that the places are counted behind it all the same.
    /// </summary>
    public void UseInFrontOfTls(ListenOptions listen, Action turnedAway) => listen.Use(next => connection =>
    {
        if (Volatile.Read(ref _connections) < connectionsMax)
        {
            return next(connection);
        }

        turnedAway();
        return Task.CompletedTask;
    });

    public void Use(ListenOptions listen, Action? turnedAway = null) => listen.Use(next => async connection =>
    {
        try
        {
            if (Interlocked.Increment(ref _connections) <= connectionsMax)
            {
                await next(connection);
            }
            else
            {
                turnedAway?.Invoke();
            }
        }
        finally
        {
            Interlocked.Decrement(ref _connections);
        }
    });
}
