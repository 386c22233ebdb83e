using Muster.ServiceDefaults;

namespace Muster.Gateway.Hosting;

/// <summary>
/// Whom a gateway opens its listeners for, <c>Muster:Edge:Doors</c>. With both, an operator's call waits behind the handshakes of a site
/// that comes back at once; a gateway for operators alone has none.
/// </summary>
[Flags]
public enum GatewayDoors
{
    None = 0,

    /// <summary>MQTT, the devices' HTTPS with EST and images, the lists of revoked certificates, and a shared broker.</summary>
    Devices = 1,

    /// <summary>gRPC.</summary>
    Operators = 2,

    All = Devices | Operators,
}

internal static class GatewayDoorsSetting
{
    public const string Key = "Edge:Doors";

    public static GatewayDoors Read(IConfiguration muster) => muster[Key] switch
    {
        null or "" or "all" => GatewayDoors.All,
        "devices" => GatewayDoors.Devices,
        "operators" => GatewayDoors.Operators,
        var unknown => throw new StartRefusedException(
            $"{InstallationSettings.SectionName}:{Key} is '{unknown}': a gateway opens its doors for 'all', 'devices' or 'operators'."),
    };
}
