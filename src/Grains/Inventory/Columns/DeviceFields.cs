using System.Runtime.CompilerServices;
using Muster.Domain.Devices;
using Muster.Domain.Inventory;
using Muster.Domain.Policies;
using Muster.Domain.Trust;

namespace Muster.Grains.Inventory.Columns;

/// <summary>A column for each field of a device but for its labels, its settings, and what presence tells.</summary>
internal sealed class DeviceFields
{
    private readonly ValuePool _pool;
    private readonly Dictionary<string, TextColumn> _texts = new(StringComparer.Ordinal);
    private readonly Dictionary<string, NumberColumn> _numbers = new(StringComparer.Ordinal);
    private readonly TextColumn _model, _site, _track, _osVersion, _osFloor, _imageDigest, _bootId, _lastRollout, _certificate;
    private readonly TextColumn _findings, _alarms;
    private readonly NumberColumn _state, _stateChangedAt, _createdAt, _secureBoot, _compliance, _rulesKept, _rulesBroken, _generation;
    private readonly NumberColumn _reachedGeneration, _changeStep, _lastOutcome, _installs, _certificateNotAfter, _suspicion, _alarmAt;

    public DeviceFields(ValuePool pool)
    {
        _pool = pool;
        Name = AddText("name", isOwn: true);
        (_model, _site, _track) = (AddText("model"), AddText("site"), AddText("track"));
        (_osVersion, _osFloor, _imageDigest) = (AddText("os_version"), AddText("os_floor"), AddText("image_digest"));
        (_bootId, Rollout, _lastRollout) = (AddText("boot_id", isOwn: true), AddText("rollout"), AddText("last_rollout"));
        _certificate = AddText("certificate_sha256", isOwn: true);
        (_state, _stateChangedAt, _createdAt) = (AddNumber("state"), AddNumber("state_changed_at"), AddNumber("created_at"));
        (_secureBoot, _compliance) = (AddNumber("secure_boot"), AddNumber("compliance"));
        (_rulesKept, _rulesBroken) = (AddNumber("rules_kept"), AddNumber("rules_broken"));
        (_generation, _reachedGeneration) = (AddNumber("desired_generation"), AddNumber("reached_generation"));
        (_changeStep, _lastOutcome, _installs) = (AddNumber("change_step"), AddNumber("last_outcome"), AddNumber("installs"));
        _certificateNotAfter = AddNumber("certificate_not_after");
        (_findings, _suspicion) = (AddText("findings"), AddNumber("suspicion"));
        (_alarms, _alarmAt) = (AddText("alarms"), AddNumber("alarm_at"));
    }

    public TextColumn Name { get; }

    public TextColumn Rollout { get; }

    /// <summary>By the names of <see cref="InventoryFields.Device"/>.</summary>
    public IReadOnlyDictionary<string, TextColumn> Texts => _texts;

    /// <summary>By the names of <see cref="InventoryFields.Device"/>.</summary>
    public IReadOnlyDictionary<string, NumberColumn> Numbers => _numbers;

    /// <summary>All but the name, which a row never changes.</summary>
    [MethodImpl(ScanPath.Options)]
    public void Set(int at, DeviceRow row)
    {
        _model.Set(at, row.Model);
        _site.Set(at, row.Site);
        _track.Set(at, row.Track);
        _osVersion.Set(at, row.OsVersion);
        _osFloor.Set(at, row.OsFloor);
        _imageDigest.Set(at, row.ImageDigest);
        _bootId.Set(at, row.BootId);
        Rollout.Set(at, row.Rollout);
        _lastRollout.Set(at, row.LastRollout);
        _certificate.Set(at, row.CertificateSha256);
        _state.Set(at, (long)row.State);
        _stateChangedAt.Set(at, FieldValue.Of(row.StateChangedAt).Number);
        _createdAt.Set(at, FieldValue.Of(row.CreatedAt).Number);
        _secureBoot.Set(at, row.SecureBoot ? 1 : 0);
        _compliance.Set(at, (long)row.Compliance);
        _rulesKept.Set(at, row.RulesKept);
        _rulesBroken.Set(at, row.RulesBroken);
        _generation.Set(at, row.Generation);
        _reachedGeneration.Set(at, row.ReachedGeneration);
        _changeStep.Set(at, (long)row.ChangeStep);
        _lastOutcome.Set(at, (long)row.LastOutcome);
        _installs.Set(at, row.Installs);
        _certificateNotAfter.Set(at, FieldValue.Of(row.CertificateNotAfter).Number);
        _findings.Set(at, row.Findings);
        _suspicion.Set(at, (long)row.Suspicion);
        _alarms.Set(at, row.Alarms);
        _alarmAt.Set(at, FieldValue.Of(row.AlarmAt).Number);
    }

    public DeviceState StateOf(int row) => (DeviceState)_state.Get(row);

    /// <summary>The row as lists show it, without settings.</summary>
    public DeviceRow Get(Domain.TenantId tenant, int row, ImmutableArray<DeviceLabel> labels) => new()
    {
        Tenant = tenant,
        Name = Name.Get(row),
        State = StateOf(row),
        StateChangedAt = TimeOf(_stateChangedAt, row) ?? default,
        CreatedAt = TimeOf(_createdAt, row) ?? default,
        Model = _model.Get(row),
        Site = _site.Get(row),
        Track = _track.Get(row),
        OsVersion = _osVersion.Get(row),
        OsFloor = _osFloor.Get(row),
        ImageDigest = _imageDigest.Get(row),
        BootId = _bootId.Get(row),
        SecureBoot = _secureBoot.Get(row) == 1,
        Compliance = (ComplianceState)_compliance.Get(row),
        RulesKept = (int)_rulesKept.Get(row),
        RulesBroken = (int)_rulesBroken.Get(row),
        Generation = _generation.Get(row),
        ReachedGeneration = _reachedGeneration.Get(row),
        Rollout = Rollout.Get(row),
        ChangeStep = (ChangeStep)_changeStep.Get(row),
        LastRollout = _lastRollout.Get(row),
        LastOutcome = (ChangeOutcome)_lastOutcome.Get(row),
        Installs = (int)_installs.Get(row),
        CertificateSha256 = _certificate.Get(row),
        CertificateNotAfter = TimeOf(_certificateNotAfter, row),
        Findings = _findings.Get(row),
        Suspicion = (SuspicionState)_suspicion.Get(row),
        Alarms = _alarms.Get(row),
        AlarmAt = TimeOf(_alarmAt, row),
        Labels = labels,
    };

    /// <summary>The first field in which a row differs from one of another table; null for none.</summary>
    public string? FindDifference(int row, DeviceFields fold, int other) =>
        _texts.Keys.FirstOrDefault(field => _texts[field].Get(row) != fold._texts[field].Get(other))
        ?? _numbers.Keys.FirstOrDefault(field => _numbers[field].Get(row) != fold._numbers[field].Get(other));

    /// <summary>Gives back room for rows that are not here.</summary>
    public void Trim()
    {
        foreach (var column in _texts.Values)
        {
            column.Trim();
        }

        foreach (var column in _numbers.Values)
        {
            column.Trim();
        }
    }

    private static DateTimeOffset? TimeOf(NumberColumn column, int row) =>
        column.Get(row) is var at && at != FieldValue.NoNumber ? DateTimeOffset.FromUnixTimeMilliseconds(at) : null;

    private TextColumn AddText(string field, bool isOwn = false) => _texts[field] = new TextColumn(_pool, isOwn);

    private NumberColumn AddNumber(string field) => _numbers[field] = new NumberColumn();
}
