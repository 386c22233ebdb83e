using System.Diagnostics;
using System.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Options;
using Muster.Gateway.Mqtt;

namespace Muster.Gateway.Identity;

/// <summary>
/// Bounds what strangers cost before they have shown a certificate: so many TLS handshakes at once, of one network a share of them, so many
/// sockets that wait for their turn, and everybody else is closed before a byte is read. One for all listeners of devices.
/// </summary>
internal sealed class HandshakeGate(IOptions<MqttOptions> options, DeviceCalls calls) : IDisposable
{
    /// <summary>
    /// A handshake begins when the thread pool has no more to do than this for each processor. What waits there is a millisecond of
    /// cryptography each, and an operator's call or a device's message stands in that queue several times until it is answered.
    /// </summary>
    private const int BacklogPerProcessorMax = 4;

    /// <summary>About what a processor needs for a handshake or two.</summary>
    private static readonly TimeSpan BacklogPause = TimeSpan.FromMilliseconds(2);

    /// <summary>Then it begins all the same: a gateway that is always busy goes on taking devices, some fifty each second.</summary>
    private static readonly TimeSpan BacklogWaitMax = TimeSpan.FromMilliseconds(20);

    private static readonly int s_backlogMax = BacklogPerProcessorMax * Environment.ProcessorCount;
    private static readonly object s_key = new();

    private readonly SemaphoreSlim _places = new(options.Value.HandshakesMax);

    /// <summary>One at a time looks at the backlog, so that those who wait begin in turn and not all at once.</summary>
    private readonly SemaphoreSlim _door = new(1);
    private readonly SourceShares _shares = new(Math.Min(options.Value.HandshakesPerSourceMax, options.Value.HandshakesMax));
    private int _waiting;

    /// <summary>This process or those that it asks have enough to do.</summary>
    private bool IsBehind => calls.AreMany || ThreadPool.PendingWorkItemCount > s_backlogMax;

    /// <summary>Before TLS: takes a place, and gives it back at the latest when the connection has ended.</summary>
    public ConnectionDelegate Enter(ConnectionDelegate next) => async connection =>
    {
        if (await TryTakeAsync(connection) is not { } place)
        {
            connection.Abort(new ConnectionAbortedException("Too many TLS handshakes wait."));
            return;
        }

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

    public void Dispose()
    {
        _places.Dispose();
        _door.Dispose();
    }

    /// <summary>Null when too many wait already, or when it did not wait for its turn.</summary>
    private async Task<Place?> TryTakeAsync(ConnectionContext connection)
    {
        var share = _shares.Enter((connection.RemoteEndPoint as IPEndPoint)?.Address);
        var place = new Place(_places, _shares, share);
        try
        {
            // The share first: whoever has used his up waits for himself, and holds nothing that others wait for.
            if (await TryTakeAsync(share.Places, connection.ConnectionClosed))
            {
                place.HasShare = true;
                place.IsTaken = await TryBeginAsync(connection.ConnectionClosed);
            }
        }
        finally
        {
            if (!place.IsTaken)
            {
                place.GiveBack();
            }
        }

        return place.IsTaken ? place : null;
    }

    private Task<bool> TryTakeAsync(SemaphoreSlim places, CancellationToken closed) =>
        places.Wait(0, CancellationToken.None) ? Task.FromResult(true) : TryWaitAsync(() => places.WaitAsync(closed));

    /// <summary>One of all places, when the processors have time for it.</summary>
    private Task<bool> TryBeginAsync(CancellationToken closed) =>
        _door.CurrentCount > 0 && !IsBehind && _places.Wait(0, CancellationToken.None)
            ? Task.FromResult(true)
            : TryWaitAsync(() => WaitForTurnAsync(closed));

    private async Task WaitForTurnAsync(CancellationToken closed)
    {
        await _door.WaitAsync(closed);
        try
        {
            var begun = Stopwatch.GetTimestamp();
            while (IsBehind && Stopwatch.GetElapsedTime(begun) < BacklogWaitMax)
            {
                await Task.Delay(BacklogPause, closed);
            }

            await _places.WaitAsync(closed);
        }
        finally
        {
            _door.Release();
        }
    }

    /// <summary>False when too many wait already, or when it did not wait for its turn.</summary>
    private async Task<bool> TryWaitAsync(Func<Task> turn)
    {
        try
        {
            if (Interlocked.Increment(ref _waiting) > options.Value.HandshakesWaitingMax)
            {
                return false;
            }

            await turn();
            return true;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
        finally
        {
            Interlocked.Decrement(ref _waiting);
        }
    }

    private sealed class Place(SemaphoreSlim places, SourceShares shares, SourceShare share)
    {
        private int _isBack;

        public bool HasShare { get; set; }

        public bool IsTaken { get; set; }

        public void GiveBack()
        {
            if (Interlocked.Exchange(ref _isBack, 1) != 0)
            {
                return;
            }

            if (IsTaken)
            {
                places.Release();
            }

            if (HasShare)
            {
                share.Places.Release();
            }

            shares.Leave(share);
        }
    }
}
