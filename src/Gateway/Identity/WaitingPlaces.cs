namespace Muster.Gateway.Identity;

/// <summary>
/// Places for those who wait for their handshake. A network may have all of them while nobody else wants one: a site behind one address
/// comes back at once. When none is left, whoever comes takes the youngest of the network that has the most, if that has more than his own:
/// so nobody is kept out by what one host opens and leaves silent.
/// </summary>
internal sealed class WaitingPlaces(int placesMax, TimeSpan waitMax, TimeProvider clock)
{
    private readonly Lock _lock = new();

    /// <summary>The network with the most is the last.</summary>
    private readonly SortedSet<Network> _byCount = new(Comparer<Network>.Create(Compare));
    private readonly Dictionary<SourceShare, Network> _networks = [];
    private int _count;
    private long _numbers;

    public int Count
    {
        get
        {
            lock (_lock)
            {
                return _count;
            }
        }
    }

    /// <summary>Null when there is no place for one more of this network; given back by disposing it.</summary>
    public Place? TryEnter(SourceShare source, CancellationToken closed)
    {
        lock (_lock)
        {
            var network = _networks.GetValueOrDefault(source);
            if (_count >= placesMax && !TryMakeRoom(network?.Count ?? 0))
            {
                return null;
            }

            if (network is null)
            {
                network = new Network(source, _numbers++);
                _networks.Add(source, network);
            }

            var place = new Place(this, network, new CancellationTokenSource(waitMax, clock));
            Change(network, network => place.Node = network.Waiting.AddLast(place));
            place.EndWith(closed);
            return place;
        }
    }

    private bool TryMakeRoom(int own)
    {
        // One more is no reason: the two would go on taking it from each other.
        if (_byCount.Max is not { } largest || largest.Count <= own + 1)
        {
            return false;
        }

        var youngest = largest.Waiting.Last!.Value;
        Remove(youngest);
        youngest.End();
        return true;
    }

    private void Leave(Place place)
    {
        lock (_lock)
        {
            Remove(place);
        }
    }

    private void Remove(Place place)
    {
        if (place.Node is { } node)
        {
            place.Node = null;
            Change(place.Network, network => network.Waiting.Remove(node));
        }
    }

    /// <summary>It is sorted by what changes, and is out of the set meanwhile.</summary>
    private void Change(Network network, Action<Network> change)
    {
        _byCount.Remove(network);
        _count -= network.Count;
        change(network);
        _count += network.Count;
        if (network.Count > 0)
        {
            _byCount.Add(network);
        }
        else
        {
            _networks.Remove(network.Source);
        }
    }

    private static int Compare(Network left, Network right)
    {
        var byCount = left.Count.CompareTo(right.Count);
        return byCount != 0 ? byCount : left.Number.CompareTo(right.Number);
    }

    /// <summary>Those of one network who wait, the oldest first.</summary>
    internal sealed class Network(SourceShare source, long number)
    {
        public SourceShare Source => source;

        public long Number => number;

        public LinkedList<Place> Waiting { get; } = [];

        public int Count => Waiting.Count;
    }

    /// <summary>One who waits.</summary>
    internal sealed class Place(WaitingPlaces owner, Network network, CancellationTokenSource end) : IDisposable
    {
        private CancellationTokenRegistration _closed;

        public Network Network => network;

        /// <summary>Null when the place is another's already.</summary>
        public LinkedListNode<Place>? Node { get; set; }

        /// <summary>Ends with the connection, with the time that one may wait, and when the place is taken away.</summary>
        public CancellationToken Ended => end.Token;

        public void EndWith(CancellationToken closed) =>
            _closed = closed.UnsafeRegister(state => ((CancellationTokenSource)state!).Cancel(), end);

        /// <summary>Not here: what goes on behind it would have the lock.</summary>
        public void End() => _ = end.CancelAsync();

        public void Dispose()
        {
            owner.Leave(this);
            _closed.Dispose();
            end.Dispose();
        }
    }
}
