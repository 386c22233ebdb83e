using System.Collections.Immutable;
using Muster.Domain.Devices;
using Muster.Domain.Rollouts;

namespace Muster.Domain.Tests.Rollouts;

public sealed class ShareClockTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 30, 12, 0, 0, TimeSpan.Zero);
    private static readonly ChangeTimers Timers = new(TimeSpan.FromHours(1), TimeSpan.FromDays(7));
    private static readonly ImmutableArray<DateTimeOffset?> Opened = [Now.AddDays(-1)];

    [Fact]
    public void NextAt_OfMembersThatCanBeReached_IsNever() => Assert.Null(NextAt(Share(), MemberReach.Online));

    [Fact]
    public void NextAt_OfAMemberThatIsOffline_IsTheEndOfItsTime() =>
        Assert.Equal(Now.AddDays(6), NextAt(Share(), MemberReach.Offline));

    [Fact]
    public void NextAt_OfAMemberThatIsOfflineInAWaveThatIsNotOpen_IsNever() =>
        Assert.Null(ShareClock.NextAt(Share(), [0, 0], [MemberReach.Offline, MemberReach.Online], [null], Timers, Now));

    [Fact]
    public void NextAt_WithATimerThatWaits_IsNever() => Assert.Null(
        NextAt(Share(), MemberReach.Offline, Timers with { UndeliveredPolicy = TimeoutPolicy.Wait }));

    [Fact]
    public void NextAt_OfAMemberThatTriesAgain_IsTheEndOfItsBackoff()
    {
        var share = Share() with
        {
            Members = [MemberStatus.Retrying, MemberStatus.Succeeded],
            Retries = [new MemberRetry(0, 1, Now.AddMinutes(5))],
        };

        Assert.Equal(Now.AddMinutes(5), NextAt(share, MemberReach.Online));
    }

    [Fact]
    public void NextAt_OfOffers_IsTheEarliestOfTheirEnds()
    {
        var share = Share() with
        {
            Members = [MemberStatus.Offered, MemberStatus.Offered],
            Open =
            [
                new OpenOffer(0, 1, IsConfirmed: true, Now.AddMinutes(-10), DeliveredAt: null),
                new OpenOffer(1, 1, IsConfirmed: true, Now.AddMinutes(-10), Now.AddMinutes(-5)),
            ],
        };

        Assert.Equal(Now.AddMinutes(55), NextAt(share, MemberReach.Online));
    }

    /// <summary>An offer that is made again has no later end than the first of its attempt.</summary>
    [Fact]
    public void NextAt_OfAnOfferThatWasMadeBefore_CountsFromTheFirst()
    {
        var share = Share() with
        {
            Members = [MemberStatus.Offered, MemberStatus.Succeeded],
            Open = [new OpenOffer(0, 1, IsConfirmed: true, Now.AddDays(-1), DeliveredAt: null) { FirstOfferedAt = Now.AddDays(-3) }],
        };

        Assert.Equal(Now.AddDays(4), NextAt(share, MemberReach.Online));
    }

    /// <summary>Its time runs whatever it waits for, since it had its turn.</summary>
    [Theory]
    [InlineData(MemberReach.Offline)]
    [InlineData(MemberReach.Busy)]
    [InlineData(MemberReach.Online)]
    public void NextAt_OfAMemberWhoseOfferWentBack_IsTheEndOfTheFirst(MemberReach reach)
    {
        var share = Share() with { Turns = [new MemberTurn(0, 0, Now.AddHours(-12))] };

        Assert.Equal(Now.AddDays(6.5), NextAt(share, reach));
    }

    /// <summary>Else the windows would be looked at for every offer, each time.</summary>
    [Fact]
    public void NextAt_OfAnOfferWithInstallWindows_IsNotLaterThanItsTimeWithoutThem()
    {
        var share = Share() with
        {
            Members = [MemberStatus.Offered, MemberStatus.Succeeded],
            Open = [new OpenOffer(0, 1, IsConfirmed: true, Now.AddMinutes(-10), Now.AddMinutes(-5))],
        };
        var timers = Timers with { InstallWindows = [new OfferWindow("0 2 * * *", TimeSpan.FromHours(2), "Europe/Stockholm")] };

        var least = NextAt(share, MemberReach.Online, timers);
        var then = ShareClock.NextAt(share, [0, 0], [MemberReach.Online, MemberReach.Online], Opened, timers, least!.Value);

        Assert.Equal(Now.AddMinutes(55), least);
        Assert.Equal(timers.DeadlineOf(Now.AddMinutes(-10), Now.AddMinutes(-5)), then);
        Assert.True(then > least);
    }

    private static DateTimeOffset? NextAt(RolloutShare share, MemberReach first, ChangeTimers? timers = null) =>
        ShareClock.NextAt(share, [0, 0], [first, MemberReach.Online], Opened, timers ?? Timers, Now);

    private static RolloutShare Share() => ShareRules.Freeze(Guid.Empty, 0, 2);
}
