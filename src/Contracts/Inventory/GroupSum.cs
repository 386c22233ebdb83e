using System.Runtime.InteropServices;

namespace Muster.Contracts.Inventory;

/// <summary>Adds up tables of groups: each text is looked at once for each table, and not once for each group.</summary>
public static class GroupSum
{
    /// <summary>Up to here the sums stand in one array of 8 MiB at most, beyond it in a dictionary.</summary>
    private const int DenseMax = 1 << 20;

    private const int FieldsMax = 3;

    /// <summary>The groups of all tables, each once, in no order. The tables are of the same fields.</summary>
    public static IEnumerable<RowGroup> Of(IReadOnlyCollection<GroupCells> parts)
    {
        ArgumentNullException.ThrowIfNull(parts);
        var fields = parts.Count == 0 ? 0 : parts.Max(part => part.Values.Length);
        if (fields == 0)
        {
            return [];
        }

        var values = Enumerable.Range(0, fields).Select(_ => new List<string>()).ToArray();
        var places = Number(parts, values);
        var cells = values.Aggregate(1L, (product, field) => Math.Min(product * Math.Max(1, field.Count), DenseMax + 1L));
        return cells <= DenseMax ? SumDense(parts, places, values, (int)cells) : SumSparse(parts, places, values);
    }

    /// <summary>Gives every different value of a field one number; by table, field and place in the table.</summary>
    private static int[][][] Number(IReadOnlyCollection<GroupCells> parts, List<string>[] values)
    {
        var known = values.Select(_ => new Dictionary<string, int>(StringComparer.Ordinal)).ToArray();
        return [.. parts.Select(part => part.Values.Select((texts, field) => texts.Select(NumberOf(field)).ToArray()).ToArray())];

        Func<string, int> NumberOf(int field) => text =>
        {
            ref var number = ref CollectionsMarshal.GetValueRefOrAddDefault(known[field], text, out var isKnown);
            if (!isKnown)
            {
                number = values[field].Count;
                values[field].Add(text);
            }

            return number;
        };
    }

    private static IEnumerable<RowGroup> SumDense(
        IReadOnlyCollection<GroupCells> parts, int[][][] places, List<string>[] values, int cells)
    {
        var sums = new long[cells];
        foreach (var (part, numbers) in parts.Zip(places))
        {
            var at = 0;
            foreach (var count in part.Counts)
            {
                var cell = 0;
                for (var field = 0; field < numbers.Length; field++)
                {
                    cell = (cell * values[field].Count) + numbers[field][part.Places[at++]];
                }

                sums[cell] += count;
            }
        }

        for (var cell = 0; cell < cells; cell++)
        {
            if (sums[cell] > 0)
            {
                yield return RowGroup.Of(ValuesOf(cell, values), sums[cell]);
            }
        }
    }

    private static ImmutableArray<string> ValuesOf(int cell, List<string>[] values)
    {
        var texts = new string[values.Length];
        for (var field = texts.Length - 1; field >= 0; field--)
        {
            texts[field] = values[field][cell % values[field].Count];
            cell /= values[field].Count;
        }

        return ImmutableCollectionsMarshal.AsImmutableArray(texts);
    }

    private static IEnumerable<RowGroup> SumSparse(IReadOnlyCollection<GroupCells> parts, int[][][] places, List<string>[] values)
    {
        var sums = new Dictionary<(int, int, int), long>();
        Span<int> key = stackalloc int[FieldsMax];
        foreach (var (part, numbers) in parts.Zip(places))
        {
            var at = 0;
            foreach (var count in part.Counts)
            {
                key.Clear();
                for (var field = 0; field < numbers.Length; field++)
                {
                    key[field] = numbers[field][part.Places[at++]];
                }

                CollectionsMarshal.GetValueRefOrAddDefault(sums, (key[0], key[1], key[2]), out _) += count;
            }
        }

        return sums.Select(sum => RowGroup.Of(
            [.. new[] { sum.Key.Item1, sum.Key.Item2, sum.Key.Item3 }.Take(values.Length).Select((place, field) => values[field][place])],
            sum.Value));
    }
}
