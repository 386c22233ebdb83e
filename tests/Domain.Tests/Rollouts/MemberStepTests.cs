using Muster.Domain.Devices;
using Muster.Domain.Images;
using Muster.Domain.Rollouts;

namespace Muster.Domain.Tests.Rollouts;

/// <summary>Members that take steps: each is an offer with a permit of its own, within one attempt.</summary>
public sealed class MemberStepTests
{
    private static readonly DateTimeOffset s_now = new(2026, 11, 30, 6, 0, 0, TimeSpan.Zero);

    [Fact]
    public void A_step_gives_its_permit_back_and_is_no_end_of_the_member()
    {
        var stepped = Step(Take(ShareRules.Freeze(Guid.Empty, 0, 1), 1), retry: 0, generation: 1);
        var again = Take(stepped, 2);

        Assert.Equal((MemberStatus.Waiting, MemberStatus.Offered), (stepped.Members[0], again.Members[0]));
        Assert.Empty(stepped.Open);
        Assert.Empty(stepped.Ends);
        Assert.Equal(1, stepped.Permits[0].Offered); // of an offer of which nothing was known before
        Assert.Equal(0, ShareRules.RetryOf(again, 0));
        Assert.Equal(MemberStatus.Succeeded, ShareRules.Close(again, 0, 0, Ended(ChangeOutcome.Succeeded, 0, 2)).Members[0]);
    }

    /// <summary>It has left the failures with its second attempt, and does not come back to them with a step.</summary>
    [Fact]
    public void A_step_of_a_later_attempt_is_no_failure()
    {
        var failed = ShareRules.Close(
            Take(ShareRules.Freeze(Guid.Empty, 0, 1), 1), 0, 0, Ended(ChangeOutcome.Failed, 0, 1) with { RetryAt = s_now });
        var stepped = Step(Take(failed, 2), retry: 1, generation: 2);
        var withdrawn = ShareRules.Close(Take(stepped, 3), 0, 0, Ended(ChangeOutcome.Withdrawn, 1, 3));

        Assert.Equal(MemberStatus.Retrying, failed.Members[0]);
        Assert.Equal(MemberStatus.Waiting, stepped.Members[0]);
        Assert.Equal(MemberStatus.Waiting, withdrawn.Members[0]);
        Assert.Equal(1, ShareRules.RetryOf(stepped, 0));
    }

    /// <summary>A device that boots into a step is away for a moment: it is not given up because its wave is old.</summary>
    [Fact]
    public void A_member_is_waited_for_from_its_last_step()
    {
        var stepped = Step(Take(ShareRules.Freeze(Guid.Empty, 0, 1), 1), retry: 0, generation: 1);

        Assert.Equal(s_now, MemberTurns.TurnOf(stepped, 0, s_now.AddDays(-30), s_now));
        Assert.Null(MemberTurns.TurnOf(stepped, 0, waveOpenedAt: null, s_now));
    }

    [Theory]
    [InlineData(true, MemberStatus.Waiting)]
    [InlineData(false, MemberStatus.Untouched)]
    public void Who_took_a_step_is_brought_back(bool steps, MemberStatus expected)
    {
        var offered = Take(ShareRules.Freeze(Guid.Empty, 0, 1), 1);
        var waiting = steps ? Step(offered, retry: 0, generation: 1) : ShareRules.Release(offered, 0);
        var onTheWay = RollBackRules.Begin(Take(waiting, 2), [2], s_now);

        Assert.Equal(expected, RollBackRules.Begin(waiting, [1], s_now).Members[0]);
        Assert.Equal(expected, ShareRules.Release(onTheWay, 0).Members[0]);
    }

    /// <summary>The answer was lost, and the device took the step meanwhile: the end that is read late is all that tells of it.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Who_took_a_step_is_brought_back_also_where_the_step_is_read_late(bool isReadBefore)
    {
        var rebooting = OfferGenerations.Pass(ShareRules.Release(Take(ShareRules.Freeze(Guid.Empty, 0, 1), 1), 0), 0, 1);
        var again = Take(rebooting, 2);

        var turned = isReadBefore
            ? ShareRules.Release(RollBackRules.Begin(Step(again, 0, generation: 1), [2], s_now), 0)
            : Step(RollBackRules.Begin(ShareRules.Release(again, 0), [2], s_now), 0, generation: 1);

        Assert.Equal(MemberStatus.Waiting, turned.Members[0]);
    }

