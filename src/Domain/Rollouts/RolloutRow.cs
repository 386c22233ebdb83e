using Muster.Domain.Inventory;

namespace Muster.Domain.Rollouts;

/// <summary>What lists show of a rollout.</summary>
[GenerateSerializer, Immutable, Alias("muster.rollout-row")]
public sealed record RolloutRow : InventoryRow
{
    [Id(0)] public required RolloutState State { get; init; }

    [Id(1)] public required string ImageDigest { get; init; }

    [Id(2)] public required string TargetVersion { get; init; }

    [Id(3)] public required int Members { get; init; }

    /// <summary>As of the last commit.</summary>
    [Id(4)] public required int Succeeded { get; init; }

    [Id(5)] public required int Failed { get; init; }

    [Id(6)] public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>How many settings it changes; 0 for an image.</summary>
    [Id(70)] public int Settings { get; init; }

    /// <summary>Decisions ever made; 0 also from a silo of an earlier version.</summary>
    [Id(75)] public long Decisions { get; init; }

    /// <summary>The rollout whose rest it retries; empty for none, and from a silo of an earlier version null.</summary>
    [Id(90)] public string? RetryOf { get; init; } = "";

    /// <summary>Nothing will happen any more; which states say so is the plan's to know.</summary>
    public bool IsEnded => (RolloutPlan.Draft with { State = State }).IsTerminal;

    public override FieldValue Field(string name, string key) => name switch
    {
        "name" => FieldValue.Of(Name),
        "state" => FieldValue.Of((long)State),
        "members" => FieldValue.Of(Members),
        "failed" => FieldValue.Of(Failed),
        "created_at" => FieldValue.Of(CreatedAt),
        _ => FieldValue.None,
    };

    /// <summary>The row of a rollout as it is.</summary>
    public static RolloutRow Of(Rollout rollout)
    {
        ArgumentNullException.ThrowIfNull(rollout);
        return new RolloutRow
        {
            Tenant = rollout.Tenant,
            Name = rollout.Id.Value,
            State = rollout.Plan.State,
            ImageDigest = rollout.Spec.ImageDigest,
            TargetVersion = rollout.Spec.TargetVersion,
            Members = rollout.Plan.Members,
            Succeeded = rollout.Plan.Waves.Sum(wave => wave.Totals.Succeeded),
            Failed = rollout.Plan.Waves.Sum(wave => wave.Totals.FailedAll),
            CreatedAt = rollout.CreatedAt,
            Settings = rollout.Spec.Settings?.Count() ?? 0,
            Decisions = rollout.Plan.DecisionCount,
            RetryOf = rollout.Spec.RetryOf?.Value ?? "",
        };
    }
}
