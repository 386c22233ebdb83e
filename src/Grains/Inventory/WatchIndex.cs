using System.Runtime.InteropServices;
using Muster.Domain.Inventory;
using Muster.Grains.Inventory.Columns;

namespace Muster.Grains.Inventory;

/// <summary>
/// Watches by a value that their filter asks for, or else by a part that looks at one field: a change looks up its own values, and a
/// thousand watches of other sites cost it no more than one. Watches without either are looked at with every change.
/// </summary>
internal sealed class WatchIndex
{
    private readonly DeviceColumns _columns;
    private readonly int _mapKeys;
    private readonly List<Watch> _others = [];
    private readonly Dictionary<FieldPath, Dictionary<FieldValue, List<Watch>>> _byValue = [];
    private readonly WatchGuards[] _guards;

    public WatchIndex(IEnumerable<Watch> watches, DeviceColumns columns, DateTimeOffset now)
    {
        (_columns, _mapKeys) = (columns, columns.MapKeys);
        var guarded = new Dictionary<FieldPath, List<(Watch, FilterNode)>>();
        foreach (var watch in watches)
        {
            if (watch.Required is { } required)
            {
                AddTo(required, watch);
            }
            else if (watch.Guard is { } guard)
            {
                (CollectionsMarshal.GetValueRefOrAddDefault(guarded, guard.Path, out _) ??= []).Add((watch, guard.Part));
            }
            else
            {
                _others.Add(watch);
            }
        }

        _guards = [.. guarded.Select(group => new WatchGuards(group.Key, group.Value, columns, now))];
    }

    /// <summary>Whether it was made for the columns as they are: void once they got a label or setting, or were built again.</summary>
    public bool IsFor(DeviceColumns columns) => ReferenceEquals(_columns, columns) && _mapKeys == columns.MapKeys;

    public IReadOnlyCollection<Watch> Matching(DeviceColumns columns, int row, DateTimeOffset now)
    {
        List<Watch>? matching = null;
        Add(_others, columns, row, now, ref matching);
        foreach (var guards in _guards)
        {
            guards.Add(columns, row, now, ref matching);
        }

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

    private void AddTo(FieldTest required, Watch watch)
    {
        var values = CollectionsMarshal.GetValueRefOrAddDefault(_byValue, required.Path, out _) ??= [];
        var value = required.IsText ? FieldValue.Of(required.Literal) : FieldValue.Of(required.Number);
        (CollectionsMarshal.GetValueRefOrAddDefault(values, value, out _) ??= []).Add(watch);
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
