namespace Muster.Domain.Rollouts;

/// <summary>The rollout is rolled back, or was; nothing leads back to the way there.</summary>
/// <param name="StartedAt">Since when.</param>
/// <param name="Wave">The wave whose failure gate ordered it; null when an operator did.</param>
/// <param name="OfferedBefore">
/// Offers of the way there, and permits that may have become some: a rate that grows begins anew with the way back, and grows late rather
/// than early.
/// </param>
[GenerateSerializer, Immutable, Alias("muster.roll-back-plan")]
public sealed record RollBackPlan(
    [property: Id(0)] DateTimeOffset StartedAt,
    [property: Id(1)] int? Wave,
    [property: Id(2)] long OfferedBefore);

/// <summary>What a wave was when its rollout began to be rolled back; everything else of it is about the way back since then.</summary>
/// <param name="State">Where it was.</param>
/// <param name="StartedAt">When it had started.</param>
/// <param name="PassedAt">When it had passed.</param>
/// <param name="Totals">How its members stood, as of the last report.</param>
[GenerateSerializer, Immutable, Alias("muster.way-there")]
public sealed record WayThere(
    [property: Id(0)] WaveState State,
    [property: Id(1)] DateTimeOffset? StartedAt,
    [property: Id(2)] DateTimeOffset? PassedAt,
    [property: Id(3)] ShareTotals Totals);
