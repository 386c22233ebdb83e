using Muster.Domain.Tenants;

namespace Muster.Gateway.Hosting;

/// <summary>
/// Where a host keeps its things and which cluster it is part of; the same for silos and gateways. Read from the section
/// <c>Muster</c>.
/// </summary>
public class InstallationSettings
{
    public const string SectionName = "Muster";

    public InstallationSettings(IConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        var muster = configuration.GetSection(SectionName);
        DataFolder = Path.GetFullPath(muster["Data:Directory"] is { Length: > 0 } data ? data : "data");
        PkiFolder = Path.GetFullPath(muster["Pki:Directory"] is { Length: > 0 } pki ? pki : Path.Combine(DataFolder, "pki"));
        ConnectionString = muster["Store:ConnectionString"] ?? "";
        ClusterId = muster["Cluster:ClusterId"] is { Length: > 0 } cluster ? cluster : "muster";
        ServiceId = muster["Cluster:ServiceId"] is { Length: > 0 } service ? service : "muster";
        Tenants = TenantSettings.Read(muster);
        Doors = GatewayDoorsSetting.Read(muster);
    }

    /// <summary>The artifacts, trust and operators' profiles; <c>data</c> below the working folder by default.</summary>
    public string DataFolder { get; }

    /// <summary>CAs and certificates of this host; <c>pki</c> in the data folder by default.</summary>
    public string PkiFolder { get; }

    /// <summary>The Redis of the cluster, with its password; empty in one process, which has an embedded store.</summary>
    public string ConnectionString { get; }

    /// <summary>Without a connection string one process is everything: embedded store, loopback only.</summary>
    public bool IsOneProcess => ConnectionString.Length == 0;

    /// <summary>Hosts of another name do not join.</summary>
    public string ClusterId { get; }

    /// <summary>Never changes: reminders are kept under it.</summary>
    public string ServiceId { get; }

    /// <summary>Whom the installation serves, and by which TLS server names their devices reach it.</summary>
    public TenantDirectory Tenants { get; }

    /// <summary>Whom a gateway, or a silo with an edge of its own, listens for.</summary>
    public GatewayDoors Doors { get; }

    /// <summary>Makers that the tenant <c>default</c> believes from the first start on, beside the anchors of the API.</summary>
    public string DeviceTrustFolder => Path.Combine(DataFolder, "trust", "devices");

    public string ImageTrustFolder => Path.Combine(DataFolder, "trust", "images");

    /// <summary>Roots of the authorities whose timestamps in images' signatures count; none when it is empty.</summary>
    public string TimestampTrustFolder => Path.Combine(DataFolder, "trust", "timestamps");

    /// <summary>The images' bytes: a volume that all hosts of a cluster share.</summary>
    public string ArtifactFolder => Path.Combine(DataFolder, "artifacts");
}
