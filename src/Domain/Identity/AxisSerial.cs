using System.Text.RegularExpressions;

namespace Muster.Domain.Identity;

/// <summary>The serial number of an Axis device: its MAC address as 12 upper-case hex digits.</summary>
public static partial class AxisSerial
{
    /// <summary>True for an address of the blocks that IEEE has assigned to Axis Communications AB.</summary>
    public static bool Is(string serial) => Form().IsMatch(serial);

    [GeneratedRegex("^(00408C|ACCC8E|B8A44F|E82725)[0-9A-F]{6}\\z", RegexOptions.CultureInvariant)]
    private static partial Regex Form();
}
