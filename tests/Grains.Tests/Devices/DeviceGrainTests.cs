using Muster.Contracts.Commit;
using Muster.Contracts.Devices;
using Muster.Contracts.Gateways;
using Muster.Domain;
using Muster.Domain.Devices;
using Muster.Domain.Inventory;
using Muster.Testing.Stores;

namespace Muster.Grains.Tests.Devices;

public sealed class DeviceGrainTests(DeviceSilo silo)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task HelloAsync_OfAnExpectedDevice_EnrolsInOneCommitAndAcknowledges()
    {
        var unit = new Unit(silo);
        await unit.ExpectAsync();
        var admitted = await unit.ConnectAsync();

        var reply = await unit.Grain.HelloAsync(unit.Hello("boot-1", 1));

        Assert.Equal(UpReply.AcceptedOwingAck, reply);
        Assert.Equal((silo.Clock.GetUtcNow().ToUnixTimeMilliseconds(), false), (admitted.Epoch, admitted.SessionPresent));
        var entries = await silo.EntriesOfAsync(unit.GrainId);
        Assert.Equal(
            ["DeviceExpected", "DeviceEnrolling", "DeviceEnrolled", "DeviceHelloTaken"],
            entries.Select(entry => entry.Fact.GetType().Name));
        Assert.Equal([1L, 2L, 2L, 2L], entries.Select(entry => entry.Version));
        Assert.Equal(DeviceState.InService, Assert.IsType<DeviceRow>(entries[^1].Row).State);
        Assert.Equal(Actor.Device(unit.Id.Value), entries[^1].Actor);
    }

    [Fact]
    public async Task EveryCall_OfAnUnknownDevice_IsRefused()
    {
        var unit = new Unit(silo);

        Assert.Equal("NOT_FOUND", (await unit.Grain.GetAsync()).Error?.Reason);
        Assert.Equal("NOT_FOUND", (await unit.Grain.QuarantineAsync(new QuarantineDevice(Unit.Anna, "x"))).Error?.Reason);
        Assert.Equal(
            "NOT_FOUND", (await unit.Grain.BeginDecommissionAsync(new BeginDecommission(Unit.Anna, Unit.Command()))).Error?.Reason);
        Assert.Equal("DEVICE_NOT_EXPECTED", (await unit.ConnectAsync()).Error?.Reason);
        Assert.Equal("DEVICE_NOT_EXPECTED", (await unit.Grain.HelloAsync(unit.Hello("boot-1", 1))).Error?.Reason);
        Assert.Equal(
            "DEVICE_NOT_EXPECTED", (await unit.Grain.ReportAsync(unit.Report("boot-1", 1, 1, ChangeStep.Delivered))).Error?.Reason);
        Assert.Equal(
            "DEVICE_NOT_EXPECTED",
            (await unit.Grain.AuthorizeDownloadAsync(new AuthorizeDownload(unit.Identity, Unit.NewDigest)))?.Reason);
        Assert.Empty(await unit.FactsAsync());
    }

    [Fact]
    public async Task ExpectAsync_Repeated_GivesTheSame()
    {
        var unit = new Unit(silo);
        var first = await unit.ExpectAsync();

        await unit.EnrolAsync();

        Assert.Equal(first.Device?.CreatedAt, (await unit.ExpectAsync()).Device?.CreatedAt);
        Assert.Equal("ALREADY_EXISTS", (await unit.Grain.ExpectAsync(
            new ExpectDevice(Unit.Anna, "r2", new ExpectedDevice("Q", "active", "", "", EnrollmentApproval.Manual)))).Error?.Reason);
    }

    [Fact]
    public async Task HelloAsync_Repeated_IsAcknowledgedAgainAndLeavesNoFact()
    {
        var unit = await new Unit(silo).EnrolAsync();
        var facts = await unit.FactsAsync();

        Assert.Equal(UpReply.AcceptedOwingAck, await unit.Grain.HelloAsync(unit.Hello("boot-1", 1)));

        Assert.Equal(facts, await unit.FactsAsync());
    }

    [Theory]
    [InlineData(StorageFault.Lost)]
    [InlineData(StorageFault.ReplyLost)]
    public async Task HelloAsync_WhenTheWriteFails_NextCallSeesStoredState(StorageFault fault)
    {
        var unit = await new Unit(silo).EnrolAsync();
        silo.FailNextWrite(unit.GrainId, fault);

        await Assert.ThrowsAsync<StoreUnavailableException>(() => unit.Grain.HelloAsync(unit.Hello("boot-2", 1)));

        Assert.Equal(fault == StorageFault.ReplyLost ? "boot-2" : "boot-1", (await unit.GetAsync()).Os?.BootId);
        Assert.Null((await unit.Grain.HelloAsync(unit.Hello("boot-2", 1))).Error);
        Assert.Equal(2, (await unit.FactsAsync()).Count(fact => fact == nameof(DeviceHelloTaken)));
    }

    [Fact]
    public async Task ReportAsync_OfAGenerationNeverIssued_IsRefusedWithARejection()
    {
        var unit = await new Unit(silo).EnrolAsync();

        var reply = await unit.Grain.ReportAsync(unit.Report("boot-1", 1, 7, ChangeStep.Delivered));

        Assert.Equal("GENERATION_UNKNOWN", reply.Error?.Reason);
        Assert.Equal("GENERATION_UNKNOWN", (await unit.Gateway.NextAsync<RejectionMessage>(Cancel)).Error.Reason);
    }

    [Fact]
    public async Task InventoryAsync_KeepsTheSettingsAcrossAReactivation()
    {
        var unit = await new Unit(silo).EnrolAsync();
        await unit.Grain.InventoryAsync(unit.Inventory("boot-1", 1, new DeviceSetting("ssh", "off")));
        await unit.Grain.HelloAsync(unit.Hello("boot-2", 1));

        await silo.ForgetAsync(unit.GrainId);

        Assert.Equal([new DeviceSetting("ssh", "off")], (await unit.Grain.GetAsync()).Settings);
    }

    [Fact]
    public async Task GetAsync_OfADeviceThatNeverNamedItsSettings_HasNone()
    {
        var unit = await new Unit(silo).EnrolAsync();
        await silo.ForgetAsync(unit.GrainId);

        Assert.Empty((await unit.Grain.GetAsync()).Settings);
        Assert.Null((await unit.Grain.InventoryAsync(unit.Inventory("boot-1", 1))).Error);
    }

    [Fact]
    public async Task HelloAsync_WithAKeyOfAnotherIdentity_IsRefusedOnEveryRoad()
    {
        var first = await new Unit(silo).EnrolAsync();
        var second = new Unit(silo, first.Identity.KeySha256);
        await second.ExpectAsync();

        Assert.Equal("KEY_CLAIMED_BY_ANOTHER", (await second.ConnectAsync()).Error?.Reason);
        Assert.Equal("KEY_CLAIMED_BY_ANOTHER", (await second.Grain.HelloAsync(second.Hello("boot-1", 1))).Error?.Reason);
        Assert.Equal(DeviceState.Expected, (await second.GetAsync()).State);
    }

    [Fact]
    public async Task EveryMessage_OfAnotherCertificate_IsRefused()
    {
        var unit = await new Unit(silo).EnrolAsync();
        var envelope = unit.Envelope("boot-1", 9) with { Identity = unit.Identity with { Certificate = default } };

        Assert.Equal(
            "IDENTITY_MISMATCH", (await unit.Grain.StatusAsync(new ReportStatus(envelope, new DeviceHealth(1, null, "")))).Error?.Reason);
        Assert.Equal(
            "IDENTITY_MISMATCH",
            (await unit.Grain.ReportAsync(
                new ReportProgress(envelope, 1, ChangeStep.Delivered, ChangeOutcome.Unspecified, ""))).Error?.Reason);
    }

    [Fact]
    public async Task ApproveEnrollmentAsync_EndsTheWaitOfAManualEnrolment()
    {
        var unit = new Unit(silo);
        await unit.ExpectAsync(EnrollmentApproval.Manual);
        await unit.ConnectAsync();
        await unit.Grain.HelloAsync(unit.Hello("boot-1", 1));

        Assert.Equal(DeviceState.Enrolling, (await unit.GetAsync()).State);
        Assert.Equal(
            DeviceState.InService, (await unit.Grain.ApproveEnrollmentAsync(new ApproveEnrollment(Unit.Anna))).Device?.State);
        Assert.Equal(
            DeviceState.InService, (await unit.Grain.ApproveEnrollmentAsync(new ApproveEnrollment(Unit.Anna))).Device?.State);
    }

    [Fact]
    public async Task Commit_OfASecondActivation_IsRefusedAndTheNextCallSeesStoredState()
    {
        var unit = await new Unit(silo).EnrolAsync();
        await unit.OtherGrain.HelloAsync(unit.Hello("boot-2", 1) with { Envelope = Quiet(unit, "boot-2", 1) });

        await Assert.ThrowsAsync<CommitConflictException>(() => unit.Grain.HelloAsync(unit.Hello("boot-2", 2)));

        Assert.Equal("boot-2", (await unit.GetAsync()).Os?.BootId);
        Assert.Null((await unit.Grain.HelloAsync(unit.Hello("boot-2", 2))).Error);
    }

    [Fact]
    public async Task ResultAsync_WithAProof_MakesATombstoneAndClosesEverySession()
    {
        var unit = await new Unit(silo).EnrolAsync();
        await unit.Grain.BeginDecommissionAsync(new BeginDecommission(Unit.Anna, Unit.Command()));
        await unit.Gateway.NextAsync<CommandMessage>(Cancel);
        await unit.ConnectAsync();
        await unit.Grain.HelloAsync(unit.Hello("boot-2", 1));

        var refused = await unit.Grain.ResultAsync(unit.Result("boot-2", 1, proof: 8));
        var stays = (await unit.GetAsync()).State;
        var taken = await unit.Grain.ResultAsync(unit.Result("boot-2", 2, proof: 9));

        Assert.Equal("ERASURE_PROOF_INVALID", refused.Error?.Reason);
        Assert.Equal(DeviceState.Decommissioning, stays);
        Assert.Null(taken.Error);
        var entries = await silo.EntriesOfAsync(unit.GrainId);
        Assert.Equal(["ErasureProved", "DeviceDecommissioned"], entries[^2..].Select(entry => entry.Fact.GetType().Name));
        Assert.Equal(entries[^2].Version, entries[^1].Version);
        await unit.Gateway.NextClosingAsync(Cancel);
        Assert.True((await unit.Gateway.NextClosingAsync(Cancel)).All);
        await silo.ForgetAsync(unit.GrainId);
        Assert.Equal("DEVICE_DECOMMISSIONED", (await unit.ConnectAsync()).Error?.Reason);
        Assert.Equal("DEVICE_DECOMMISSIONED", (await unit.Grain.HelloAsync(unit.Hello("boot-3", 1))).Error?.Reason);
        Assert.Equal("DEVICE_DECOMMISSIONED", (await unit.ExpectAgainAsync()).Error?.Reason);
    }

    private static UpEnvelope Quiet(Unit unit, string boot, long sequence) =>
        new(unit.Identity, new SessionRef("gateway-2", 0, null), new MessageStamp(boot, sequence));
}
