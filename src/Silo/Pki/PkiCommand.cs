using Muster.Cryptography.Certificates;
using Muster.ServiceDefaults;

namespace Muster.Silo.Pki;

/// <summary>
/// The verb <c>pki FOLDER NAME…</c> for whoever sets up a cluster: makes the three CAs once and a server certificate for the gateways,
/// and sorts them by who may hold what. Repeating it renews the server certificate under the same CAs, and adds a CA that an earlier
/// version did not make.
/// </summary>
internal static class PkiCommand
{
    public const string Verb = "pki";

    /// <summary>All CAs with their keys; kept by whoever set the cluster up.</summary>
    private const string AuthoritiesFolder = "ca";

    /// <summary>For the silos' <c>Muster:Pki:Directory</c>.</summary>
    private const string SiloFolder = "silo";

    /// <summary>For the gateways' <c>Muster:Pki:Directory</c>: no CA's key.</summary>
    private const string GatewayFolder = "gateway";

    public static async Task RunAsync(IReadOnlyList<string> arguments, TextWriter output, TimeProvider clock)
    {
        if (arguments.Count < 2 || arguments.Count > 1 + CertificateAuthority.ServerNamesMax)
        {
            throw new StartRefusedException(
                $"usage: {Verb} FOLDER NAME… (1 to {CertificateAuthority.ServerNamesMax} DNS names or addresses that devices and operators "
                + "reach the gateways by)");
        }

        var (folder, names) = (Path.GetFullPath(arguments[0]), arguments.Skip(1).ToList());
        var now = clock.GetUtcNow();
        PrivateFile.CreateFolder(folder);
        var authorities = Path.Combine(folder, AuthoritiesFolder);
        using var servers = HostPki.OpenServers(authorities, now);
        using var operators = HostPki.OpenOperators(authorities, now);
        using var fleet = HostPki.OpenFleet(authorities, now);

        var silo = Create(folder, SiloFolder);
        PrivateFile.Write(Path.Combine(silo, $"{HostPki.ServersName}.pem"), servers.CertificatePem);
        PrivateFile.Write(Path.Combine(silo, $"{HostPki.OperatorsName}.pem"), operators.CertificatePem);
        PrivateFile.Write(Path.Combine(silo, $"{HostPki.FleetName}.pem"), fleet.CertificatePem);
        foreach (var key in new[] { $"{HostPki.OperatorsName}.key", $"{HostPki.FleetName}.key" })
        {
            File.Copy(Path.Combine(authorities, key), Path.Combine(silo, key), overwrite: true);
        }

        var gateway = Create(folder, GatewayFolder);
        var issued = servers.IssueServer(names, now, OwnServerCertificate.Lifetime);
        PrivateFile.Write(Path.Combine(gateway, $"{HostPki.ServersName}.pem"), servers.CertificatePem);
        PrivateFile.Write(Path.Combine(gateway, $"{HostPki.OperatorsName}.pem"), operators.CertificatePem);
        PrivateFile.Write(Path.Combine(gateway, $"{HostPki.FleetName}.pem"), fleet.CertificatePem);
        PrivateFile.Write(Path.Combine(gateway, "server.key"), issued.KeyPem);
        PrivateFile.Write(Path.Combine(gateway, "server.pem"), issued.CertificatePem);

        await output.WriteLineAsync($"{silo}: for the silos (signs the requests of operators and devices)");
        await output.WriteLineAsync($"{gateway}: for the gateways, valid until {(now + OwnServerCertificate.Lifetime):yyyy-MM-dd}");
        await output.WriteLineAsync($"{authorities}: all CAs with their keys; keep them off the hosts");
    }

    private static string Create(string folder, string name)
    {
        var path = Path.Combine(folder, name);
        PrivateFile.CreateFolder(path);
        return path;
    }
}
