using System.Collections.Immutable;
using Muster.Contracts.Commit;
using Muster.Contracts.Revocations;

namespace Muster.Gateway.Revocations;

/// <summary>A partition that something may have been missed of, and where to read on.</summary>
/// <param name="Partition">Its number.</param>
/// <param name="After">All up to here was told.</param>
/// <param name="Tail">The tail that is followed afterwards.</param>
/// <param name="Silo">Where it is.</param>
/// <param name="Gaps">How often the silo had forgotten something when this was found.</param>
internal readonly record struct MissedPart(int Partition, FeedPosition After, Guid Tail, Guid Silo, int Gaps);

/// <summary>
/// What this gateway knows of each partition's revocations: up to where, from which silo, and when the store had nothing more. Pure but
/// for the clock; who asks and reads is <see cref="RevocationWatch"/>. Safe for threads.
/// </summary>
internal sealed class WatchedPartitions
{
    /// <summary>Nobody is admitted on older news: whom it admits could not be closed in time.</summary>
    public static readonly TimeSpan AdmitAgeMax = TimeSpan.FromSeconds(2);

    /// <summary>
    /// Sessions end on older news. A silo that died is replaced within some twenty seconds, which must not cost the fleet its connections.
    /// </summary>
    public static readonly TimeSpan CloseAgeMax = TimeSpan.FromSeconds(60);

    /// <summary>A silo that proved a partition more recently than this has it; another that claims it is early or late.</summary>
    private static readonly TimeSpan HeldAge = TimeSpan.FromSeconds(1);

    /// <summary>Questions for partitions that no silo is known to have: enough for a start within a second or two.</summary>
    private const int AsksMax = 32;

    private readonly TimeProvider _clock;
    private readonly Lock _lock = new();
    private readonly Entry[] _entries;
    private readonly long[] _provedAt;
    private readonly Dictionary<Guid, Silo> _silos = [];
    private int _asks;

    public WatchedPartitions(PartitionMap partitions, TimeProvider clock)
    {
        _clock = clock;
        _entries = [.. Enumerable.Range(0, partitions.Count).Select(_ => new Entry())];
        _provedAt = new long[partitions.Count];
        Array.Fill(_provedAt, long.MinValue);
    }

    /// <summary>Whether a device of this partition may be admitted.</summary>
    public bool IsFresh(int partition) => IsYounger(partition, AdmitAgeMax);

    /// <summary>Whether sessions of this partition's devices have to end.</summary>
    public bool IsLost(int partition) => !IsYounger(partition, CloseAgeMax);

    /// <summary>How many partitions nobody is admitted of.</summary>
    public int CountStale() => Enumerable.Range(0, _provedAt.Length).Count(partition => !IsFresh(partition));

    /// <summary>Partitions to ask now, each of which answers for its silo: one of every silo, and those that have none.</summary>
    /// <param name="isBetween">True between two ticks: the silos were asked already.</param>
    public IReadOnlyList<int> TakeAsks(bool isBetween = false)
    {
        lock (_lock)
        {
            List<int> asks = [];
            for (var partition = 0; partition < _entries.Length; partition++)
            {
                var entry = _entries[partition];
                if (entry.IsAsked)
                {
                    continue;
                }

                if (_silos.TryGetValue(entry.Silo, out var silo) ? !silo.IsAsked && !isBetween : _asks < AsksMax)
                {
                    entry.IsAsked = true;
                    entry.AsksSilo = silo;
                    _asks += silo is null ? 1 : 0;
                    silo?.IsAsked = true;
                    asks.Add(partition);
                }
            }

            return asks;
        }
    }

    /// <summary>For the next question.</summary>
    public ImmutableArray<RevocationCursor> Cursors()
    {
        lock (_lock)
        {
            return [.. _silos.Select(silo => new RevocationCursor(silo.Key, silo.Value.Cursor))];
        }
    }

    /// <summary>
    /// The question for this partition is answered, or never will be: then its silo is not known to be there any more. True when it had no
    /// silo and has one now.
    /// </summary>
    public bool Asked(int partition, bool isAnswered)
    {
        lock (_lock)
        {
            var entry = _entries[partition];
            entry.IsAsked = false;
            _asks -= entry.AsksSilo is null ? 1 : 0;
            entry.AsksSilo?.IsAsked = false;
            if (!isAnswered && entry.AsksSilo is { } silo)
            {
                foreach (var (id, _) in _silos.Where(known => known.Value == silo).ToList())
                {
                    Lose(id);
                }
            }

            var isFound = isAnswered && entry.AsksSilo is null && _silos.ContainsKey(entry.Silo);
            entry.AsksSilo = null;
            return isFound;
        }
    }

    /// <summary>
    /// Takes an answer whose revocations were acted on; gives those partitions of which something may have been missed. Each has to come
    /// back by <see cref="CatchUp"/>.
    /// </summary>
    /// <param name="reply">The answer.</param>
    /// <param name="askedAt">Timestamp of the question: the answer is at least as old.</param>
    public IReadOnlyList<MissedPart> Take(RevocationReply reply, long askedAt)
    {
        lock (_lock)
        {
            var id = reply.Cursor.Silo;
            if (!_silos.TryGetValue(id, out var silo))
            {
                _silos[id] = silo = new Silo { Cursor = reply.Cursor.Sequence };
            }
            else if (reply.From is null)
            {
                // Asked before the silo was known: what lies between that question and the cursor is in a later answer.
                return [];
            }
            else if (!reply.IsContinuous)
            {
                silo.Cursor = reply.Cursor.Sequence;
                silo.Gaps++;
                foreach (var entry in _entries.Where(entry => entry.Silo == id))
                {
                    entry.Tail = Guid.Empty;
                }
            }

            silo.Cursor = Math.Max(silo.Cursor, reply.Cursor.Sequence);
            var missed = TakeTails(reply, silo, askedAt);
            Release(reply);
            return missed;
        }
    }

