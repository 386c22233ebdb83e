using Muster.Contracts;
using Muster.Contracts.Commit;
using Muster.Contracts.Devices;
using Muster.Contracts.Images;
using Muster.Contracts.Revocations;
using Muster.Domain.Devices;
using Muster.Domain.Images;

namespace Muster.Grains.Revocations;

/// <summary>
/// What all tails of this silo have read for gateways: the newest revocations, how far each partition is read, and when the store had
/// nothing behind that. Written by the tails, read by whichever of them a gateway asks.
/// </summary>
internal sealed class RevocationTails(TimeProvider clock)
{
    /// <summary>
    /// Gateways ask twice a second: far more than can be decommissioned meanwhile, and 1 MB at most. Who missed some reads the feeds.
    /// </summary>
    public const int RevocationsMax = 8_192;

    private readonly Guid _silo = Guid.NewGuid();
    private readonly Lock _lock = new();
    private readonly Dictionary<int, Tail> _tails = [];
    private readonly Queue<Revocation> _newest = new();
    private long _end;

    /// <summary>What an entry means for what is open; null for nothing.</summary>
    public static Revocation? Read(FeedEntry entry) => entry.Record.Kind switch
    {
        GrainTypes.Device => ReadDevice(entry),
        GrainTypes.Image when entry.Fact is ImageRevoked => ReadImage(entry),
        _ => null,
    };

    /// <summary>A tail read an entry; before it says that it is so far.</summary>
    public void Add(FeedEntry entry)
    {
        if (Read(entry) is not { } revocation)
        {
            return;
        }

        lock (_lock)
        {
            _end++;
            _newest.Enqueue(revocation);
            if (_newest.Count > RevocationsMax)
            {
                _newest.Dequeue();
            }
        }
    }

    /// <summary>How far a tail is, and when the store, asked at that time, had nothing more.</summary>
    public void Set(int partition, object owner, Guid tail, FeedPosition position, long provedAt)
    {
        lock (_lock)
        {
            _tails[partition] = _tails.TryGetValue(partition, out var known) && known.Owner == owner && known.Id == tail
                ? known with { Position = position, ProvedAt = Math.Max(known.ProvedAt, provedAt) }
                : new Tail(owner, tail, position, provedAt);
        }
    }

    /// <summary>The store, asked at this time, had nothing that the tail has not read.</summary>
    public void Prove(int partition, object owner, long askedAt)
    {
        lock (_lock)
        {
            if (_tails.TryGetValue(partition, out var tail) && tail.Owner == owner && tail.ProvedAt < askedAt)
            {
                _tails[partition] = tail with { ProvedAt = askedAt };
            }
        }
    }

    /// <summary>The tail is here no more, unless another took its place.</summary>
    public void Forget(int partition, object owner)
    {
        lock (_lock)
        {
            if (_tails.TryGetValue(partition, out var tail) && tail.Owner == owner)
            {
                _tails.Remove(partition);
            }
        }
    }

    /// <summary>All that is known, and the revocations behind the cursor that is this silo's.</summary>
    public RevocationReply Follow(ImmutableArray<RevocationCursor> cursors)
    {
        lock (_lock)
        {
            long? from = null;
            foreach (var cursor in cursors)
            {
                from = cursor.Silo == _silo ? cursor.Sequence : from;
            }

            var start = _end - _newest.Count;
            var isContinuous = from >= start && from <= _end;
            ImmutableArray<Revocation> revocations = isContinuous ? [.. _newest.Skip((int)(from!.Value - start))] : [];
            var now = clock.GetTimestamp();
            var tails = _tails.Select(tail => new WatchedTail(
                tail.Key, tail.Value.Id, tail.Value.Position, clock.GetElapsedTime(tail.Value.ProvedAt, now)));
            return new RevocationReply(new RevocationCursor(_silo, _end), from, isContinuous, revocations, [.. tails]);
        }
    }

    private static Revocation ReadImage(FeedEntry entry)
    {
        var (tenant, digest) = ImageKey.Parse(entry.Record.Key);
        return Revocation.OfImage(tenant, digest);
    }

    private static Revocation? ReadDevice(FeedEntry entry)
    {
        var effect = RevocationRules.EffectOf(entry.Fact);
        if (effect == RevocationEffect.None)
        {
            return null;
        }

        var (tenant, device) = DeviceKey.Parse(entry.Record.Key);
        return new Revocation(tenant, device, effect);
    }

    private sealed record Tail(object Owner, Guid Id, FeedPosition Position, long ProvedAt);
}
