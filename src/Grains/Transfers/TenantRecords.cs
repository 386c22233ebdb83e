using Muster.Contracts;
using Muster.Contracts.Commit;
using Muster.Contracts.EndOfSupport;
using Muster.Domain;
using Muster.Domain.Transfers;
using Muster.Grains.Anchors;
using Muster.Grains.Decommissioning;
using Muster.Grains.Deliveries;
using Muster.Grains.Devices;
using Muster.Grains.EndOfSupport;
using Muster.Grains.Images;
using Muster.Grains.Operators;
using Muster.Grains.Policies;
using Muster.Grains.Rollouts;
using Muster.Grains.Strategies;
using Muster.Grains.Trust;
using Muster.Grains.Warranty;

namespace Muster.Grains.Transfers;

/// <summary>Which records are a tenant's.</summary>
internal static class TenantRecords
{
    /// <summary>What the keys of a tenant's records look like. A public key's record has the tenant inside.</summary>
    public static string KeysOf(string kind, TenantId tenant) => kind switch
    {
        GrainTypes.Key => "*",
        GrainTypes.PolicySet or GrainTypes.StrategySet or GrainTypes.Trust or GrainTypes.Anchors => tenant.Value,
        _ => $"{tenant}/*",
    };

    public static bool Belongs(TenantId tenant, StoredRecord record) => record.Key.Kind switch
    {
        GrainTypes.Key => record.Record is KeyRecord { Owner: { } owner } && owner.Tenant == tenant,
        GrainTypes.PolicySet or GrainTypes.StrategySet or GrainTypes.Trust or GrainTypes.Anchors => record.Key.Key == tenant.Value,
        _ => record.Key.Key.StartsWith($"{tenant}/", StringComparison.Ordinal),
    };

    /// <summary>What is wrong with a record that somebody wants to be written; null for nothing.</summary>
    public static FleetError? Check(TenantId tenant, int partition, PartitionMap partitions, StoredRecord record)
    {
        if (record.Record.GetType() is var found && TypeOf(record.Key.Kind) is var wanted && found != wanted)
        {
            return TransferErrors.ExportInvalid($"the record '{record.Key}' holds a {found.Name}");
        }

        // Its grain would answer by the key and its row show the other name.
        if (NameIn(record.Record) is { } name && name != record.Key.Key)
        {
            return TransferErrors.ExportInvalid($"the record '{record.Key}' says of itself that it is '{name}'");
        }

        return Belongs(tenant, record) && partitions.Of(record.Key) == partition
            ? null
            : TransferErrors.ExportInvalid($"the record '{record.Key}' is not of the tenant '{tenant}' and the partition {partition}");
    }

    /// <summary>The key as the record itself has it; null for a record that says only what, and not of what.</summary>
    private static string? NameIn(object record) => record switch
    {
        EndOfSupportRecord { Campaign: { } campaign } => ProductKey.Of(campaign.Tenant, campaign.Product),
        _ when ((IListedRecord)record).ToRow(withCold: false) is { } row => $"{row.Tenant}/{row.Name}",
        _ => null,
    };

    /// <summary>What is stored under a kind; null for what no export has.</summary>
    private static Type? TypeOf(string kind) => kind switch
    {
        GrainTypes.Image => typeof(ImageRecord),
        GrainTypes.Device => typeof(DeviceRecord),
        GrainTypes.Warranty => typeof(WarrantyRecord),
        GrainTypes.Decommission => typeof(DecommissionRecord),
        GrainTypes.Operator => typeof(OperatorRecord),
        GrainTypes.EndOfSupport => typeof(EndOfSupportRecord),
        GrainTypes.Product => typeof(ProductRecord),
        GrainTypes.PolicySet => typeof(PolicySetRecord),
        GrainTypes.StrategySet => typeof(StrategySetRecord),
        GrainTypes.Trust => typeof(TrustRecord),
        GrainTypes.Anchors => typeof(AnchorSetRecord),
        GrainTypes.Key => typeof(KeyRecord),
        GrainTypes.RolloutPartition => typeof(RolloutShareRecord),
        GrainTypes.Rollout => typeof(RolloutRecord),
        GrainTypes.Delivery => typeof(DeliveryRecord),
        _ => null,
    };
}
