using System.IO.Hashing;
using System.Text;
using Muster.Domain.Devices;

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
    /// <summary>Null where waves have neither filters nor strata.</summary>
    [Id(80)] public MemberClass? Class { get; init; }

    /// <summary>Places a device.</summary>
    public static MemberPoint Of(DeviceId device, long seed, bool connected)
    {
        // Of ASCII: as many bytes as characters.
        Span<byte> id = stackalloc byte[DeviceId.LengthMax];
        return new(XxHash64.HashToUInt64(id[..Encoding.UTF8.GetBytes(device.Value, id)], seed), device, connected);
    }

    /// <summary>The bucket of <see cref="MemberHistogram"/> that it falls into.</summary>
    public int Bucket => (int)(Hash >> (64 - MemberHistogram.BucketBits));

    internal int CompareTo(ulong hash, string device)
    {
        var order = Hash.CompareTo(hash);
        return order != 0 ? order : string.CompareOrdinal(Device.Value, device);
    }
}

/// <summary>
/// Where a wave ends in the order of the members. A member belongs to the first wave that takes it: its filter matched, it had a session
/// when the wave is for connected devices only, and its place is not behind the cut (of its stratum, where the wave has strata).
/// </summary>
/// <param name="UpToHash">Place of the wave's last member; with <paramref name="UpToDevice"/> inclusive. Not used with strata.</param>
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
    /// <summary>Takes only members that matched the filter of the listed wave <see cref="Spec"/> at the freeze.</summary>
    [Id(80)] public bool IsFiltered { get; init; }

    /// <summary>Which values of a <see cref="MemberClass"/> make its stratum; none in a wave without strata.</summary>
    [Id(81)] public ImmutableArray<int> StratifiedBy { get; init; } = [];

    /// <summary>In the order of their values; those that the wave could have taken something of.</summary>
    [Id(82)] public ImmutableArray<StratumCut> Strata { get; init; } = [];

    /// <summary>
    /// The trailing wave of those that join after the freeze: it takes no frozen member, and <see cref="Members"/> grows until it starts.
    /// </summary>
    [Id(100)] public bool TakesJoiners { get; init; }

    /// <summary>It has an end for each stratum.</summary>
    public bool IsStratified => !StratifiedBy.IsDefaultOrEmpty;

    /// <summary>The index of the wave that a member belongs to. Every frozen member belongs to exactly one.</summary>
    public static int WaveOf(ImmutableArray<WaveCut> cuts, MemberPoint member)
    {
        for (var i = 0; i < cuts.Length; i++)
        {
            if (cuts[i].Reaches(member))
            {
                return i;
            }
        }

        throw new UnreachableException($"No wave takes device '{member.Device}': the last one takes whatever is left.");
    }

    /// <summary>By value: strata included.</summary>
    public bool Equals(WaveCut? other) =>
        other is not null
        && (UpToHash, UpToDevice, ConnectedOnly, Members) == (other.UpToHash, other.UpToDevice, other.ConnectedOnly, other.Members)
        && (PassedOver, Spec, IsFiltered, TakesJoiners) == (other.PassedOver, other.Spec, other.IsFiltered, other.TakesJoiners)
        && StratifiedBy.AsSpan().SequenceEqual(other.StratifiedBy.AsSpan())
        && Strata.AsSpan().SequenceEqual(other.Strata.AsSpan());

    public override int GetHashCode() => HashCode.Combine(UpToHash, UpToDevice, ConnectedOnly, Members, Spec);

    /// <summary>Whether the wave takes the member, if no wave before it does.</summary>
    private bool Reaches(MemberPoint member)
    {
        if (Members == 0 || TakesJoiners || (ConnectedOnly && !member.Connected) || (IsFiltered && member.Class?.Matched(Spec) != true))
        {
            return false;
        }

        return IsStratified
            ? FindStratum(member) is { Members: > 0 } stratum && member.CompareTo(stratum.UpToHash, stratum.UpToDevice) <= 0
            : member.CompareTo(UpToHash, UpToDevice) <= 0;
    }

    private StratumCut? FindStratum(MemberPoint member)
    {
        var (low, high) = (0, Strata.Length - 1);
        while (low <= high && member.Class is { } kind)
        {
            var middle = (low + high) / 2;
            var order = kind.CompareTo(Strata[middle].Values, StratifiedBy);
            if (order == 0)
            {
                return Strata[middle];
            }

            (low, high) = order < 0 ? (low, middle - 1) : (middle + 1, high);
        }

        return null;
    }
}

/// <summary>Where a wave ends among the members of one stratum.</summary>
/// <param name="Values">In the order of the wave's fields; empty text for no value.</param>
/// <param name="UpToHash">Place of the stratum's last member in the wave; with <paramref name="UpToDevice"/> inclusive.</param>
/// <param name="UpToDevice">Decides between equal hashes.</param>
/// <param name="Members">How many of them the wave takes; 0 when it is too small for all strata.</param>
/// <param name="Available">How many there were that it could have taken, at least one.</param>
[GenerateSerializer, Immutable, Alias("muster.stratum-cut")]
public sealed record StratumCut(
    [property: Id(0)] ImmutableArray<string> Values,
    [property: Id(1)] ulong UpToHash,
    [property: Id(2)] string UpToDevice,
    [property: Id(3)] int Members,
    [property: Id(4)] int Available)
{
    /// <summary>
    /// Of all waves of a rollout together. They are in the plan, which is committed whole and goes to every partition several times a
    /// second: 256 make some 16 kB of it. A wave that shows more than so many kinds of devices shows them to nobody.
    /// </summary>
    public const int StrataMax = 256;

    /// <summary>By value.</summary>
    public bool Equals(StratumCut? other) =>
        other is not null
        && (UpToHash, UpToDevice, Members, Available) == (other.UpToHash, other.UpToDevice, other.Members, other.Available)
        && Values.AsSpan().SequenceEqual(other.Values.AsSpan());

    public override int GetHashCode() => HashCode.Combine(UpToHash, UpToDevice, Members, Available);
}
