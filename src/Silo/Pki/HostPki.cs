using Muster.Cryptography.Certificates;
using Muster.ServiceDefaults;
using Muster.Silo.Hosting;

namespace Muster.Silo.Pki;

/// <summary>
/// The installation's own CAs. A silo holds the operators' CA with its key, because it signs their requests; the CA of servers it
/// needs with its key only when it has its edge in its own process (design D8, docs/adr/0004).
/// </summary>
internal sealed class HostPki : IDisposable
{
    public const string ServersName = "server-ca";

    public const string OperatorsName = "operators-ca";

    /// <summary>A CA outlives its operators' and servers' certificates many times.</summary>
    private static readonly TimeSpan AuthorityLifetime = TimeSpan.FromDays(3650);

    private HostPki(CertificateAuthority operators, string serverAuthorityPem)
    {
        Operators = operators;
        ServerAuthorityPem = serverAuthorityPem;
    }

    public CertificateAuthority Operators { get; }

    /// <summary>The CA that servers' certificates chain to, PEM.</summary>
    public string ServerAuthorityPem { get; }

    /// <summary>Makes both CAs at the first start; a silo without an edge finds them ready, so that two silos never make two.</summary>
    public static HostPki Open(HostSettings settings, DateTimeOffset now)
    {
        if (settings.HasEdge)
        {
            using var servers = OpenServers(settings.PkiFolder, now);
            return new HostPki(OpenOperators(settings.PkiFolder, now), servers.CertificatePem);
        }

        string[] needed = [$"{OperatorsName}.pem", $"{OperatorsName}.key", $"{ServersName}.pem"];
        var missing = needed.Where(file => !File.Exists(Path.Combine(settings.PkiFolder, file))).ToList();
        if (missing.Count > 0)
        {
            throw new StartRefusedException(
                $"{settings.PkiFolder} has no {string.Join(", no ", missing)}. All silos of a cluster share one operators' CA: make it "
                + "once with the silo's program and its verb 'pki', and give it to each of them.");
        }

        return new HostPki(
            OpenOperators(settings.PkiFolder, now), File.ReadAllText(Path.Combine(settings.PkiFolder, $"{ServersName}.pem")));
    }

    /// <summary>The CA of servers' certificates; made with a key of mode 0600 if it is not there.</summary>
    public static CertificateAuthority OpenServers(string folder, DateTimeOffset now) =>
        CertificateAuthority.LoadOrCreate(folder, ServersName, "Muster server CA", now, AuthorityLifetime);

    /// <summary>The CA of operators' certificates; made with a key of mode 0600 if it is not there.</summary>
    public static CertificateAuthority OpenOperators(string folder, DateTimeOffset now) =>
        CertificateAuthority.LoadOrCreate(folder, OperatorsName, "Muster operators CA", now, AuthorityLifetime);

    public void Dispose() => Operators.Dispose();
}
