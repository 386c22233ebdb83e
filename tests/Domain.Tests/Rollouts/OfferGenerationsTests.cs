using Muster.Domain.Devices;
using Muster.Domain.Rollouts;

namespace Muster.Domain.Tests.Rollouts;

/// <summary>
/// Several offers of one attempt, one after the other, as where an offer went back: what is read late of the first neither frees nor
/// confirms the permit of the next. Both the feed and the devices' answers may be ahead of each other.
/// </summary>
public sealed class OfferGenerationsTests
{
    private static readonly DateTimeOffset s_now = new(2026, 11, 30, 6, 0, 0, TimeSpan.Zero);

    [Fact]
    public void The_end_of_an_offer_that_the_device_told_first_does_not_free_the_next_permit()
    {
        var waiting = Answer(Made(Take(ShareRules.Freeze(Guid.Empty, 0, 1), 1), 5), WentBack(5));
        var again = Take(waiting, 2);

        var late = Read(Read(again, MadeFact(5)), WentBack(5));

        Assert.Equal(MemberStatus.Waiting, waiting.Members[0]);
        Assert.Equal(MemberStatus.Offered, late.Members[0]);
        Assert.False(Assert.Single(late.Open).IsConfirmed); // what became of the next offer is asked for still
        Assert.Equal(1, late.Permits[0].Offered);
        Assert.Equal(5, Assert.Single(late.Passed).Generation); // until the feed has come beyond the device's word
        Assert.Empty(Read(late, MadeFact(7)).Passed);
    }

    [Fact]
    public void The_end_of_the_next_offer_frees_its_permit()
    {
        var again = Take(Answer(Made(Take(ShareRules.Freeze(Guid.Empty, 0, 1), 1), 5), WentBack(5)), 2);

        var read = Read(Read(Read(Read(again, MadeFact(5)), WentBack(5)), MadeFact(7)), WentBack(7));

        Assert.Equal(MemberStatus.Waiting, read.Members[0]);
        Assert.Empty(read.Open);
        Assert.Equal(2, read.Permits[0].Offered);
    }

    /// <summary>
    /// Two activations of the share have the permit: the first made an offer that went back, and died with the answer; the second asks
    /// again, and the device makes another offer of the same attempt.
    /// </summary>
    [Fact]
    public void Of_two_activations_the_second_keeps_its_offer_whatever_it_reads_of_the_first_ones()
    {
        var committed = Take(ShareRules.Freeze(Guid.Empty, 0, 1), 1);
        var first = Made(committed, 5);
        var second = Made(committed, 7);

        var late = Read(Read(second, MadeFact(5)), WentBack(5));

        Assert.Equal(MemberStatus.Waiting, Read(first, WentBack(5)).Members[0]);
        Assert.Equal(MemberStatus.Offered, late.Members[0]);
        Assert.Equal(7, Assert.Single(late.Open).Generation);
        Assert.Equal(MemberStatus.Waiting, Read(late, WentBack(7)).Members[0]);
    }

    [Fact]
    public void What_the_device_says_itself_is_so_also_when_it_speaks_of_an_older_offer_than_is_known()
    {
        var share = Answer(Made(Take(ShareRules.Freeze(Guid.Empty, 0, 1), 1), 9), WentBack(9));
        var restored = Made(Take(share, 2), 4);

        Assert.Equal(4, Assert.Single(restored.Open).Generation);
        Assert.Empty(restored.Passed);
        Assert.Equal(MemberStatus.Waiting, Read(restored, WentBack(4)).Members[0]);
    }

    [Fact]
    public void A_device_that_has_no_offer_makes_late_what_the_feed_may_still_say_of_those_before()
    {
        var offline = OfferGenerations.Pass(ShareRules.Release(Take(ShareRules.Freeze(Guid.Empty, 0, 1), 1), 0), 0, 5);
        var again = Take(offline, 2);

        var late = Read(Read(again, MadeFact(5)), WentBack(5));

        Assert.Equal(MemberStatus.Offered, late.Members[0]);
        Assert.False(Assert.Single(late.Open).IsConfirmed);
    }

    [Fact]
    public void An_offer_that_its_device_alone_told_of_is_counted_once()
    {
        var closed = Answer(Take(ShareRules.Freeze(Guid.Empty, 0, 1), 1), WentBack(5));

        Assert.Equal(1, closed.Permits[0].Offered);
        Assert.Equal(1, Read(Read(closed, MadeFact(5)), WentBack(5)).Permits[0].Offered);
    }

    /// <summary>
    /// A permit that nobody knows to be an offer: the device is asked what became of it, and tells of the one before, which the feed told
    /// already, or it did itself.
    /// </summary>
    [Theory]
    [InlineData(ChangeOutcome.Withdrawn, true)]
    [InlineData(ChangeOutcome.Withdrawn, false)]
    [InlineData(ChangeOutcome.StepTaken, true)]
    [InlineData(ChangeOutcome.StepTaken, false)]
    public void An_end_that_is_told_again_gives_the_next_permit_back_and_counts_no_offer(ChangeOutcome outcome, bool isReadFirst)
    {
        var over = Ended(outcome, 5);
        var made = Made(Take(ShareRules.Freeze(Guid.Empty, 0, 1), 1), 5);
        var again = Take(isReadFirst ? Read(made, over) : Read(Answer(made, over), over), 2);

        var asked = Answer(again, over);

        Assert.Equal((MemberStatus.Waiting, 1L), (asked.Members[0], asked.Permits[0].Offered));
        Assert.Empty(asked.Open);
        Assert.Equal(2, Made(Take(asked, 3), 7).Permits[0].Offered);
    }

