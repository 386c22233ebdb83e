using System.Net;
using System.Security.Cryptography.X509Certificates;
using Muster.Cryptography.Certificates;
using Muster.Simulator.Devices;

namespace Muster.Simulator.Fleet;

/// <summary>Where the server is and what the fleet consists of.</summary>
internal sealed record FleetOptions(string PkiFolder, int Devices, DnsEndPoint Mqtt, DnsEndPoint Https, TrustStore Servers)
{
    /// <summary>A device that lies in the store room: its certificate is what a tombstone comes back with.</summary>
    public const string SpareSerial = "ACCC8EFFFFFF";

    public string Model { get; init; } = "P3265-V";

    public string OsVersion { get; init; } = "12.10.50";

    /// <summary>What its first device does wrong.</summary>
    public DeviceFault Fault { get; init; }

    /// <summary>Devices that have to be refused come with it.</summary>
    public bool HasMisfits { get; init; }

    /// <summary>Devices that connect at the same time: a handshake costs about a millisecond of one core on each side.</summary>
    public int ConnectsMax { get; init; } = 32;

    /// <summary>Devices that download at the same time, for the sake of open files.</summary>
    public int DownloadsMax { get; init; } = 32;

    /// <summary>The n-th serial, from 0: a MAC address of a block that is Axis's.</summary>
    public static string Serial(int index) => $"ACCC8E{index:X6}";

    public bool IsServer(X509Certificate2 certificate, DateTimeOffset now) =>
        Servers.Follow(certificate, null, now).State == ChainState.Trusted;
}
