namespace Muster.Domain.Rollouts;

/// <summary>The version of a strategy that the course of a rollout was taken from. Only the rollout's grain writes one.</summary>
/// <param name="Id">The strategy.</param>
/// <param name="Version">From 1.</param>
/// <param name="Revision">
/// Of the tenant's strategies when that version was made. It is never given twice: a strategy of the same name that is made after the first
/// was deleted is told from it.
/// </param>
[GenerateSerializer, Immutable, Alias("muster.rollout-strategy")]
public sealed record RolloutStrategy(
    [property: Id(0)] ResourceId Id,
    [property: Id(1)] long Version,
    [property: Id(2)] long Revision)
{
    /// <summary>As people and the API write it: <c>canary-site-fleet@3</c>.</summary>
    public override string ToString() => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{Id}@{Version}");
}
