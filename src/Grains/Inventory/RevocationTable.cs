using Muster.Contracts;
using Muster.Contracts.CertificateStatus;
using Muster.Domain.CertificateStatus;
using Muster.Domain.Identity;

namespace Muster.Grains.Inventory;

/// <summary>
/// The revoked certificates of one partition's devices, by the key of the device, packed: a third of a fleet that renews in time has one
/// that has not ended. Devices without one are not here.
/// </summary>
internal sealed class RevocationTable
{
    private readonly Dictionary<string, Held> _devices = new(StringComparer.Ordinal);
    private readonly Guid _id = Guid.NewGuid();
    private long _changes = 1;

    /// <summary>Devices that are held.</summary>
    public int Count => _devices.Count;

    /// <summary>Takes what the newest commit of a device left; what has ended by itself is nobody's concern any more.</summary>
    public void Apply(string device, ImmutableArray<RevokedCertificate> revoked, DateTimeOffset now)
    {
        var held = Held.Of(revoked, now);
        var known = _devices.GetValueOrDefault(device);
        if (held.Equals(known))
        {
            return;
        }

        _changes++;
        if (held.IsEmpty)
        {
            _devices.Remove(device);
        }
        else
        {
            _devices[device] = held;
        }
    }

    /// <summary>All that have not ended, or null for a caller who has them.</summary>
    public PartitionRevocations? Read(RevocationMark known, DateTimeOffset now)
    {
        var mark = new RevocationMark(_id, _changes);
        if (mark == known)
        {
            return null;
        }

        var living = new List<RevokedCertificate>();
        foreach (var (device, held) in _devices)
        {
            var before = living.Count;
            held.AddLiving(living, now);
            if (living.Count == before)
            {
                // A dictionary may be left by its keys while it is read.
                _devices.Remove(device);
            }
        }

        return new PartitionRevocations(mark, [.. StatusRules.Bound(living, StatusRules.PartitionEntriesMax)]);
    }

    /// <summary>See <see cref="PartitionTables.DifferencesTo"/>; of those that ended neither side has to know.</summary>
    public IEnumerable<string> DifferencesTo(RevocationTable fold, TimeProvider clock)
    {
        // Not before the comparison is here: what either side dropped by then has ended for both.
        var now = clock.GetUtcNow();
        foreach (var device in _devices.Keys.Union(fold._devices.Keys))
        {
            if (!Living(device, now).SequenceEqual(fold.Living(device, now)))
            {
                yield return $"{GrainTypes.Device}/{device} has other revoked certificates here than by its record.";
            }
        }
    }

    private List<RevokedCertificate> Living(string device, DateTimeOffset now)
    {
        var living = new List<RevokedCertificate>();
        _devices.GetValueOrDefault(device).AddLiving(living, now);
        return living;
    }

    /// <summary>Of one device: hardly one has more than one.</summary>
    private readonly record struct Held(Packed First, Packed[]? Rest)
    {
        public bool IsEmpty => First == default;

        public static Held Of(ImmutableArray<RevokedCertificate> revoked, DateTimeOffset now)
        {
            var (first, rest) = (default(Packed), default(List<Packed>));
            foreach (var one in revoked.IsDefault ? [] : revoked)
            {
                if (one.NotAfter <= now)
                {
                    continue;
                }

                if (first == default)
                {
                    first = Packed.Of(one);
                }
                else
                {
                    (rest ??= []).Add(Packed.Of(one));
                }
            }

            return new Held(first, rest?.ToArray());
        }

        public void AddLiving(List<RevokedCertificate> living, DateTimeOffset now)
        {
            First.AddLiving(living, now);
            foreach (var one in Rest ?? [])
            {
                one.AddLiving(living, now);
            }
        }

        public bool Equals(Held other) => First == other.First && Rest.AsSpan().SequenceEqual(other.Rest);

        public override int GetHashCode() => First.GetHashCode();
    }

    /// <summary>A revoked certificate in 40 bytes; all zero for none.</summary>
    private readonly record struct Packed(
        CertificateSerial Serial, long RevokedAt, long NotAfter, int Generation, RevocationCause Cause)
    {
        public static Packed Of(RevokedCertificate one) =>
            new(one.Serial, one.RevokedAt.UtcTicks, one.NotAfter.UtcTicks, one.Generation, one.Cause);

        public void AddLiving(List<RevokedCertificate> living, DateTimeOffset now)
        {
            if (NotAfter > now.UtcTicks)
            {
                living.Add(new RevokedCertificate(
                    Serial, Generation, Cause, new DateTimeOffset(RevokedAt, TimeSpan.Zero), new DateTimeOffset(NotAfter, TimeSpan.Zero)));
            }
        }
    }
}
