namespace Muster.Contracts;

/// <summary>The permanent names of the grain types; they are part of routing, of storage keys and of the partition rule.</summary>
public static class GrainTypes
{
    public const string Device = "muster.device";
    public const string Key = "muster.key";
    public const string Warranty = "muster.warranty";
    public const string Decommission = "muster.decommission";
    public const string Rollout = "muster.rollout";
    public const string RolloutPartition = "muster.rollout-partition";
    public const string RolloutGroups = "muster.rollout-groups";
    public const string PolicySet = "muster.policy-set";
    public const string Product = "muster.product";
    public const string EndOfSupport = "muster.end-of-support";
    public const string Image = "muster.image";
    public const string Operator = "muster.operator";
    public const string Inventory = "muster.inventory";
    public const string InventoryReader = "muster.inventory-reader";
    public const string DueList = "muster.due-list";
    public const string Installation = "muster.installation";
    public const string Transfer = "muster.transfer";
    public const string TenantImport = "muster.tenant-import";
    public const string Delivery = "muster.delivery";
    public const string Trust = "muster.trust";
    public const string CertificateStatus = "muster.certificate-status";
    public const string Anchors = "muster.anchors";
    public const string Enrollment = "muster.enrollment";
    public const string EnrollmentQueue = "muster.enrollment-queue";
    public const string Serial = "muster.serial";
    public const string Catalogue = "muster.catalogue";
    public const string StrategySet = "muster.strategy-set";
    public const string LinkKeys = "muster.link-keys";
}
