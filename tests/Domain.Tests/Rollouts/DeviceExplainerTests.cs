using Muster.Domain.Devices;
using Muster.Domain.Inventory;
using Muster.Domain.Policies;
using Muster.Domain.Rollouts;
using static Muster.Domain.Tests.Rollouts.RolloutBuilder;

namespace Muster.Domain.Tests.Rollouts;

/// <summary>What is said of one member; that it is said from the same rules is shown by the grains' tests.</summary>
public sealed class DeviceExplainerTests
{
    private static readonly RolloutSpec Waited = Spec(Wave(Amount.Count(5)), Wave(Amount.Percent(100)));

    [Theory]
    [InlineData(MemberWait.Permit, new[] { WaitingOn.Outcomes, WaitingOn.Offline, WaitingOn.Budget }, new[] { WaitingOn.Budget })]
    [InlineData(MemberWait.Permit, new[] { WaitingOn.Outcomes, WaitingOn.Busy }, new[] { WaitingOn.Permit })]
    [InlineData(MemberWait.Offline, new[] { WaitingOn.Budget, WaitingOn.Offline }, new[] { WaitingOn.Offline })]
    [InlineData(MemberWait.Busy, new[] { WaitingOn.Resume, WaitingOn.Rate }, new[] { WaitingOn.Resume, WaitingOn.Busy })]
    [InlineData(MemberWait.GroupFull, new[] { WaitingOn.Budget, WaitingOn.GroupBudget }, new[] { WaitingOn.GroupBudget })]
    [InlineData(MemberWait.Backoff, new[] { WaitingOn.Retry }, new[] { WaitingOn.Retry })]
    public void Explain_AWaitingMember_NamesWhatItWaitsForAndNotWhatOthersDo(MemberWait wait, WaitingOn[] wave, WaitingOn[] expected)
    {
        var explained = DeviceExplainer.Explain(
            Running(), [new WaveReport([.. wave]), new WaveReport([])], Seen(MemberStatus.Waiting, wait));

        Assert.Equal(expected, explained.WaitingOn);
    }

    [Fact]
    public void Explain_BeforeTheFirstReport_WaitsForReports() => Assert.Equal(
        [WaitingOn.Reports], DeviceExplainer.Explain(Running(), [], Seen(MemberStatus.Waiting, MemberWait.Permit)).WaitingOn);

    [Fact]
    public void Explain_AMemberThatDoesNotMeetAPrecondition_SaysThatItWillBeLeftOut()
    {
        var preview = new OfferPreview
        {
            Verdict = OfferVerdict.Closed, WouldOffer = false, Outcome = ChangeOutcome.Skipped, Reason = "STEP_REQUIRED",
        };

        var explained = DeviceExplainer.Explain(
            Running(), [new WaveReport([])], Seen(MemberStatus.Waiting, MemberWait.Offline) with { Preview = preview });

        Assert.Equal([WaitingOn.Offline, WaitingOn.Precondition], explained.WaitingOn);
        Assert.Equal(("STEP_REQUIRED", Start + Waited.UndeliveredTimeout), (explained.Reason, explained.Until));
        Assert.Equal(
            "Attempt 1 of 1 in wave 0: waits for Offline, Precondition until 2026-03-08 08:00:00Z."
            + " As it is now it will be left out: STEP_REQUIRED.",
            explained.Text);
    }

    /// <summary>The share knows why; what the device would answer now is another matter.</summary>
    [Fact]
    public void Explain_AMemberWhoseStepWasRevoked_SaysSoAndWhen()
    {
        var end = new MemberEnd(0, MemberReason.StepRevoked, Start.AddMinutes(5), IsGivenUp: false);
        var seen = Seen(MemberStatus.Skipped, MemberWait.None);

        var explained = DeviceExplainer.Explain(Running(), [new WaveReport([])], seen with { Member = seen.Member! with { End = end } });

        Assert.Equal(("STEP_REVOKED", Start.AddMinutes(5)), (explained.Reason, explained.EndedAt));
        Assert.Equal("Attempt 1 of 1 in wave 0: Skipped at 2026-03-01 08:05:00Z: STEP_REVOKED.", explained.Text);
    }

