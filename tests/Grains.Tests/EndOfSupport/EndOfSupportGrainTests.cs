using System.Collections.Immutable;
using Muster.Contracts;
using Muster.Contracts.Commit;
using Muster.Contracts.EndOfSupport;
using Muster.Domain;
using Muster.Domain.Decommissioning;
using Muster.Domain.Devices;
using Muster.Domain.EndOfSupport;
using Muster.Domain.Inventory;
using Muster.Grains.Inventory;
using Muster.Grains.Tests.Lifecycle;

namespace Muster.Grains.Tests.EndOfSupport;

public sealed class EndOfSupportGrainTests(LifecycleSilo silo) : IClassFixture<LifecycleSilo>
{
    private static readonly Actor Anna = Actor.Operator("anna");

    [Fact]
    public async Task OnDueAsync_WhenSupportEnds_ProposesForEveryDeviceOfTheModelOnce()
    {
        var (product, record, sweep) = await ProductAsync("EOS1");
        var devices = Enumerable.Range(0, 100).Select(_ => silo.Neighbours.AddDevice("EOS1")).ToArray();
        var other = silo.Neighbours.AddDevice("EOS1-B");
        Assert.Equal(0, await silo.RunDueAsync(record));

        silo.Clock.Advance(TimeSpan.FromSeconds(5));
        await silo.RunDueAsync(record);
        await silo.RunDueAsync(sweep);

        Assert.All(devices, key => Assert.Single(FactsOf(key), fact => fact.Fact is DecommissionProposed));
        Assert.Empty(FactsOf(other));
        var campaign = await silo.Grains.GetGrain<IEndOfSupportGrain>("default/EOS1").GetAsync();
        Assert.Equal((100L, 1), (campaign!.Proposed, campaign.Sweeps));
        var reply = await product.GetAsync();
        Assert.Equal((SupportStatus.EndOfSupport, campaign.Id), (reply.Status, reply.Product?.OpenCampaign));
        Assert.Equal(campaign.Id, Assert.IsType<ProductRow>(silo.Store.RowOf(record)).Campaign);
    }

    [Fact]
    public async Task OnDueAsync_WhenTheProductsCommitFails_OpensOneCampaign()
    {
        var (_, record, sweep) = await ProductAsync("EOS2");
        silo.Clock.Advance(TimeSpan.FromSeconds(5));
        silo.Store.FailNextWrite(record, WriteFault.Lost);

        await Assert.ThrowsAsync<StoreUnavailableException>(() => silo.RunDueAsync(record));
        await silo.RunDueAsync(record);

        Assert.Single(silo.Store.FactsOf(sweep), fact => fact.Fact is CampaignOpened);
        Assert.Single(silo.Store.FactsOf(record), fact => fact.Fact is SupportEnded);
    }

    [Fact]
    public async Task OnDueAsync_WhenAPartitionFails_GoesOnUntilAllHaveProposedOnce()
    {
        var (_, record, sweep) = await ProductAsync("EOS3");
        var devices = Enumerable.Range(0, 60).Select(_ => silo.Neighbours.AddDevice("EOS3")).ToArray();
        silo.Clock.Advance(TimeSpan.FromSeconds(5));
        await silo.RunDueAsync(record);

        silo.Neighbours.FailingPartition = 7;
        await Assert.ThrowsAsync<StoreUnavailableException>(() => silo.RunDueAsync(sweep));
        await silo.ForgetAsync(sweep);
        Assert.True(silo.Store.DueAtOf(sweep) <= silo.Clock.GetUtcNow());
        silo.Neighbours.FailingPartition = null;
        await silo.RunDueAsync(sweep);

        Assert.All(devices, key => Assert.Single(FactsOf(key)));
        Assert.Equal(60, (await silo.Grains.GetGrain<IEndOfSupportGrain>("default/EOS3").GetAsync())!.Proposed);
    }

