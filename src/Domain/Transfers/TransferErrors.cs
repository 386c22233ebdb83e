namespace Muster.Domain.Transfers;

/// <summary>The refusals of exports and imports; their reasons are names of <c>muster.v1.ErrorReason</c>.</summary>
public static class TransferErrors
{
    /// <summary>The stream is not one that <c>ExportTenant</c> gave, or not for this place.</summary>
    public static FleetError ExportInvalid(string cause) => FleetError.Of(
        ErrorKind.Invalid, "EXPORT_INVALID", $"The export cannot be imported: {cause}.", ("cause", cause));

    public static FleetError TenantNotEmpty(TenantId tenant) => FleetError.Of(
        ErrorKind.Precondition,
        "TENANT_NOT_EMPTY",
        $"The tenant '{tenant}' has records already: an import needs an installation that has none but its operators.",
        ("tenant", tenant.Value));

    public static FleetError ImportUnderWay(TenantId tenant, Guid export) => FleetError.Of(
        ErrorKind.Precondition,
        "IMPORT_UNDER_WAY",
        $"The tenant '{tenant}' has taken in a part of the export '{export}': repeat the import of that one until it is complete.",
        ("tenant", tenant.Value),
        ("export", export.ToString()));

    public static FleetError ImportUnderWayOtherwise(TenantId tenant, Guid export, bool isWithoutRollouts) => FleetError.Of(
        ErrorKind.Precondition,
        "IMPORT_UNDER_WAY",
        $"The tenant '{tenant}' has taken in a part of this export {(isWithoutRollouts ? "without" : "with")} its rollouts: repeat it "
        + "the same way until it is complete.",
        ("tenant", tenant.Value),
        ("export", export.ToString()));
}
