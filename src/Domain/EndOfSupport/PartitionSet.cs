using System.Numerics;

namespace Muster.Domain.EndOfSupport;

/// <summary>A set of partition numbers below a fixed count: one bit each, 512 bytes at most.</summary>
[GenerateSerializer, Immutable, Alias("muster.partition-set")]
public sealed record PartitionSet
{
    private const int BitsPerWord = 64;

    private PartitionSet(int count, ImmutableArray<ulong> words)
    {
        Count = count;
        Words = words;
    }

    /// <summary>How many partitions there are.</summary>
    [Id(0)] public int Count { get; private init; }

    [Id(1)] private ImmutableArray<ulong> Words { get; init; }

    public bool IsFull => FirstMissing() is null;

    public int Members => Words.Sum(BitOperations.PopCount);

    public static PartitionSet Empty(int count)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        return new PartitionSet(count, [.. new ulong[(count + BitsPerWord - 1) / BitsPerWord]]);
    }

    public bool Contains(int partition) => (Words[partition / BitsPerWord] & (1UL << (partition % BitsPerWord))) != 0;

    public PartitionSet With(int partition)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(partition);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(partition, Count);
        var word = partition / BitsPerWord;
        return new PartitionSet(Count, Words.SetItem(word, Words[word] | (1UL << (partition % BitsPerWord))));
    }

    /// <summary>The lowest partition that is not a member; null when all are.</summary>
    public int? FirstMissing()
    {
        for (var word = 0; word < Words.Length; word++)
        {
            var partition = (word * BitsPerWord) + BitOperations.TrailingZeroCount(~Words[word]);
            if (Words[word] != ulong.MaxValue)
            {
                return partition < Count ? partition : null;
            }
        }

        return null;
    }
}
