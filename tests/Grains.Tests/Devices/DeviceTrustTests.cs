using Muster.Contracts.Devices;
using Muster.Contracts.Trust;
using Muster.Domain;
using Muster.Domain.Devices;
using Muster.Domain.Trust;
using Muster.Testing.Stores;

namespace Muster.Grains.Tests.Devices;

public sealed class DeviceTrustTests(DeviceSilo silo)
{
    [Fact]
    public async Task HelloAsync_WithoutSecureBoot_QuarantinesByRuleAndReleaseIsTheOperators()
    {
        var unit = await NewUnit().EnrolAsync();
        var hello = unit.Hello("boot-2", 1);

        Assert.Null((await unit.Grain.HelloAsync(hello with { Os = hello.Os with { SecureBoot = false } })).Error);
        var lost = await unit.GetAsync();
        await unit.Grain.HelloAsync(unit.Hello("boot-3", 1));
        var healed = await unit.GetAsync();
        var released = await unit.Grain.ReleaseAsync(new ReleaseDevice(Unit.Anna, "mended"));

        Assert.Equal((DeviceState.Quarantined, Actor.Rule("trust.SecureBootLost")), (lost.State, lost.Quarantine?.By));
        Assert.Equal(TrustFindingKind.SecureBootLost, Assert.Single(lost.Findings).Kind);
        Assert.Equal(DeviceState.Quarantined, healed.State);
        Assert.Empty(healed.Findings);
        Assert.Equal(DeviceState.InService, released.Device?.State);
        Assert.Equal(
            ["DeviceQuarantined", "DeviceReleased"],
            (await unit.FactsAsync()).Where(fact => fact is "DeviceQuarantined" or "DeviceReleased"));
    }

    [Fact]
    public async Task HelloAsync_NamingAnUnknownImage_IsReportedAndStaysInService()
    {
        var unit = await NewUnit().EnrolAsync();

        await unit.Grain.HelloAsync(unit.Hello("boot-2", 1, digest: new string('f', 64)));

        var device = await unit.GetAsync();
        Assert.Equal(TrustFindingKind.ImageUnknown, Assert.Single(device.Findings).Kind);
        Assert.Equal(DeviceState.InService, device.State);
    }

    [Fact]
    public async Task HelloAsync_NamingNoImageWhereKnownOnesAreDemanded_Quarantines()
    {
        var tenant = TenantId.TryParse("known-images", out var parsed) ? parsed : throw new FormatException();
        await silo.Grains.GetTrust(tenant).SetRulesAsync(
            new SetTrustRules(Unit.Anna, TrustRules.Default with { ImageUnknown = TrustAction.Quarantine }));
        var unit = await new Unit(silo, tenant: tenant).EnrolAsync();

        await unit.Grain.HelloAsync(unit.Hello("boot-2", 1, digest: ""));

        var device = await unit.GetAsync();
        Assert.Equal(TrustFindingKind.ImageUnnamed, Assert.Single(device.Findings).Kind);
        Assert.Equal((DeviceState.Quarantined, Actor.Rule("trust.ImageUnnamed")), (device.State, device.Quarantine?.By));
    }

    [Fact]
    public async Task ReportAsync_InQuarantine_IsRefusedAndNoImageGoesOut()
    {
        var unit = await NewUnit().EnrolAsync();
        await unit.Grain.OfferAsync(Unit.Offer());
        await unit.Grain.QuarantineAsync(new QuarantineDevice(Unit.Anna, "odd"));

        var reply = await unit.Grain.ReportAsync(unit.Report("boot-1", 1, 1, ChangeStep.Downloading));

        Assert.Equal("DEVICE_QUARANTINED", reply.Error?.Reason);
        Assert.Null((await unit.Grain.HelloAsync(unit.Hello("boot-1", 2))).Error);
        Assert.Null((await unit.Grain.InventoryAsync(unit.Inventory("boot-1", 1))).Error);
        Assert.Null((await unit.GetAsync()).Desired.Os);
    }

    [Fact]
    public async Task HelloAsync_ThatComesBackToAnEarlierBootThreeTimes_IsSuspicious()
    {
        var unit = await NewUnit().EnrolAsync();
        foreach (var boot in (string[])["boot-2", "boot-1", "boot-2"])
        {
            await unit.ConnectAsync();
            await unit.Grain.HelloAsync(unit.Hello(boot, 1));
        }

        Assert.Null((await unit.GetAsync()).Suspicion);
        await unit.ConnectAsync();
        await unit.Grain.HelloAsync(unit.Hello("boot-1", 1));

        var device = await unit.GetAsync();
        Assert.Equal(
            (SuspicionKind.AlternatingBoots, SuspicionState.Quarantined), (device.Suspicion?.Kind, device.Suspicion?.State));
        Assert.Equal(DeviceState.Quarantined, device.State);
        Assert.Contains("CloneSuspected", await unit.FactsAsync());
    }

