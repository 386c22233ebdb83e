using Muster.Cryptography.Certificates;
using Muster.Cryptography.Pkcs11;
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

    /// <summary>A CA outlives its operators' and servers' certificates many times.</summary>
    public static readonly TimeSpan AuthorityLifetime = TimeSpan.FromDays(3650);

    private readonly FleetTokens _tokens;

    private HostPki(CertificateAuthority operators, (FleetAuthorities Authorities, FleetTokens Tokens) fleet, string serverAuthorityPem)
    {
        Operators = operators;
        (Fleet, _tokens) = fleet;
        ServerAuthorityPem = serverAuthorityPem;
    }

    public CertificateAuthority Operators { get; }

    /// <summary>Signs the devices' operational certificates.</summary>
    public FleetAuthorities Fleet { get; }

    /// <summary>The CA that servers' certificates chain to, PEM.</summary>
    public string ServerAuthorityPem { get; }

    /// <summary>Makes all CAs at the first start; a silo without an edge finds them ready, so that two silos never make two.</summary>
    public static HostPki Open(HostSettings settings, DateTimeOffset now)
    {
        if (settings.HasEdge)
        {
            using var servers = OpenServers(settings.PkiFolder, now);
            return new HostPki(
                OpenOperators(settings.PkiFolder, now, settings.AllowsGroupRead), FleetFolder.Open(settings, now), servers.CertificatePem);
        }

        string[] needed = [$"{OperatorsName}.pem", $"{OperatorsName}.key", $"{ServersName}.pem"];
        List<string> missing =
        [
            .. needed.Where(file => !File.Exists(Path.Combine(settings.PkiFolder, file))),
            .. FleetFolder.MissingIn(settings.PkiFolder),
        ];
        if (missing.Count > 0)
        {
            throw new StartRefusedException(
                $"{settings.PkiFolder} has no {string.Join(", no ", missing)}. All silos of a cluster share one operators' CA and one "
                + "fleet CA: make them once with the silo's program and its verb 'pki', and give them to each of them.");
        }

        return new HostPki(
            OpenOperators(settings.PkiFolder, now, settings.AllowsGroupRead),
            FleetFolder.Open(settings, now),
            File.ReadAllText(Path.Combine(settings.PkiFolder, $"{ServersName}.pem")));
    }

    /// <summary>The CA of servers' certificates; made with a key of mode 0600 if it is not there.</summary>
    public static CertificateAuthority OpenServers(string folder, DateTimeOffset now) =>
        Load(folder, ServersName, "Muster server CA", now, isGroupReadAllowed: false);

    /// <summary>The CA of operators' certificates; made with a key of mode 0600 if it is not there.</summary>
    public static CertificateAuthority OpenOperators(string folder, DateTimeOffset now, bool isGroupReadAllowed = false) =>
        Load(folder, OperatorsName, "Muster operators CA", now, isGroupReadAllowed);

    /// <summary>The CA of this name; one whose key others can read is not used.</summary>
    public static CertificateAuthority Load(
        string folder, string name, string commonName, DateTimeOffset from, bool isGroupReadAllowed)
    {
        try
        {
            return CertificateAuthority.LoadOrCreate(folder, name, commonName, from, AuthorityLifetime, isGroupReadAllowed);
        }
        catch (KeyFileExposedException exposed)
        {
            throw new StartRefusedException(exposed.Message);
        }
    }

    public void Dispose()
    {
        Operators.Dispose();
        Fleet.Dispose();
        _tokens.Dispose();
    }
}
