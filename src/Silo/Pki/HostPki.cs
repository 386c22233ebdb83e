using Muster.Cryptography.Certificates;
using Muster.ServiceDefaults;
using Muster.Silo.Hosting;

namespace Muster.Silo.Pki;

/// <summary>
/// The installation's own CAs. A silo holds the operators' CA and the fleet CA with their keys, because it signs operators' and devices'
/// requests; the CA of servers it needs with its key only when it has its edge in its own process (design D8, docs/adr/0004).
/// </summary>
internal sealed class HostPki : IDisposable
{
    public const string ServersName = "server-ca";

    public const string OperatorsName = "operators-ca";

    public static readonly string FleetName = $"{FleetTrust.FilePrefix}{FleetGeneration}";

    /// <summary>A CA outlives its operators' and servers' certificates many times.</summary>
    private static readonly TimeSpan AuthorityLifetime = TimeSpan.FromDays(3650);

    /// <summary>Which of the fleet's CAs this version makes and signs with.</summary>
    private const int FleetGeneration = 1;

    private HostPki(CertificateAuthority operators, FleetAuthority fleet, string serverAuthorityPem)
    {
        Operators = operators;
        Fleet = fleet;
        ServerAuthorityPem = serverAuthorityPem;
    }

    public CertificateAuthority Operators { get; }

    /// <summary>Signs the devices' operational certificates.</summary>
    public FleetAuthority Fleet { get; }

    /// <summary>The CA that servers' certificates chain to, PEM.</summary>
    public string ServerAuthorityPem { get; }

    /// <summary>Makes all CAs at the first start; a silo without an edge finds them ready, so that two silos never make two.</summary>
    public static HostPki Open(HostSettings settings, DateTimeOffset now)
    {
        if (settings.HasEdge)
        {
            using var servers = OpenServers(settings.PkiFolder, now);
            return new HostPki(OpenOperators(settings.PkiFolder, now), OpenFleet(settings.PkiFolder, now), servers.CertificatePem);
        }

        string[] needed = [$"{OperatorsName}.pem", $"{OperatorsName}.key", $"{ServersName}.pem", $"{FleetName}.pem", $"{FleetName}.key"];
        var missing = needed.Where(file => !File.Exists(Path.Combine(settings.PkiFolder, file))).ToList();
        if (missing.Count > 0)
        {
            throw new StartRefusedException(
                $"{settings.PkiFolder} has no {string.Join(", no ", missing)}. All silos of a cluster share one operators' CA and one "
                + "fleet CA: make them once with the silo's program and its verb 'pki', and give them to each of them.");
        }

        return new HostPki(
            OpenOperators(settings.PkiFolder, now),
            OpenFleet(settings.PkiFolder, now),
            File.ReadAllText(Path.Combine(settings.PkiFolder, $"{ServersName}.pem")));
    }

    /// <summary>The CA of servers' certificates; made with a key of mode 0600 if it is not there.</summary>
    public static CertificateAuthority OpenServers(string folder, DateTimeOffset now) =>
        CertificateAuthority.LoadOrCreate(folder, ServersName, "Muster server CA", now, AuthorityLifetime);

    /// <summary>The CA of operators' certificates; made with a key of mode 0600 if it is not there.</summary>
    public static CertificateAuthority OpenOperators(string folder, DateTimeOffset now) =>
        CertificateAuthority.LoadOrCreate(folder, OperatorsName, "Muster operators CA", now, AuthorityLifetime);

    /// <summary>The CA of devices' operational certificates; made with a key of mode 0600 if it is not there.</summary>
    public static FleetAuthority OpenFleet(string folder, DateTimeOffset now) => new(
        CertificateAuthority.LoadOrCreate(folder, FleetName, $"Muster fleet CA {FleetGeneration}", now, AuthorityLifetime),
        FleetGeneration);

    public void Dispose()
    {
        Operators.Dispose();
        Fleet.Dispose();
    }
}
