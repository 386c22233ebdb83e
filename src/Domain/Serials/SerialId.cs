using Muster.Domain.Anchors;
using Muster.Domain.Devices;
using Muster.Domain.Identity;

namespace Muster.Domain.Serials;

/// <summary>
/// One unit of the world, whoever owns it: the profile that speaks for its serial, and the serial in that profile's canonical form. The
/// serial says which profile that is, so that none is ever served by two.
/// </summary>
[GenerateSerializer, Immutable, Alias("muster.serial-id")]
public readonly record struct SerialId([property: Id(0)] string Profile, [property: Id(1)] DeviceId Device)
{
    /// <summary>The addresses of Axis are the profile <c>axis</c>'s alone; every other serial is of <c>ieee8021ar</c>.</summary>
    public static SerialId Of(DeviceId device) =>
        new(AxisSerial.Is(device.Value) ? AnchorProfiles.Axis : AnchorProfiles.Ieee8021Ar, device);

    public override string ToString() => $"{Profile}/{Device}";
}
