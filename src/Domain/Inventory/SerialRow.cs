using Muster.Domain.Serials;

namespace Muster.Domain.Inventory;

/// <summary>
/// What lists show of a serial that several tenants expected. It is listed under the tenant <c>default</c>, whose administrators are the
/// installation's: nobody else sees who the others are.
/// </summary>
[GenerateSerializer, Immutable, Alias("muster.serial-row")]
public sealed record SerialRow : InventoryRow
{
    [Id(0)] public required SerialClaims Claims { get; init; }

    public override FieldValue Field(string name, string key) => name switch
    {
        "name" => FieldValue.Of(Name),
        "state" => FieldValue.Of((long)Claims.State),
        "disputed_at" => FieldValue.Of(Claims.DisputedAt),
        _ => FieldValue.None,
    };

    /// <summary>Null for a serial that was never disputed: of those there are as many as devices, and nothing to decide.</summary>
    public static SerialRow? Of(SerialClaims claims)
    {
        ArgumentNullException.ThrowIfNull(claims);
        return claims.DisputedAt is null
            ? null
            : new SerialRow { Tenant = TenantId.Default, Name = claims.Id.Device.Value, Claims = claims };
    }
}
