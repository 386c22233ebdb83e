using System.Collections.Frozen;
using System.Text.RegularExpressions;

namespace Muster.Domain.Tenants;

/// <summary>A tenant, and the TLS server names by which its devices ask for it.</summary>
public sealed record TenantNames(TenantId Tenant, ImmutableArray<string> ServerNames);

/// <summary>
/// Which tenants an installation has, and which of them a TLS server name (SNI) means. Without any other than <c>default</c> every name
/// means that one, and none at all does too.
/// </summary>
public sealed partial class TenantDirectory
{
    /// <summary>Every gateway asks for the anchors of every tenant every two seconds.</summary>
    public const int TenantsMax = 256;

    /// <summary>A name of its own for each site or region, and the ones before a move.</summary>
    public const int ServerNamesMax = 32;

    /// <summary>RFC 1035 2.3.4.</summary>
    private const int ServerNameLengthMax = 253;

    private readonly FrozenDictionary<string, TenantId> _byName;

    private TenantDirectory(ImmutableArray<TenantNames> entries)
    {
        Entries = entries;
        _byName = entries.SelectMany(entry => entry.ServerNames.Select(name => KeyValuePair.Create(name, entry.Tenant)))
            .ToFrozenDictionary(StringComparer.OrdinalIgnoreCase);
        IsShared = entries.Any(entry => entry.Tenant != TenantId.Default);
        Tenants = [TenantId.Default, .. entries.Select(entry => entry.Tenant).Where(tenant => tenant != TenantId.Default)];
    }

    /// <summary>An installation for one enterprise.</summary>
    public static TenantDirectory OfOne { get; } = new([]);

    /// <summary>What was configured.</summary>
    public ImmutableArray<TenantNames> Entries { get; }

    /// <summary>All tenants; <c>default</c> is always one, and the first.</summary>
    public ImmutableArray<TenantId> Tenants { get; }

    /// <summary>True when there is another tenant beside <c>default</c>: then a server name has to say which one is meant.</summary>
    public bool IsShared { get; }

    /// <summary>The directory, or a sentence that says which entry is wrong.</summary>
    public static (TenantDirectory? Directory, string? Problem) Create(IReadOnlyCollection<TenantNames> entries)
    {
        ArgumentNullException.ThrowIfNull(entries);
        if (entries.Count > TenantsMax)
        {
            return (null, $"there are at most {TenantsMax} tenants");
        }

        var (tenants, names) = (new HashSet<TenantId>(), new HashSet<string>(StringComparer.OrdinalIgnoreCase));
        foreach (var (tenant, serverNames) in entries)
        {
            if (!tenants.Add(tenant))
            {
                return (null, $"the tenant '{tenant}' is there twice");
            }

            if (serverNames.IsEmpty || serverNames.Length > ServerNamesMax)
            {
                return (null, $"the tenant '{tenant}' needs 1 to {ServerNamesMax} server names");
            }

            if (serverNames.FirstOrDefault(name => name.Length > ServerNameLengthMax || !Form().IsMatch(name)) is { } wrong)
            {
                return (null, $"'{wrong}' of the tenant '{tenant}' is no DNS name, which a TLS server name has to be (RFC 6066)");
            }

            if (serverNames.FirstOrDefault(name => !names.Add(name)) is { } taken)
            {
                return (null, $"the server name '{taken}' is there twice");
            }
        }

        return (new TenantDirectory([.. entries]), null);
    }

    /// <summary>The tenant that a server name means; null when it means none, and the handshake has to be refused.</summary>
    public TenantId? Find(string? serverName) =>
        !string.IsNullOrEmpty(serverName) && _byName.TryGetValue(serverName, out var tenant) ? tenant
        : IsShared ? null
        : TenantId.Default;

    /// <summary>Labels of letters, digits and hyphens; the last has a letter, so that no address is taken for a name.</summary>
    [GeneratedRegex(
        "^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\\.)*(?=[0-9-]*[a-z])[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\\z",
        RegexOptions.CultureInvariant | RegexOptions.IgnoreCase)]
    private static partial Regex Form();
}
