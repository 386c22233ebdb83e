using Muster.Cryptography.Certificates;
using Muster.Load.Generator;

namespace Muster.Load.Servers;

/// <summary>The folder of one run: a make-believe vendor's devices, and the data of every server. Gone when the run ends.</summary>
internal sealed class Workplace : IDisposable
{
    private readonly DeviceIdentityIssuer _issuer;
    private readonly DateTimeOffset _now;

    private Workplace(string folder, string identities, string[] devices, DeviceIdentityIssuer issuer, DateTimeOffset now)
    {
        (Folder, Identities, Devices) = (folder, identities, devices);
        (_issuer, _now) = (issuer, now);
    }

    public string Folder { get; }

    public string[] Devices { get; }

    /// <summary>Holds SERIAL.pem and SERIAL.key.</summary>
    public string Identities { get; }

    /// <summary>Root and intermediate of the vendor, PEM.</summary>
    public string TrustFile => Path.Combine(Folder, "vendor.pem");

    /// <summary>The same for every device and run: a device that never reboots.</summary>
    public string BootId { get; } = Guid.NewGuid().ToString();

    /// <param name="devices">How many identities there are.</param>
    /// <param name="now">From when on they are valid.</param>
    /// <param name="kept">A folder that keeps vendor and identities from run to run; null makes them for this run alone.</param>
    public static Workplace Create(int devices, DateTimeOffset now, string? kept = null)
    {
        var folder = Directory.CreateTempSubdirectory("muster-bench-").FullName;
        var issuer = kept is null ? DeviceIdentityIssuer.CreateAxis(now) : OpenIssuer(kept, now);
        var place = new Workplace(
            folder,
            Path.Combine(kept is null ? folder : Path.GetFullPath(kept), "identities"),
            [.. Enumerable.Range(1, devices).Select(index => $"ACCC8E{index:X6}")],
            issuer,
            now);
        File.WriteAllText(place.TrustFile, issuer.TrustPem);
        PrivateFile.CreateFolder(place.Identities);
        Parallel.ForEach(place.Devices, device => place.Issue(device, place.Identities));
        return place;
    }

    /// <summary>Keys and certificates in a folder of their own, also for devices that have others.</summary>
    public string IssueIn(string name, IEnumerable<string> devices)
    {
        var folder = NewFolder(name);
        foreach (var device in devices)
        {
            Issue(device, folder);
        }

        return folder;
    }

    /// <summary>Devices of this run that stay connected to one server.</summary>
    public FleetOrder OrderFor(int port, string serverCaFile, string[] devices, bool speaks) => new()
    {
        Port = port,
        ServerCaFile = serverCaFile,
        IdentityFolder = Identities,
        Devices = devices,
        BootId = BootId,
        Speaks = speaks,
    };

    public string NewFolder(string name) => Directory.CreateDirectory(Path.Combine(Folder, name)).FullName;

    public void Dispose()
    {
        _issuer.Dispose();
        Directory.Delete(Folder, recursive: true);
    }

    private static DeviceIdentityIssuer OpenIssuer(string kept, DateTimeOffset now)
    {
        if (DeviceIdentityIssuer.Load(kept) is { } known)
        {
            return known;
        }

        var issuer = DeviceIdentityIssuer.CreateAxis(now);
        issuer.Save(kept);
        return issuer;
    }

    /// <summary>The certificate is written last: where it is, its key is too. Nothing is synced: only a bench trusts it.</summary>
    private void Issue(string device, string folder)
    {
        var certificate = Path.Combine(folder, device + ".pem");
        if (File.Exists(certificate))
        {
            return;
        }

        var issued = _issuer.Issue(device, _now);
        File.WriteAllText(Path.Combine(folder, device + ".key"), issued.KeyPem);
        File.WriteAllText(certificate + ".new", issued.CertificatePem);
        File.Move(certificate + ".new", certificate);
    }
}