    [Fact]
    public async Task OnDueAsync_WhenOneDeviceFails_ProposesForTheOthersAndComesBackForIt()
    {
        var (_, record, sweep) = await ProductAsync("EOS17");
        var devices = Enumerable.Range(0, 60).Select(_ => silo.Neighbours.AddDevice("EOS17")).ToArray();
        silo.Clock.Advance(TimeSpan.FromSeconds(5));
        await silo.RunDueAsync(record);
        silo.Store.FailNextWrite(new RecordKey(GrainTypes.Decommission, devices[30]), WriteFault.Lost);

        await silo.RunDueAsync(sweep);

        Assert.Equal(59, devices.Count(key => FactsOf(key).Length == 1));
        var swept = Assert.IsType<CampaignSwept>(silo.Store.FactsOf(sweep)[^1].Fact);
        Assert.Equal((59, 1, silo.Clock.GetUtcNow() + SweepStep.RepeatInterval), (swept.Proposed, swept.Missed, swept.NextSweepAt));
        silo.Clock.Advance(SweepStep.RepeatInterval);
        await silo.RunDueAsync(sweep);
        Assert.All(devices, key => Assert.Single(FactsOf(key)));
        Assert.Equal(60, (await silo.Grains.GetGrain<IEndOfSupportGrain>("default/EOS17").GetAsync())!.Proposed);
    }

    [Fact]
    public async Task OnDueAsync_WhenAStepsCommitFails_RepeatsTheStepAndCountsItsDevicesOnce()
    {
        var (_, record, sweep) = await ProductAsync("EOS4");
        var devices = Enumerable.Range(0, 60).Select(_ => silo.Neighbours.AddDevice("EOS4")).ToArray();
        silo.Clock.Advance(TimeSpan.FromSeconds(5));
        await silo.RunDueAsync(record);
        silo.Store.FailNextWrite(sweep, WriteFault.Lost);

        await Assert.ThrowsAsync<StoreUnavailableException>(() => silo.RunDueAsync(sweep));
        await silo.RunDueAsync(sweep);

        Assert.All(devices, key => Assert.Single(FactsOf(key)));
        Assert.Equal(60, (await silo.Grains.GetGrain<IEndOfSupportGrain>("default/EOS4").GetAsync())!.Proposed);
    }

    [Fact]
    public async Task OnDueAsync_OfALargeFleet_WorksInBoundedStepsAndPages()
    {
        var (_, record, sweep) = await ProductAsync("EOS5");
        const int Devices = 6_000;
        var devices = Enumerable.Range(0, Devices).Select(_ => silo.Neighbours.AddDevice("EOS5")).ToArray();
        silo.Clock.Advance(TimeSpan.FromSeconds(5));
        await silo.RunDueAsync(record);

        var steps = await silo.RunDueAsync(sweep);

        Assert.InRange(steps, 2, (Devices / DeviceSweep.DevicesPerStepMax) + 2);
        Assert.All(devices, key => Assert.Single(FactsOf(key)));
        Assert.Equal(Devices, (await silo.Grains.GetGrain<IEndOfSupportGrain>("default/EOS5").GetAsync())!.Proposed);
        Assert.All(silo.Neighbours.Pages, page => Assert.InRange(page.Query.RowsMax, 1, DeviceSweep.PageRowsMax));
    }

    [Fact]
    public async Task OnDueAsync_ADayLater_CoversDevicesThatEnrolledMeanwhile()
    {
        var (_, record, sweep) = await ProductAsync("EOS6");
        var first = silo.Neighbours.AddDevice("EOS6");
        var expected = silo.Neighbours.AddDevice("EOS6", DeviceState.Enrolling);
        silo.Neighbours.SetState(expected, DeviceState.Expected);
        silo.Clock.Advance(TimeSpan.FromSeconds(5));
        await silo.RunDueAsync(record);
        await silo.RunDueAsync(sweep);
        Assert.Empty(FactsOf(expected));

        silo.Neighbours.SetState(expected, DeviceState.InService);
        silo.Clock.Advance(SupportCampaign.SweepInterval);
        await silo.RunDueAsync(sweep);

        Assert.Single(FactsOf(first));
        Assert.Single(FactsOf(expected));
        var campaign = await silo.Grains.GetGrain<IEndOfSupportGrain>("default/EOS6").GetAsync();
        Assert.Equal((2L, 2), (campaign!.Proposed, campaign.Sweeps));
    }

