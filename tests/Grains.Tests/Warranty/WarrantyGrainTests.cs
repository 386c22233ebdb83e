using Muster.Contracts;
using Muster.Contracts.Commit;
using Muster.Contracts.Decommissioning;
using Muster.Contracts.Devices;
using Muster.Contracts.Warranty;
using Muster.Domain;
using Muster.Domain.Decommissioning;
using Muster.Domain.Devices;
using Muster.Domain.Inventory;
using Muster.Domain.Warranty;
using Muster.Grains.Tests.Lifecycle;

namespace Muster.Grains.Tests.Warranty;

public sealed class WarrantyGrainTests(LifecycleSilo silo) : IClassFixture<LifecycleSilo>
{
    private static readonly Actor Anna = Actor.Operator("anna");
    private static readonly WarrantyTerm Over = new(new DateOnly(2020, 6, 1), 60);
    private static readonly WarrantyTerm Running = new(new DateOnly(2025, 6, 1), 24);

    [Fact]
    public async Task SetAsync_OfAKnownDevice_AnswersWithTheStatusOfAnyDay()
    {
        var (warranty, record, _) = Device();

        var set = await warranty.SetAsync(new SetWarranty(Anna, Running));
        var before = await warranty.GetAsync(new DateOnly(2025, 5, 31));
        var after = await warranty.GetAsync(new DateOnly(2027, 6, 1));

        Assert.Equal((WarrantyStatus.Active, new DateOnly(2027, 5, 31)), (set.Status, set.LastDay));
        Assert.Equal((WarrantyStatus.NotStarted, WarrantyStatus.Ended), (before.Status, after.Status));
        Assert.Equal(Anna, Assert.Single(silo.Store.FactsOf(record)).Actor);
        Assert.Equal(new DateTimeOffset(2027, 6, 1, 0, 0, 0, TimeSpan.Zero), silo.Store.DueAtOf(record));
    }

    [Fact]
    public async Task ExpectAsync_BeforeThereIsADevice_IsKeptAndDueAtItsEnd()
    {
        const string Key = "default/M1-NOT-YET";
        var record = new RecordKey(GrainTypes.Warranty, Key);
        var warranty = silo.Grains.GetGrain<IWarrantyGrain>(Key);

        await warranty.ExpectAsync(new ExpectWarranty(Anna, "r1", Running));
        await silo.ForgetAsync(record);

        Assert.Equal(Running, (await warranty.GetAsync(null)).Cover?.Term);
        Assert.Equal(new DateTimeOffset(2027, 6, 1, 0, 0, 0, TimeSpan.Zero), silo.Store.DueAtOf(record));
    }

    [Fact]
    public async Task OnDueAsync_BetweenTheTermAndItsDevice_StillOpensAReviewForTheDevice()
    {
        var (warranty, record, key) = Next();
        var expect = new ExpectWarranty(Anna, "r", Over);

        await warranty.ExpectAsync(expect);
        await silo.RunDueAsync(record);
        Assert.Equal(key, silo.Neighbours.AddDevice("M1"));
        await warranty.ExpectAsync(expect);
        await silo.RunDueAsync(record);

        Assert.Equal(WarrantyReviewState.Open, (await warranty.GetAsync(null)).Cover?.Review);
    }

    [Fact]
    public async Task OnDueAsync_WhenTheDeviceNeverCame_ForgetsTheTermAndTakesItAgainFromTheRepetition()
    {
        var (warranty, record, key) = Next();
        await warranty.ExpectAsync(new ExpectWarranty(Anna, "r", Over));
        silo.Clock.Advance(WarrantyRules.CreationMax);

        await silo.RunDueAsync(record);

        Assert.Null(silo.Store.DueAtOf(record));
        await warranty.ExpectAsync(new ExpectWarranty(Anna, "r", Over));
        Assert.Equal(key, silo.Neighbours.AddDevice("M1"));
        await silo.RunDueAsync(record);
        Assert.Equal(WarrantyReviewState.Open, (await warranty.GetAsync(null)).Cover?.Review);
    }

    [Fact]
    public async Task SetAsync_OfAnUnknownDevice_IsRefused()
    {
        var warranty = silo.Grains.GetGrain<IWarrantyGrain>("default/NOBODY");

        Assert.Equal("NOT_FOUND", (await warranty.SetAsync(new SetWarranty(Anna, Running))).Error?.Reason);
        Assert.Equal("NOT_FOUND", (await warranty.GetAsync(null)).Error?.Reason);
        Assert.Equal("NOT_FOUND", (await warranty.CloseReviewAsync(new CloseWarrantyReview(Anna, false))).Error?.Reason);
    }

    [Fact]
    public async Task GetAsync_OfADeviceWithoutWarranty_HasNoMonths()
    {
        var (warranty, _, _) = Device();

        var reply = await warranty.GetAsync(null);

        Assert.Equal((0, WarrantyStatus.Unspecified, null), (reply.Cover?.Term.Months, reply.Status, reply.LastDay));
    }

