using System.Collections.Concurrent;

namespace Muster.Grains.Devices;

/// <summary>One copy of each value that many grains of a silo hold.</summary>
/// <param name="comparer">Of values that do not compare by all they hold themselves.</param>
internal sealed class SharedValues<T>(IEqualityComparer<T>? comparer = null)
    where T : notnull
{
    /// <summary>A fleet has thousands of any kind that is worth sharing; what comes later is kept by each grain itself.</summary>
    public const int ValuesMax = 100_000;

    private readonly ConcurrentDictionary<T, T> _values = new(comparer);
    private int _count;

    public T Share(T value)
    {
        if (_values.TryGetValue(value, out var shared))
        {
            return shared;
        }

        // Counted here: the dictionary's own count locks all of it.
        if (Volatile.Read(ref _count) < ValuesMax && _values.TryAdd(value, value))
        {
            Interlocked.Increment(ref _count);
        }

        return value;
    }
}
