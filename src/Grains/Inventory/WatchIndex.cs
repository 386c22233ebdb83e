using Muster.Domain.Inventory;
using Muster.Grains.Inventory.Columns;

namespace Muster.Grains.Inventory;

/// <summary>
/// Watches by a value that their filter asks for: a change looks up its own values, and a thousand watches of other sites cost it no more
/// than one. Watches whose filter asks for no value are looked at with every change.
/// </summary>
internal sealed class WatchIndex
{
    private readonly List<Watch> _others = [];
    private readonly Dictionary<FieldPath, Dictionary<FieldValue, List<Watch>>> _byValue = [];

    public WatchIndex(IEnumerable<Watch> watches)
    {
        foreach (var watch in watches)
        {
            if (watch.Filter.FindRequired() is not { } required)
            {
                _others.Add(watch);
                continue;
            }

            if (!_byValue.TryGetValue(required.Path, out var values))
            {
                _byValue[required.Path] = values = [];
            }

            var value = required.IsText ? FieldValue.Of(required.Literal) : FieldValue.Of(required.Number);
            if (!values.TryGetValue(value, out var list))
            {
                values[value] = list = [];
            }

            list.Add(watch);
        }
    }

    public IReadOnlyCollection<Watch> Matching(DeviceColumns columns, int row, DateTimeOffset now)
    {
        List<Watch>? matching = null;
        Add(_others, columns, row, now, ref matching);
        foreach (var (path, values) in _byValue)
        {
            var value = columns.Text(path) is { } text
                ? FieldValue.Of(text.Get(row))
                : columns.Number(path) is { } number ? FieldValue.Of(number.Get(row)) : FieldValue.None;
            if (values.TryGetValue(value, out var list))
            {
                Add(list, columns, row, now, ref matching);
            }
        }

        return matching ?? (IReadOnlyCollection<Watch>)[];
    }

    private static void Add(List<Watch> watches, DeviceColumns columns, int row, DateTimeOffset now, ref List<Watch>? matching)
    {
        foreach (var watch in watches)
        {
            if (watch.Takes(columns, row, now))
            {
                (matching ??= []).Add(watch);
            }
        }
    }
}
