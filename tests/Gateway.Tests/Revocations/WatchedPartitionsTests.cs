using System.Collections.Immutable;
using Microsoft.Extensions.Time.Testing;
using Muster.Contracts.Commit;
using Muster.Contracts.Revocations;
using Muster.Gateway.Revocations;

namespace Muster.Gateway.Tests.Revocations;

public sealed class WatchedPartitionsTests
{
    private static readonly Guid s_one = Guid.NewGuid();
    private static readonly Guid s_other = Guid.NewGuid();

    private readonly FakeTimeProvider _clock = new();
    private readonly WatchedPartitions _partitions;
    private readonly Guid[] _tails = [.. Enumerable.Range(0, PartitionMap.CountMin).Select(_ => Guid.NewGuid())];

    public WatchedPartitionsTests() => _partitions = new WatchedPartitions(new PartitionMap(PartitionMap.CountMin), _clock);

    [Fact]
    public void IsFresh_BeforeTheFirstAnswer_IsFalse()
    {
        Assert.False(_partitions.IsFresh(3));
        Assert.True(_partitions.IsLost(3));
        Assert.Equal(PartitionMap.CountMin, _partitions.CountStale());
    }

    [Theory]
    [InlineData(2_000, true, false)]
    [InlineData(2_001, false, false)]
    [InlineData(60_000, false, false)]
    [InlineData(60_001, false, true)]
    public void IsFresh_ByTheAgeOfTheProof_EndsAfterTwoSecondsAndIsLostAfterSixty(int milliseconds, bool isFresh, bool isLost)
    {
        Take(Reply(s_one, null, 0, All(s => s)));

        _clock.Advance(TimeSpan.FromMilliseconds(milliseconds));

        Assert.Equal((isFresh, isLost), (_partitions.IsFresh(3), _partitions.IsLost(3)));
    }

    [Fact]
    public void IsFresh_OfAnAnswerThatTookLong_CountsFromTheQuestionAndTheSilosOwnAge()
    {
        var askedAt = _clock.GetTimestamp();
        _clock.Advance(TimeSpan.FromSeconds(1.2));
        _partitions.Take(Reply(s_one, null, 0, All(tail => tail with { Age = TimeSpan.FromSeconds(0.9) })), askedAt);

        Assert.False(_partitions.IsFresh(3));
    }

    [Fact]
    public void TakeAsks_OfManyPartitions_AsksOneOfEverySilo()
    {
        Assert.Equal(PartitionMap.CountMin, _partitions.TakeAsks().Count);
        for (var partition = 0; partition < PartitionMap.CountMin; partition++)
        {
            _partitions.Asked(partition, isAnswered: true);
        }

        Take(Reply(s_one, null, 0, All(tail => tail).Where(tail => tail.Partition < 8)));
        Take(Reply(s_other, null, 0, All(tail => tail).Where(tail => tail.Partition >= 8)));

        Assert.Empty(_partitions.TakeAsks(isBetween: true));
        Assert.Equal([0, 8], _partitions.TakeAsks());

        // Nobody is asked twice at once.
        Assert.Empty(_partitions.TakeAsks());
    }

    [Fact]
    public void Asked_WithoutAnAnswer_AsksForAllPartitionsOfThatSilo()
    {
        Take(Reply(s_one, null, 0, All(tail => tail)));
        Assert.Equal([0], _partitions.TakeAsks());

        _partitions.Asked(0, isAnswered: false);

        Assert.Equal(PartitionMap.CountMin, _partitions.TakeAsks().Count);
        Assert.Empty(_partitions.Cursors());
    }

    [Fact]
    public void Take_OfAPartitionThatMoved_ReadsOnFromItsPositionBeforeItIsFreshAgain()
    {
        Take(Reply(s_one, null, 0, All(tail => tail with { Position = new FeedPosition(40, 7) })));
        _clock.Advance(TimeSpan.FromSeconds(3));
        var moved = Guid.NewGuid();
        var there = Reply(s_other, null, 0, [new WatchedTail(3, moved, new FeedPosition(44, 9), TimeSpan.Zero)]);

        var part = Assert.Single(Take(there));

        Assert.Equal((3, new FeedPosition(40, 7)), (part.Partition, part.After));
        Assert.False(_partitions.IsFresh(3));
        Assert.Empty(Take(there with { From = 0, IsContinuous = true }));

        _partitions.CatchUp(part, new FeedPosition(44, 9));
        Assert.False(_partitions.IsFresh(3));
        Assert.Empty(Take(there with { From = 0, IsContinuous = true }));
        Assert.True(_partitions.IsFresh(3));
    }

