using Muster.Domain.Devices;
using Muster.Domain.EndOfSupport;
using Muster.Domain.Tests.Decommissioning;

namespace Muster.Domain.Tests.EndOfSupport;

public sealed class CampaignRulesTests
{
    private static readonly DateTimeOffset Now = new(2026, 6, 1, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public void Open_Twice_IsOneCampaign()
    {
        var first = CampaignRules.Open(null, New("a"));

        Assert.IsType<CampaignOpened>(first.Events.Single());
        Assert.Empty(CampaignRules.Open(first.Next, New("a")).Events);
    }

    [Fact]
    public void Open_OfAnotherDate_ClosesTheOneBeforeInTheSameStep()
    {
        var decision = CampaignRules.Open(New("a"), New("b"));

        Assert.Collection(
            decision.Events,
            fact => Assert.Equal("a", Assert.IsType<CampaignClosed>(fact).Campaign),
            fact => Assert.Equal("b", Assert.IsType<CampaignOpened>(fact).Campaign));
    }

    [Fact]
    public void Close_IsIdempotentAndEndsTheSweeps()
    {
        var closed = CampaignRules.Close(New("a"), Now);

        Assert.IsType<CampaignClosed>(closed.Events.Single());
        Assert.Null(CampaignRules.NextDueAt(closed.Next));
        Assert.Empty(CampaignRules.Close(closed.Next, Now).Events);
        Assert.Empty(CampaignRules.Close(null, Now).Events);
        Assert.Equal(Now, CampaignRules.NextDueAt(CampaignRules.Open(closed.Next, New("a")).Next));
    }

    [Fact]
    public void Advance_UntilAllPartitionsAreDone_StaysDueAtOnce()
    {
        var campaign = New("a");

        var step = CampaignRules.Advance(campaign, new SweepStep(campaign.Done.With(3), "X", 5, 0), Now).Next!;

        Assert.Equal(Now, CampaignRules.NextDueAt(step));
        Assert.Equal((5, "X", true), (step.Proposed, step.After, step.Done.Contains(3)));
    }

    [Fact]
    public void Advance_WhenAllPartitionsAreDone_SweepsAgainADayLater()
    {
        var campaign = New("a") with { Proposed = 7 };
        var all = Enumerable.Range(0, 16).Aggregate(PartitionSet.Empty(16), (set, partition) => set.With(partition));

        var decision = CampaignRules.Advance(campaign, new SweepStep(all, "", 1, 0), Now);

        Assert.IsType<CampaignSwept>(decision.Events.Single());
        Assert.Equal(Now + SupportCampaign.SweepInterval, CampaignRules.NextDueAt(decision.Next));
        Assert.Equal((8, 1, 0), (decision.Next!.Proposed, decision.Next.Sweeps, decision.Next.Done.Members));
    }

    [Fact]
    public void Advance_WhenDevicesWereMissed_SweepsAgainSoon()
    {
        var campaign = New("a");
        var all = Enumerable.Range(0, 16).Aggregate(PartitionSet.Empty(16), (set, partition) => set.With(partition));

        var some = CampaignRules.Advance(campaign, new SweepStep(campaign.Done.With(3), "", 5, 2), Now).Next!;
        var swept = CampaignRules.Advance(some, new SweepStep(all, "", 1, 0), Now);

        Assert.Equal(2, Assert.IsType<CampaignSwept>(swept.Events.Single()).Missed);
        Assert.Equal(Now + SweepStep.RepeatInterval, CampaignRules.NextDueAt(swept.Next));
        Assert.Equal(0, swept.Next!.Missed);
    }

    [Theory]
    [InlineData(DeviceState.Expected, false)]
    [InlineData(DeviceState.Enrolling, true)]
    [InlineData(DeviceState.InService, true)]
    [InlineData(DeviceState.Quarantined, true)]
    [InlineData(DeviceState.Decommissioning, false)]
    [InlineData(DeviceState.Decommissioned, false)]
    [InlineData(DeviceState.Returned, true)]
    [InlineData(DeviceState.Withdrawn, false)]
    public void Covers_InEveryDeviceState_IsWhatHasSomethingToErase(DeviceState state, bool covers)
    {
        Assert.Equal(covers, CampaignRules.Covers(state));
    }

    [Fact]
    public void Counts_OnlyProposalsOfThisSweep()
    {
        var campaign = New(Ends.Campaign.Campaign);
        var proposed = Ends.Proposed();

        Assert.True(CampaignRules.Counts(campaign, proposed));
        Assert.False(CampaignRules.Counts(campaign with { SweepBeganAt = proposed.ProposedAt!.Value.AddDays(1) }, proposed));
        Assert.False(CampaignRules.Counts(campaign, proposed with { Campaign = "another" }));
        Assert.False(CampaignRules.Counts(campaign, null));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(16)]
    [InlineData(64)]
    [InlineData(65)]
    [InlineData(4096)]
    public void PartitionSet_FilledInAnyOrder_IsFullAtTheLastAndNotBefore(int count)
    {
        var set = PartitionSet.Empty(count);
        // A stride that is coprime to every power of two visits each partition once.
        for (var i = 0; i < count; i++)
        {
            Assert.False(set.IsFull);
            var partition = (int)((i * 7919L) % count);
            Assert.False(set.Contains(partition));
            set = set.With(partition).With(partition);
            Assert.Equal(i + 1, set.Members);
        }

        Assert.True(set.IsFull);
        Assert.Null(set.FirstMissing());
    }

    private static SupportCampaign New(string id) => new()
    {
        Tenant = TenantId.Default,
        Product = ProductId.TryParse("P3265-V", out var product) ? product : throw new FormatException(),
        Id = id,
        EndsAt = Now,
        OpenedAt = Now,
        Done = PartitionSet.Empty(16),
        NextSweepAt = Now,
    };
}
