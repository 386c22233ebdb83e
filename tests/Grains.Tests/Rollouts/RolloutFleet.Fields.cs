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
