using System.Runtime.CompilerServices;
using System.Text;
using Muster.Domain.Devices;

namespace Muster.Grains.Inventory.Columns;

/// <summary>Text by row and key: a column for each key that any row has.</summary>
internal sealed class MapColumns(ValuePool pool)
{
    /// <summary>
    /// Keys of one map in one partition. Far above what devices of all vendors report together; beyond it a new key is kept by its
    /// record alone and not found by filters.
    /// </summary>
    public const int KeysMax = 4_096;

    private readonly Dictionary<string, KeyColumn> _columns = new(StringComparer.Ordinal);

    /// <summary>In the order in which the keys came: devices of a kind report their settings in one order.</summary>
    private readonly List<KeyColumn> _order = [];

    /// <summary>Sorted again after a key came.</summary>
    private KeyColumn[] _byKey = [];

    /// <summary>Grows when a key comes that no row had.</summary>
    public int Count => _columns.Count;

    public TextColumn? Find(string key) => _columns.GetValueOrDefault(key)?.Column;

    /// <summary>The row has these values and no others.</summary>
    [MethodImpl(ScanPath.Options)]
    public void Set(int row, SettingSet settings)
    {
        var (named, next) = (0, 0);
        foreach (var setting in settings.AsSpans())
        {
            // Mostly the key that is expected here: then it need not become text.
            if (next >= _order.Count || !setting.Name.SequenceEqual(_order[next].Utf8))
            {
                next = PlaceOf(Encoding.UTF8.GetString(setting.Name));
            }

            if (Take(ref next) is { } entry)
            {
                entry.Column.Set(row, setting.Value);
                named += entry.MarkNamed();
            }
        }

        EmptyOthers(row, named);
    }

    /// <summary>The row has these values and no others.</summary>
    [MethodImpl(ScanPath.Options)]
    public void Set(int row, ImmutableArray<DeviceLabel> labels)
    {
        var (named, next) = (0, 0);
        foreach (var (name, value) in labels)
        {
            if (next >= _order.Count || name != _order[next].Key)
            {
                next = PlaceOf(name);
            }

            if (Take(ref next) is { } entry)
            {
                entry.Column.Set(row, value);
                named += entry.MarkNamed();
            }
        }

        EmptyOthers(row, named);
    }

    /// <summary>Gives back room for rows that are not here.</summary>
    public void Trim() => _order.ForEach(entry => entry.Column.Trim());

    /// <summary>Whether a row has what one of another table has.</summary>
    public bool IsSame(int row, MapColumns others, int other)
    {
        var values = 0;
        foreach (var entry in _order)
        {
            var value = entry.Column.Get(row);
            if (value.Length > 0)
            {
                values++;
                if (others.Find(entry.Key)?.Get(other) != value)
                {
                    return false;
                }
            }
        }

        return values == others._order.Count(entry => entry.Column.Get(other).Length > 0);
    }

    /// <summary>What the row has, in the order of the keys.</summary>
    public ImmutableArray<DeviceLabel> LabelsOf(int row)
    {
        var labels = ImmutableArray.CreateBuilder<DeviceLabel>(_order.Count);
        foreach (var entry in ByKey())
        {
            if (entry.Column.Get(row) is { Length: > 0 } value)
            {
                labels.Add(new DeviceLabel(entry.Key, value));
            }
        }

        return labels.DrainToImmutable();
    }

    private KeyColumn[] ByKey()
    {
        if (_byKey.Length != _order.Count)
        {
            _byKey = [.. _order.OrderBy(entry => entry.Key, StringComparer.Ordinal)];
        }

        return _byKey;
    }

    /// <summary>The column to set, null beyond the limit. The next key is looked for behind this one first.</summary>
    [MethodImpl(ScanPath.Options)]
    private KeyColumn? Take(ref int next)
    {
        if (next < 0)
        {
            next = 0;
            return null;
        }

        return _order[next++];
    }

    private int PlaceOf(ReadOnlySpan<char> key)
    {
        if (_columns.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(key, out var known))
        {
            return known.Place;
        }

        if (_columns.Count == KeysMax)
        {
            return -1;
        }

        var entry = new KeyColumn(pool.Share(key), _order.Count, new TextColumn(pool));
        _columns[entry.Key] = entry;
        _order.Add(entry);
        return entry.Place;
    }

    [MethodImpl(ScanPath.Options)]
    private void EmptyOthers(int row, int named)
    {
        foreach (var entry in _order)
        {
            if (named < _order.Count && !entry.IsNamed)
            {
                entry.Column.Set(row, "");
            }

            entry.IsNamed = false;
        }
    }

    private sealed class KeyColumn(string key, int place, TextColumn column)
    {
        public string Key => key;

        public byte[] Utf8 { get; } = Encoding.UTF8.GetBytes(key);

        public int Place => place;

        public TextColumn Column => column;

        /// <summary>While the values of a row are being set: whether it has this key.</summary>
        public bool IsNamed { get; set; }

        /// <summary>The row has this key; one when that is new.</summary>
        [MethodImpl(ScanPath.Options)]
        public int MarkNamed()
        {
            var isFirst = !IsNamed;
            IsNamed = true;
            return isFirst ? 1 : 0;
        }
    }
}
