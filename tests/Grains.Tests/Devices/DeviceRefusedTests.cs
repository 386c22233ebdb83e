using Muster.Contracts.Devices;
using Muster.Domain.Devices;
using Muster.Testing.Stores;

namespace Muster.Grains.Tests.Devices;

/// <summary>Why a device is not let in stays on its record.</summary>
public sealed class DeviceRefusedTests(DeviceSilo silo)
{
    [Fact]
    public async Task HelloAsync_ThatIsRefusedAgainAndAgain_IsNotedOnceAnHourForEachReason()
    {
        await using var own = new DeviceSilo();
        await own.InitializeAsync();
        var unit = new Unit(own);
        await unit.ExpectAsync();
        await unit.ConnectAsync();
        for (var time = 1; time <= 20; time++)
        {
            Assert.Equal("NOT_FACTORY_DEFAULT", (await SayAsync(unit, time, isDefault: false)).Error?.Reason);
            Assert.Equal("SECURE_BOOT_MISSING", (await SayAsync(unit, time, secureBoot: false)).Error?.Reason);
        }

        var device = await unit.GetAsync();
        Assert.Equal(["NOT_FACTORY_DEFAULT", "SECURE_BOOT_MISSING"], device.Refusals.Select(refusal => refusal.Reason));
        Assert.All(device.Refusals, refusal => Assert.Equal(unit.Identity.Certificate, refusal.Certificate));
        Assert.Equal(2, await CountAsync(unit));
        own.Clock.Advance(DeviceRefusals.NotedEvery);
        await SayAsync(unit, 21, isDefault: false);

        Assert.Equal(3, await CountAsync(unit));
        Assert.Equal("NOT_FACTORY_DEFAULT", (await unit.GetAsync()).Refusals[^1].Reason);
        Assert.Null((await SayAsync(unit, 22)).Error);
        var served = await unit.GetAsync();
        Assert.Equal(DeviceState.InService, served.State);
        Assert.Empty(served.Refusals);
    }

    [Fact]
    public async Task AdmitAsync_ThatIsRefusedWhileTheStoreHangs_IsAnsweredAtOnceAndNotedAfterwards()
    {
        var owner = await new Unit(silo).EnrolAsync();
        var thief = new Unit(silo, owner.Identity.KeySha256);
        await thief.ExpectAsync();
        var store = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        silo.HoldNextWrite(thief.GrainId, store.Task);

        Assert.Equal("KEY_CLAIMED_BY_ANOTHER", (await thief.ConnectAsync()).Error?.Reason);

        Assert.Equal(0, await CountAsync(thief));
        store.SetResult();
        await Unit.UntilAsync(async () => !(await thief.GetAsync()).Refusals.IsEmpty);
        Assert.Equal(1, await CountAsync(thief));
    }

    [Fact]
    public async Task ClearDownloadAsync_OfATombstone_IsNotedAndOneThatIsJudgedAgainIsNot()
    {
        var unit = await new Unit(silo).EnrolAsync();
        await unit.Grain.BeginDecommissionAsync(new BeginDecommission(Unit.Anna, Unit.Command()));
        await unit.Grain.ResultAsync(unit.Result("boot-2", 1, 9));
        var download = new AuthorizeDownload(unit.Identity, Unit.NewDigest);

        Assert.Equal("DEVICE_DECOMMISSIONED", (await unit.Grain.AuthorizeDownloadAsync(download))?.Reason);
        Assert.Empty((await unit.GetAsync()).Refusals);
        Assert.Equal("DEVICE_DECOMMISSIONED", (await unit.Grain.ClearDownloadAsync(download)).Error?.Reason);

        Assert.Equal("DEVICE_DECOMMISSIONED", Assert.Single((await unit.GetAsync()).Refusals).Reason);
    }