    [Fact]
    public async Task UpdateAsync_WhenTheEndMovesAhead_ClosesTheCampaign()
    {
        var (product, record, sweep) = await ProductAsync("EOS7");
        silo.Clock.Advance(TimeSpan.FromSeconds(5));
        await silo.RunDueAsync(record);

        await product.UpdateAsync(new UpdateProduct(Anna, Spec(TimeSpan.FromDays(1_000))));
        await silo.RunDueAsync(record);

        Assert.NotNull((await silo.Grains.GetGrain<IEndOfSupportGrain>("default/EOS7").GetAsync())!.ClosedAt);
        Assert.Null(silo.Store.DueAtOf(sweep));
        Assert.Equal("", (await product.GetAsync()).Product?.OpenCampaign);
    }

    [Fact]
    public async Task CreateAsync_RepeatedOrTaken_AnswersTheSameOrRefuses()
    {
        var (product, record, _) = await ProductAsync("EOS8");

        var again = await product.CreateAsync(new CreateProduct(Anna, "r-EOS8", Spec(TimeSpan.FromSeconds(5))));
        var taken = await product.CreateAsync(new CreateProduct(Anna, "another", Spec(TimeSpan.FromSeconds(5))));

        Assert.Null(again.Error);
        Assert.Equal("ALREADY_EXISTS", taken.Error?.Reason);
        Assert.Equal(2, silo.Store.FactsOf(record).Length);
    }

    [Fact]
    public async Task GetAndUpdate_OfAnUnknownProduct_AreRefused()
    {
        var product = silo.Grains.GetGrain<IProductGrain>("default/NONE");

        Assert.Equal("NOT_FOUND", (await product.GetAsync()).Error?.Reason);
        Assert.Equal("NOT_FOUND", (await product.UpdateAsync(new UpdateProduct(Anna, Spec(TimeSpan.Zero)))).Error?.Reason);
        Assert.Null(await silo.Grains.GetGrain<IEndOfSupportGrain>("default/NONE").GetAsync());
    }

    [Fact]
    public async Task UpdateAsync_WhenTheWriteFails_NextCallSeesStoredState()
    {
        var (product, record, _) = await ProductAsync("EOS9");
        silo.Store.FailNextWrite(record, WriteFault.Lost);

        await Assert.ThrowsAsync<StoreUnavailableException>(
            () => product.UpdateAsync(new UpdateProduct(Anna, Spec(TimeSpan.FromDays(9)))));

        Assert.Equal(Spec(TimeSpan.FromSeconds(5)), (await product.GetAsync()).Product?.Spec);
    }

    private ImmutableArray<CommittedFact> FactsOf(string device) => silo.Store.FactsOf(new RecordKey(GrainTypes.Decommission, device));

    private async Task<(IProductGrain Grain, RecordKey Record, RecordKey Sweep)> ProductAsync(string model)
    {
        var key = $"default/{model}";
        var grain = silo.Grains.GetGrain<IProductGrain>(key);
        var reply = await grain.CreateAsync(new CreateProduct(Anna, $"r-{model}", Spec(TimeSpan.FromSeconds(5))));
        Assert.Equal(SupportStatus.EndingWithin12Months, reply.Status);
        return (grain, new RecordKey(GrainTypes.Product, key), new RecordKey(GrainTypes.EndOfSupport, key));
    }

    private ProductSpec Spec(TimeSpan endsIn) => new(new SupportWindow(null, silo.Clock.GetUtcNow() + endsIn, null), "NEW");
}
