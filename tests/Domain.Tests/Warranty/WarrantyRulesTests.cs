using Muster.Domain.Decommissioning;
using Muster.Domain.Devices;
using Muster.Domain.Tests.Decommissioning;
using Muster.Domain.Warranty;

namespace Muster.Domain.Tests.Warranty;

public sealed class WarrantyRulesTests
{
    private static readonly DateTimeOffset Now = new(2026, 6, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly WarrantyTerm Over = new(new DateOnly(2020, 6, 1), 60);
    private static readonly WarrantyTerm Running = new(new DateOnly(2024, 6, 1), 60);

    [Theory]
    [InlineData(-1)]
    [InlineData(WarrantyTerm.MonthsMax + 1)]
    public void Set_WhenMonthsAreOutOfRange_IsRefused(int months)
    {
        var decision = WarrantyRules.Set(Empty(), Running with { Months = months }, Now);

        Assert.Equal("REQUEST_INVALID", decision.Error?.Reason);
    }

    [Theory]
    [InlineData(1989)]
    [InlineData(2201)]
    public void Set_WhenTheStartIsOutOfRange_IsRefused(int year)
    {
        var decision = WarrantyRules.Set(Empty(), new WarrantyTerm(new DateOnly(year, 1, 1), 12), Now);

        Assert.Equal("REQUEST_INVALID", decision.Error?.Reason);
    }

    [Fact]
    public void Set_Twice_ChangesNothing()
    {
        var cover = WarrantyRules.Set(Empty(), Running, Now).Next;

        var again = WarrantyRules.Set(cover, Running, Now);

        Assert.Empty(again.Events);
        Assert.Null(again.Error);
    }

    [Fact]
    public void Set_WhenItExtendsAnEndUnderReview_ClosesTheReviewAsKept()
    {
        var decision = WarrantyRules.Set(Reviewed(), Running, Now);

        Assert.Equal(WarrantyReviewState.Kept, decision.Next.Review);
        Assert.Contains(decision.Events, fact => fact is WarrantyReviewClosed);
    }

    [Fact]
    public void Set_WhenItOnlyCorrectsAnEndThatIsOver_KeepsTheReviewOpen()
    {
        var decision = WarrantyRules.Set(Reviewed(), Over with { Months = 59 }, Now);

        Assert.Equal(WarrantyReviewState.Open, decision.Next.Review);
    }

    [Fact]
    public void Expect_BeforeAndAfterTheDevice_SetsTheTermOnce()
    {
        var before = WarrantyRules.Expect(Empty(), Running, "r1", createdBy: null, Now);
        var after = WarrantyRules.Expect(before.Next, Running, "r1", createdBy: "r1", Now);

        Assert.Equal(Running, before.Next.Term);
        Assert.Single(before.Events);
        Assert.Empty(after.Events);
    }

    [Fact]
    public void Expect_OfACreationThatLost_GivesWayToTheDevicesOwn()
    {
        var lost = WarrantyRules.Expect(
            WarrantyRules.Expect(Empty(), Running, "r1", createdBy: null, Now).Next, Over, "r2", createdBy: null, Now).Next;

        var own = WarrantyRules.Expect(lost, Running, "r1", createdBy: "r1", Now).Next;

        Assert.Equal(Running, own.Term);
        Assert.Equal(own, WarrantyRules.Expect(own, Over, "r2", createdBy: "r1", Now).Next);
    }

    [Fact]
    public void Expect_WhenAnOperatorSetTheTerm_LeavesIt()
    {
        var set = WarrantyRules.Set(WarrantyRules.Expect(Empty(), Over, "r1", createdBy: null, Now).Next, Running, Now).Next;

        Assert.Equal(set, WarrantyRules.Expect(set, Over, "r1", createdBy: "r1", Now).Next);
    }

    [Theory]
    [InlineData(null, 60)]
    [InlineData("r1", 60)]
    [InlineData("r1", 0)]
    public void Expect_OfTheSameRequestWithAnotherTerm_IsRefused(string? createdBy, int months)
    {
        var cover = WarrantyRules.Expect(Empty(), Running with { Months = months }, "r1", createdBy: null, Now).Next;

        Assert.Equal("REQUEST_ID_REUSED", WarrantyRules.Expect(cover, Running with { Months = 12 }, "r1", createdBy, Now).Error?.Reason);
    }

    [Fact]
    public void Withdraw_OfATermWhoseDeviceNeverCame_WaitsForTheCreationAndThenForgetsIt()
    {
        var cover = WarrantyRules.Expect(Empty(), Over, "r1", createdBy: null, Now).Next;

        Assert.Empty(WarrantyRules.Withdraw(cover, Now + WarrantyRules.CreationMax - TimeSpan.FromSeconds(1)).Events);
        var forgotten = WarrantyRules.Withdraw(cover, Now + WarrantyRules.CreationMax).Next;
        Assert.Equal(Empty(), forgotten);
        Assert.Equal(Over, WarrantyRules.Expect(forgotten, Over, "r1", createdBy: null, Now).Next.Term);
    }

    [Fact]
    public void Expect_WhenMonthsAreOutOfRange_IsRefused()
    {
        var decision = WarrantyRules.Expect(Empty(), Running with { Months = WarrantyTerm.MonthsMax + 1 }, "r1", createdBy: null, Now);

        Assert.Equal("REQUEST_INVALID", decision.Error?.Reason);
    }

    [Fact]
    public void Look_OnTheLastDay_IsTooEarly()
    {
        var cover = WarrantyRules.Set(Empty(), Over, Now).Next;

        var decision = WarrantyRules.Look(cover, DeviceState.InService, new DateTimeOffset(2025, 5, 31, 23, 59, 59, TimeSpan.Zero));

        Assert.Empty(decision.Events);
    }

    [Theory]
    [InlineData(DeviceState.Expected, WarrantyReviewState.Open)]
    [InlineData(DeviceState.Enrolling, WarrantyReviewState.Open)]
    [InlineData(DeviceState.InService, WarrantyReviewState.Open)]
    [InlineData(DeviceState.Quarantined, WarrantyReviewState.Open)]
    [InlineData(DeviceState.Returned, WarrantyReviewState.Open)]
    [InlineData(DeviceState.Decommissioning, WarrantyReviewState.Unspecified)]
    [InlineData(DeviceState.Decommissioned, WarrantyReviewState.Unspecified)]
    [InlineData(DeviceState.Withdrawn, WarrantyReviewState.Unspecified)]
    public void Look_WhenTheLastDayIsOver_OpensAReviewUnlessTheDeviceIsAtItsEnd(DeviceState device, WarrantyReviewState review)
    {
        var cover = WarrantyRules.Set(Empty(), Over, Now).Next;

        var decision = WarrantyRules.Look(cover, device, Now);

        Assert.Contains(decision.Events, fact => fact is WarrantyEnded { LastDay: { Year: 2025, Month: 5, Day: 31 } });
        Assert.Equal(review, decision.Next.Review);
    }

    [Fact]
    public void Look_Again_TellsNothing()
    {
        var again = WarrantyRules.Look(Reviewed(), DeviceState.InService, Now.AddYears(1));

        Assert.Empty(again.Events);
        Assert.Null(WarrantyClock.NextDueAt(Reviewed()));
    }

    [Theory]
    [InlineData(WarrantyReviewState.Unspecified, true, false)]
    [InlineData(WarrantyReviewState.Unspecified, false, false)]
    [InlineData(WarrantyReviewState.Open, true, true)]
    [InlineData(WarrantyReviewState.Open, false, true)]
    [InlineData(WarrantyReviewState.Kept, false, true)]
    [InlineData(WarrantyReviewState.Kept, true, false)]
    [InlineData(WarrantyReviewState.DecommissionProposed, true, true)]
    [InlineData(WarrantyReviewState.DecommissionProposed, false, false)]
    public void CloseReview_InEveryState_IsAllowedWhenOpenOrRepeated(WarrantyReviewState review, bool propose, bool isAllowed)
    {
        var decision = WarrantyRules.CloseReview(Reviewed() with { Review = review }, propose, Now);

        Assert.Equal(isAllowed ? null : "WARRANTY_REVIEW_NOT_OPEN", decision.Error?.Reason);
        Assert.Equal(review == WarrantyReviewState.Open, !decision.Events.IsEmpty);
    }

    [Fact]
    public void CloseReview_OfEveryEnumValue_IsDecided()
    {
        foreach (var review in Enum.GetValues<WarrantyReviewState>())
        {
            Assert.NotNull(WarrantyRules.CloseReview(Reviewed() with { Review = review }, proposeDecommission: true, Now));
        }
    }

    [Fact]
    public void CloseReview_AsProposal_IsDueAtOnceUntilHandedOn()
    {
        var closed = WarrantyRules.CloseReview(Reviewed(), proposeDecommission: true, Now).Next;

        var handedOn = WarrantyRules.HandOn(closed, refusal: null);

        Assert.Equal(Now, WarrantyClock.NextDueAt(closed));
        Assert.Equal("warranty:20250531", closed.Campaign);
        Assert.Null(WarrantyClock.NextDueAt(handedOn.Next));
        Assert.Empty(WarrantyRules.HandOn(handedOn.Next, refusal: null).Events);
    }

    [Fact]
    public void HandOn_WhenRefused_KeepsTheReasonInTheFact()
    {
        var closed = WarrantyRules.CloseReview(Reviewed(), proposeDecommission: true, Now).Next;

        var decision = WarrantyRules.HandOn(closed, DecommissionErrors.NotEnrolled(closed.Device));

        Assert.Equal("DEVICE_NOT_ENROLLED", Assert.IsType<WarrantyProposalHandedOn>(decision.Events.Single()).Reason);
    }

    private static WarrantyCover Empty() => WarrantyCover.Empty(TenantId.Default, Ends.Id);

    private static WarrantyCover Reviewed() =>
        WarrantyRules.Look(WarrantyRules.Set(Empty(), Over, Now).Next, DeviceState.InService, Now).Next;
}
