using System.Diagnostics;
using System.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Options;
using Muster.Domain;
using Muster.Gateway.Mqtt;

namespace Muster.Gateway.Identity;

/// <summary>
/// Bounds what strangers cost before they have shown a certificate, and those whose certificate proves nothing until they are refused: so
/// many TLS handshakes at once, of one network a share of them, so many sockets that wait for their turn, and everybody else is closed
/// before a byte is read. One for all listeners of devices.
/// </summary>
internal sealed class HandshakeGate(IOptions<MqttOptions> options, DeviceCalls calls, TimeProvider clock) : IDisposable
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
    private readonly WaitingPlaces _waiting = new(options.Value.HandshakesWaitingMax, options.Value.HandshakeWaitTimeout, clock);

    /// <summary>Sockets that wait for their turn.</summary>
    public int Waiting => _waiting.Count;

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

    /// <summary>
    /// Behind TLS: the handshake is over. Whose certificate proves nothing keeps his place until he is refused: anybody can make one, and
    /// with it would have the connections that are the devices'. While this gateway cannot tell, a device is no stranger.
    /// </summary>
    public static ConnectionDelegate Leave(ConnectionDelegate next) => connection =>
    {
        if (DevicePeer.Of(connection.Items)?.Result is { Identity: not null } or { Error.Kind: ErrorKind.Unavailable }
            && connection.Items.TryGetValue(s_key, out var place))
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
        var place = new Place(_places, _shares, share) { HasShare = share.Places.Wait(0, CancellationToken.None) };
        try
        {
            place.IsTaken = place.HasShare && TryBegin();
            if (!place.IsTaken)
            {
                await WaitAsync(place, connection.ConnectionClosed);
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

    /// <summary>One of all places, when the processors have time for it and nobody else waits.</summary>
    private bool TryBegin() => _door.CurrentCount > 0 && !IsBehind && _places.Wait(0, CancellationToken.None);

    /// <summary>It is not taken when too many wait already, or when it did not wait for its turn.</summary>
    private async Task WaitAsync(Place place, CancellationToken closed)
    {
        using var waiting = _waiting.TryEnter(place.Share, closed);
        if (waiting is null)
        {
            return;
        }

        try
        {
            // The share first: whoever has used his up waits for himself, and holds nothing that others wait for.
            if (!place.HasShare)
            {
                await place.Share.Places.WaitAsync(waiting.Ended);
                place.HasShare = true;
            }

            await WaitForTurnAsync(waiting.Ended);
            place.IsTaken = true;
        }
        catch (OperationCanceledException)
        {
            // The connection's end, or that of its patience; or the place is another's now.
        }
    }

    private async Task WaitForTurnAsync(CancellationToken ended)
    {
        await _door.WaitAsync(ended);
        try
        {
            var begun = Stopwatch.GetTimestamp();
            while (IsBehind && Stopwatch.GetElapsedTime(begun) < BacklogWaitMax)
            {
                await Task.Delay(BacklogPause, ended);
            }

            await _places.WaitAsync(ended);
        }
        finally
        {
            _door.Release();
        }
    }

    private sealed class Place(SemaphoreSlim places, SourceShares shares, SourceShare share)
    {
        private int _isBack;

        public SourceShare Share => share;

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
