using System.Collections.Immutable;
using Muster.Domain.Devices;
using Muster.Domain.Policies;

namespace Muster.Domain.Tests.Devices;

/// <summary>A newer rollout of an OS image takes the place of an older one that the device was not told of.</summary>
public sealed class SupersedingTests
{
    private const string NewestDigest = "3333333333333333333333333333333333333333333333333333333333333333";

    private static readonly ChangeRank Older = new(0, Units.Start.AddDays(-1)) { IsOsImage = true };
    private static readonly ChangeRank Newer = new(0, Units.Start) { SupersedesOlder = true, IsOsImage = true };
    private static readonly ChangeOffer Summer = Units.Offer("summer", NewestDigest) with { Rank = Newer };

    [Fact]
    public void Offer_OfANewerImage_ClosesTheOlderAndTakesItsPlaceInOneDecision()
    {
        var offered = Units.Offered();

        var decision = DeviceChanges.Offer(offered, Summer, Handover(offered), hasSession: true, Units.Start);

        Assert.Equal(
            ImmutableArray.Create<DomainEvent>(
                new ChangeClosed(Units.Rollout(), 1, ChangeOutcome.Skipped, DeviceChanges.Superseded),
                new ChangeOffered(Units.Rollout("summer"), 1, 3, NewestDigest)),
            decision.Events);
        Assert.Equal(OfferVerdict.InProgress, decision.Verdict);
        Assert.Equal(("summer", 3L), (decision.Next.Desired.Change, decision.Next.Desired.Generation));
    }

    [Theory]
    [InlineData(0, 1, true)]
    [InlineData(1, 1, true)]
    [InlineData(1, 0, false)]
    public void Offer_OfANewerImage_LeavesAnOlderOneOfAHigherPriorityItsPlace(int older, int newer, bool supersedes)
    {
        var offered = Units.Offered();
        var handover = Handover(offered) with { Rank = Older with { Priority = older } };

        var decision = DeviceChanges.Offer(offered, Summer with { Rank = Newer with { Priority = newer } }, handover, true, Units.Start);

        Assert.Equal(supersedes ? OfferVerdict.InProgress : OfferVerdict.Busy, decision.Verdict);
    }

    [Fact]
    public void Offer_ThatMayNotSupersede_Waits()
    {
        var offered = Units.Offered();
        var named = Units.Take(offered, Units.Report(1, ChangeStep.Downloading, 1));
        var settings = Summer with { Target = OsTarget.None, Settings = [new DeviceSetting("a", "b")] };
        var back = DeviceChanges.OfferWayBack(
            Units.Take(offered, Units.Hello("boot-2", 1, Units.NewDigest, 1)),
            Units.Offer() with { Retry = WayBack.FirstRetry },
            Units.Offer(digest: Units.OldDigest),
            hasSession: true,
            Units.Start).Next;

        Assert.All(
            [
                DeviceChanges.Offer(offered, Summer, Handover(offered).Send(), hasSession: true, Units.Start),
                DeviceChanges.Offer(offered, Summer, null, hasSession: true, Units.Start),
                DeviceChanges.Offer(offered, Summer, OfferHandover.Of(offered), hasSession: true, Units.Start),
                DeviceChanges.Offer(named, Summer, Handover(offered), hasSession: true, Units.Start),
                DeviceChanges.Offer(
                    offered, Summer with { Rank = Newer with { SupersedesOlder = false } }, Handover(offered), true, Units.Start),
                DeviceChanges.Offer(
                    offered, Summer with { Rank = Newer with { StartedAt = Older.StartedAt } }, Handover(offered), true, Units.Start),
                DeviceChanges.Offer(offered, settings, Handover(offered), hasSession: true, Units.Start),
                DeviceChanges.Offer(back, Summer, Handover(back), hasSession: true, Units.Start),
            ],
            decision =>
            {
                Assert.Equal(OfferVerdict.Busy, decision.Verdict);
                Assert.Empty(decision.Events);
            });
    }

