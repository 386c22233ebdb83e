using System.Globalization;
using Muster.Cryptography.Certificates;
using Muster.Cryptography.Pkcs11;
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
        (arguments, var uri) = TakeUri(arguments);
        if (arguments.Count < 2 || arguments.Count > 1 + CertificateAuthority.ServerNamesMax)
        {
            throw new StartRefusedException(
                $"usage: {Verb} FOLDER NAME… [{TokenUri.Scheme}…] (1 to {CertificateAuthority.ServerNamesMax} DNS names or addresses "
                + "that devices and operators reach the gateways by; the URI of a hardware module that is to hold the fleet CA's key)");
        }

        var (folder, names) = (Path.GetFullPath(arguments[0]), arguments.Skip(1).ToList());
        var now = clock.GetUtcNow();
        PrivateFile.CreateFolder(folder);
        var authorities = Path.Combine(folder, AuthoritiesFolder);
        using var servers = HostPki.OpenServers(authorities, now);
        using var operators = HostPki.OpenOperators(authorities, now);
        var said = FleetFolder.CreateFirst(authorities, now, uri);

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
        await SayAsync(output, said);
    }

    /// <summary>Makes the fleet's next CA in a folder that <see cref="RunAsync"/> made, or in the one of a single process.</summary>
    public static async Task RollAsync(IReadOnlyList<string> arguments, TextWriter output, TimeProvider clock)
    {
        var now = clock.GetUtcNow();
        var from = now + FleetFolder.Notice;
        (arguments, var uri) = TakeUri(arguments);
        if (arguments.Count is not (1 or 2)
            || (arguments.Count == 2 && !DateTimeOffset.TryParse(
                arguments[1], CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out from)))
        {
            throw new StartRefusedException(
                $"usage: {RollVerb} FOLDER [INSTANT] [{TokenUri.Scheme}…] (from when on the new CA signs, as 2027-01-31T12:00:00Z; "
                + $"{FleetFolder.Notice.TotalDays} days from now by default; the URI of a hardware module that is to hold its key)");
        }

        var folder = Path.GetFullPath(arguments[0]);
        var authorities = Path.Combine(folder, AuthoritiesFolder);
        var isCluster = Directory.Exists(authorities);
        var (generation, said) = FleetFolder.CreateNext(isCluster ? authorities : folder, from, now, uri);
        if (isCluster)
        {
            FleetFolder.Copy(authorities, Create(folder, SiloFolder), withKeys: true);
            FleetFolder.Copy(authorities, Create(folder, GatewayFolder), withKeys: false);
        }

        await output.WriteLineAsync(
            $"{FleetFolder.NameOf(generation)} signs from {from:yyyy-MM-ddTHH:mm:ssZ} on. Before that, give its files to every silo and "
            + "its certificate to every gateway and relying party, and start silos and gateways anew.");
        await SayAsync(output, said);
    }

    private static Task SayAsync(TextWriter output, string? said) => said is null ? Task.CompletedTask : output.WriteLineAsync(said);

    /// <summary>The URI may stand anywhere: no name and no instant begins like it.</summary>
    private static (IReadOnlyList<string> Others, TokenUri? Uri) TakeUri(IReadOnlyList<string> arguments)
    {
        var uris = arguments.Where(argument => argument.StartsWith(TokenUri.Scheme, StringComparison.Ordinal)).ToList();
        return uris.Count switch
        {
            0 => (arguments, null),
            1 => ([.. arguments.Except(uris)], TokenFolder.ParseOrNull(uris[0], "The URI of the module")),
            _ => throw new StartRefusedException("One URI says where the key is."),
        };
    }

    private static string Create(string folder, string name)
    {
        var path = Path.Combine(folder, name);
        PrivateFile.CreateFolder(path);
        return path;
    }
}
