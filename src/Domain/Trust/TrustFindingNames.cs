using System.Collections.Frozen;
using Muster.Domain.Inventory;

namespace Muster.Domain.Trust;

/// <summary>Findings as lists and filters write them.</summary>
public static class TrustFindingNames
{
    private static readonly FrozenDictionary<TrustFindingKind, string> s_names =
        Enum.GetValues<TrustFindingKind>().ToFrozenDictionary(kind => kind, kind => InventoryField.ToApi(kind.ToString()));

    /// <summary>For example <c>SECURE_BOOT_LOST</c>.</summary>
    public static string Of(TrustFindingKind kind) => s_names[kind];

    /// <summary>Names with a space between them, in the order of the kinds; empty for none.</summary>
    public static string Of(ImmutableArray<TrustFinding> findings) => findings.IsDefaultOrEmpty ? ""
        : findings.Length == 1 ? Of(findings[0].Kind)
        : string.Join(' ', findings.Select(finding => Of(finding.Kind)));
}
