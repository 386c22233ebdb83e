using System.Collections.Immutable;
using Muster.Contracts;
using Muster.Contracts.Commit;
using Muster.Contracts.Decommissioning;
using Muster.Domain;
using Muster.Domain.Decommissioning;
using Muster.Domain.Devices;
using Muster.Domain.Inventory;
using Muster.Domain.Operators;
using Muster.Grains.Tests.Lifecycle;

namespace Muster.Grains.Tests.Decommissioning;

public sealed class DecommissionGrainTests(LifecycleSilo silo) : IClassFixture<LifecycleSilo>
{
    private static readonly Actor Anna = Actor.Operator("anna");
    private static readonly Actor Bert = Actor.Operator("bert");
    private static readonly ImmutableArray<OperatorRole> Approver = [OperatorRole.Approver];
    private static readonly ProposeDecommission Proposal =
        new(Actor.Rule("end-of-support/c"), new Proposal(DecommissionCause.EndOfSupport, "c"));

    [Fact]
    public async Task WholeRoad_FromProposalToEvidence_CompletesAndKeepsActorsAndEvidence()
    {
        var (grain, record, key) = Device();

        await grain.ProposeAsync(Proposal);
        await grain.RequestAsync(new RequestDecommission(Anna));
        await grain.ApproveAsync(new ApproveDecommission(Bert, Approver));
        await silo.RunDueAsync(record);
        Assert.Equal(DeviceState.Decommissioning, silo.Neighbours.Get(key).Device!.State);
        silo.Neighbours.Prove(key);
        silo.Clock.Advance(Erasure.FirstLook);
        await silo.RunDueAsync(record);

        var done = (await grain.GetAsync()).Decommission!;
        Assert.Equal((DecommissionState.Completed, (Actor?)Anna, (Actor?)Bert), (done.State, done.Requester, done.Approver));
        Assert.Equal(done.Erasure!.Command.Nonce, done.Evidence!.Nonce);
        Assert.NotNull(done.CompletedAt);
        Assert.Null(silo.Store.DueAtOf(record));
        Assert.Equal(DecommissionState.Completed, Assert.IsType<DecommissionRow>(silo.Store.RowOf(record)).State);
        Assert.Equal(
            ["rule/end-of-support/c", "operator/anna", "operator/bert", "rule/decommissioning", "rule/decommissioning"],
            silo.Store.FactsOf(record).Select(fact => fact.Actor.ToString()));
    }

    [Fact]
    public async Task EveryCommand_OfAnUnknownDevice_IsRefused()
    {
        var grain = silo.Grains.GetGrain<IDecommissionGrain>("default/NOBODY");

        Assert.Equal("NOT_FOUND", (await grain.GetAsync()).Error?.Reason);
        Assert.Equal("NOT_FOUND", (await grain.ProposeAsync(Proposal)).Error?.Reason);
        Assert.Equal("NOT_FOUND", (await grain.RequestAsync(new RequestDecommission(Anna))).Error?.Reason);
        Assert.Equal("NOT_FOUND", (await grain.ApproveAsync(new ApproveDecommission(Bert, Approver))).Error?.Reason);
        Assert.Equal("NOT_FOUND", (await grain.CancelAsync(new CancelDecommission(Anna))).Error?.Reason);
    }

    [Fact]
    public async Task ApproveAsync_ByTheRequesterOrWithoutTheRole_IsRefusedAndTellsNoDevice()
    {
        var (grain, record, key) = Device();
        await grain.RequestAsync(new RequestDecommission(Anna));

        var own = await grain.ApproveAsync(new ApproveDecommission(Anna, Approver));
        var without = await grain.ApproveAsync(new ApproveDecommission(Bert, [OperatorRole.Administrator]));
        await silo.RunDueAsync(record);

        Assert.Equal(("APPROVER_IS_REQUESTER", "APPROVER_ROLE_MISSING"), (own.Error?.Reason, without.Error?.Reason));
        Assert.DoesNotContain(silo.Neighbours.Begun, begun => begun.Key == key);
    }

    [Fact]
    public async Task EveryCommand_Repeated_CommitsOnce()
    {
        var (grain, record, key) = Device();

        for (var i = 0; i < 2; i++)
        {
            await grain.ProposeAsync(Proposal);
        }

        for (var i = 0; i < 2; i++)
        {
            Assert.Null((await grain.RequestAsync(new RequestDecommission(Anna))).Error);
        }

        for (var i = 0; i < 2; i++)
        {
            Assert.Null((await grain.ApproveAsync(new ApproveDecommission(Bert, Approver))).Error);
        }

        await silo.RunDueAsync(record);
        Assert.Equal(4, silo.Store.FactsOf(record).Length);
        Assert.Single(silo.Neighbours.Begun, begun => begun.Key == key);
    }

