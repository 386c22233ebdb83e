using Muster.Domain.Devices;

namespace Muster.Grains.Tests.Rollouts;

/// <summary>Devices that begin to install.</summary>
internal sealed partial class RolloutFleet
{
    /// <summary>The device reports for the first time that it installs.</summary>
    public void Install(string key, InstallStart start)
    {
        lock (_gate)
        {
            var unit = _units[key];
            var fact = new ChangeProgressed(unit.Change!.Value, unit.Generation, ChangeStep.Installing)
            {
                Retry = unit.Retry,
                Install = start,
            };
            Append(key, fact, []);
        }
    }
}
