using System.Collections.Immutable;
using Muster.Contracts.Commit;
using Muster.Contracts.Revocations;

namespace Muster.BareGateway;

/// <summary>A silo that has every partition and knows that nobody was revoked: without it the gateway would admit nobody.</summary>
internal sealed class NoRevocations : IRevocationsGrain
{
    private readonly Guid _silo = Guid.NewGuid();
    private readonly ImmutableArray<WatchedTail> _tails;

    public NoRevocations()
    {
        var tail = Guid.NewGuid();
        _tails = [.. Enumerable.Range(0, PartitionMap.CountDefault).Select(
            partition => new WatchedTail(partition, tail, default, TimeSpan.Zero))];
    }

    public Task<RevocationReply> WatchAsync(ImmutableArray<RevocationCursor> cursors)
    {
        long? from = cursors.Any(cursor => cursor.Silo == _silo) ? 0 : null;
        return Task.FromResult(new RevocationReply(new RevocationCursor(_silo, 0), from, IsContinuous: true, [], _tails));
    }

    public Task<RevocationPage> ReadSinceAsync(FeedPosition after) =>
        Task.FromResult(new RevocationPage(FeedContinuity.Follows, [], after, IsAtEnd: true));
}
