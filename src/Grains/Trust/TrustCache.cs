using System.Collections.Concurrent;
using Muster.Contracts.Images;
using Muster.Contracts.Trust;
using Muster.Domain;
using Muster.Domain.Images;
using Muster.Domain.Trust;

namespace Muster.Grains.Trust;

/// <summary>
/// What hellos are judged by, as this silo read it last: no hello asks another grain while this is warm. A rule that changed holds
/// everywhere after <see cref="RulesLease"/>.
/// </summary>
internal sealed class TrustCache(IGrainFactory grains, TimeProvider clock)
{
    /// <summary>Digests of all tenants: a fleet runs some dozens. Devices can name any number of others, and fill no more.</summary>
    public const int ImagesMax = 4096;

    /// <summary>One small call per silo, tenant and period, as for policies.</summary>
    public static readonly TimeSpan RulesLease = TimeSpan.FromSeconds(1);

    /// <summary>An image that is published is a finding no more at the next hello after this.</summary>
    public static readonly TimeSpan UnknownLease = TimeSpan.FromMinutes(1);

    /// <summary>A published image stays published but for a revocation, which is a finding at the next hello after this.</summary>
    public static readonly TimeSpan PublishedLease = TimeSpan.FromMinutes(10);

    private readonly ConcurrentDictionary<TenantId, Task<RulesEntry>> _rules = new();
    private readonly ConcurrentDictionary<(TenantId Tenant, string Digest), ImageEntry> _images = new();

    /// <summary>What a hello that names this digest, or none, is judged by.</summary>
    public async ValueTask<TrustBasis> GetAsync(TenantId tenant, string digest)
    {
        var rules = await GetRulesAsync(tenant);
        return rules.ImageUnknown == TrustAction.Ignore || !ImageDigest.TryParse(digest, out var image)
            ? new TrustBasis(rules, ImageKnowledge.Unspecified)
            : new TrustBasis(rules, await FindImageAsync(tenant, image));
    }

    public async ValueTask<TrustRules> GetRulesAsync(TenantId tenant)
    {
        // Whoever comes while a read is under way waits for it: its lease counts from its start.
        if (_rules.TryGetValue(tenant, out var known) && !known.IsFaulted && !known.IsCanceled)
        {
            var entry = await known;
            if (clock.GetElapsedTime(entry.ReadAt) < RulesLease)
            {
                return entry.Rules;
            }
        }

        var reading = ReadRulesAsync(tenant);
        _rules[tenant] = reading;
        return (await reading).Rules;
    }

    private async ValueTask<ImageKnowledge> FindImageAsync(TenantId tenant, ImageDigest digest)
    {
        var key = (tenant, digest.Value);
        if (_images.TryGetValue(key, out var known)
            && clock.GetElapsedTime(known.ReadAt) < (known.Knowledge == ImageKnowledge.Published ? PublishedLease : UnknownLease))
        {
            return known.Knowledge;
        }

        var readAt = clock.GetTimestamp();
        var refusal = await grains.GetImage(tenant, digest).CheckUseAsync();
        var knowledge = refusal is null ? ImageKnowledge.Published : ImageKnowledge.Unknown;
        if (_images.Count >= ImagesMax)
        {
            // Only devices that name digests at random get here; starting anew costs each digest in use one call.
            _images.Clear();
        }

        _images[key] = new ImageEntry(knowledge, readAt);
        return knowledge;
    }

    private async Task<RulesEntry> ReadRulesAsync(TenantId tenant)
    {
        var readAt = clock.GetTimestamp();
        return new RulesEntry(await grains.GetTrust(tenant).GetRulesAsync(), readAt);
    }

    private sealed record RulesEntry(TrustRules Rules, long ReadAt);

    private sealed record ImageEntry(ImageKnowledge Knowledge, long ReadAt);
}
