using System.Net;

namespace Muster.Gateway.Identity;

/// <summary>
/// Of one network those who wait for a handshake, and how many are at it. Its hosts take turns, and each host's oldest is its first. The
/// lock of <see cref="HandshakeTurns"/> guards it.
/// </summary>
internal sealed class WaitingNetwork
{
    /// <summary>The host with the most is the last.</summary>
    private readonly SortedSet<WaitingHost> _byCount = new(Comparer<WaitingHost>.Create(WaitingHost.Compare));
    private readonly Dictionary<IPAddress, WaitingHost> _hosts = [];
    private readonly LinkedList<WaitingHost> _round = [];
    private long _numbers;

    public WaitingNetwork(IPAddress source, long number)
    {
        (Source, Number) = (source, number);
        Node = new LinkedListNode<WaitingNetwork>(this);
    }

    public IPAddress Source { get; }

    public long Number { get; }

    /// <summary>Its place in the round of the networks, while it has a turn to come.</summary>
    public LinkedListNode<WaitingNetwork> Node { get; }

    public int Waiting { get; private set; }

    public int Running { get; set; }

    /// <summary>The next turn that is this network's.</summary>
    public HandshakeTurn Next => _round.First!.Value.Waiting.First!.Value;

    /// <summary>Whom others take the place of: the youngest of the host that has the most.</summary>
    public HandshakeTurn Last => _byCount.Max!.Waiting.Last!.Value;

    public int LargestHost => _byCount.Max?.Waiting.Count ?? 0;

    public WaitingHost HostOf(IPAddress host) => _hosts.GetValueOrDefault(host) ?? new WaitingHost(this, host, _numbers++);

    public void Add(HandshakeTurn turn)
    {
        var host = turn.Host;
        _byCount.Remove(host);
        turn.Node = host.Waiting.AddLast(turn);
        _byCount.Add(host);
        if (host.Waiting.Count == 1)
        {
            _hosts[host.Source] = host;
            _round.AddLast(host.Node);
        }

        Waiting++;
    }

    /// <summary>Takes it out of those who wait; with <paramref name="isTurn"/> the host had its turn in the round.</summary>
    public void Remove(HandshakeTurn turn, bool isTurn)
    {
        var host = turn.Host;
        _byCount.Remove(host);
        host.Waiting.Remove(turn.Node!);
        turn.Node = null;
        Waiting--;
        if (isTurn || host.Waiting.Count == 0)
        {
            _round.Remove(host.Node);
        }

        if (host.Waiting.Count == 0)
        {
            _hosts.Remove(host.Source);
            return;
        }

        _byCount.Add(host);
        if (isTurn)
        {
            _round.AddLast(host.Node);
        }
    }

    public static int Compare(WaitingNetwork left, WaitingNetwork right)
    {
        var byCount = left.Waiting.CompareTo(right.Waiting);
        return byCount != 0 ? byCount : left.Number.CompareTo(right.Number);
    }
}

/// <summary>Those of one host who wait, the oldest first.</summary>
internal sealed class WaitingHost
{
    public WaitingHost(WaitingNetwork network, IPAddress source, long number)
    {
        (Network, Source, Number) = (network, source, number);
        Node = new LinkedListNode<WaitingHost>(this);
    }

    public WaitingNetwork Network { get; }

    public IPAddress Source { get; }

    public long Number { get; }

    /// <summary>Its place in the round of its network, while somebody of it waits.</summary>
    public LinkedListNode<WaitingHost> Node { get; }

    public LinkedList<HandshakeTurn> Waiting { get; } = [];

    public static int Compare(WaitingHost left, WaitingHost right)
    {
        var byCount = left.Waiting.Count.CompareTo(right.Waiting.Count);
        return byCount != 0 ? byCount : left.Number.CompareTo(right.Number);
    }
}
