using Muster.Domain.Operators;

namespace Muster.Domain.Inventory;

/// <summary>What lists show of an operator.</summary>
[GenerateSerializer, Immutable, Alias("muster.operator-row")]
public sealed record OperatorRow : InventoryRow
{
    [Id(0)] public required ImmutableArray<OperatorRole> Roles { get; init; }

    [Id(1)] public required string CertificateSha256 { get; init; }

    [Id(2)] public required bool Enabled { get; init; }

    public override FieldValue Field(string name, string key) => name == "name" ? FieldValue.Of(Name) : FieldValue.None;

    /// <summary>The row of an operator as it is.</summary>
    public static OperatorRow Of(OperatorAccount account)
    {
        ArgumentNullException.ThrowIfNull(account);
        return new OperatorRow
        {
            Tenant = account.Tenant,
            Name = account.Id.Value,
            Roles = account.Roles,
            CertificateSha256 = account.Certificate.CertificateSha256,
            Enabled = account.Enabled,
        };
    }
}
