namespace Muster.Grains.Inventory.Columns;

/// <summary>Text by row and key: a column for each key that any row has.</summary>
internal sealed class MapColumns(ValuePool pool)
{
    /// <summary>
    /// Keys of one map in one partition. Far above what devices of all vendors report together; beyond it a new key is kept by its
    /// record alone and not found by filters.
    /// </summary>
    public const int KeysMax = 4_096;

    private readonly Dictionary<string, TextColumn> _columns = new(StringComparer.Ordinal);

    /// <summary>Keys that a row was not given lately, to be emptied by the next value.</summary>
    private readonly HashSet<string> _named = new(StringComparer.Ordinal);

    /// <summary>Grows when a key comes that no row had.</summary>
    public int Count => _columns.Count;

    public TextColumn? Find(string key) => _columns.GetValueOrDefault(key);

    /// <summary>The row has these values and no others.</summary>
    public void Set(int row, IEnumerable<(string Key, string Value)> values)
    {
        _named.Clear();
        foreach (var (key, value) in values)
        {
            if (!_columns.TryGetValue(key, out var column))
            {
                if (_columns.Count == KeysMax)
                {
                    continue;
                }

                _columns[pool.Share(key)] = column = new TextColumn(pool);
            }

            column.Set(row, value);
            _named.Add(key);
        }

        if (_named.Count == _columns.Count)
        {
            return;
        }

        foreach (var (key, column) in _columns)
        {
            if (!_named.Contains(key))
            {
                column.Set(row, "");
            }
        }
    }

    /// <summary>What the row has, in the order of the keys.</summary>
    public IEnumerable<(string Key, string Value)> Of(int row) => _columns
        .Select(column => (column.Key, Value: column.Value.Get(row)))
        .Where(entry => entry.Value.Length > 0)
        .OrderBy(entry => entry.Key, StringComparer.Ordinal);
}
