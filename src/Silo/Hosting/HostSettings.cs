namespace Muster.Silo.Hosting;

/// <summary>
/// Where a host keeps its things and what it listens on. Without a connection string it is the whole product in one process:
/// embedded store, loopback only. Read from the section <c>Muster</c>.
/// </summary>
internal sealed class HostSettings
{
    public const string SectionName = "Muster";

    /// <summary>The port between silos; loopback in one-process mode.</summary>
    public const int SiloPortDefault = 11111;

    /// <summary>The port for gateways in processes of their own; loopback in one-process mode.</summary>
    public const int ClientPortDefault = 30000;

    private HostSettings(IConfiguration configuration)
    {
        DataFolder = Path.GetFullPath(configuration["Data:Directory"] is { Length: > 0 } data ? data : "data");
        PkiFolder = Path.GetFullPath(configuration["Pki:Directory"] is { Length: > 0 } pki ? pki : Path.Combine(DataFolder, "pki"));
        ConnectionString = configuration["Store:ConnectionString"] ?? "";
        SiloPort = configuration.GetValue("Cluster:SiloPort", SiloPortDefault);
        ClientPort = configuration.GetValue("Cluster:GatewayPort", ClientPortDefault);
        ClusterId = configuration["Cluster:ClusterId"] ?? "muster";
        ServiceId = configuration["Cluster:ServiceId"] ?? "muster";
        AdvertisedAddress = configuration["Cluster:AdvertisedAddress"] ?? "127.0.0.1";
        ServerNames = configuration.GetSection("Pki:ServerNames").Get<string[]>() is { Length: > 0 } names
            ? names
            : ["localhost", "127.0.0.1", "::1"];
    }

    /// <summary>The store, the artifacts, trust and operators' profiles; <c>data</c> below the working folder by default.</summary>
    public string DataFolder { get; }

    /// <summary>The CAs of servers and operators; <c>pki</c> in the data folder by default.</summary>
    public string PkiFolder { get; }

    /// <summary>A Redis to use; empty for the embedded store.</summary>
    public string ConnectionString { get; }

    public bool IsOneProcess => ConnectionString.Length == 0;

    public int SiloPort { get; }

    public int ClientPort { get; }

    public string ClusterId { get; }

    public string ServiceId { get; }

    /// <summary>The address that other silos and gateways reach this silo by.</summary>
    public string AdvertisedAddress { get; }

    /// <summary>DNS names and addresses of the server certificate.</summary>
    public IReadOnlyCollection<string> ServerNames { get; }

    public string DeviceTrustFolder => Path.Combine(DataFolder, "trust", "devices");

    public string ImageTrustFolder => Path.Combine(DataFolder, "trust", "images");

    public static HostSettings Read(IConfiguration configuration) => new(configuration.GetSection(SectionName));
}