    [Fact]
    public void Take_WhenTheSiloForgotSome_ReadsAllItsPartitionsByPosition()
    {
        Take(Reply(s_one, null, 5, All(tail => tail)));
        _clock.Advance(TimeSpan.FromSeconds(3));

        var missed = Take(Reply(s_one, 5, 20_000, All(tail => tail)) with { IsContinuous = false });

        Assert.Equal(PartitionMap.CountMin, missed.Count);
        Assert.Equal(PartitionMap.CountMin, _partitions.CountStale());
        Assert.Equal(20_000, Assert.Single(_partitions.Cursors()).Sequence);
    }

    /// <summary>Two answers may overtake each other: one of them knows nothing of a partition that the silo has by now.</summary>
    [Fact]
    public void Take_OfASiloThatIsBack_ReadsAlsoThePartitionThatALateAnswerDidNotName()
    {
        Take(Reply(s_one, null, 5, All(tail => tail)));
        Take(Reply(s_one, 5, 5, All(tail => tail).Where(tail => tail.Partition != 3)));
        Assert.Contains(0, _partitions.TakeAsks());
        _partitions.Asked(0, isAnswered: false);

        var missed = Take(Reply(s_one, null, 9, All(tail => tail)));

        Assert.Equal(Enumerable.Range(0, PartitionMap.CountMin), missed.Select(part => part.Partition));
    }

    [Fact]
    public void CatchUp_WhenTheSiloForgotSomeMeanwhile_IsBegunAgain()
    {
        Take(Reply(s_one, null, 5, All(tail => tail)));
        var part = Take(Reply(s_one, 5, 20_000, All(tail => tail)) with { IsContinuous = false })[3];
        Take(Reply(s_one, 20_000, 40_000, All(tail => tail)) with { IsContinuous = false });

        _partitions.CatchUp(part, new FeedPosition(44, 9));

        var again = Assert.Single(Take(Reply(s_one, 40_000, 40_000, All(tail => tail))));
        Assert.Equal((3, new FeedPosition(44, 9)), (again.Partition, again.After));
    }

    [Fact]
    public void Restart_OfAPartitionWhoseFeedIsAnother_AdmitsNobodyUntilItIsFollowedAnew()
    {
        Take(Reply(s_one, null, 0, All(tail => tail)));
        _clock.Advance(TimeSpan.FromSeconds(1.5));
        var part = Assert.Single(Take(Reply(s_other, null, 0, [new WatchedTail(3, Guid.NewGuid(), default, TimeSpan.Zero)])));

        _partitions.Restart(part);

        Assert.False(_partitions.IsFresh(3));
        Assert.Empty(Take(Reply(s_other, 0, 0, [new WatchedTail(3, part.Tail, new FeedPosition(2, 2), TimeSpan.Zero)])));
        Assert.True(_partitions.IsFresh(3));
    }

    [Fact]
    public void Take_OfASecondAnswerFromBeforeTheCursor_ProvesNothing()
    {
        Take(Reply(s_one, null, 5, All(tail => tail)));
        _clock.Advance(TimeSpan.FromSeconds(3));

        // Asked without a cursor: it says how far it is, and not what lies between.
        Assert.Empty(Take(Reply(s_one, null, 8, All(tail => tail))));

        Assert.False(_partitions.IsFresh(3));
        Assert.Equal(5, Assert.Single(_partitions.Cursors()).Sequence);
    }

    private IEnumerable<WatchedTail> All(Func<WatchedTail, WatchedTail> change) => Enumerable.Range(0, PartitionMap.CountMin)
        .Select(partition => change(new WatchedTail(partition, _tails[partition], FeedPosition.Start, TimeSpan.Zero)));

    private IReadOnlyList<MissedPart> Take(RevocationReply reply) => _partitions.Take(reply, _clock.GetTimestamp());

    private static RevocationReply Reply(Guid silo, long? from, long end, IEnumerable<WatchedTail> tails) =>
        new(new RevocationCursor(silo, end), from, from is not null, ImmutableArray<Revocation>.Empty, [.. tails]);
}
