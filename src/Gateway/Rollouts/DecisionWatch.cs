using System.Runtime.CompilerServices;
using Grpc.Core;
using Microsoft.Extensions.Options;
using Muster.Contracts;
using Muster.Contracts.Rollouts;
using Muster.Domain;
using Muster.Domain.Rollouts;
using Muster.Gateway.Grpc;

namespace Muster.Gateway.Rollouts;

/// <summary>
/// What a watcher of decisions is told: a decision, or that all known ones were told (both null). Behind the last of those that came
/// together there is a point from which another watch may go on.
/// </summary>
internal readonly record struct DecisionNews(ToldDecision? Decision, DecisionPoint? Point);

/// <summary>One decision of a rollout.</summary>
/// <param name="Rollout">Whose.</param>
/// <param name="Number">From 1.</param>
/// <param name="Decision">What.</param>
/// <param name="Forgotten">How many before it are not kept any more and were not told.</param>
internal sealed record ToldDecision(ResourceId Rollout, long Number, PlanDecision Decision, long Forgotten);

/// <summary>
/// Follows the decisions of rollouts. They are read from the rollouts' records, where they are numbered; the change feed, which is trimmed
/// long before, only tells which rollout has new ones.
/// </summary>
internal sealed class DecisionWatch(IGrainFactory grains, RowWatch rows, IOptions<OperatorsOptions> options, TimeProvider clock)
{
    /// <summary>
    /// For a moment a rollout may have two activations, and the older one, whose next commit will be refused, knows fewer decisions than
    /// were told. A store that went back still says so after this.
    /// </summary>
    private static readonly TimeSpan AskAgainAfter = TimeSpan.FromSeconds(1);

    /// <summary>Of one rollout, until it has ended: its grain is asked as often as for a picture of it.</summary>
    public async IAsyncEnumerable<DecisionNews> OfOneAsync(
        TenantId tenant, ResourceId id, DecisionPoint? from, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var mark = from?.Told.GetValueOrDefault(id) ?? DecisionMark.Start;
        for (var isCaughtUp = false; ; isCaughtUp = true)
        {
            var page = await ReadAsync(tenant, id, mark, cancellationToken);
            var (told, next) = (Tell(id, page, mark), page.Next(mark));
            for (var i = 0; i < told.Count; i++)
            {
                yield return new DecisionNews(told[i], isCaughtUp && i == told.Count - 1 ? PointOf(next) : null);
            }

            mark = next;
            if (!isCaughtUp)
            {
                yield return new DecisionNews(null, PointOf(mark));
            }

            if (page.IsEnded)
            {
                yield break;
            }

            await Task.Delay(options.Value.RolloutWatchInterval, clock, cancellationToken);
        }

        DecisionPoint PointOf(DecisionMark at) => new(clock.GetUtcNow(), new Dictionary<ResourceId, DecisionMark> { [id] = at });
    }

    /// <summary>Of all rollouts of a tenant, until the caller cancels.</summary>
    public async IAsyncEnumerable<DecisionNews> OfAllAsync(
        TenantId tenant, DecisionPoint? from, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var told = new ToldRollouts(from, clock.GetUtcNow());
        var isCaughtUp = false;
        while (!cancellationToken.IsCancellationRequested)
        {
            await using var changes = rows.RunAsync(new Listing(tenant, GrainTypes.Rollout, ""), null, cancellationToken)
                .GetAsyncEnumerator(cancellationToken);
            while (await MoveNextAsync(changes))
            {
                if (changes.Current is { Row: { Row: RolloutRow row } } && told.Wants(row) is { } mark)
                {
                    var id = ToldRollouts.IdOf(row);
                    var page = await ReadAsync(tenant, id, mark, cancellationToken);
                    told.Put(row, page.Next(mark), page.IsEnded);
                    var decisions = Tell(id, page, mark);
                    for (var i = 0; i < decisions.Count; i++)
                    {
                        var isLast = isCaughtUp && i == decisions.Count - 1;
                        yield return new DecisionNews(decisions[i], isLast ? told.PointAt(clock.GetUtcNow()) : null);
                    }
                }
                else if (changes.Current is { Row: null, Left: null } && !isCaughtUp)
                {
                    isCaughtUp = true;
                    yield return new DecisionNews(null, told.PointAt(clock.GetUtcNow()));
                }
            }
        }
    }

    /// <summary>
    /// False when the watch of the rows has to begin anew, because the feed does not reach back to its last renewal: its new snapshot is
    /// compared with what was told.
    /// </summary>
    private static async Task<bool> MoveNextAsync(IAsyncEnumerator<RowNews> changes)
    {
        try
        {
            return await changes.MoveNextAsync();
        }
        catch (RpcException refusal) when (ResumeTokens.IsExpired(refusal))
        {
            return false;
        }
    }

    private async Task<DecisionPage> ReadAsync(TenantId tenant, ResourceId id, DecisionMark mark, CancellationToken cancellationToken)
    {
        var page = await AskAsync(tenant, id, mark);
        if (page.IsRewound)
        {
            await Task.Delay(AskAgainAfter, clock, cancellationToken);
            page = await AskAsync(tenant, id, mark);
        }

        return page.IsRewound ? throw DecisionTokens.Expired(id) : page;
    }

    private async Task<DecisionPage> AskAsync(TenantId tenant, ResourceId id, DecisionMark mark)
    {
        var reply = await grains.GetRollout(tenant, id).GetDecisionsAsync(mark);
        return reply switch
        {
            { Error: { } error } => throw FleetErrors.ToRpcException(error),
            { Page: { } page } => page,
            _ => throw new InvalidOperationException("Neither decisions nor an error."),
        };
    }

    private static List<ToldDecision> Tell(ResourceId id, DecisionPage page, DecisionMark mark) =>
        [.. page.Decisions.Select((decision, i) =>
            new ToldDecision(id, page.First + i, decision, i == 0 ? page.First - mark.Number - 1 : 0))];
}
