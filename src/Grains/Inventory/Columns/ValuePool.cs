using System.Collections.Concurrent;
using System.Runtime.CompilerServices;

namespace Muster.Grains.Inventory.Columns;

/// <summary>
/// One copy of each text that many rows share, for all partitions of a silo: a model is named by a thousand devices in each of 256
/// partitions.
/// </summary>
internal sealed class ValuePool
{
    /// <summary>Models, sites, versions, settings and their values; what comes later is kept by each partition itself.</summary>
    public const int ValuesMax = 200_000;

    /// <summary>Longer texts are seldom shared.</summary>
    public const int LengthMax = 100;

    private readonly ConcurrentDictionary<string, string> _values = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, string>.AlternateLookup<ReadOnlySpan<char>> _byText;
    private int _count;

    public ValuePool() => _byText = _values.GetAlternateLookup<ReadOnlySpan<char>>();

    [MethodImpl(ScanPath.Options)]
    public string Share(ReadOnlySpan<char> text)
    {
        if (text.Length > LengthMax)
        {
            return text.ToString();
        }

        if (_byText.TryGetValue(text, out var shared))
        {
            return shared;
        }

        var value = text.ToString();

        // Counted here: the dictionary's own count locks all of it.
        if (Volatile.Read(ref _count) < ValuesMax && _values.TryAdd(value, value))
        {
            Interlocked.Increment(ref _count);
        }

        return value;
    }
}
