using Microsoft.Extensions.Time.Testing;
using Muster.Contracts.Commit;
using Muster.Contracts.Inventory;
using Muster.Gateway.Grpc;

namespace Muster.Gateway.Tests.Grpc;

public sealed class RowBufferTests
{
    private static readonly Guid Lineage = Guid.Parse("6f0d6bb4-3f0b-4c55-9d4c-0d8f7a1f0a11");

    private readonly FakeTimeProvider _clock = new();

    [Fact]
    public async Task RowChangedAsync_OfTwoThatOvertookEachOther_KeepsTheNewerOne()
    {
        using var buffer = new RowBuffer(1, _clock);

        await TellAsync(buffer, 2, "A", hasLeft: true);
        Assert.Empty(buffer.Take());
        await TellAsync(buffer, 1, "A");

        Assert.True(Assert.Single(buffer.Take()).HasLeft);
        Assert.True(buffer.HasAll(0, Told(2)));
        Assert.False(buffer.HasEarly);
    }

    [Fact]
    public async Task RowChangedAsync_OfOneThatWasMadeUpForMeanwhile_IsNotTold()
    {
        using var buffer = new RowBuffer(1, _clock);
        await TellAsync(buffer, 2, "A", hasLeft: true);

        buffer.Forgive(0, Told(2));
        await TellAsync(buffer, 1, "A");

        Assert.Empty(buffer.Take());
        Assert.True(buffer.HasAll(0, Told(2)));
    }

    [Fact]
    public async Task HasGap_OfOneThatDoesNotCome_IsSaidAfterASecondAndEndsWhenItIsMadeUpFor()
    {
        using var buffer = new RowBuffer(1, _clock);
        await TellAsync(buffer, 1, "A");
        await TellAsync(buffer, 3, "C");
        await TellAsync(buffer, 4, "D");
        Assert.Equal("A", Assert.Single(buffer.Take()).Row.Name);
        Assert.True(buffer.HasEarly);
        Assert.False(buffer.HasGap);

        _clock.Advance(RowBuffer.OvertakenMax);
        Assert.True(buffer.HasGap);
        Assert.False(buffer.HasAll(0, Told(4)));
        buffer.Forgive(0, Told(2));

        Assert.False(buffer.HasGap);
        Assert.Equal(["C", "D"], buffer.Take().Select(row => row.Row.Name).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task RowChangedAsync_BehindAGap_HoldsNoMoreThanTheLimitAndKnowsThatItHasNotAll()
    {
        using var buffer = new RowBuffer(1, _clock);
        for (var number = 2; number <= RowBuffer.EarlyMax + 10; number++)
        {
            await TellAsync(buffer, number, $"D{number}");
        }

        await TellAsync(buffer, 1, "D1");

        Assert.Equal(RowBuffer.EarlyMax + 1, buffer.Take().Count);
        Assert.False(buffer.HasAll(0, Told(RowBuffer.EarlyMax + 10)));
    }

    [Fact]
    public async Task RowChangedAsync_OfANewLineage_DropsWhatWaitedInTheOldOne()
    {
        using var buffer = new RowBuffer(1, _clock);
        await TellAsync(buffer, 2, "A");

        await buffer.RowChangedAsync(new RowChange(0, Guid.NewGuid(), 1, Samples.Row("B")));

        Assert.Equal("B", Assert.Single(buffer.Take()).Row.Name);
        Assert.False(buffer.HasEarly);
    }

    private static WatchReply Told(long number) => new(FeedPosition.Start, Lineage, number);

    private static Task TellAsync(RowBuffer buffer, long number, string name, bool hasLeft = false) =>
        buffer.RowChangedAsync(new RowChange(0, Lineage, number, Samples.Row(name) with { HasLeft = hasLeft }));
}
