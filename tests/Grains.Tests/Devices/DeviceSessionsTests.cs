using Muster.Contracts.Devices;
using Muster.Contracts.Gateways;
using Muster.Contracts.Inventory;
using Muster.Domain;
using Muster.Domain.Devices;

namespace Muster.Grains.Tests.Devices;

public sealed class DeviceSessionsTests(DeviceSilo silo)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task AdmitAsync_OfANewSession_ClosesTheOlderWhichSpeaksInVain()
    {
        var unit = await new Unit(silo).EnrolAsync();
        var old = unit.Epoch;

        var admitted = await unit.ConnectAsync();

        var closing = await unit.Gateway.NextClosingAsync(Cancel);
        Assert.Equal((old, false, "SESSION_TAKEN_OVER"), (closing.EpochMax, closing.All, closing.Reason.Reason));
        Assert.Equal((old + 1, true), (admitted.Epoch, admitted.SessionPresent));
        var status = new ReportStatus(
            new UpEnvelope(unit.Identity, unit.Session(old), new MessageStamp("boot-1", 1)), new DeviceHealth(1, null, ""));
        Assert.Equal("SESSION_TAKEN_OVER", (await unit.Grain.StatusAsync(status)).Error?.Reason);
    }

    [Fact]
    public async Task AdmitAsync_AfterAReactivation_IssuesAnEpochAboveRecordAndPresence()
    {
        var unit = await new Unit(silo).EnrolAsync();
        var told = unit.Epoch + 40;
        silo.Presence[unit.Id] = new DevicePresence(true, silo.Clock.GetUtcNow(), told, "gateway-1", unit.Session().Gateway, null);
        await silo.ForgetAsync(unit.GrainId);

        Assert.Equal(told + 1, (await unit.ConnectAsync()).Epoch);
        Assert.Equal(told, (await unit.Gateway.NextClosingAsync(Cancel)).EpochMax);
    }

    /// <summary>Their gateways may still tell presence that these ended: what has a lower epoch would be taken for older.</summary>
    [Fact]
    public async Task AdmitAsync_AfterAReactivation_IssuesAnEpochAboveSessionsThatNobodyRemembers()
    {
        await using var own = new DeviceSilo();
        await own.InitializeAsync();
        var unit = await new Unit(own).EnrolAsync();
        for (var i = 0; i < 6; i++)
        {
            own.Clock.Advance(TimeSpan.FromSeconds(1));
            await unit.ConnectAsync();
        }

        var forgotten = unit.Epoch;
        await own.ForgetAsync(unit.GrainId);
        own.Clock.Advance(TimeSpan.FromSeconds(1));

        Assert.True((await unit.ConnectAsync()).Epoch > forgotten);
    }

    [Fact]
    public async Task AnyMessage_AfterAReactivation_TeachesTheSession()
    {
        var unit = await new Unit(silo).EnrolAsync();
        await unit.ConnectAsync();
        await silo.ForgetAsync(unit.GrainId);

        await unit.Grain.StatusAsync(new ReportStatus(unit.Envelope("boot-1", 1), new DeviceHealth(1, null, "")));

        Assert.Equal(unit.Epoch + 1, (await unit.ConnectAsync()).Epoch);
    }

    [Fact]
    public async Task DisconnectAsync_OfTheNewestSession_LeavesNobodyToOfferTo()
    {
        var unit = await new Unit(silo).EnrolAsync();
        var old = unit.Session();
        await unit.ConnectAsync();

        await unit.Grain.DisconnectAsync(old);
        await unit.Grain.DisconnectAsync(unit.Session());

        Assert.Equal(OfferStatus.WaitingOffline, (await unit.Grain.OfferAsync(Unit.Offer())).Status);
    }

    [Fact]
    public async Task HelloAsync_OfASessionThatOnlyPublishes_IsAnsweredToTheOneThatReceives()
    {
        var unit = await new Unit(silo).EnrolAsync();
        var epoch = unit.Epoch;
        unit.Epoch = 0;

        Assert.Equal(UpReply.Accepted, await unit.Grain.HelloAsync(unit.Hello("boot-2", 1)));

        var delivery = await unit.Gateway.NextAsync(Cancel);
        Assert.Equal((epoch, unit.Id), (delivery.Epoch, delivery.Device));
        Assert.IsType<AckMessage>(delivery.Message);
        Assert.Equal(epoch, (await unit.GetAsync()).Epoch);
    }

    [Fact]
    public async Task OfferAsync_WhosePushWasLost_IsPushedAgainWithoutAHello()
    {
        var unit = await new Unit(silo).EnrolAsync();
        await unit.Grain.OfferAsync(Unit.Offer());
        await unit.Gateway.NextAsync<DesiredMessage>(Cancel);

        await unit.ConnectAsync();

        Assert.Equal(1, (await unit.Gateway.NextAsync<DesiredMessage>(Cancel)).Desired.Generation);
    }

    [Fact]
    public async Task BeginDecommissionAsync_WhileTheDeviceIsAway_ReachesItWithItsHello()
    {
        var unit = await new Unit(silo).EnrolAsync();
        await unit.Grain.DisconnectAsync(unit.Session());
        await unit.Grain.BeginDecommissionAsync(new BeginDecommission(Actor.Operator("anna"), Unit.Command()));
        await unit.ConnectAsync();

        await unit.Grain.HelloAsync(unit.Hello("boot-1", 2));

        Assert.Equal(
            Unit.Command() with { IssuedInBoot = "boot-1" }, (await unit.Gateway.NextAsync<CommandMessage>(Cancel)).Command);
    }
}
