using Muster.Cryptography.Certificates;

namespace Muster.Load.Servers;

/// <summary>The folder of one run: a make-believe vendor's devices, and the data of every server. Gone when the run ends.</summary>
internal sealed class Workplace : IDisposable
{
    private Workplace(string folder, string[] devices)
    {
        Folder = folder;
        Devices = devices;
    }

    public string Folder { get; }

    public string[] Devices { get; }

    public string Identities => Path.Combine(Folder, "identities");

    /// <summary>Root and intermediate of the vendor, PEM.</summary>
    public string TrustFile => Path.Combine(Folder, "vendor.pem");

    /// <summary>The same for every device and run: a device that never reboots.</summary>
    public string BootId { get; } = Guid.NewGuid().ToString();

    public static Workplace Create(int devices, DateTimeOffset now)
    {
        var place = new Workplace(
            Directory.CreateTempSubdirectory("muster-bench-").FullName,
            [.. Enumerable.Range(1, devices).Select(index => $"ACCC8E{index:X6}")]);
        using var issuer = DeviceIdentityIssuer.CreateAxis(now);
        File.WriteAllText(place.TrustFile, issuer.TrustPem);
        PrivateFile.CreateFolder(place.Identities);
        foreach (var device in place.Devices)
        {
            var issued = issuer.Issue(device, now);
            PrivateFile.Write(Path.Combine(place.Identities, device + ".pem"), issued.CertificatePem);
            PrivateFile.Write(Path.Combine(place.Identities, device + ".key"), issued.KeyPem);
        }

        return place;
    }

    public string NewFolder(string name) => Directory.CreateDirectory(Path.Combine(Folder, name)).FullName;

    public void Dispose() => Directory.Delete(Folder, recursive: true);
}
