using System.Text.RegularExpressions;

namespace Muster.Domain;

/// <summary>
/// The enterprise that a device or an operator belongs to, <c>default</c> in an installation for one. Form: a DNS label
/// (RFC 1123, lower case, at most 63), because a tenant is also a TLS server name's first label.
/// </summary>
[GenerateSerializer, Immutable, Alias("muster.tenant-id")]
public readonly partial record struct TenantId
{
    private TenantId(string value) => Value = value;

    /// <summary>The tenant of an installation that serves one enterprise.</summary>
    public static TenantId Default { get; } = new("default");

    [Id(0)]
    public string Value { get; private init; }

    public static bool TryParse([NotNullWhen(true)] string? text, out TenantId id)
    {
        id = default;
        if (text is null || !Form().IsMatch(text))
        {
            return false;
        }

        id = new TenantId(text);
        return true;
    }

    public override string ToString() => Value;

    [GeneratedRegex("^[a-z]([a-z0-9-]{0,61}[a-z0-9])?\\z", RegexOptions.CultureInvariant)]
    private static partial Regex Form();
}
