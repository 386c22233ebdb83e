namespace Muster.Domain.Rollouts;

/// <summary>A place in the order of the members.</summary>
internal readonly record struct MemberMark(ulong Hash, string Device)
{
    /// <summary>Above every place: no device id sorts after it.</summary>
    public static MemberMark Last { get; } = new(ulong.MaxValue, "\uffff");

    public int Bucket => (int)(Hash >> (64 - MemberHistogram.BucketBits));

    public bool IsBefore(MemberMark other) =>
        Hash < other.Hash || (Hash == other.Hash && string.CompareOrdinal(Device, other.Device) < 0);
}

/// <summary>
/// The members of one class that had a session at the freeze, or had none: whatever the waves before have left of them, which is from a
/// place on.
/// </summary>
internal sealed class MemberPile(MemberPlaces places, int kind, bool connected)
{
    private readonly BucketCounts _all = connected ? places.Classes[kind].Connected : places.Classes[kind].Disconnected;
    private MemberMark? _from;

    public MemberClass? Class => places.Classes[kind].Class;

    public bool Connected => connected;

    /// <summary>How many are left.</summary>
    public int Left => Enumerable.Range(0, _all.Buckets.Length).Sum(Count);

    /// <summary>Adds how many are left by bucket.</summary>
    public void AddTo(int[] counts)
    {
        for (var i = 0; i < _all.Buckets.Length; i++)
        {
            counts[_all.Buckets[i]] += Count(i);
        }
    }

    public bool Knows(int bucket) => places.Knows(bucket, kind);

    public IEnumerable<MemberPoint> LeftIn(int bucket) =>
        places.In(bucket, kind).Where(member => member.Connected == connected
            && (_from is not { } from || member.CompareTo(from.Hash, from.Device) > 0));

    /// <summary>How many are left up to the end of a wave, in whose bucket the places are known.</summary>
    public int CountUpTo(MemberMark end)
    {
        var count = 0;
        for (var i = 0; i < _all.Buckets.Length && _all.Buckets[i] <= end.Bucket; i++)
        {
            // When the wave took all that it could, its end is above every place and the last bucket counts whole.
            count += _all.Buckets[i] < end.Bucket || end == MemberMark.Last
                ? Count(i)
                : LeftIn(end.Bucket).Count(member => member.CompareTo(end.Hash, end.Device) <= 0);
        }

        return count;
    }

    /// <summary>A wave takes all that are left up to its end.</summary>
    public void Take(MemberMark end) => _from = _from is { } from && end.IsBefore(from) ? from : end;

    /// <summary>How many are left in a bucket that is used. Its places are known wherever a wave ended in it.</summary>
    private int Count(int used)
    {
        var bucket = _all.Buckets[used];
        if (_from is not { } from || bucket > from.Bucket)
        {
            return _all.Counts[used];
        }

        return bucket < from.Bucket || from == MemberMark.Last ? 0 : LeftIn(bucket).Count();
    }
}
