using Muster.Contracts.Inventory;
using Muster.Domain.Devices;
using Muster.Domain.Inventory;

namespace Muster.Grains.Tests.Rollouts;

/// <summary>What filters and strata of waves look at.</summary>
internal sealed partial class RolloutFleet
{
    public void Describe(string key, string model, string? ring = null, string? sshEnabled = null)
    {
        lock (_gate)
        {
            var unit = _units[key];
            unit.Model = model;
            unit.Labels = ring is null ? [] : [new DeviceLabel("ring", ring)];
            unit.Settings = sshEnabled is null ? null : [new DeviceSetting("SSH.Enabled", sshEnabled)];
        }
    }

    public void Runs(string key, string osVersion)
    {
        lock (_gate)
        {
            _units[key].OsVersion = osVersion;
        }
    }

    /// <summary>The most devices with the label that were in progress at a time, by its value.</summary>
    public Dictionary<string, int> RingMax { get; } = [];

    private void CountInProgress(Unit unit)
    {
        var inProgress = _units.Values.Count(other => other.Site == unit.Site && other.Change is not null);
        InProgressMax[unit.Site] = Math.Max(InProgressMax.GetValueOrDefault(unit.Site), inProgress);
        CountRing(unit);
    }

    private void CountRing(Unit unit)
    {
        foreach (var label in unit.Labels)
        {
            var busy = _units.Values.Count(other => other.Change is not null && other.Labels.Contains(label));
            RingMax[label.Value] = Math.Max(RingMax.GetValueOrDefault(label.Value), busy);
        }
    }

    public string ModelOf(string key)
    {
        lock (_gate)
        {
            return _units[key].Model;
        }
    }

    /// <summary>As every list is.</summary>
    private static ListedRow WithoutSettings(ListedRow row) => row with { Row = (DeviceRow)row.Row with { Settings = null } };
}
