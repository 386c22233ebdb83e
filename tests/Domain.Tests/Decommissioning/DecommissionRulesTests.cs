using Muster.Domain.Decommissioning;
using Muster.Domain.Devices;

namespace Muster.Domain.Tests.Decommissioning;

public sealed class DecommissionRulesTests
{
    private static readonly DateTimeOffset Later = Ends.Now.AddDays(1);

    [Theory]
    [InlineData(null, true)]
    [InlineData(DecommissionState.Proposed, false)]
    [InlineData(DecommissionState.Requested, false)]
    [InlineData(DecommissionState.Erasing, false)]
    [InlineData(DecommissionState.Completed, false)]
    [InlineData(DecommissionState.Cancelled, true)]
    public void Propose_ByAnotherCampaign_ChangesOnlyWhatIsNotUnderWay(DecommissionState? state, bool isNews)
    {
        var other = new Proposal(DecommissionCause.WarrantyReview, "warranty:20250531");

        var decision = DecommissionRules.Propose(Ends.Of(state), Ends.Device(), other, Later);

        Assert.Null(decision.Error);
        Assert.Equal(isNews, decision.Events is [DecommissionProposed]);
        Assert.Equal(isNews, decision.Next?.Campaign == other.Campaign);
    }

    [Theory]
    [InlineData(DecommissionState.Proposed)]
    [InlineData(DecommissionState.Requested)]
    [InlineData(DecommissionState.Erasing)]
    [InlineData(DecommissionState.Completed)]
    [InlineData(DecommissionState.Cancelled)]
    public void Propose_AgainByTheSameCampaign_ChangesNothing(DecommissionState state)
    {
        var decision = DecommissionRules.Propose(Ends.Of(state), Ends.Device(), Ends.Campaign, Later);

        Assert.Empty(decision.Events);
        Assert.Null(decision.Error);
        Assert.Equal(state, decision.Next?.State);
    }

    [Theory]
    [InlineData(DeviceState.Expected, "DEVICE_NOT_ENROLLED")]
    [InlineData(DeviceState.Enrolling, null)]
    [InlineData(DeviceState.InService, null)]
    [InlineData(DeviceState.Quarantined, null)]
    [InlineData(DeviceState.Returned, null)]
    [InlineData(DeviceState.Withdrawn, "DEVICE_NOT_ENROLLED")]
    [InlineData(DeviceState.Decommissioning, null)]
    [InlineData(DeviceState.Decommissioned, "DEVICE_DECOMMISSIONED")]
    public void ProposeAndRequest_InEveryDeviceState_NeedAKeyOnRecord(DeviceState device, string? reason)
    {
        var proposed = DecommissionRules.Propose(null, Ends.Device(device), Ends.Campaign, Later);
        var requested = DecommissionRules.Request(null, Ends.Device(device), Ends.Anna, Later);

        Assert.Equal(reason, proposed.Error?.Reason);
        Assert.Equal(reason, requested.Error?.Reason);
    }

    [Theory]
    [InlineData(null, null)]
    [InlineData(DecommissionState.Proposed, null)]
    [InlineData(DecommissionState.Requested, "DECOMMISSION_STATE_INVALID")]
    [InlineData(DecommissionState.Erasing, "DECOMMISSION_STATE_INVALID")]
    [InlineData(DecommissionState.Completed, "DECOMMISSION_STATE_INVALID")]
    [InlineData(DecommissionState.Cancelled, null)]
    public void Request_BySomebodyElse_IsAllowedBeforeTheRequest(DecommissionState? state, string? reason)
    {
        var decision = DecommissionRules.Request(Ends.Of(state), Ends.Device(), Actor.Operator("carl"), Later);

        Assert.Equal(reason, decision.Error?.Reason);
        Assert.Equal(reason is null, decision.Events is [DecommissionRequested]);
    }

    [Theory]
    [InlineData(DecommissionState.Requested)]
    [InlineData(DecommissionState.Erasing)]
    [InlineData(DecommissionState.Completed)]
    public void Request_RepeatedByTheRequester_ChangesNothing(DecommissionState state)
    {
        var decision = DecommissionRules.Request(Ends.Of(state), Ends.Device(), Ends.Anna, Later);

        Assert.Null(decision.Error);
        Assert.Empty(decision.Events);
    }

    [Fact]
    public void Request_OfAProposal_KeepsCauseAndCampaign()
    {
        var requested = Ends.Requested();

        Assert.Equal(DecommissionCause.EndOfSupport, requested.Cause);
        Assert.Equal(Ends.Campaign.Campaign, requested.Campaign);
        Assert.Equal(Ends.Anna, requested.Requester);
    }

    [Fact]
    public void Request_AfterACancel_BeginsAnewWithoutTheOldNames()
    {
        var decision = DecommissionRules.Request(Ends.Of(DecommissionState.Cancelled), Ends.Device(), Ends.Bert, Later);

        Assert.Equal(DecommissionCause.Operator, decision.Next?.Cause);
        Assert.Equal("", decision.Next?.Campaign);
        Assert.Equal(Ends.Bert, decision.Next?.Requester);
        Assert.Equal([Ends.Campaign.Campaign], decision.Next!.RefusedCampaigns);
    }

    [Theory]
    [InlineData(DecommissionState.Proposed, null, true)]
    [InlineData(DecommissionState.Requested, null, true)]
    [InlineData(DecommissionState.Erasing, "DECOMMISSION_STATE_INVALID", false)]
    [InlineData(DecommissionState.Completed, "DECOMMISSION_STATE_INVALID", false)]
    [InlineData(DecommissionState.Cancelled, null, false)]
    public void Cancel_InEveryState_IsAllowedBeforeTheApproval(DecommissionState state, string? reason, bool isNews)
    {
        var decision = DecommissionRules.Cancel(Ends.Of(state)!, Later);

        Assert.Equal(reason, decision.Error?.Reason);
        Assert.Equal(isNews, decision.Events is [DecommissionCancelled]);
    }

    [Fact]
    public void Cancel_OfManyCampaigns_RemembersABoundedNumber()
    {
        var current = Ends.Of(DecommissionState.Cancelled);
        for (var i = 0; i < Decommission.RefusedCampaignsMax + 3; i++)
        {
            var proposal = new Proposal(DecommissionCause.EndOfSupport, $"campaign-{i}");
            current = DecommissionRules.Cancel(DecommissionRules.Propose(current, Ends.Device(), proposal, Later).Next!, Later).Next;
        }

        Assert.Equal(Decommission.RefusedCampaignsMax, current!.RefusedCampaigns.Length);
        Assert.Equal("campaign-18", current.RefusedCampaigns[^1]);
    }

    [Fact]
    public void EveryCommand_InEveryState_IsDecided()
    {
        foreach (var state in Enum.GetValues<DecommissionState>().Where(state => state != DecommissionState.Unspecified))
        {
            var current = Ends.Of(state)!;
            Assert.Equal(state, current.State);
            Assert.NotNull(DecommissionRules.Propose(current, Ends.Device(), Ends.Campaign, Later));
            Assert.NotNull(DecommissionRules.Request(current, Ends.Device(), Ends.Anna, Later));
            Assert.NotNull(DecommissionRules.Cancel(current, Later));
            Assert.NotNull(DecommissionGate.Approve(current, Ends.Bert, Ends.Approver, Ends.Command("n9"), Later));
            Assert.NotNull(ErasureRules.HandOver(current, Ends.Device(), refusal: null, Later));
            Assert.NotNull(ErasureRules.Look(current, Ends.Device(), Ends.Command("n9"), Later));
        }
    }
}
