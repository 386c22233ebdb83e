using System.Globalization;
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

    public const string RollVerb = "pki-roll";

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
        FleetFolder.CreateFirst(authorities, now);

        var silo = Create(folder, SiloFolder);
        PrivateFile.Write(Path.Combine(silo, $"{HostPki.ServersName}.pem"), servers.CertificatePem);
        PrivateFile.Write(Path.Combine(silo, $"{HostPki.OperatorsName}.pem"), operators.CertificatePem);
        File.Copy(
            Path.Combine(authorities, $"{HostPki.OperatorsName}.key"), Path.Combine(silo, $"{HostPki.OperatorsName}.key"), overwrite: true);

        var gateway = Create(folder, GatewayFolder);
        var issued = servers.IssueServer(names, now, OwnServerCertificate.Lifetime);
        PrivateFile.Write(Path.Combine(gateway, $"{HostPki.ServersName}.pem"), servers.CertificatePem);
        PrivateFile.Write(Path.Combine(gateway, $"{HostPki.OperatorsName}.pem"), operators.CertificatePem);
        PrivateFile.Write(Path.Combine(gateway, "server.key"), issued.KeyPem);
        PrivateFile.Write(Path.Combine(gateway, "server.pem"), issued.CertificatePem);
        FleetFolder.Copy(authorities, silo, withKeys: true);
        FleetFolder.Copy(authorities, gateway, withKeys: false);

        await output.WriteLineAsync($"{silo}: for the silos (signs the requests of operators and devices)");
        await output.WriteLineAsync($"{gateway}: for the gateways, valid until {(now + OwnServerCertificate.Lifetime):yyyy-MM-dd}");
        await output.WriteLineAsync($"{authorities}: all CAs with their keys; keep them off the hosts");
    }

    /// <summary>Makes the fleet's next CA in a folder that <see cref="RunAsync"/> made, or in the one of a single process.</summary>
    public static async Task RollAsync(IReadOnlyList<string> arguments, TextWriter output, TimeProvider clock)
    {
        var now = clock.GetUtcNow();
        var from = now + FleetFolder.Notice;
        if (arguments.Count is not (1 or 2)
            || (arguments.Count == 2 && !DateTimeOffset.TryParse(
                arguments[1], CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out from)))
        {
            throw new StartRefusedException(
                $"usage: {RollVerb} FOLDER [INSTANT] (from when on the new CA signs, as 2027-01-31T12:00:00Z; "
                + $"{FleetFolder.Notice.TotalDays} days from now by default)");
        }

        var folder = Path.GetFullPath(arguments[0]);
        var authorities = Path.Combine(folder, AuthoritiesFolder);
        var isCluster = Directory.Exists(authorities);
        var generation = FleetFolder.CreateNext(isCluster ? authorities : folder, from, now);
        if (isCluster)
        {
            FleetFolder.Copy(authorities, Create(folder, SiloFolder), withKeys: true);
            FleetFolder.Copy(authorities, Create(folder, GatewayFolder), withKeys: false);
        }

        await output.WriteLineAsync(
            $"{FleetFolder.NameOf(generation)} signs from {from:yyyy-MM-ddTHH:mm:ssZ} on. Before that, give its files to every silo and "
            + "its certificate to every gateway and relying party, and start silos and gateways anew.");
    }

    private static string Create(string folder, string name)
    {
        var path = Path.Combine(folder, name);
        PrivateFile.CreateFolder(path);
        return path;
    }
}
