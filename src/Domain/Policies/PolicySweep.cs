using Muster.Domain.EndOfSupport;

namespace Muster.Domain.Policies;

/// <summary>How far the evaluation of the fleet with a revision is.</summary>
/// <param name="Revision">The revision.</param>
/// <param name="Done">Partitions whose devices were all evaluated.</param>
/// <param name="After">In the first partition that is not done: the last name evaluated; empty at its start.</param>
/// <param name="NextAt">When the next step is due.</param>
[GenerateSerializer, Immutable, Alias("muster.policy-sweep")]
public sealed record PolicySweep(
    [property: Id(0)] long Revision,
    [property: Id(1)] PartitionSet Done,
    [property: Id(2)] string After,
    [property: Id(3)] DateTimeOffset NextAt)
{
    /// <summary>Devices that it could not ask so far.</summary>
    [Id(4)] public long Missed { get; init; }
}

/// <summary>All that a tenant's policies consist of.</summary>
/// <param name="Set">What devices are evaluated against.</param>
/// <param name="Sweep">The evaluation that a change left to do; null when none is.</param>
[GenerateSerializer, Immutable, Alias("muster.tenant-policies")]
public sealed record TenantPolicies(
    [property: Id(0)] PolicySet Set,
    [property: Id(1)] PolicySweep? Sweep)
{
    public static TenantPolicies None { get; } = new(PolicySet.Empty, null);
}