    [Fact]
    public async Task OnDueAsync_WhenTheDeviceCannotBeReached_RepeatsTheSameCommandUntilItCan()
    {
        var (grain, record, key) = await ApprovedAsync();
        silo.Neighbours.DevicesThrow = true;
        await Assert.ThrowsAsync<StoreUnavailableException>(() => silo.RunDueAsync(record));
        silo.Neighbours.DevicesThrow = false;

        // The silo that approved is gone; the store's due date brings the decommission back.
        await silo.ForgetAsync(record);
        Assert.True(silo.Store.DueAtOf(record) <= silo.Clock.GetUtcNow());
        await silo.RunDueAsync(record);

        var nonce = (await grain.GetAsync()).Decommission!.Erasure!.Command.Nonce;
        Assert.Equal(nonce, Assert.Single(silo.Neighbours.Begun, begun => begun.Key == key).Command.Nonce);
        Assert.Matches("^[0-9a-f]{32}$", nonce);
    }

    [Theory]
    [InlineData(WriteFault.Lost)]
    [InlineData(WriteFault.ReplyLost)]
    public async Task OnDueAsync_WhenTheCommitAfterTheCallFails_KeepsTheNonce(WriteFault fault)
    {
        var (_, record, key) = await ApprovedAsync();
        silo.Store.FailNextWrite(record, fault);

        await Assert.ThrowsAsync<StoreUnavailableException>(() => silo.RunDueAsync(record));
        await silo.RunDueAsync(record);

        Assert.Single(silo.Neighbours.Begun.Where(begun => begun.Key == key).Select(begun => begun.Command.Nonce).Distinct());
        Assert.Single(silo.Store.FactsOf(record), fact => fact.Fact is ErasureOrdered);
    }

    [Theory]
    [InlineData(WriteFault.Lost)]
    [InlineData(WriteFault.ReplyLost)]
    public async Task ApproveAsync_WhenTheWriteFails_NextCallSeesStoredState(WriteFault fault)
    {
        var (grain, record, _) = Device();
        await grain.RequestAsync(new RequestDecommission(Anna));
        silo.Store.FailNextWrite(record, fault);

        await Assert.ThrowsAsync<StoreUnavailableException>(() => grain.ApproveAsync(new ApproveDecommission(Bert, Approver)));
        var after = await grain.GetAsync();

        Assert.Equal(
            fault == WriteFault.ReplyLost ? DecommissionState.Erasing : DecommissionState.Requested, after.Decommission?.State);
        Assert.Null((await grain.ApproveAsync(new ApproveDecommission(Bert, Approver))).Error);
        Assert.Single(silo.Store.FactsOf(record), fact => fact.Fact is DecommissionApproved);
    }

    [Fact]
    public async Task OnDueAsync_WhenTheTombstoneHasAnothersProof_NeverCompletes()
    {
        var (grain, record, key) = await ApprovedAsync();
        await silo.RunDueAsync(record);
        silo.Neighbours.Prove(key, nonce: new string('0', 32));
        silo.Clock.Advance(Erasure.FirstLook);

        await silo.RunDueAsync(record);

        var found = (await grain.GetAsync()).Decommission!;
        Assert.Equal((DecommissionState.Erasing, null), (found.State, found.Evidence));
        Assert.NotEqual("", found.Erasure!.StalledReason);
    }

    [Fact]
    public async Task OnDueAsync_WhenTheCommandExpired_IssuesAnotherWithANewNonce()
    {
        var (grain, record, key) = await ApprovedAsync();
        await silo.RunDueAsync(record);
        silo.Clock.Advance(Erasure.CommandLifetime);

        await silo.RunDueAsync(record);

        var nonces = silo.Neighbours.Begun.Where(begun => begun.Key == key).Select(begun => begun.Command.Nonce).ToArray();
        Assert.Equal(2, nonces.Distinct().Count());
        Assert.Equal(nonces, (await grain.GetAsync()).Decommission!.Erasure!.Nonces);
    }

    [Fact]
    public async Task CancelAsync_OfAProposal_KeepsTheCampaignAway()
    {
        var (grain, _, _) = Device();
        await grain.ProposeAsync(Proposal);
        await grain.CancelAsync(new CancelDecommission(Anna));

        var again = await grain.ProposeAsync(Proposal);

        Assert.Equal(DecommissionState.Cancelled, again.Decommission?.State);
    }

    private async Task<(IDecommissionGrain Grain, RecordKey Record, string Key)> ApprovedAsync()
    {
        var (grain, record, key) = Device();
        await grain.RequestAsync(new RequestDecommission(Anna));
        await grain.ApproveAsync(new ApproveDecommission(Bert, Approver));
        return (grain, record, key);
    }

    private (IDecommissionGrain Grain, RecordKey Record, string Key) Device()
    {
        var key = silo.Neighbours.AddDevice("M1");
        return (silo.Grains.GetGrain<IDecommissionGrain>(key), new RecordKey(GrainTypes.Decommission, key), key);
    }
}
