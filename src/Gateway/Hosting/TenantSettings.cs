using Muster.Domain;
using Muster.Domain.Tenants;
using Muster.ServiceDefaults;

namespace Muster.Gateway.Hosting;

/// <summary>
/// The tenants of the installation, the same for all hosts: <c>Muster:Tenants:0:Name</c> and <c>Muster:Tenants:0:ServerNames:0</c>, and
/// so on. None means one enterprise, the tenant <c>default</c>.
/// </summary>
internal static class TenantSettings
{
    public const string SectionName = "Tenants";

    public static TenantDirectory Read(IConfiguration muster)
    {
        var entries = new List<TenantNames>();
        foreach (var entry in muster.GetSection(SectionName).GetChildren())
        {
            var name = entry["Name"];
            if (!TenantId.TryParse(name, out var tenant))
            {
                throw new StartRefusedException(
                    $"{entry.Path}:Name is '{name}': a tenant's name has lower-case letters, digits and hyphens, from a letter.");
            }

            entries.Add(new TenantNames(tenant, [.. entry.GetSection("ServerNames").Get<string[]>() ?? []]));
        }

        var (directory, problem) = TenantDirectory.Create(entries);
        return directory ?? throw new StartRefusedException($"{InstallationSettings.SectionName}:{SectionName} cannot be used: {problem}.");
    }
}