    [Fact]
    public void Offer_ThatIsNotForTheDevice_TakesNobodysPlace()
    {
        var offered = Units.Offered();

        var decision = DeviceChanges.Offer(offered, Summer with { Models = ["Q6075"] }, Handover(offered), hasSession: true, Units.Start);

        Assert.Equal("MODEL_NOT_COMPATIBLE", decision.Reason);
        Assert.NotNull(decision.Next.Change);
    }

    [Fact]
    public void Offer_OfAnOlderImageBehindANewer_IsSkippedForGood()
    {
        var inService = Units.InState(DeviceState.InService);
        var offered = DeviceChanges.Offer(inService, Summer, hasSession: true, Units.Start).Next;
        var updated = Units.Take(offered, Units.Hello("boot-2", 1, NewestDigest, 1));
        var later = DeviceChanges.Offer(
            updated,
            new ChangeOffer(Units.Rollout("ssh"), 1, OsTarget.None, "", []) { Settings = [new DeviceSetting("a", "b")] },
            hasSession: true,
            Units.Start).Next;

        Assert.All([offered, updated, later], device => Assert.Equal(
            (OfferVerdict.Closed, ChangeOutcome.Skipped, DeviceChanges.Superseded), AnswerTo(device, Older)));
        Assert.Equal(DeviceChanges.Superseded, AnswerTo(updated, Older with { Priority = 9 }).Reason); // a downgrade all the same
        Assert.Equal(OfferVerdict.InProgress, AnswerTo(updated, Newer with { StartedAt = Units.Start.AddDays(1) }).Verdict);
        Assert.Equal(OfferVerdict.InProgress, AnswerTo(updated, null).Verdict); // from a silo that names no rank
    }

    [Fact]
    public void Offer_OfAnOlderImageBehindANewerThatWentBack_IsMade()
    {
        var offered = DeviceChanges.Offer(Units.InState(DeviceState.InService), Summer, hasSession: true, Units.Start).Next;
        var back = DeviceChanges.TakeBack(offered, Units.Rollout("summer"), 0, OfferHandover.Reason, Units.Start).Next;

        Assert.Equal(OfferVerdict.InProgress, AnswerTo(back, Older).Verdict);
    }

    [Fact]
    public void TakeBoot_AfterAnOfferThatWasSuperseded_TakesTheSuccessBeforeItBack()
    {
        var updated = Units.Take(Units.Offered("first"), Units.Hello("boot-2", 1, Units.NewDigest, 1));
        var offered = DeviceChanges.Offer(updated, Units.Offer(digest: Digest(4)), hasSession: true, Units.Start).Next;
        var superseded = DeviceChanges.Offer(offered, Summer, Handover(offered), hasSession: true, Units.Start).Next;
        var back = DeviceChanges.TakeBack(superseded, Units.Rollout("summer"), 0, OfferHandover.Reason, Units.Start).Next;

        var decision = DeviceMessages.TakeHello(back, Units.Hello("boot-3", 1), PolicySet.Empty, Units.Start);

        Assert.Equal(
            new ChangeClosed(Units.Rollout("first"), 1, ChangeOutcome.Failed, DeviceChanges.RunsAnotherImage),
            Assert.Single(decision.Events.OfType<ChangeClosed>()));
    }

    private static string Digest(int digit) => new((char)('0' + digit), 64);

    private static OfferHandover Handover(Device device) => OfferHandover.Of(device)! with { Rank = Older };

    private static (OfferVerdict Verdict, ChangeOutcome Outcome, string Reason) AnswerTo(Device device, ChangeRank? rank)
    {
        var decision = DeviceChanges.Offer(device, Units.Offer() with { Rank = rank }, hasSession: true, Units.Start);
        return (decision.Verdict, decision.Outcome, decision.Reason);
    }
}
