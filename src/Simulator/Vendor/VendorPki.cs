using System.Security.Cryptography.X509Certificates;
using Muster.Cryptography.Certificates;
using Muster.Cryptography.Manifests;

namespace Muster.Simulator.Vendor;

/// <summary>
/// A make-believe vendor in a folder: <c>vendor/</c> its device CA, <c>images/</c> its image signer, <c>identities/</c> its devices,
/// <c>trust/</c> what has to be put into the trust folders of the server.
/// </summary>
internal static class VendorPki
{
    public static void Create(string folder, DateTimeOffset now)
    {
        if (Directory.Exists(Path.Combine(folder, "vendor")))
        {
            throw new InvalidOperationException($"'{folder}' already holds a vendor.");
        }

        PrivateFile.CreateFolder(folder);
        using var issuer = DeviceIdentityIssuer.CreateAxis(now);
        issuer.Save(Path.Combine(folder, "vendor"));
        using var publisher = ImagePublisher.Create("Simulated image root", now);
        var signer = publisher.IssueSigner("Simulated image signer", now);
        PrivateFile.CreateFolder(Path.Combine(folder, "images"));
        PrivateFile.Write(Path.Combine(folder, "images", "signer.key"), signer.KeyPem);
        PrivateFile.Write(Path.Combine(folder, "images", "signer.pem"), signer.CertificatePem);
        PrivateFile.CreateFolder(Path.Combine(folder, "identities"));
        Directory.CreateDirectory(Path.Combine(folder, "trust", "devices"));
        Directory.CreateDirectory(Path.Combine(folder, "trust", "images"));
        File.WriteAllText(Path.Combine(folder, "trust", "devices", "simulated-vendor.pem"), issuer.TrustPem);
        File.WriteAllText(Path.Combine(folder, "trust", "images", "simulated-publisher.pem"), publisher.TrustPem + "\n");
    }

    public static TrustStore ImageRoots(string folder) => TrustStore.Load(Path.Combine(folder, "trust", "images"));

    public static DeviceIdentityIssuer Issuer(string folder) =>
        DeviceIdentityIssuer.Load(Path.Combine(folder, "vendor"))
        ?? throw new InvalidOperationException($"'{folder}' holds no vendor; make one with 'pki'.");

    /// <summary>The identity of a device: made once, as the factory does, and then read.</summary>
    public static X509Certificate2 Identity(string folder, DeviceIdentityIssuer issuer, string serial, DateTimeOffset now)
    {
        var certificate = Path.Combine(folder, "identities", serial + ".pem");
        var key = Path.Combine(folder, "identities", serial + ".key");
        if (!File.Exists(certificate))
        {
            var issued = issuer.Issue(serial, now);
            PrivateFile.Write(key, issued.KeyPem);
            PrivateFile.Write(certificate, issued.CertificatePem);
        }

        return X509Certificate2.CreateFromPemFile(certificate, key);
    }

    /// <summary>Writes an image of random bytes and its detached signature, <c>FILE.cms</c>.</summary>
    public static void WriteImage(string folder, string path, long size, string version, DateTimeOffset now)
    {
        using (var file = File.Create(path))
        {
            file.Write(System.Text.Encoding.UTF8.GetBytes($"simulated image {version}\n"));
            var block = new byte[64 * 1024];
            while (file.Length < size)
            {
                Random.Shared.NextBytes(block);
                file.Write(block.AsSpan(0, (int)Math.Min(block.Length, size - file.Length)));
            }
        }

        var images = Path.Combine(folder, "images");
        var signer = new IssuedCertificate(
            File.ReadAllText(Path.Combine(images, "signer.pem")), File.ReadAllText(Path.Combine(images, "signer.key")));
        using var content = File.OpenRead(path);
        File.WriteAllBytes(path + ".cms", CmsImageSigner.Sign(content, signer, "", now));
    }
}
