using Muster.Contracts.Commit;
using Muster.Domain.Inventory;
using Muster.Domain.Policies;

namespace Muster.Grains.Policies;

/// <summary>A tenant's policies as stored.</summary>
[GenerateSerializer, Immutable, Alias("muster.policy-set-record")]
internal sealed record PolicySetRecord : IGrainRecord<PolicySetRecord>
{
    [Id(0)] public TenantPolicies Policies { get; init; } = TenantPolicies.None;

    public object? Cold => null;

    public CommitAttachments Attachments { get; private init; } = CommitAttachments.None;

    public ICommitRecord WithCold(object? cold) => this;

    public PolicySetRecord Attach(CommitAttachments attachments) => this with { Attachments = attachments };

    /// <summary>Policies are listed from the set itself: there are few, and they are read together.</summary>
    public InventoryRow? ToRow(bool withCold) => null;

    public DateTimeOffset? NextDueAt() => Policies.Sweep?.NextAt;
}
