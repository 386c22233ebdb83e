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
/// before a byte is read. Whose turn it is, <see cref="HandshakeTurns"/> says. One for all listeners of devices.
/// </summary>
internal sealed partial class HandshakeGate
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

    private static readonly TimeSpan FaultPause = TimeSpan.FromSeconds(1);

    private static readonly int s_backlogMax = BacklogPerProcessorMax * Environment.ProcessorCount;
    private static readonly object s_key = new();

    private readonly HandshakeTurns _turns;
    private readonly TimeSpan _handshakeTimeout;
    private readonly DeviceCalls _calls;
    private readonly DoorInstruments _instruments;
    private readonly TimeProvider _clock;
    private readonly ILogger<HandshakeGate> _logger;

    /// <summary>1 while somebody gives turns: one at a time, so that those who wait do not begin all at once.</summary>
    private int _isGiving;

    public HandshakeGate(
        IOptions<MqttOptions> options, DeviceCalls calls, DoorInstruments instruments, TimeProvider clock, ILogger<HandshakeGate> logger)
    {
        var mqtt = options.Value;
        _turns = new HandshakeTurns(
            new HandshakeBounds(
                mqtt.HandshakesMax,
                Math.Min(mqtt.HandshakesPerSourceMax, mqtt.HandshakesMax),
                mqtt.HandshakesWaitingMax,
                mqtt.HandshakeWaitTimeout),
            clock);
        (_handshakeTimeout, _calls, _instruments, _clock, _logger) = (mqtt.HandshakeTimeout, calls, instruments, clock, logger);
        instruments.Show(_turns);
    }

    /// <summary>Sockets that wait for their turn.</summary>
    public int Waiting => _turns.Waiting;

    /// <summary>Sockets that have theirs.</summary>
    public int Running => _turns.Running;

    /// <summary>This process or those that it asks have enough to do.</summary>
    private bool IsBehind => _calls.AreMany || ThreadPool.PendingWorkItemCount > s_backlogMax;

    /// <summary>Before TLS: waits for a turn, which is given back at the latest when the connection has ended.</summary>
    public Func<ConnectionDelegate, ConnectionDelegate> EnterAt(string door) => next => async connection =>
    {
        var source = HandshakeSource.Of((connection.RemoteEndPoint as IPEndPoint)?.Address);
        var came = _clock.GetTimestamp();
        var turn = _turns.Enter(source, mayBegin: !IsBehind);
        try
        {
            if (await WaitAsync(turn, connection.ConnectionClosed) is not TurnOutcome.Begun and var ended)
            {
                Note(door, ended);
                connection.Abort(new ConnectionAbortedException("Too many TLS handshakes wait."));
                return;
            }

            _instruments.Begun(door, _clock.GetElapsedTime(came));
            using var deadline = new Deadline(_clock, _handshakeTimeout, () => Expire(connection, door));
            connection.Items[s_key] = new Handshake(this, turn, deadline);
            await next(connection);
        }
        finally
        {
            GiveBack(turn);
        }
    };

    /// <summary>
    /// Behind TLS: the handshake is over. Whose certificate proves nothing keeps his turn until he is refused: anybody can make one, and
    /// with it would have the connections that are the devices'. While this gateway cannot tell, a device is no stranger.
    /// </summary>
    public static ConnectionDelegate Leave(ConnectionDelegate next) => connection =>
    {
        if (DevicePeer.Of(connection.Items)?.Result is { Identity: not null } or { Error.Kind: ErrorKind.Unavailable }
            && connection.Items.Remove(s_key, out var handshake))
        {
            (handshake as Handshake)?.End();
        }

        return next(connection);
    };

    private async Task<TurnOutcome> WaitAsync(HandshakeTurn turn, CancellationToken closed)
    {
        if (!turn.Outcome.IsCompleted)
        {
            GiveTurns();
            await using var registration = closed.UnsafeRegister(gone => ((HandshakeTurn)gone!).StopWaiting(), turn);
            return await turn.Outcome;
        }

        return await turn.Outcome;
    }

    private void GiveBack(HandshakeTurn turn)
    {
        turn.Dispose();
        GiveTurns();
    }

    private void GiveTurns()
    {
        if (_turns.HasNext && Interlocked.Exchange(ref _isGiving, 1) == 0)
        {
            _ = GiveTurnsAsync();
        }
    }

    private async Task GiveTurnsAsync()
    {
        do
        {
            try
            {
                await GiveAllAsync();
            }
            catch (Exception fault) when (fault is not OutOfMemoryException)
            {
                // A bug. Whoever waits behind it must not wait for ever, nor must the same fault have a thread for itself.
                LogTurnsFault(_logger, fault);
                await Task.Delay(FaultPause);
            }
            finally
            {
                Interlocked.Exchange(ref _isGiving, 0);
            }
        }
        while (_turns.HasNext && Interlocked.Exchange(ref _isGiving, 1) == 0);
    }

    private async Task GiveAllAsync()
    {
        while (_turns.HasNext)
        {
            var begun = Stopwatch.GetTimestamp();
            while (IsBehind && Stopwatch.GetElapsedTime(begun) < BacklogWaitMax)
            {
                await Task.Delay(BacklogPause);
            }

            _turns.TryGiveTurn();
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "A turn at the doors could not be given; it is tried again")]
    private static partial void LogTurnsFault(ILogger logger, Exception fault);

    private void Expire(ConnectionContext connection, string door)
    {
        _instruments.TurnedAway(door, TurnedAway.HandshakeTooLong);
        connection.Abort(new ConnectionAbortedException("The TLS handshake and the refusal behind it took too long."));
    }

    private void Note(string door, TurnOutcome ended)
    {
        TurnedAway? why = ended switch
        {
            TurnOutcome.NoPlace => TurnedAway.NoPlace,
            TurnOutcome.Displaced => TurnedAway.Displaced,
            TurnOutcome.WaitedTooLong => TurnedAway.WaitedTooLong,
            TurnOutcome.Closed => null,
            _ => throw new UnreachableException(),
        };
        if (why is { } reason)
        {
            _instruments.TurnedAway(door, reason);
        }
    }

    /// <summary>One for the handshake and, of who is refused, for the refusal: two would be twice the time for who uses both up.</summary>
    private sealed class Deadline : IDisposable
    {
        private readonly ITimer _timer;
        private Action? _expire;

        public Deadline(TimeProvider clock, TimeSpan time, Action expire)
        {
            _expire = expire;
            _timer = clock.CreateTimer(
                self => Interlocked.Exchange(ref ((Deadline)self!)._expire, null)?.Invoke(), this, time, Timeout.InfiniteTimeSpan);
        }

        /// <summary>Not a moment later: a device that was just let in is not closed for it.</summary>
        public void Dispose()
        {
            Interlocked.Exchange(ref _expire, null);
            _timer.Dispose();
        }
    }

    private sealed class Handshake(HandshakeGate gate, HandshakeTurn turn, Deadline deadline)
    {
        public void End()
        {
            deadline.Dispose();
            gate.GiveBack(turn);
        }
    }
}
