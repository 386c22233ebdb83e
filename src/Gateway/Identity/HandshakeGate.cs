using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Options;
using Muster.Gateway.Mqtt;

namespace Muster.Gateway.Identity;

/// <summary>
/// Bounds what strangers cost before they have shown a certificate: so many TLS handshakes at once, so many sockets that wait for their
/// turn, and everybody else is closed before a byte is read. One for all listeners of devices.
/// </summary>
internal sealed class HandshakeGate(IOptions<MqttOptions> options) : IDisposable
{
    private static readonly object s_key = new();

    private readonly SemaphoreSlim _places = new(options.Value.HandshakesMax);
    private int _waiting;

    /// <summary>Before TLS: takes a place, and gives it back at the latest when the connection has ended.</summary>
    public ConnectionDelegate Enter(ConnectionDelegate next) => async connection =>
    {
        if (!await TryTakeAsync(connection))
        {
            connection.Abort(new ConnectionAbortedException("Too many TLS handshakes wait."));
            return;
        }

        var place = new Place(_places);
        connection.Items[s_key] = place;
        try
        {
            await next(connection);
        }
        finally
        {
            place.GiveBack();
        }
    };

    /// <summary>Behind TLS: the handshake is over.</summary>
    public static ConnectionDelegate Leave(ConnectionDelegate next) => connection =>
    {
        if (connection.Items.TryGetValue(s_key, out var place))
        {
            (place as Place)?.GiveBack();
        }

        return next(connection);
    };

    public void Dispose() => _places.Dispose();

    private async Task<bool> TryTakeAsync(ConnectionContext connection)
    {
        if (_places.Wait(0, CancellationToken.None))
        {
            return true;
        }

        try
        {
            if (Interlocked.Increment(ref _waiting) > options.Value.HandshakesWaitingMax)
            {
                return false;
            }

            await _places.WaitAsync(connection.ConnectionClosed);
            return true;
        }
        catch (OperationCanceledException)
        {
            // It did not wait for its turn.
            return false;
        }
        finally
        {
            Interlocked.Decrement(ref _waiting);
        }
    }

    private sealed class Place(SemaphoreSlim places)
    {
        private int _isBack;

        public void GiveBack()
        {
            if (Interlocked.Exchange(ref _isBack, 1) == 0)
            {
                places.Release();
            }
        }
    }
}
