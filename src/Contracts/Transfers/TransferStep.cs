namespace Muster.Contracts.Transfers;

/// <summary>One kind of record, partition by partition.</summary>
/// <param name="Kind">A <see cref="GrainTypes"/> name.</param>
/// <param name="IsLate">Only what was made since the export began: for what the steps between may refer to.</param>
public readonly record struct TransferStep(string Kind, bool IsLate = false)
{
    /// <summary>
    /// The order of an export, and with it of the import. An export is no moment: it reads while the tenant works. So what refers is read
    /// before what it refers to, which then cannot be missing: devices before the keys, policies and permits that they name. Images come
    /// first and rollouts last, because a rollout goes on as soon as it is there; images that came meanwhile stand just before it. Behind
    /// them is only what nothing waits for: a delivery is the story of an import, and its devices are there already.
    /// </summary>
    public static ImmutableArray<TransferStep> All { get; } =
    [
        new(GrainTypes.Image),
        new(GrainTypes.Device),
        new(GrainTypes.Warranty),
        new(GrainTypes.Decommission),
        new(GrainTypes.Operator),
        new(GrainTypes.EndOfSupport),
        new(GrainTypes.Product),
        new(GrainTypes.PolicySet),
        new(GrainTypes.StrategySet),
        new(GrainTypes.Trust),
        new(GrainTypes.Anchors),
        new(GrainTypes.Key),
        new(GrainTypes.RolloutPartition),
        new(GrainTypes.Image, IsLate: true),
        new(GrainTypes.Rollout),
        new(GrainTypes.Delivery),
    ];
}
