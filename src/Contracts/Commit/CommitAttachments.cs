using Muster.Domain;
using Muster.Domain.Inventory;

namespace Muster.Contracts.Commit;

/// <summary>
/// What travels beside a record into its commit and never inside it: the facts, the fences, the row that lists show and
/// the next date at which the record wants to be looked at.
/// </summary>
public sealed record CommitAttachments
{
    /// <summary>A commit without facts: only for a record that is claimed or rebuilt.</summary>
    public static CommitAttachments None { get; } = new();

    /// <summary>Appended to the partition's feed in the same step, in order, each exactly once.</summary>
    public ImmutableArray<DomainEvent> Facts { get; init; } = [];

    /// <summary>Who caused the commit; stands in every fact's feed entry.</summary>
    public Actor Actor { get; init; }

    /// <summary>The instant that the decision was made with.</summary>
    public DateTimeOffset At { get; init; }

    /// <summary>Compared in the same step; one that differs refuses the commit with <see cref="FenceRaisedException"/>.</summary>
    public ImmutableArray<Fence> Fences { get; init; } = [];

    /// <summary>True when the record's cold part changed; it is written only then.</summary>
    public bool ColdChanged { get; init; }

    /// <summary>What lists show of the record after this commit; null for records that are not listed.</summary>
    public InventoryRow? Row { get; init; }

    /// <summary>When the record wants to be looked at next (<see cref="IDueGrain"/>); null for never.</summary>
    public DateTimeOffset? DueAt { get; init; }
}

/// <summary>
/// A named number of a partition that a commit expects. Raising it in the store makes every commit that still expects
/// the old value fail, whichever activation sends it (design: fences).
/// </summary>
/// <param name="Name">At most 200 characters, for example <c>rollout/default/spring</c>.</param>
/// <param name="Expected">The value the caller was granted; an absent fence counts as 0.</param>
public readonly record struct Fence(string Name, long Expected);
