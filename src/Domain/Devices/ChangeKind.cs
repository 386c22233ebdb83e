namespace Muster.Domain.Devices;

/// <summary>What a change of a device consists of: a closed set (design.md D6).</summary>
public enum ChangeKind
{
    /// <summary>An OS image, which takes a reboot. What every change was before there was a choice.</summary>
    OsImage = 0,

    /// <summary>Values of settings, which take none.</summary>
    Settings = 1,
}
