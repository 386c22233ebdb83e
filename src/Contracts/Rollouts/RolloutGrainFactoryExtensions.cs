using System.Globalization;
using Muster.Domain;

namespace Muster.Contracts.Rollouts;

/// <summary>The only place where a rollout's id becomes a grain key.</summary>
public static class RolloutGrainFactoryExtensions
{
    public static IRolloutGrain GetRollout(this IGrainFactory grains, TenantId tenant, ResourceId rollout)
    {
        ArgumentNullException.ThrowIfNull(grains);
        return grains.GetGrain<IRolloutGrain>(RolloutKey.Of(tenant, rollout));
    }

    public static IRolloutPartitionGrain GetRolloutPartition(
        this IGrainFactory grains, TenantId tenant, ResourceId rollout, int partition)
    {
        ArgumentNullException.ThrowIfNull(grains);
        return grains.GetGrain<IRolloutPartitionGrain>(
            $"{RolloutKey.Of(tenant, rollout)}/{partition.ToString(CultureInfo.InvariantCulture)}");
    }

    public static IRolloutGroupsGrain GetRolloutGroups(this IGrainFactory grains, TenantId tenant, ResourceId rollout, int bucket)
    {
        ArgumentNullException.ThrowIfNull(grains);
        return grains.GetGrain<IRolloutGroupsGrain>($"{RolloutKey.Of(tenant, rollout)}/{bucket.ToString(CultureInfo.InvariantCulture)}");
    }
}

/// <summary>
/// The keys of a rollout: <c>tenant/rollout</c>, of its shares <c>tenant/rollout/partition</c>, of its groups
/// <c>tenant/rollout/bucket</c>, and its fence.
/// </summary>
public static class RolloutKey
{
    public static string Of(TenantId tenant, ResourceId rollout) => $"{tenant}/{rollout}";

    /// <summary>The fence that every offer of the rollout expects at the rollout's epoch.</summary>
    public static string FenceOf(TenantId tenant, ResourceId rollout) => $"rollout/{tenant}/{rollout}";

    /// <summary>The name of the rollout's shares as durable readers, each of its own partition's feed.</summary>
    public static string ReaderOf(TenantId tenant, ResourceId rollout) => $"rollout/{tenant}/{rollout}";

    public static (TenantId Tenant, ResourceId Rollout) Parse(string key)
    {
        ArgumentNullException.ThrowIfNull(key);
        var parts = key.Split('/');
        return parts.Length == 2 && TenantId.TryParse(parts[0], out var tenant) && ResourceId.TryParse(parts[1], out var rollout)
            ? (tenant, rollout)
            : throw new FormatException($"'{key}' is not a key of the form tenant/rollout.");
    }

    public static (TenantId Tenant, ResourceId Rollout, int Partition) ParseShare(string key)
    {
        ArgumentNullException.ThrowIfNull(key);
        var slash = key.LastIndexOf('/');
        var (tenant, rollout) = Parse(slash < 0 ? key : key[..slash]);
        return (tenant, rollout, int.Parse(key.AsSpan(slash + 1), NumberStyles.None, CultureInfo.InvariantCulture));
    }
}
