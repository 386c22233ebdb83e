using System.IO.Hashing;
using System.Text;
using Muster.Domain.Devices;
using Muster.Domain.Strategies;

namespace Muster.Domain.Rollouts;

/// <summary>
/// A member's place in the order of a rollout: a keyed stable hash of its id, so that the same devices are not always
/// the canaries; equal hashes are ordered by the id.
/// </summary>
/// <param name="Hash">XXH64 of the id's UTF-8 form under the rollout's seed; never changes.</param>
/// <param name="Device">The member.</param>
/// <param name="Connected">It had a session at the freeze.</param>
[GenerateSerializer, Immutable, Alias("muster.member-point")]
public readonly record struct MemberPoint(
    [property: Id(0)] ulong Hash,
    [property: Id(1)] DeviceId Device,
    [property: Id(2)] bool Connected)
{
    /// <summary>Places a device.</summary>
    public static MemberPoint Of(DeviceId device, long seed, bool connected) =>
        new(XxHash64.HashToUInt64(Encoding.UTF8.GetBytes(device.Value), seed), device, connected);

    /// <summary>The bucket of <see cref="MemberHistogram"/> that it falls into.</summary>
    public int Bucket => (int)(Hash >> (64 - MemberHistogram.BucketBits));

    internal int CompareTo(ulong hash, string device)
    {
        var order = Hash.CompareTo(hash);
        return order != 0 ? order : string.CompareOrdinal(Device.Value, device);
    }
}

/// <summary>
/// How a partition's members spread over the order, by the top bits of their hashes: enough to find the bucket in which
/// a wave ends without a message as large as the fleet.
/// </summary>
/// <param name="Connected">Members with a session at the freeze, by bucket.</param>
/// <param name="Disconnected">Members without one, by bucket.</param>
[GenerateSerializer, Immutable, Alias("muster.member-histogram")]
public sealed record MemberHistogram(
    [property: Id(0)] ImmutableArray<int> Connected,
    [property: Id(1)] ImmutableArray<int> Disconnected)
{
    /// <summary>1,024 buckets: 8 KiB per partition, and a bucket of a million members holds about 1,000.</summary>
    public const int BucketBits = 10;

    public const int Buckets = 1 << BucketBits;

    /// <summary>No members.</summary>
    public static MemberHistogram Empty { get; } = Of([]);

    /// <summary>
    /// Where the members were when they were frozen, by the tenant's site rules; null without rules, and when it is not known (any more).
    /// </summary>
    [Id(85)] public SiteTally? Sites { get; init; }

    /// <summary>All members.</summary>
    public int Total => Connected.Sum() + Disconnected.Sum();

    public static MemberHistogram Of(IEnumerable<MemberPoint> members)
    {
        ArgumentNullException.ThrowIfNull(members);
        var connected = new int[Buckets];
        var disconnected = new int[Buckets];
        foreach (var member in members)
        {
            (member.Connected ? connected : disconnected)[member.Bucket]++;
        }

        return new([.. connected], [.. disconnected]);
    }

    /// <summary>The histogram of both.</summary>
    public MemberHistogram Plus(MemberHistogram other)
    {
        ArgumentNullException.ThrowIfNull(other);
        return new(
            [.. Connected.Zip(other.Connected, (left, right) => left + right)],
            [.. Disconnected.Zip(other.Disconnected, (left, right) => left + right)]);
    }
}

/// <summary>
/// Where a wave ends in the order of the members. A member belongs to the first wave whose cut is not before it (and
/// that takes it, when the wave is for connected devices only).
/// </summary>
/// <param name="UpToHash">Place of the wave's last member; with <paramref name="UpToDevice"/> inclusive.</param>
/// <param name="UpToDevice">Decides between equal hashes.</param>
/// <param name="ConnectedOnly">Takes only members that had a session at the freeze.</param>
/// <param name="Members">How many it takes; 0 for a wave that is empty at the freeze.</param>
/// <param name="PassedOver">Members before its end that it left to later waves because they had no session.</param>
/// <param name="Spec">Index of the listed wave whose gate applies; the implicit last wave has the one of the last listed.</param>
[GenerateSerializer, Immutable, Alias("muster.wave-cut")]
public sealed record WaveCut(
    [property: Id(0)] ulong UpToHash,
    [property: Id(1)] string UpToDevice,
    [property: Id(2)] bool ConnectedOnly,
    [property: Id(3)] int Members,
    [property: Id(4)] int PassedOver,
    [property: Id(5)] int Spec)
{
    /// <summary>The index of the wave that a member belongs to. Every frozen member belongs to exactly one.</summary>
    public static int WaveOf(ImmutableArray<WaveCut> cuts, MemberPoint member)
    {
        for (var i = 0; i < cuts.Length; i++)
        {
            var cut = cuts[i];
            if (cut.Members > 0
                && (member.Connected || !cut.ConnectedOnly)
                && member.CompareTo(cut.UpToHash, cut.UpToDevice) <= 0)
            {
                return i;
            }
        }

        throw new UnreachableException($"No wave takes device '{member.Device}': the last one takes whatever is left.");
    }
}
