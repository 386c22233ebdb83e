using Muster.Contracts;
using Muster.Contracts.CertificateStatus;
using Muster.Domain.CertificateStatus;
using Muster.Domain.Identity;

namespace Muster.Grains.Inventory;

/// <summary>The revoked certificates of one partition's devices, by the key of the device; those without one are not here.</summary>
internal sealed class RevocationTable
{
    private readonly Dictionary<string, ImmutableArray<RevokedCertificate>> _devices = new(StringComparer.Ordinal);
    private readonly Guid _id = Guid.NewGuid();
    private long _changes = 1;

    /// <summary>Takes what the newest commit of a device left.</summary>
    public void Apply(string device, ImmutableArray<RevokedCertificate> revoked)
    {
        if (revoked.IsDefaultOrEmpty)
        {
            _changes += _devices.Remove(device) ? 1 : 0;
        }
        else if (!_devices.TryGetValue(device, out var known) || !known.AsSpan().SequenceEqual(revoked.AsSpan()))
        {
            _devices[device] = revoked;
            _changes++;
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

        var living = _devices.Values.SelectMany(revoked => revoked).Where(revoked => revoked.NotAfter > now).ToList();
        return new PartitionRevocations(mark, [.. StatusRules.Bound(living, StatusRules.PartitionEntriesMax)]);
    }

    /// <summary>See <see cref="PartitionTables.DifferencesTo"/>.</summary>
    public IEnumerable<string> DifferencesTo(RevocationTable fold) => _devices.Keys.Union(fold._devices.Keys)
        .Where(device => !Of(device).AsSpan().SequenceEqual(fold.Of(device).AsSpan()))
        .Select(device => $"{GrainTypes.Device}/{device} has other revoked certificates here than by its record.");

    private ImmutableArray<RevokedCertificate> Of(string device) => _devices.GetValueOrDefault(device, []);
}
