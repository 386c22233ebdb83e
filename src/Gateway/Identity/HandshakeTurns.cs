using System.Net;

namespace Muster.Gateway.Identity;

/// <summary>How many there may be at the doors.</summary>
/// <param name="Handshakes">At once.</param>
/// <param name="OfOneNetwork">Of them those of one network.</param>
/// <param name="Waiting">Who wait.</param>
/// <param name="WaitMax">How long one may wait.</param>
internal sealed record HandshakeBounds(int Handshakes, int OfOneNetwork, int Waiting, TimeSpan WaitMax);

/// <summary>
/// Whose handshake is next. Turns go round by networks and not by sockets: however many a network has waiting, and however long it makes
/// each of them last, it has one turn until every other network that waits has had one. Within a network its hosts take turns likewise.
/// <para>
/// A network may have all places for waiting while nobody else wants one: a site behind one address comes back at once. When none is left,
/// whoever comes takes the youngest of the network that has the most, or of the host of his own network that has the most, if that has
/// more than his own. So nobody is kept out by what one host or one network opens and leaves silent.
/// </para>
/// There are as many networks and hosts here as connections that shake hands or wait for it, at most.
/// </summary>
internal sealed class HandshakeTurns(HandshakeBounds bounds, TimeProvider clock)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<IPAddress, WaitingNetwork> _networks = [];

    /// <summary>Those of whom somebody waits. The one with the most is the last.</summary>
    private readonly SortedSet<WaitingNetwork> _byCount = new(Comparer<WaitingNetwork>.Create(WaitingNetwork.Compare));

    /// <summary>Those of whom somebody waits and who have a share left, in the order of their turns.</summary>
    private readonly LinkedList<WaitingNetwork> _round = [];
    private int _waiting;
    private int _running;
    private long _numbers;

    /// <summary>Connections that wait for their turn.</summary>
    public int Waiting => Volatile.Read(ref _waiting);

    /// <summary>Connections that have theirs.</summary>
    public int Running => Volatile.Read(ref _running);

    /// <summary>Networks that either is of.</summary>
    public int Networks
    {
        get
        {
            lock (_lock)
            {
                return _networks.Count;
            }
        }
    }

    /// <summary>Somebody waits whose turn it could be.</summary>
    public bool HasNext
    {
        get
        {
            lock (_lock)
            {
                return _running < bounds.Handshakes && _round.Count > 0;
            }
        }
    }

    /// <summary>One more at the doors. It begins at once if it may and nobody waits whose turn it would be.</summary>
    public HandshakeTurn Enter(HandshakeSource source, bool mayBegin)
    {
        lock (_lock)
        {
            var network = _networks.GetValueOrDefault(source.Network) ?? new WaitingNetwork(source.Network, _numbers++);
            var turn = new HandshakeTurn(this, network.HostOf(source.Host));
            if (mayBegin && _round.Count == 0 && _running < bounds.Handshakes && network.Running < bounds.OfOneNetwork)
            {
                Begin(turn);
            }
            else if (_waiting < bounds.Waiting || TryMakeRoom(turn.Host))
            {
                Change(network, () => network.Add(turn));
                turn.Patience = clock.CreateTimer(
                    late => StopWaiting((HandshakeTurn)late!, TurnOutcome.WaitedTooLong), turn, bounds.WaitMax, Timeout.InfiniteTimeSpan);
            }
            else
            {
                turn.Decide(TurnOutcome.NoPlace);
                return turn;
            }

            _networks[source.Network] = network;
            return turn;
        }
    }

    /// <summary>Begins the next one; false when there is none.</summary>
    public bool TryGiveTurn()
    {
        lock (_lock)
        {
            if (_running >= bounds.Handshakes || _round.First is not { Value: var network })
            {
                return false;
            }

            var turn = network.Next;
            _round.Remove(network.Node);
            TakeOut(turn, isTurn: true);
            Begin(turn);
            Queue(network);
            return true;
        }
    }

    /// <summary>It waits no more, if it does still.</summary>
    public void StopWaiting(HandshakeTurn turn, TurnOutcome outcome)
    {
        lock (_lock)
        {
            if (turn.Node is not null)
            {
                TakeOut(turn, isTurn: false);
                turn.Decide(outcome);
                Forget(turn.Host.Network);
            }
        }
    }

    /// <summary>Its handshake is over, or its waiting; once more does nothing.</summary>
    public void GiveBack(HandshakeTurn turn)
    {
        lock (_lock)
        {
            StopWaiting(turn, TurnOutcome.Closed);
            if (turn.IsRunning)
            {
                var network = turn.Host.Network;
                turn.IsRunning = false;
                _running--;
                network.Running--;
                Queue(network);
                Forget(network);
            }
        }
    }

    private bool TryMakeRoom(WaitingHost host)
    {
        // One more is no reason: the two would go on taking it from each other.
        var own = host.Network;
        if (_byCount.Max is { } largest && largest.Waiting > own.Waiting + 1)
        {
            StopWaiting(largest.Last, TurnOutcome.Displaced);
            return true;
        }

        if (own.LargestHost > host.Waiting.Count + 1)
        {
            StopWaiting(own.Last, TurnOutcome.Displaced);
            return true;
        }

        return false;
    }

    private void Begin(HandshakeTurn turn)
    {
        turn.IsRunning = true;
        turn.Host.Network.Running++;
        _running++;
        turn.Decide(TurnOutcome.Begun);
    }

    private void TakeOut(HandshakeTurn turn, bool isTurn)
    {
        turn.Patience?.Dispose();
        var network = turn.Host.Network;
        Change(network, () => network.Remove(turn, isTurn));
    }

    /// <summary>It is sorted by what changes, and is out of the set meanwhile.</summary>
    private void Change(WaitingNetwork network, Action change)
    {
        _byCount.Remove(network);
        _waiting -= network.Waiting;
        change();
        _waiting += network.Waiting;
        if (network.Waiting > 0)
        {
            _byCount.Add(network);
        }

        Queue(network);
    }

    /// <summary>Puts it at the end of the round, or out of it, as its share and those who wait are now.</summary>
    private void Queue(WaitingNetwork network)
    {
        var hasTurn = network.Waiting > 0 && network.Running < bounds.OfOneNetwork;
        if (hasTurn && network.Node.List is null)
        {
            _round.AddLast(network.Node);
        }
        else if (!hasTurn && network.Node.List is not null)
        {
            _round.Remove(network.Node);
        }
    }

    private void Forget(WaitingNetwork network)
    {
        // Who comes here waited or ran, so that his network had its name until now; one that had no place has nothing to forget.
        if (network is { Waiting: 0, Running: 0 })
        {
            _networks.Remove(network.Source);
        }
    }
}
