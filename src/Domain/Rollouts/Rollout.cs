using Muster.Domain.Devices;
using Muster.Domain.Images;

namespace Muster.Domain.Rollouts;

/// <summary>A rollout as committed: what was ordered, and how far it is.</summary>
[GenerateSerializer, Immutable, Alias("muster.rollout")]
public sealed record Rollout
{
    [Id(0)] public required TenantId Tenant { get; init; }

    [Id(1)] public required ResourceId Id { get; init; }

    [Id(2)] public required RolloutSpec Spec { get; init; }

    [Id(3)] public required RolloutPlan Plan { get; init; }

    [Id(4)] public required Actor CreatedBy { get; init; }

    [Id(5)] public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>The request id that created it (AIP-155).</summary>
    [Id(6)] public required string RequestId { get; init; }

    /// <summary>The image as it was in the catalogue at the start; null before, and for settings, which are the spec's.</summary>
    [Id(7)] public RolloutImage? Image { get; init; }

    /// <summary>The freeze that the plan was cut from; empty before the start.</summary>
    [Id(8)] public Guid Freeze { get; init; }

    /// <summary>Of the draft; those of another spec do not count.</summary>
    [Id(20)] public ImmutableArray<RolloutApproval> Approvals { get; init; } = [];

    /// <summary>Who edited the draft, each once; like the creator none of them may approve.</summary>
    [Id(21)] public ImmutableArray<Actor> Editors { get; init; } = [];

    /// <summary>
    /// Members that ran a newer version than the image's when the installation last asked: at the order, and at a start. 0 where it asks
    /// for no approvals of downgrades (<see cref="ApprovalPolicy"/>).
    /// </summary>
    [Id(115)] public int Downgrades { get; init; }

    /// <summary>
    /// Whether he wrote it, or a part of it. A program that runs under the author's name is the author: names are compared, not kinds.
    /// </summary>
    public bool IsAuthor(Actor actor) => actor.Name == CreatedBy.Name || Editors.Any(editor => editor.Name == actor.Name);

    /// <summary>Its place among those that wait for the same devices; null before the start. A way back takes nobody's place.</summary>
    public ChangeRank? Rank => Plan.StartedAt is { } startedAt
        ? new ChangeRank(Spec.Priority, startedAt)
        {
            SupersedesOlder = Spec.SupersedesOlder && Plan.RollBack is null,
            IsOsImage = Spec.Kind == ChangeKind.OsImage && Plan.RollBack is null,
        }
        : null;

    /// <summary>The approvals of this very spec.</summary>
    public ImmutableArray<RolloutApproval> ValidApprovals
    {
        get
        {
            var spec = Spec.Fingerprint;
            return [.. Approvals.Where(approval => approval.Spec == spec)];
        }
    }
}

/// <summary>An operator approved a rollout's spec.</summary>
/// <param name="Approver">Who.</param>
/// <param name="At">When.</param>
/// <param name="Spec">The <see cref="RolloutSpec.Fingerprint"/> of what he approved.</param>
[GenerateSerializer, Immutable, Alias("muster.rollout-approval")]
public sealed record RolloutApproval(
    [property: Id(0)] Actor Approver,
    [property: Id(1)] DateTimeOffset At,
    [property: Id(2)] string Spec);

/// <summary>The image that a rollout offers.</summary>
/// <param name="Target">What the device is told.</param>
/// <param name="Track">Its track.</param>
/// <param name="Models">The models it is for.</param>
[GenerateSerializer, Immutable, Alias("muster.rollout-image")]
public sealed record RolloutImage(
    [property: Id(0)] OsTarget Target,
    [property: Id(1)] string Track,
    [property: Id(2)] ImmutableArray<string> Models)
{
    /// <summary>What it asks of devices; null in records of earlier versions.</summary>
    [Id(3)] public ImageConditions? Conditions { get; init; }
}
