using System.Collections.Concurrent;
using Muster.Contracts.Policies;
using Muster.Domain;
using Muster.Domain.Policies;

namespace Muster.Grains.Policies;

/// <summary>
/// The policies as this silo read them last: at most <see cref="PolicyRules.CacheLease"/> old, and never older than the revision
/// that the caller has seen. One entry per tenant.
/// </summary>
internal sealed class PolicyCache(IGrainFactory grains, TimeProvider clock)
{
    private readonly ConcurrentDictionary<TenantId, Task<Entry>> _entries = new();

    /// <summary>The tenant's policies, of at least this revision.</summary>
    public async ValueTask<PolicySet> GetAsync(TenantId tenant, long revisionMin)
    {
        // Whoever comes while a read is under way waits for it: its lease counts from its start.
        if (_entries.TryGetValue(tenant, out var known) && !known.IsFaulted && !known.IsCanceled)
        {
            var entry = await known;
            if (entry.Set.Revision >= revisionMin && clock.GetElapsedTime(entry.ReadAt) < PolicyRules.CacheLease)
            {
                return entry.Set;
            }
        }

        var reading = ReadAsync(tenant);
        _entries[tenant] = reading;
        return (await reading).Set;
    }

    private async Task<Entry> ReadAsync(TenantId tenant)
    {
        var readAt = clock.GetTimestamp();
        return new Entry(await grains.GetPolicySet(tenant).GetAsync(), readAt);
    }

    private sealed record Entry(PolicySet Set, long ReadAt);
}
