using Muster.Gateway.Hosting;

namespace Muster.Silo.Hosting;

/// <summary>What a silo takes beside what all hosts take. Read from the section <c>Muster</c>.</summary>
internal sealed class HostSettings : InstallationSettings
{
    /// <summary>The port between silos; loopback in one-process mode.</summary>
    public const int SiloPortDefault = 11111;

    /// <summary>The port for gateways in processes of their own; loopback in one-process mode.</summary>
    public const int ClientPortDefault = 30000;

    public HostSettings(IConfiguration configuration)
        : base(configuration)
    {
        var muster = configuration.GetSection(SectionName);
        SiloPort = muster.GetValue("Cluster:SiloPort", SiloPortDefault);
        ClientPort = muster.GetValue("Cluster:GatewayPort", ClientPortDefault);
        AdvertisedAddress = muster["Cluster:AdvertisedAddress"] is { Length: > 0 } address ? address : "127.0.0.1";
        HasEdge = muster.GetValue("Edge:Enabled", IsOneProcess);
        AllowsGroupRead = muster.GetValue("Pki:AllowGroupRead", false);
        Pkcs11 = muster["Pki:Pkcs11"] ?? "";
        StatusBaseUrl = muster["CertificateStatus:BaseUrl"] ?? "";
        ServerNames = muster.GetSection("Pki:ServerNames").Get<string[]>() is { Length: > 0 } names
            ? names
            : ["localhost", "127.0.0.1", "::1"];
    }

    public int SiloPort { get; }

    public int ClientPort { get; }

    /// <summary>The address that other silos and gateways reach this silo by.</summary>
    public string AdvertisedAddress { get; }

    /// <summary>
    /// Whether this silo listens for devices and operators itself; in a cluster gateways of their own do, unless it is switched on.
    /// </summary>
    public bool HasEdge { get; }

    /// <summary>
    /// The keys of CAs may be readable by their group: a secret that Kubernetes mounts is root's, and the pod reads it by its own group.
    /// </summary>
    public bool AllowsGroupRead { get; }

    /// <summary>
    /// How this host reaches the hardware module with the fleet CAs' keys (RFC 7512): its module-path and pin-source go before those that
    /// stand with a CA. Empty when those do, or when the keys are in files.
    /// </summary>
    public string Pkcs11 { get; }

    /// <summary>Where relying parties find revocation lists and OCSP, for the certificates that are signed here; empty for none.</summary>
    public string StatusBaseUrl { get; }

    /// <summary>DNS names and addresses that devices and operators reach the edge by; the first one stands in the CLI's profile.</summary>
    public IReadOnlyList<string> ServerNames { get; }
}