    /// <summary>A part was read up to <paramref name="next"/>; null when the reading failed and is to be begun again.</summary>
    public void CatchUp(in MissedPart part, FeedPosition? next)
    {
        lock (_lock)
        {
            var entry = _entries[part.Partition];
            entry.IsCatchingUp = false;
            if (next is not { } position)
            {
                return;
            }

            entry.Position = position;
            if (_silos.TryGetValue(part.Silo, out var silo) && silo.Gaps == part.Gaps)
            {
                (entry.Tail, entry.Silo) = (part.Tail, part.Silo);
            }
        }
    }

    /// <summary>Nobody can say what was missed: the caller closes all sessions of the partition after this, and it is begun anew.</summary>
    public void Restart(in MissedPart part)
    {
        lock (_lock)
        {
            Volatile.Write(ref _provedAt[part.Partition], long.MinValue);
            var entry = _entries[part.Partition];
            (entry.IsKnown, entry.IsCatchingUp, entry.Tail) = (false, false, Guid.Empty);
        }
    }

    private List<MissedPart> TakeTails(RevocationReply reply, Silo silo, long askedAt)
    {
        List<MissedPart> missed = [];
        foreach (var tail in reply.Tails)
        {
            if (tail.Partition < 0 || tail.Partition >= _entries.Length)
            {
                continue;
            }

            var entry = _entries[tail.Partition];
            var provedAt = askedAt - (long)(tail.Age.TotalSeconds * _clock.TimestampFrequency);
            if (!entry.IsKnown)
            {
                // Nobody of this partition was admitted so far: there is nothing to miss.
                entry.IsKnown = true;
                Follow(tail, reply.Cursor.Silo, provedAt);
            }
            else if (entry.Tail == tail.Tail)
            {
                Follow(tail, reply.Cursor.Silo, provedAt);
            }
            else if (!entry.IsCatchingUp && !IsHeldElsewhere(tail.Partition, reply.Cursor.Silo))
            {
                (entry.IsCatchingUp, entry.Silo, entry.Tail) = (true, reply.Cursor.Silo, Guid.Empty);
                missed.Add(new MissedPart(tail.Partition, entry.Position, tail.Tail, reply.Cursor.Silo, silo.Gaps));
            }
        }

        return missed;
    }

    private void Follow(in WatchedTail tail, Guid silo, long provedAt)
    {
        var entry = _entries[tail.Partition];
        var isOn = entry.Tail == tail.Tail && entry.Position.Sequence > tail.Position.Sequence;
        (entry.Tail, entry.Silo) = (tail.Tail, silo);
        entry.Position = isOn ? entry.Position : tail.Position;
        Volatile.Write(ref _provedAt[tail.Partition], Math.Max(_provedAt[tail.Partition], provedAt));
    }

    private bool IsHeldElsewhere(int partition, Guid silo)
    {
        var entry = _entries[partition];
        return entry.Tail != Guid.Empty && entry.Silo != silo && _silos.ContainsKey(entry.Silo) && IsYounger(partition, HeldAge);
    }

    /// <summary>Partitions that the silo had and does not name any more: they are asked for themselves.</summary>
    private void Release(RevocationReply reply)
    {
        var named = reply.Tails.Select(tail => tail.Partition).ToHashSet();
        for (var partition = 0; partition < _entries.Length; partition++)
        {
            if (_entries[partition].Silo == reply.Cursor.Silo && !named.Contains(partition))
            {
                // As when the silo is lost: its cursor says nothing of this partition from here on, should it name it again.
                (_entries[partition].Silo, _entries[partition].Tail) = (Guid.Empty, Guid.Empty);
            }
        }
    }

    private void Lose(Guid id)
    {
        _silos.Remove(id);
        foreach (var entry in _entries.Where(entry => entry.Silo == id))
        {
            // Its cursor is forgotten with it: should it come back, what was missed meanwhile is read by position.
            (entry.Silo, entry.Tail) = (Guid.Empty, Guid.Empty);
        }
    }

    private bool IsYounger(int partition, TimeSpan age)
    {
        var provedAt = Volatile.Read(ref _provedAt[partition]);
        return provedAt != long.MinValue && _clock.GetElapsedTime(provedAt) <= age;
    }

    private sealed class Entry
    {
        public bool IsKnown { get; set; }

        public bool IsAsked { get; set; }

        public Silo? AsksSilo { get; set; }

        public bool IsCatchingUp { get; set; }

        public Guid Silo { get; set; }

        public Guid Tail { get; set; }

        public FeedPosition Position { get; set; }
    }

    private sealed class Silo
    {
        public long Cursor { get; set; }

        public int Gaps { get; set; }

        public bool IsAsked { get; set; }
    }
}
