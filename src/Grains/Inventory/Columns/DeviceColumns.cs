using System.Runtime.CompilerServices;
using Muster.Domain;
using Muster.Domain.Devices;
using Muster.Domain.Inventory;

namespace Muster.Grains.Inventory.Columns;

/// <summary>
/// The rows of the devices of one tenant and partition, a column for each field (ADR 0006). A million rows as objects would take
/// kilobytes each; and a filter looks at the few columns that it names.
/// </summary>
internal sealed class DeviceColumns
{
    /// <summary>Comparing one row takes some microseconds.</summary>
    private const int RowsBetweenPauses = 256;

    private readonly DeviceFields _fields;
    private readonly TextColumn _name;
    private readonly NameIndex _index;
    private readonly MapColumns _labels;
    private readonly MapColumns _settings;
    private readonly NumberColumn _version = new();
    private PresenceEntry?[] _presence = [];
    private int[] _byName = [];
    private int _sorted;

    public DeviceColumns(ValuePool pool)
    {
        _fields = new DeviceFields(pool);
        _name = _fields.Name;
        _index = new NameIndex(_name);
        _labels = new MapColumns(pool);
        _settings = new MapColumns(pool);
    }

    public int Count { get; private set; }

    /// <summary>Grows when a label or setting comes that no device had: what was compiled without its column is void.</summary>
    public int MapKeys => _labels.Count + _settings.Count;

    /// <summary>-1 when there is no such device.</summary>
    public int Find(string name) => _index.Find(name);

    public long VersionOf(int row) => _version.Get(row);

    public PresenceEntry? PresenceOf(int row) => row < _presence.Length ? _presence[row] : null;

    /// <summary>The rows in the order of their names.</summary>
    public ReadOnlySpan<int> ByName()
    {
        if (_sorted != Count)
        {
            // After a scan all are new, later seldom one.
            var names = new string[Count];
            _byName = new int[Count];
            for (var row = 0; row < Count; row++)
            {
                (names[row], _byName[row]) = (_name.Get(row), row);
            }

            Array.Sort(names, _byName, StringComparer.Ordinal);
            _sorted = Count;
        }

        return _byName;
    }

    /// <summary>The column of a field; null of a key that no device has, and of what presence tells.</summary>
    public TextColumn? Text(FieldPath path) => path.Field.Type == FieldType.Map
        ? (path.Field.Name == "labels" ? _labels : _settings).Find(path.Key)
        : _fields.Texts.GetValueOrDefault(path.Field.Name);

    public NumberColumn? Number(FieldPath path) => _fields.Numbers.GetValueOrDefault(path.Field.Name);

    /// <summary>Takes what a commit left; the number of the row.</summary>
    [MethodImpl(ScanPath.Options)]
    public int Set(DeviceRow row, long version, Func<TenantId, DeviceId, PresenceEntry?> presence)
    {
        var at = _index.Find(row.Name);
        var isNew = at < 0;
        if (isNew)
        {
            at = Count++;
            _name.Set(at, row.Name);
            _index.Add(at);
        }

        _version.Set(at, version);
        _fields.Set(at, row);
        _labels.Set(at, row.Labels.IsDefault ? [] : row.Labels);
        if (row.Settings is { } settings)
        {
            _settings.Set(at, settings);
        }

        if (isNew && DeviceId.TryParse(row.Name, out var device) && presence(row.Tenant, device) is { } known)
        {
            Attach(at, known);
        }

        return at;
    }

    /// <summary>What gateways tell of the row's device; null for nothing.</summary>
    public void Attach(int row, PresenceEntry? presence)
    {
        Growth.Reach(ref _presence, row);
        _presence[row] = presence;
    }

    /// <summary>Gives back room for rows that are not here: after a scan few more will come.</summary>
    public void Trim()
    {
        _fields.Trim();
        _version.Trim();
        _labels.Trim();
        _settings.Trim();
    }

    public string NameOf(int row) => _name.Get(row);

    public DeviceState StateOf(int row) => _fields.StateOf(row);

    public string RolloutOf(int row) => _fields.Rollout.Get(row);

    public bool HasRollout(int row, string rollout) =>
        _fields.Rollout.Read(row, []).SequenceEqual(rollout);

    /// <summary>The row as lists show it: without settings.</summary>
    public DeviceRow Get(TenantId tenant, int row) => _fields.Get(tenant, row, _labels.LabelsOf(row));

    /// <summary>Whether a row is not as in another table.</summary>
    public bool Differs(int row, DeviceColumns before, int other) =>
        VersionOf(row) != before.VersionOf(other) || FindDifference(row, before, other) is not null;

    /// <summary>What is not as in the other, in words; null after every <see cref="RowsBetweenPauses"/> rows.</summary>
    public IEnumerable<string?> DifferencesTo(DeviceColumns fold)
    {
        for (var row = 0; row < Count; row++)
        {
            if (row % RowsBetweenPauses == 0)
            {
                yield return null;
            }

            var other = fold.Find(NameOf(row));
            if (other < 0)
            {
                yield return $"{NameOf(row)} is shown and has no record.";
            }
            else if (VersionOf(row) != fold.VersionOf(other))
            {
                yield return $"{NameOf(row)} is shown at version {VersionOf(row)}, its record is at {fold.VersionOf(other)}.";
            }
            else if (FindDifference(row, fold, other) is { } field)
            {
                yield return $"{NameOf(row)}: {field} is not what its record says.";
            }
        }

        for (var row = 0; row < fold.Count; row++)
        {
            if (Find(fold.NameOf(row)) < 0)
            {
                yield return $"{fold.NameOf(row)} has a record and is not shown.";
            }
        }
    }

    private string? FindDifference(int row, DeviceColumns fold, int other) =>
        _fields.FindDifference(row, fold._fields, other)
        ?? (_labels.IsSame(row, fold._labels, other) ? null : "a label")
        ?? (_settings.IsSame(row, fold._settings, other) ? null : "a setting");
}