    [Fact]
    public async Task HelloAsync_OfTwentyReconnects_IsNeverSuspicious()
    {
        var unit = await NewUnit().EnrolAsync();
        for (var i = 0; i < 20; i++)
        {
            await unit.ConnectAsync();
            await unit.Grain.HelloAsync(unit.Hello(i < 10 ? "boot-1" : "boot-2", 1));
        }

        Assert.Null((await unit.GetAsync()).Suspicion);
    }

    [Fact]
    public async Task AdmitAsync_WithAKeyOfAnotherSerial_RaisesTheSuspicionAtItsOwner()
    {
        var owner = await NewUnit().EnrolAsync();
        var thief = new Unit(silo, owner.Identity.KeySha256, owner.Tenant);
        await thief.ExpectAsync();

        var admitted = await thief.ConnectAsync();

        Assert.Equal("KEY_CLAIMED_BY_ANOTHER", admitted.Error?.Reason);
        var device = await owner.UntilSuspectedAsync();
        Assert.Equal(SuspicionKind.KeyUnderTwoSerials, device.Suspicion?.Kind);
        Assert.Contains(thief.Id.Value, device.Suspicion?.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task SuspectAsync_OfAHundredAndOneDevices_AsksAHumanForTheLastAlsoAfterAReactivation()
    {
        var tenant = TenantId.TryParse("budget", out var parsed) ? parsed : throw new FormatException();
        var trust = silo.Grains.GetTrust(tenant);
        for (var i = 0; i < QuarantineBudget.DevicesMax; i++)
        {
            var id = DeviceId.TryParse($"B8A44E{i:X6}", out var device) ? device : throw new FormatException();
            var side = i % 2 == 0 ? trust : silo.Grains.GetTrust(tenant);
            Assert.True(await side.TakeQuarantineAsync(id));
        }

        await silo.ForgetAsync(trust.GetGrainId());
        var unit = await new Unit(silo, tenant: tenant).EnrolAsync();
        await silo.Grains.GetDeviceTrust(tenant, unit.Id).SuspectAsync(new SuspectClone(SuspicionKind.OlderConnectionAlive, "seen"));

        var waiting = await unit.GetAsync();
        Assert.Equal((SuspicionState.Waiting, DeviceState.InService), (waiting.Suspicion?.State, waiting.State));
        Assert.Equal(ChangeOutcome.Removed, (await unit.Grain.OfferAsync(Unit.Offer())).Outcome);
        Assert.Equal("CLONE_SUSPECTED", (await unit.Grain.OfferAsync(Unit.Offer("autumn"))).Reason);
        var confirmed = await silo.Grains.GetDeviceTrust(tenant, unit.Id)
            .ResolveAsync(new ResolveSuspicion(Unit.Anna, IsConfirmed: true, "seen twice"));
        Assert.Equal((DeviceState.Quarantined, Unit.Anna), (confirmed.Device?.State, confirmed.Device?.Quarantine?.By));
    }

    [Fact]
    public async Task TakeQuarantineAsync_WhoseReplyWasLost_IsCountedOnce()
    {
        var tenant = TenantId.TryParse("lost-reply", out var parsed) ? parsed : throw new FormatException();
        var trust = silo.Grains.GetTrust(tenant);
        var unit = new Unit(silo, tenant: tenant);
        silo.FailNextWrite(trust.GetGrainId(), StorageFault.ReplyLost);

        await Assert.ThrowsAnyAsync<Exception>(() => trust.TakeQuarantineAsync(unit.Id));

        Assert.True(await trust.TakeQuarantineAsync(unit.Id));
        for (var i = 0; i < QuarantineBudget.DevicesMax - 1; i++)
        {
            Assert.True(await trust.TakeQuarantineAsync(
                DeviceId.TryParse($"B8A44D{i:X6}", out var id) ? id : throw new FormatException()));
        }

        Assert.False(await trust.TakeQuarantineAsync(
            DeviceId.TryParse("B8A44DFFFFFF", out var last) ? last : throw new FormatException()));
    }

    [Fact]
    public async Task SetRulesAsync_ThatIgnores_HoldsForTheNextHelloAndAfterAReactivation()
    {
        var tenant = TenantId.TryParse("own-rules", out var parsed) ? parsed : throw new FormatException();
        var trust = silo.Grains.GetTrust(tenant);
        var wanted = TrustRules.Default with { SecureBootLost = TrustAction.Ignore };

        var set = await trust.SetRulesAsync(new SetTrustRules(Unit.Anna, wanted));
        var refused = await trust.SetRulesAsync(new SetTrustRules(Unit.Anna, wanted with { ImageUnknown = (TrustAction)7 }));
        await silo.ForgetAsync(trust.GetGrainId());
        var unit = await new Unit(silo, tenant: tenant).EnrolAsync();
        var hello = unit.Hello("boot-2", 1);
        await unit.Grain.HelloAsync(hello with { Os = hello.Os with { SecureBoot = false } });

        Assert.Equal(1, set.Rules?.Revision);
        Assert.Equal("TRUST_RULES_INVALID", refused.Error?.Reason);
        Assert.Equal(set.Rules, await trust.GetRulesAsync());
        Assert.Equal(DeviceState.InService, (await unit.GetAsync()).State);
    }

    private Unit NewUnit() => new(silo);
}
