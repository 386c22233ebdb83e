using Muster.Domain.Devices;

namespace Muster.Domain.Tests.Devices;

public sealed class SessionEpochTests
{
    private static readonly DateTimeOffset Noon = new(2026, 6, 1, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public void After_WhateverIsForgotten_IsAboveEveryEpochOfBefore()
    {
        var forgotten = SessionEpoch.After(7, Noon);

        Assert.True(SessionEpoch.After(7, Noon.AddMilliseconds(1)) > forgotten);
        Assert.True(SessionEpoch.After(0, Noon.AddMilliseconds(1)) > forgotten);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(-3_600_000)]
    public void After_WhenTheClockStandsOrGoesBack_IsAboveWhatIsKnown(int milliseconds)
    {
        var known = SessionEpoch.After(0, Noon);

        Assert.Equal(known + 1, SessionEpoch.After(known, Noon.AddMilliseconds(milliseconds)));
    }
}