    [Fact]
    public async Task SetAsync_Repeated_CommitsOnce()
    {
        var (warranty, record, _) = Device();

        await warranty.SetAsync(new SetWarranty(Anna, Running));
        await warranty.SetAsync(new SetWarranty(Anna, Running));

        Assert.Single(silo.Store.FactsOf(record));
    }

    [Theory]
    [InlineData(WriteFault.Lost)]
    [InlineData(WriteFault.ReplyLost)]
    public async Task SetAsync_WhenTheWriteFails_NextCallSeesStoredState(WriteFault fault)
    {
        var (warranty, record, _) = Device();
        silo.Store.FailNextWrite(record, fault);

        await Assert.ThrowsAsync<StoreUnavailableException>(() => warranty.SetAsync(new SetWarranty(Anna, Running)));
        var after = await warranty.GetAsync(null);

        Assert.Equal(fault == WriteFault.ReplyLost ? 24 : 0, after.Cover?.Term.Months);
        await warranty.SetAsync(new SetWarranty(Anna, Running));
        Assert.Single(silo.Store.FactsOf(record));
    }

    [Fact]
    public async Task OnDueAsync_AfterTheLastDay_OpensAReviewOnceEvenAfterReactivation()
    {
        var (warranty, record, _) = Device();
        await warranty.SetAsync(new SetWarranty(Anna, Over));

        await silo.RunDueAsync(record);
        await silo.ForgetAsync(record);
        await silo.Grains.GetGrain<IDueGrain>(GrainId.Create(record.Kind, record.Key)).OnDueAsync(TestContext.Current.CancellationToken);

        var reply = await warranty.GetAsync(null);
        Assert.Equal((WarrantyReviewState.Open, WarrantyStatus.Ended), (reply.Cover?.Review, reply.Status));
        Assert.Single(silo.Store.FactsOf(record), fact => fact.Fact is WarrantyEnded);
        Assert.Equal(WarrantyReviewState.Open, Assert.IsType<WarrantyRow>(silo.Store.RowOf(record)).Review);
        Assert.Null(silo.Store.DueAtOf(record));
    }

    [Fact]
    public async Task CloseReviewAsync_AsProposal_ReachesTheDecommissionOnce()
    {
        var (warranty, record, device) = Device();
        await warranty.SetAsync(new SetWarranty(Anna, Over));
        await silo.RunDueAsync(record);

        await warranty.CloseReviewAsync(new CloseWarrantyReview(Anna, true));
        await warranty.CloseReviewAsync(new CloseWarrantyReview(Anna, true));
        await silo.RunDueAsync(record);

        var decommission = await silo.Grains.GetDecommission(TenantId.Default, device).GetAsync();
        Assert.Equal(
            (DecommissionState.Proposed, DecommissionCause.WarrantyReview, "warranty:20250531"),
            (decommission.Decommission?.State, decommission.Decommission?.Cause, decommission.Decommission?.Campaign));
        Assert.Null(silo.Store.DueAtOf(record));
    }

    [Fact]
    public async Task OnDueAsync_WhenTheCommitAfterTheProposalFails_RepeatsItWithoutASecondProposal()
    {
        var (warranty, record, device) = Device();
        await warranty.SetAsync(new SetWarranty(Anna, Over));
        await silo.RunDueAsync(record);
        await warranty.CloseReviewAsync(new CloseWarrantyReview(Anna, true));
        silo.Store.FailNextWrite(record, WriteFault.Lost);

        await Assert.ThrowsAsync<StoreUnavailableException>(() => silo.RunDueAsync(record));
        await silo.RunDueAsync(record);

        var decommission = new RecordKey(GrainTypes.Decommission, DeviceKey.Of(TenantId.Default, device));
        Assert.Single(silo.Store.FactsOf(decommission));
        Assert.Single(silo.Store.FactsOf(record), fact => fact.Fact is WarrantyProposalHandedOn);
    }

    [Fact]
    public async Task CloseReviewAsync_WithoutAReview_IsRefused()
    {
        var (warranty, _, _) = Device();

        Assert.Equal("WARRANTY_REVIEW_NOT_OPEN", (await warranty.CloseReviewAsync(new CloseWarrantyReview(Anna, true))).Error?.Reason);
    }

    /// <summary>The warranty of the device that is added next.</summary>
    private (IWarrantyGrain Grain, RecordKey Record, string Key) Next()
    {
        var last = Convert.ToInt32(silo.Neighbours.AddDevice("M1")[^6..], 16);
        var key = $"default/B8A44F{last + 1:X6}";
        return (silo.Grains.GetGrain<IWarrantyGrain>(key), new RecordKey(GrainTypes.Warranty, key), key);
    }

    private (IWarrantyGrain Grain, RecordKey Record, DeviceId Device) Device()
    {
        var key = silo.Neighbours.AddDevice("M1");
        return (silo.Grains.GetGrain<IWarrantyGrain>(key), new RecordKey(GrainTypes.Warranty, key), DeviceKey.Parse(key).Device);
    }
}
