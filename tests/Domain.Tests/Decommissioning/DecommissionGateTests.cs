using Muster.Domain.Decommissioning;
using Muster.Domain.Operators;

namespace Muster.Domain.Tests.Decommissioning;

public sealed class DecommissionGateTests
{
    [Theory]
    [InlineData(DecommissionState.Proposed, "DECOMMISSION_STATE_INVALID")]
    [InlineData(DecommissionState.Requested, null)]
    [InlineData(DecommissionState.Erasing, "DECOMMISSION_STATE_INVALID")]
    [InlineData(DecommissionState.Completed, "DECOMMISSION_STATE_INVALID")]
    [InlineData(DecommissionState.Cancelled, "DECOMMISSION_STATE_INVALID")]
    public void Approve_ByAThirdOperator_IsAllowedOnlyOnceRequested(DecommissionState state, string? reason)
    {
        var decision = DecommissionGate.Approve(Ends.Of(state)!, Actor.Operator("carl"), Ends.Approver, Ends.Command("n9"), Ends.Now);

        Assert.Equal(reason, decision.Error?.Reason);
    }

    [Fact]
    public void Approve_ByTheRequester_IsRefusedWhateverHisRoles()
    {
        var all = Enum.GetValues<OperatorRole>().ToArray();

        var decision = DecommissionGate.Approve(Ends.Requested(), Ends.Anna, [.. all], Ends.Command(), Ends.Now);

        Assert.Equal("APPROVER_IS_REQUESTER", decision.Error?.Reason);
    }

    [Fact]
    public void Approve_ByTheRequestersNameOfAnotherKind_IsRefused()
    {
        var decision = DecommissionGate.Approve(Ends.Requested(), Actor.Rule("anna"), Ends.Approver, Ends.Command(), Ends.Now);

        Assert.Equal("APPROVER_IS_REQUESTER", decision.Error?.Reason);
    }

    [Theory]
    [InlineData(OperatorRole.Viewer)]
    [InlineData(OperatorRole.Operator)]
    [InlineData(OperatorRole.Administrator)]
    public void Approve_WithoutTheRole_IsRefused(OperatorRole role)
    {
        var decision = DecommissionGate.Approve(Ends.Requested(), Ends.Bert, [role], Ends.Command(), Ends.Now);

        Assert.Equal("APPROVER_ROLE_MISSING", decision.Error?.Reason);
    }

    [Fact]
    public void Approve_OfARequest_IssuesTheCommandAndIsDueAtOnce()
    {
        var decision = DecommissionGate.Approve(Ends.Requested(), Ends.Bert, Ends.Approver, Ends.Command(), Ends.Now);

        var fact = Assert.IsType<DecommissionApproved>(decision.Events.Single());
        Assert.Equal((Ends.Anna, Ends.Bert, "n1"), (fact.Requester, fact.Approver, fact.Nonce));
        Assert.Equal(DecommissionState.Erasing, decision.Next.State);
        Assert.Equal(Ends.Now, ErasureRules.NextDueAt(decision.Next));
    }

    [Fact]
    public void Approve_RepeatedByTheApprover_KeepsTheFirstCommand()
    {
        var again = DecommissionGate.Approve(Ends.Erasing(), Ends.Bert, Ends.Approver, Ends.Command("n2"), Ends.Now.AddHours(1));

        Assert.Null(again.Error);
        Assert.Empty(again.Events);
        Assert.Equal("n1", again.Next.Erasure?.Command.Nonce);
    }

    [Fact]
    public void Approve_OfAStalledErasure_StartsItAgainByTheSameRules()
    {
        var stalled = Ends.Stalled();

        var byRequester = DecommissionGate.Approve(stalled, Ends.Anna, Ends.Approver, Ends.Command("n3"), Ends.Now);
        var byAnother = DecommissionGate.Approve(stalled, Ends.Bert, Ends.Approver, Ends.Command("n3"), Ends.Now);

        Assert.Equal("APPROVER_IS_REQUESTER", byRequester.Error?.Reason);
        Assert.Equal("n3", byAnother.Next.Erasure?.Command.Nonce);
        Assert.Equal("", byAnother.Next.Erasure?.StalledReason);
    }
}