    /// <summary>The device's word ended the member; the step before it is no reason to wait again.</summary>
    [Fact]
    public void A_step_that_is_read_late_does_not_bring_back_who_was_left_out()
    {
        var offline = OfferGenerations.Pass(ShareRules.Release(Take(ShareRules.Freeze(Guid.Empty, 0, 1), 1), 0), 0, 5);
        var skipped = ShareRules.Close(Take(offline, 2), 0, 0, new MemberOutcome(ChangeOutcome.Skipped, 0, "STEP_REQUIRED", s_now));

        var late = Read(Read(skipped, MadeFact(5)), Ended(ChangeOutcome.StepTaken, 5));

        Assert.Equal((MemberStatus.Skipped, MemberStatus.Skipped), (skipped.Members[0], late.Members[0]));
        Assert.Single(late.Steps); // and the way back is for it
    }

    [Fact]
    public void A_success_that_the_device_told_first_is_taken_back_by_its_own_later_fact()
    {
        var succeeded = Answer(Made(Take(ShareRules.Freeze(Guid.Empty, 0, 1), 1), 5), Ended(ChangeOutcome.Succeeded, 5));

        var read = Read(Read(succeeded, Ended(ChangeOutcome.Succeeded, 5)), Ended(ChangeOutcome.Failed, 5));
        var regressed = Read(succeeded, Ended(ChangeOutcome.Failed, 5));

        Assert.Equal(MemberStatus.Failed, read.Members[0]);
        Assert.Equal(MemberStatus.Failed, regressed.Members[0]);
    }

    [Fact]
    public void An_outcome_stands_whatever_is_read_late_of_an_offer_that_went_back_before_it()
    {
        var succeeded = Answer(Take(ShareRules.Freeze(Guid.Empty, 0, 1), 1), Ended(ChangeOutcome.Succeeded, 7));

        var late = Read(Read(succeeded, MadeFact(5)), WentBack(5));

        Assert.Equal(MemberStatus.Succeeded, late.Members[0]);
    }

    [Fact]
    public void After_the_feed_was_missed_nothing_is_late_any_more()
    {
        var share = Take(Answer(Made(Take(ShareRules.Freeze(Guid.Empty, 0, 1), 1), 9), WentBack(9)), 2);
        var missed = ShareRules.Miss(Made(share, 11), 40, 7);

        Assert.Empty(missed.Passed);
        Assert.Equal(0, Assert.Single(missed.Open).Generation);
        Assert.Equal(MemberStatus.Waiting, Read(missed, WentBack(3)).Members[0]); // the device went back with its store
    }

    /// <summary>Records, answers and facts without a generation: attempts alone are told apart, as before.</summary>
    [Fact]
    public void Where_no_generation_is_known_only_attempts_are_told_apart()
    {
        var share = Take(ShareRules.Freeze(Guid.Empty, 0, 1) with { Passed = default }, 1);
        var made = Made(share, 0);

        Assert.Equal(MemberStatus.Waiting, Read(made, WentBack(5)).Members[0]);
        Assert.Equal(5, Assert.Single(Read(made, MadeFact(5)).Open).Generation);
        Assert.Equal(MemberStatus.Waiting, Read(Made(share, 7), WentBack(0)).Members[0]);
    }

    private static RolloutShare Take(RolloutShare share, long granted) => ShareRules.TakePermits(
        share, new PermitGrant([granted], 3, true, s_now), [0], [MemberReach.Online]);

    /// <summary>The device says that its offer is committed.</summary>
    private static RolloutShare Made(RolloutShare share, long generation) => OfferAnswers.ConfirmAll(
        share, [new OfferAnswer(Assert.Single(share.Open) with { Generation = generation }, 0)], [0]);

    /// <summary>The feed says so.</summary>
    private static OpenOffer MadeFact(long generation) => new(0, 3, true, s_now, null) { Generation = generation };

    private static MemberOutcome WentBack(long generation) => Ended(ChangeOutcome.Withdrawn, generation);

    private static MemberOutcome Ended(ChangeOutcome outcome, long generation) =>
        new(outcome, 0, "", s_now) { WasMade = true, Generation = generation };

    private static RolloutShare Read(RolloutShare share, OpenOffer fact) => ShareRules.Confirm(share, 0, 0, fact, 0);

    private static RolloutShare Read(RolloutShare share, MemberOutcome fact) => ShareRules.Close(share, 0, 0, fact);

    /// <summary>The device says so, as its share takes it.</summary>
    private static RolloutShare Answer(RolloutShare share, MemberOutcome said) => OfferGenerations.Pass(
        ShareRules.Close(OfferGenerations.Adopt(share, 0, said.Generation), 0, 0, OfferGenerations.Judge(share, 0, said)),
        0,
        said.Generation);
}