    /// <summary>The feed was missed: the device's answer is all that tells of it.</summary>
    [Fact]
    public void Who_says_itself_that_it_took_a_step_is_brought_back()
    {
        var offered = Take(ShareRules.Freeze(Guid.Empty, 0, 1), 1);
        var heard = MemberSteps.Hear(offered, 0, hasStepped: true, s_now);

        Assert.Equal(MemberStatus.Waiting, RollBackRules.Begin(ShareRules.Release(heard, 0), [1], s_now).Members[0]);
        Assert.Equal(MemberStatus.Waiting, ShareRules.Release(RollBackRules.Begin(heard, [1], s_now), 0).Members[0]);
        Assert.Same(heard, MemberSteps.Hear(heard, 0, hasStepped: true, s_now.AddDays(1)));
        Assert.Same(offered, MemberSteps.Hear(offered, 0, hasStepped: false, s_now));
    }

    /// <summary>One that is read late is not the last.</summary>
    [Fact]
    public void A_member_is_waited_for_from_its_newest_step_whenever_the_others_are_read()
    {
        var second = Step(Take(ShareRules.Freeze(Guid.Empty, 0, 1), 1), retry: 0, generation: 3);

        var late = ShareRules.Close(second, 0, 0, Ended(ChangeOutcome.StepTaken, 0, 1) with { At = s_now.AddHours(-1) });

        Assert.Equal(s_now, Assert.Single(late.Steps).At);
    }

    [Fact]
    public void A_step_that_is_read_late_frees_no_permit_of_the_next()
    {
        var answered = OfferGenerations.Pass(Step(Take(ShareRules.Freeze(Guid.Empty, 0, 1), 1), 0, generation: 1), 0, 1);
        var again = Take(answered, 2);

        Assert.Equal(MemberStatus.Offered, ShareRules.Close(again, 0, 0, Ended(ChangeOutcome.StepTaken, 0, 1)).Members[0]);
    }

    [Fact]
    public void Dry_runs_leave_out_nobody_whom_the_rollout_takes_over_the_steps()
    {
        var needs = new ImageNeeds(
            new OsTarget(new string('1', 64), "12.1", 1, []), "active", ["A", "B"], new ImageConditions { Steps = ["11.0"] })
        {
            Path = [new StepImage(new string('7', 64), "11.0", "active", ["A"], ImageConditions.None)],
        };

        var fit = FitTally.Of(needs, [Of("A"), Of("A"), Of("B")]);

        Assert.Equal(1, fit.Skips.Of(MemberReason.StepRequired));
        Assert.Equal([1], fit.BelowStep);
        Assert.Equal([2], fit.TakenBelowStep);
        Assert.Equal(fit, FitTally.Of(needs, [Of("A")]).Plus(FitTally.Of(needs, [Of("B"), Of("A")])));
        Assert.Equal([2], (fit with { TakenBelowStep = default }).Plus(fit).TakenBelowStep); // of a silo that counts nobody so

        static ImageSituation Of(string model) => new(model, "active", "", "x", "10.0");
    }

    [Theory]
    [InlineData(2, 0, "step 1 of 3, to 12.5; ")]
    [InlineData(1, 1, "step 2 of 3, to 12.5; ")]
    [InlineData(0, 2, "step 3 of 3, to the image itself; ")]
    [InlineData(0, 0, "wave 0: waits")]
    public void Explain_SaysWhichStepItIs(int left, int taken, string expected)
    {
        var explained = DeviceExplainer.Explain(
            RolloutBuilder.RolloutOf(RolloutBuilder.Spec(RolloutBuilder.Wave(Amount.Percent(100))), RolloutPlan.Draft),
            [],
            new MemberSighting
            {
                Device = RolloutBuilder.Device(1),
                Member = new MemberPlace { Wave = 0, Status = MemberStatus.Waiting, Retry = 0, Wait = MemberWait.Permit },
                Preview = new OfferPreview
                {
                    Verdict = OfferVerdict.InProgress, WouldOffer = true, StepsLeft = left, StepsTaken = taken, StepVersion = "12.5",
                },
            });

        Assert.Contains(expected, explained.Text, StringComparison.Ordinal);
    }

    private static RolloutShare Take(RolloutShare share, long granted) => ShareRules.TakePermits(
        share, new PermitGrant([granted], 3, true, s_now), [0], [MemberReach.Online]);

    private static RolloutShare Step(RolloutShare share, int retry, long generation) =>
        ShareRules.Close(share, 0, 0, Ended(ChangeOutcome.StepTaken, retry, generation));

    private static MemberOutcome Ended(ChangeOutcome outcome, int retry, long generation) =>
        new(outcome, retry, "", s_now) { WasMade = true, Generation = generation };
}