    [Fact]
    public async Task ApproveEnrollmentAsync_OfOneThatWasRefusedBefore_TakesTheRefusalsOffItsRecord()
    {
        var unit = new Unit(silo);
        await unit.ExpectAsync(EnrollmentApproval.Manual);
        await unit.ConnectAsync();
        await SayAsync(unit, 1, isDefault: false);
        await SayAsync(unit, 2);
        Assert.Single((await unit.GetAsync()).Refusals);

        await unit.Grain.ApproveEnrollmentAsync(new ApproveEnrollment(Unit.Anna));

        var device = await unit.GetAsync();
        Assert.Equal(DeviceState.InService, device.State);
        Assert.Empty(device.Refusals);
    }

    [Fact]
    public async Task AdmitAsync_OfATombstone_IsNotedOnceAndBringsNothingBack()
    {
        var unit = await new Unit(silo).EnrolAsync();
        await unit.Grain.BeginDecommissionAsync(new BeginDecommission(Unit.Anna, Unit.Command()));
        await unit.Grain.ResultAsync(unit.Result("boot-2", 1, 9));
        for (var time = 0; time < 20; time++)
        {
            Assert.Equal("DEVICE_DECOMMISSIONED", (await unit.ConnectAsync()).Error?.Reason);
        }

        var device = await unit.GetAsync();
        Assert.Equal(
            ("DEVICE_DECOMMISSIONED", unit.Identity.Certificate),
            (Assert.Single(device.Refusals).Reason, device.Refusals[0].Certificate));
        Assert.Equal((DeviceState.Decommissioned, 1), (device.State, await CountAsync(unit)));
    }

    [Fact]
    public async Task AdmitAsync_WithTheKeyOfAnother_IsNotedAtTheOneThatCame()
    {
        var owner = await new Unit(silo).EnrolAsync();
        var thief = new Unit(silo, owner.Identity.KeySha256);
        await thief.ExpectAsync();

        Assert.Equal("KEY_CLAIMED_BY_ANOTHER", (await thief.ConnectAsync()).Error?.Reason);

        Assert.Equal("KEY_CLAIMED_BY_ANOTHER", Assert.Single((await thief.GetAsync()).Refusals).Reason);
    }

    [Theory]
    [InlineData(StorageFault.Lost)]
    [InlineData(StorageFault.ReplyLost)]
    public async Task HelloAsync_ThatIsRefusedWhileTheStoreFails_IsRefusedAllTheSameAndNotedOnce(StorageFault fault)
    {
        var unit = new Unit(silo);
        await unit.ExpectAsync();
        await unit.ConnectAsync();
        silo.FailNextWrite(unit.GrainId, fault);

        // The note ends behind the answer, and an attempt before that is the same one.
        await Unit.UntilAsync(async () =>
        {
            Assert.Equal("NOT_FACTORY_DEFAULT", (await SayAsync(unit, 1, isDefault: false)).Error?.Reason);
            return !silo.IsFaultPending(unit.GrainId) && !(await unit.GetAsync()).Refusals.IsEmpty;
        });

        Assert.Single((await unit.GetAsync()).Refusals);
        Assert.Equal(1, await CountAsync(unit));
    }

    [Fact]
    public async Task AdmitAsync_OfADeviceInServiceWithAForeignCertificate_LeavesItsRecordAlone()
    {
        var (unit, other) = (await new Unit(silo).EnrolAsync(), new Unit(silo));

        Assert.Equal(
            "IDENTITY_MISMATCH",
            (await unit.Grain.AdmitAsync(new AdmitSession(other.KeyUnder(unit), false, null, "gateway-1"))).Error?.Reason);

        Assert.Empty((await unit.GetAsync()).Refusals);
        Assert.Equal(0, await CountAsync(unit));
    }

    private static Task<UpReply> SayAsync(Unit unit, int sequence, bool isDefault = true, bool secureBoot = true)
    {
        var hello = unit.Hello("boot-1", sequence);
        return unit.Grain.HelloAsync(hello with { Os = hello.Os with { FactoryDefault = isDefault, SecureBoot = secureBoot } });
    }

    private static async Task<int> CountAsync(Unit unit) => (await unit.FactsAsync()).Count(fact => fact == nameof(DeviceRefused));
}
