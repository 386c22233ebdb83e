using Muster.Contracts.Strategies;
using Muster.Domain;
using Muster.Domain.Rollouts;
using Muster.Domain.Strategies;

namespace Muster.Grains.Rollouts;

/// <summary>
/// Rollouts from strategies, and sites that need one; the rules are <see cref="StrategyCourse"/> and <see cref="SiteRuling"/>.
/// </summary>
internal sealed partial class RolloutGrain
{
    /// <summary>
    /// The spec as it will be kept: a later version of the strategy does not change it. That it is from a strategy only this grain says,
    /// whatever the caller wrote, so that nothing else ever goes by a strategy's name.
    /// </summary>
    private async Task<(RolloutSpec Spec, FleetError? Error)> ExpandAsync(RolloutSpec ordered, StrategyChoice? strategy)
    {
        if (strategy is null)
        {
            return (ordered with { Strategy = null }, null);
        }

        var (version, error) = await GrainFactory.GetStrategySet(_tenant).GetAsync(strategy);
        return version is null
            ? (ordered, error ?? StrategyErrors.NotFound(strategy.Strategy))
            : (StrategyCourse.Expand(version, ordered), null);
    }

    /// <summary>
    /// Whether the rollout could be started with the devices that match now: it is better to hear it from the order than from the start,
    /// which decides by those that it freezes. Where the rest of another rollout is only the start and
    /// a dry run look.
    /// </summary>
    private async Task<FleetError?> CheckSitesAsync(Rollout rollout)
    {
        var rules = await GrainFactory.GetStrategySet(_tenant).GetSiteRulesAsync();
        return rules.Rules.IsEmpty || rollout.Spec.RetryOf is not null
            ? null
            : SiteRuling.Check(
                _id,
                rollout.Spec.Strategy,
                rules,
                await FreezeOf(rollout, retried: null).CountSitesAsync(rules));
    }
}
