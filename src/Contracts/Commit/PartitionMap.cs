using System.Globalization;
using System.IO.Hashing;
using System.Numerics;
using System.Text;

namespace Muster.Contracts.Commit;

/// <summary>
/// Which partition a record lives in. Whatever is keyed by a device lives in the device's partition, a rollout's share in
/// the partition that it serves, its groups of members in the partition of their bucket, everything else in the hash of its kind and key.
/// The hash is XXH64 over UTF-8 with seed 0 and never changes: it is part of the storage layout.
/// </summary>
public sealed class PartitionMap
{
    /// <summary>Fewer would leave the feed a bottleneck.</summary>
    public const int CountMin = 16;

    /// <summary>More would cost idle polls without spreading anything further.</summary>
    public const int CountMax = 4096;

    /// <summary>Enough for a million devices at about 4,000 each.</summary>
    public const int CountDefault = 256;

    public PartitionMap(int count)
    {
        if (count is < CountMin or > CountMax || !BitOperations.IsPow2(count))
        {
            throw new ArgumentOutOfRangeException(
                nameof(count), count, $"The number of partitions is a power of two from {CountMin} to {CountMax}.");
        }

        Count = count;
    }

    public int Count { get; }

    /// <summary>The partition of a device: <paramref name="deviceKey"/> is <c>tenant/device</c>.</summary>
    public int OfDevice(string deviceKey) => Hash(deviceKey);

    /// <summary>The bucket of a group of members of a rollout; there are as many as partitions.</summary>
    public int OfGroup(string group) => Hash(group);

    /// <summary>The partition of any stored record.</summary>
    public int Of(RecordKey record) => record.Kind switch
    {
        GrainTypes.Device or GrainTypes.Warranty or GrainTypes.Decommission or GrainTypes.Enrollment => Hash(record.Key),
        GrainTypes.RolloutPartition or GrainTypes.RolloutGroups => PartitionSegment(record.Key),
        _ => Hash(record.ToString()),
    };

    private int PartitionSegment(string key)
    {
        var slash = key.LastIndexOf('/');
        return int.TryParse(key.AsSpan(slash + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var partition)
            && partition < Count
            ? partition
            : throw new FormatException($"'{key}' does not end with a partition below {Count}.");
    }

    private int Hash(string key)
    {
        // Keys of tenant and device are far shorter; a longer one costs an array.
        Span<byte> text = stackalloc byte[256];
        var hash = Encoding.UTF8.TryGetBytes(key, text, out var length)
            ? XxHash64.HashToUInt64(text[..length])
            : XxHash64.HashToUInt64(Encoding.UTF8.GetBytes(key));
        return (int)(hash & (uint)(Count - 1));
    }
}
