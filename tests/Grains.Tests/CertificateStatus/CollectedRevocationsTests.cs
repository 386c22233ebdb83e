using Muster.Contracts.CertificateStatus;
using Muster.Domain.CertificateStatus;
using Muster.Domain.Identity;
using Muster.Grains.CertificateStatus;
using Muster.Grains.Tests.Lifecycle;

namespace Muster.Grains.Tests.CertificateStatus;

public sealed class CollectedRevocationsTests
{
    private const int Partitions = CollectedRevocations.PartitionsAtOnce * 2;

    private static readonly DateTimeOffset Start = new(2026, 6, 1, 12, 0, 0, TimeSpan.Zero);

    private static readonly RevokedCertificate Tombstone =
        new(new CertificateSerial(1, 1), 1, RevocationCause.Decommissioned, Start, Start.AddDays(1));

    private readonly SteppedClock _clock = new(Start);

    /// <summary>The partition that has the news is asked before the one that does not answer.</summary>
    [Fact]
    public async Task CollectAsync_AfterOneThatFailedInTheMiddle_HasWhatWasHeardThen()
    {
        var collected = new CollectedRevocations(Partitions, _clock);
        await collected.CollectAsync((_, _) => Task.FromResult<PartitionRevocations?>(new PartitionRevocations(Mark(1), [])));
        Pass();

        await Assert.ThrowsAsync<TimeoutException>(() => collected.CollectAsync((partition, known) =>
            partition == Partitions - 1 ? throw new TimeoutException() : Tell(partition, known)));
        Assert.Null(collected.Find(1, Tombstone.Serial, Start));
        await collected.CollectAsync(Tell);

        Assert.Equal(Tombstone, collected.Find(1, Tombstone.Serial, Start));
        Assert.Equal([Tombstone], collected.All);
    }

    [Fact]
    public async Task CollectAsync_WhenTheClockIsSetBack_AsksAfterTheSameTime()
    {
        var (collected, asks) = (new CollectedRevocations(1, _clock), 0);
        Task<PartitionRevocations?> Count(int partition, RevocationMark known)
        {
            asks++;
            return Task.FromResult<PartitionRevocations?>(null);
        }

        await collected.CollectAsync(Count);
        await collected.CollectAsync(Count);
        Assert.Equal(1, asks);
        _clock.Advance(TimeSpan.FromHours(-1));
        Pass();
        await collected.CollectAsync(Count);

        Assert.Equal((2, Start.AddHours(-1)), (asks, collected.At));
    }

    /// <summary>One partition has a tombstone, and says so once.</summary>
    private static Task<PartitionRevocations?> Tell(int partition, RevocationMark known) => Task.FromResult(
        partition == 0 && known != Mark(2) ? new PartitionRevocations(Mark(2), [Tombstone]) : null);

    private static RevocationMark Mark(long changes) => new(Guid.Empty, changes);

    private void Pass() => _clock.ShiftTimestamps(StatusRules.CollectionAgeMax);
}
