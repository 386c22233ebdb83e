using System.Collections.Immutable;
using Muster.Contracts.Strategies;
using Muster.Domain;
using Muster.Domain.Strategies;

namespace Muster.Gateway.Tests.Grpc;

/// <summary>The grain's rules without its silo.</summary>
internal sealed class FakeStrategies
{
    public FakeStrategies(OperatorsEdge edge)
    {
        var fleet = edge.Fleet;
        fleet.On<IStrategySetGrain, StrategyReply>(nameof(IStrategySetGrain.CreateAsync), (_, args) =>
        {
            var command = (CreateStrategy)args[0]!;
            return Take(
                StrategyRules.Create(Set, command.Strategy, command.Spec, command.RequestId, By(command.Actor)), command.Strategy);
        });
        fleet.On<IStrategySetGrain, StrategyReply>(nameof(IStrategySetGrain.UpdateAsync), (_, args) =>
        {
            var command = (UpdateStrategy)args[0]!;
            return Take(StrategyRules.Update(Set, command.Strategy, command.Spec, command.Etag, By(command.Actor)), command.Strategy);
        });
        fleet.On<IStrategySetGrain, StrategyReply>(nameof(IStrategySetGrain.DeleteAsync), (_, args) =>
        {
            var command = (DeleteStrategy)args[0]!;
            return Take(StrategyRules.Delete(Set, command.Strategy, command.Etag), command.Strategy);
        });
        fleet.On<IStrategySetGrain, SiteRulesReply>(nameof(IStrategySetGrain.UpdateSiteRulesAsync), (_, args) =>
        {
            var command = (UpdateSiteRules)args[0]!;
            var decision = StrategyRules.UpdateSiteRules(Set, command.Rules, command.Etag, By(command.Actor));
            Set = decision.Next;
            return new SiteRulesReply(Set.SiteRules, decision.Error);
        });
        fleet.On<IStrategySetGrain, StrategyReply>(nameof(IStrategySetGrain.GetAsync), (_, args) =>
        {
            var (version, error) = StrategyRules.FindVersion(Set, (StrategyChoice)args[0]!);
            return new StrategyReply(version, error);
        });
        fleet.On<IStrategySetGrain, ImmutableArray<StrategyVersion>>(
            nameof(IStrategySetGrain.ListAsync), (_, _) => [.. Set.Strategies.Select(strategy => strategy.Newest)]);
        fleet.On<IStrategySetGrain, ImmutableArray<StrategyVersion>>(
            nameof(IStrategySetGrain.ListVersionsAsync),
            (_, args) => StrategyRules.Find(Set, (ResourceId)args[0]!)?.Versions ?? []);
        fleet.On<IStrategySetGrain, SiteRules>(nameof(IStrategySetGrain.GetSiteRulesAsync), (_, _) => Set.SiteRules);
    }

    public StrategySet Set { get; private set; } = StrategySet.Empty;

    private static StrategyOrder By(Actor actor) => new(actor, Samples.At);

    private StrategyReply Take(Decision<StrategySet> decision, ResourceId strategy)
    {
        Set = decision.Next;
        return new StrategyReply(decision.Error is null ? StrategyRules.Find(Set, strategy)?.Newest : null, decision.Error);
    }
}
