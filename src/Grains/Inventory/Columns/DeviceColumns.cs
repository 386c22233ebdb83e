using Muster.Domain;
using Muster.Domain.Devices;
using Muster.Domain.Inventory;
using Muster.Domain.Policies;

namespace Muster.Grains.Inventory.Columns;

/// <summary>
/// The rows of the devices of one tenant and partition, a column for each field (ADR 0006). A million rows as objects would take
/// kilobytes each; and a filter looks at the few columns that it names.
/// </summary>
internal sealed class DeviceColumns
{
    private readonly ValuePool _pool;
    private readonly Dictionary<string, TextColumn> _texts;
    private readonly Dictionary<string, NumberColumn> _numbers;
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
        _pool = pool;
        _texts = InventoryFields.Device
            .Where(field => field.Type is FieldType.Text or FieldType.Version)
            .ToDictionary(field => field.Name, _ => new TextColumn(pool), StringComparer.Ordinal);
        _numbers = InventoryFields.Device
            .Where(field => field.Type is not (FieldType.Text or FieldType.Version or FieldType.Map))
            .Where(field => !InventoryFields.IsPresence(field.Name))
            .ToDictionary(field => field.Name, _ => new NumberColumn(), StringComparer.Ordinal);
        _name = _texts["name"];
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
        : _texts.GetValueOrDefault(path.Field.Name);

    public NumberColumn? Number(FieldPath path) => _numbers.GetValueOrDefault(path.Field.Name);

    /// <summary>Takes what a commit left; the number of the row.</summary>
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
        foreach (var (name, column) in _texts)
        {
            if (!ReferenceEquals(column, _name))
            {
                column.Set(at, row.Field(name, "").Text);
            }
        }

        foreach (var (name, column) in _numbers)
        {
            column.Set(at, row.Field(name, "").Number);
        }

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

    /// <summary>What gateways tell of the row's device.</summary>
    public void Attach(int row, PresenceEntry presence)
    {
        Growth.Reach(ref _presence, row);
        _presence[row] = presence;
    }

    /// <summary>Gives back room for rows that are not here: after a scan few more will come.</summary>
    public void Trim()
    {
        foreach (var column in _texts.Values)
        {
            column.Trim();
        }

        foreach (var column in _numbers.Values.Append(_version))
        {
            column.Trim();
        }

        _labels.Trim();
        _settings.Trim();
    }

    public string NameOf(int row) => _name.Get(row);

    /// <summary>The row as lists show it: without settings.</summary>
    public DeviceRow Get(TenantId tenant, int row) => new()
    {
        Tenant = tenant,
        Name = _name.Get(row),
        State = (DeviceState)Number("state", row),
        StateChangedAt = Time("state_changed_at", row) ?? default,
        CreatedAt = Time("created_at", row) ?? default,
        Model = Text("model", row),
        Site = Text("site", row),
        Track = Text("track", row),
        OsVersion = Text("os_version", row),
        OsFloor = Text("os_floor", row),
        ImageDigest = Text("image_digest", row),
        BootId = Text("boot_id", row),
        SecureBoot = Number("secure_boot", row) == 1,
        Compliance = (ComplianceState)Number("compliance", row),
        RulesKept = (int)Number("rules_kept", row),
        RulesBroken = (int)Number("rules_broken", row),
        Generation = Number("desired_generation", row),
        ReachedGeneration = Number("reached_generation", row),
        Rollout = Text("rollout", row),
        ChangeStep = (ChangeStep)Number("change_step", row),
        LastRollout = Text("last_rollout", row),
        LastOutcome = (ChangeOutcome)Number("last_outcome", row),
        Installs = (int)Number("installs", row),
        CertificateSha256 = Text("certificate_sha256", row),
        CertificateNotAfter = Time("certificate_not_after", row),
        Labels = [.. _labels.Of(row).Select(label => new DeviceLabel(_pool.Share(label.Key), label.Value))],
    };

    /// <summary>What is not as in the other, in words.</summary>
    public IEnumerable<string> DifferencesTo(DeviceColumns fold)
    {
        for (var row = 0; row < Count; row++)
        {
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
        _texts.Keys.FirstOrDefault(field => Text(field, row) != fold.Text(field, other))
        ?? _numbers.Keys.FirstOrDefault(field => Number(field, row) != fold.Number(field, other))
        ?? (_labels.Of(row).SequenceEqual(fold._labels.Of(other)) ? null : "a label")
        ?? (_settings.Of(row).SequenceEqual(fold._settings.Of(other)) ? null : "a setting");

    private string Text(string field, int row) => _texts[field].Get(row);

    private long Number(string field, int row) => _numbers[field].Get(row);

    private DateTimeOffset? Time(string field, int row) =>
        Number(field, row) is var at && at != FieldValue.NoNumber ? DateTimeOffset.FromUnixTimeMilliseconds(at) : null;
}