    [Fact]
    public void Explain_AMemberWhoseDeviceIsKeptForAnother_NamesIt()
    {
        var preview = new OfferPreview { Verdict = OfferVerdict.InProgress, WouldOffer = true, KeptFor = "urgent" };

        var explained = DeviceExplainer.Explain(
            Running(), [new WaveReport([])], Seen(MemberStatus.Waiting, MemberWait.Permit) with { Preview = preview });

        Assert.EndsWith(
            "waits for Permit. It is free, and kept for rollout 'urgent', which is first.", explained.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void Explain_AMemberWhoseOfferNoConnectionGot_SaysUntilWhenItWaits()
    {
        var preview = new OfferPreview
        {
            Verdict = OfferVerdict.InProgress, WouldOffer = false, OfferedAt = Start, GoesBackAt = Start + OfferHandover.WaitMax,
        };

        var explained = DeviceExplainer.Explain(
            Running(), [new WaveReport([])], Seen(MemberStatus.Offered, MemberWait.None) with { Preview = preview });

        Assert.Equal([WaitingOn.Delivery], explained.WaitingOn);
        Assert.Equal(
            "Attempt 1 of 1 in wave 0: offered at 2026-03-01 08:00:00Z, and no connection has got it; waited for until"
            + " 2026-03-01 08:01:00Z, then it is offered again.",
            explained.Text);
    }

    [Theory]
    [InlineData(RecallState.None, "is Downloading; waited for until")]
    [InlineData(RecallState.Asked, "is Downloading; asked to give it up, and has not answered; waited for until")]
    [InlineData(RecallState.Refused, "is Downloading; asked to give it up, and goes on; waited for until")]
    public void Explain_AMemberThatIsAskedToGiveItsOfferUp_SaysWhatItAnswered(RecallState recall, string expected)
    {
        var preview = new OfferPreview
        {
            Verdict = OfferVerdict.InProgress, WouldOffer = false, OfferedAt = Start, DeliveredAt = Start, Step = ChangeStep.Downloading,
            Recall = recall,
        };
        var cancelling = Running() with { Plan = Running().Plan with { State = RolloutState.Cancelling } };

        var delivered = DeviceExplainer.Explain(cancelling, [], Seen(MemberStatus.Offered, MemberWait.None) with { Preview = preview });
        var undelivered = DeviceExplainer.Explain(
            cancelling, [], Seen(MemberStatus.Offered, MemberWait.None) with { Preview = preview with { DeliveredAt = null } });

        Assert.Equal(recall, delivered.Recall);
        Assert.Contains(expected, delivered.Text, StringComparison.Ordinal);
        Assert.Contains(
            expected.Replace("is Downloading", "not delivered", StringComparison.Ordinal), undelivered.Text, StringComparison.Ordinal);
        Assert.Equal(Start + Waited.InProgressTimeout, delivered.Until);
    }

    [Fact]
    public void Explain_AMemberThatMayNotInstallYet_SaysWhenItMayAndWhenItBeganOutsideOfThat()
    {
        var nights = new OfferWindow("0 22 * * *", TimeSpan.FromHours(4), "UTC"); // it is 8 o'clock
        var rollout = Running() with { Spec = Waited with { InstallWindows = [nights] } };
        var preview = new OfferPreview
        {
            Verdict = OfferVerdict.InProgress, WouldOffer = false, OfferedAt = Start, DeliveredAt = Start, Step = ChangeStep.Verifying,
            InstallOpensAt = Start.AddHours(14),
        };
        var seen = Seen(MemberStatus.Offered, MemberWait.None);
        var began = preview with { InstallOpensAt = null, InstallsSince = Start.AddHours(1), Step = ChangeStep.Installing };

        var waits = DeviceExplainer.Explain(rollout, [], seen with { Preview = preview });
        var may = DeviceExplainer.Explain(rollout, [], seen with { Preview = preview with { InstallOpensAt = null } });
        var outside = DeviceExplainer.Explain(rollout, [], seen with { Preview = began });

        Assert.Equal((WaitingOn.InstallWindow, Start.AddHours(14)), (Assert.Single(waits.WaitingOn), waits.Until));
        Assert.EndsWith(
            "is Verifying; waits for its install window, which opens at 2026-03-01 22:00:00Z.", waits.Text, StringComparison.Ordinal);
        Assert.Equal((WaitingOn.Outcomes, Start.AddHours(15)), (Assert.Single(may.WaitingOn), may.Until)); // an hour of open time
        Assert.Equal((WaitingOn.Outcomes, Start.AddHours(2)), (Assert.Single(outside.WaitingOn), outside.Until));
        Assert.Contains(
            "it reported to install at 2026-03-01 09:00:00Z, outside of its install windows;", outside.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void Explain_AMemberOfARolloutThatHasEnded_WaitsForNothing()
    {
        var cancelled = Running() with { Plan = Running().Plan with { State = RolloutState.Cancelled } };

        var explained = DeviceExplainer.Explain(cancelled, [new WaveReport([])], Seen(MemberStatus.Retrying, MemberWait.Backoff));

        Assert.Empty(explained.WaitingOn);
        Assert.Equal("Attempt 1 of 1 in wave 0: not offered; the rollout is Cancelled.", explained.Text);
    }

    [Fact]
    public void Explain_AnOfferThatIsWaitedForForEver_HasNoEnd()
    {
        var rollout = Running() with { Spec = Waited with { InProgressPolicy = TimeoutPolicy.Wait } };
        var offer = new OpenOffer(0, 1, true, Start, Start.AddMinutes(1));
        var seen = Seen(MemberStatus.Offered, MemberWait.None);

        var explained = DeviceExplainer.Explain(rollout, [], seen with { Member = seen.Member! with { Offer = offer } });

        Assert.Equal((Start, Start.AddMinutes(1), null), (explained.OfferedAt, explained.DeliveredAt, explained.Until));
        Assert.Equal([WaitingOn.Outcomes], explained.WaitingOn);
    }

    [Theory]
    [InlineData(MemberStatus.Succeeded)]
    [InlineData(MemberStatus.Failed)]
    [InlineData(MemberStatus.TimedOut)]
    [InlineData(MemberStatus.Rejected)]
    [InlineData(MemberStatus.Skipped)]
    [InlineData(MemberStatus.Removed)]
    public void Explain_AMemberThatEnded_SaysHowWhenAndWhyAsFarAsItIsKnown(MemberStatus status)
    {
        var ended = new OfferPreview { Verdict = OfferVerdict.Closed, WouldOffer = false, Reason = "flash", EndedAt = Start };
        var bare = Seen(status, MemberWait.None);
        var end = new MemberEnd(0, MemberReason.OfferUndelivered, Start, IsGivenUp: true);
        var kept = bare with { Member = bare.Member! with { End = end } };

        var unknown = DeviceExplainer.Explain(Running(), [], bare);
        var byDevice = DeviceExplainer.Explain(Running(), [], bare with { Preview = ended });
        var byShare = DeviceExplainer.Explain(Running(), [], kept with { Preview = ended });

        Assert.Equal((status, "", null), (unknown.Status, unknown.Reason, unknown.EndedAt));
        Assert.Equal(("flash", Start), (byDevice.Reason, byDevice.EndedAt));
        Assert.Equal(("OFFER_UNDELIVERED", Start), (byShare.Reason, byShare.EndedAt));
    }

    [Fact]
    public void Explain_AMemberOfARolloutThatIsRolledBack_SaysWhichWayItIsOn()
    {
        var waiting = Seen(MemberStatus.Waiting, MemberWait.Permit);
        waiting = waiting with { Member = waiting.Member! with { Retry = WayBack.FirstRetry + 1 } };

        var back = DeviceExplainer.Explain(Running(), [new WaveReport([WaitingOn.LaterWave])], waiting);
        var untouched = DeviceExplainer.Explain(Running(), [], Seen(MemberStatus.Untouched, MemberWait.None));

        Assert.Equal((2, WaitingOn.LaterWave), (back.Attempt, Assert.Single(back.WaitingOn)));
        Assert.Equal("Way back, attempt 2 of 1 in wave 0: waits for LaterWave.", back.Text);
        Assert.Contains("never offered", untouched.Text, StringComparison.Ordinal);
        Assert.Empty(untouched.WaitingOn);
    }

    /// <summary>Nobody was frozen: nobody has come too late.</summary>
    [Theory]
    [InlineData(RolloutState.Draft, "as it is now, the device would be one.")]
    [InlineData(RolloutState.AwaitingApproval, "as it is now, the device would be one.")]
    [InlineData(RolloutState.Cancelled, "cancelled at 2026-03-01 08:00:00Z before its start: it never had members.")]
    public void Explain_ADeviceOfARolloutThatNeverStarted_SaysSo(RolloutState state, string expected)
    {
        var ended = state == RolloutState.Cancelled ? Start : (DateTimeOffset?)null;
        var rollout = Running() with { Plan = RolloutPlan.Draft with { State = state, EndedAt = ended } };
        var seen = new MemberSighting { Device = Device(1), Row = InService(), Matches = true };

        var explained = DeviceExplainer.Explain(rollout, [], seen);
        var rest = DeviceExplainer.Explain(rollout with { Spec = Waited with { RetryOf = Id } }, [], seen);

        Assert.Equal(NotMember.NotStarted, explained.NotMember);
        Assert.EndsWith(expected, explained.Text, StringComparison.Ordinal);
        Assert.Equal(NotMember.NotStarted, rest.NotMember);
    }

    private static DeviceRow InService() => new()
    {
        Tenant = TenantId.Default,
        Name = Device(1).Value,
        State = DeviceState.InService,
        Model = "P3265-V",
        Site = "",
        Track = "active",
        OsVersion = "12.0.0",
        ImageDigest = "",
        BootId = "",
        Compliance = ComplianceState.Unspecified,
        Generation = 0,
        Rollout = "",
        StateChangedAt = Start,
    };

    private static Rollout Running() => new()
    {
        Tenant = TenantId.Default,
        Id = Id,
        Spec = Waited,
        Plan = Started(Waited, 5, 5),
        CreatedBy = Anna,
        CreatedAt = Start,
        RequestId = "r1",
    };

    private static MemberSighting Seen(MemberStatus status, MemberWait wait) => new()
    {
        Device = Device(1),
        Member = new MemberPlace { Wave = 0, Status = status, Retry = 0, Wait = wait, TurnAt = Start },
    };
}
