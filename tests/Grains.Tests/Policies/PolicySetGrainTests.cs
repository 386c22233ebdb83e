using Muster.Contracts.Commit;
using Muster.Contracts.Policies;
using Muster.Domain;
using Muster.Domain.Devices;
using Muster.Domain.Policies;
using Muster.Grains.Tests.Devices;
using Muster.Testing.Stores;

namespace Muster.Grains.Tests.Policies;

public sealed class PolicySetGrainTests(DeviceSilo silo)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task CreateAsync_EvaluatesTheFleetAlsoAfterACrash()
    {
        var unit = await new Unit(silo, tenant: Tenant("tenant-sweep")).EnrolAsync();
        await unit.Grain.InventoryAsync(unit.Inventory("boot-1", 1, new DeviceSetting("ssh", "on")));
        var policies = silo.Grains.GetPolicySet(unit.Tenant);

        var created = await policies.CreateAsync(new CreatePolicy(Unit.Anna, "r1", Spec("sweep", "ssh", "off")));
        silo.Clock.Advance(PolicyRules.SweepDelay);
        silo.FailNextWrite(policies.GetGrainId(), StorageFault.Lost);
        await Assert.ThrowsAsync<StoreUnavailableException>(() => Due(policies));
        await Due(policies);

        Assert.Null(created.Error);
        var device = await unit.GetAsync();
        Assert.Equal(ComplianceState.NonCompliant, device.Compliance.State);
        Assert.True(device.Compliance.PolicyRevision >= created.Policy?.Revision);
        Assert.Equal((await policies.GetAsync()).Revision, (await policies.GetAsync()).EvaluatedRevision);
        await unit.Grain.InventoryAsync(unit.Inventory("boot-1", 2, new DeviceSetting("ssh", "no")));
        Assert.Equal(ComplianceState.Compliant, (await unit.GetAsync()).Compliance.State);
    }

    [Theory]
    [InlineData(StorageFault.Lost)]
    [InlineData(StorageFault.ReplyLost)]
    public async Task CreateAsync_WhenTheWriteFails_NextCallSeesStoredState(StorageFault fault)
    {
        var policies = silo.Grains.GetPolicySet(Tenant($"tenant-{(int)fault}"));
        silo.FailNextWrite(policies.GetGrainId(), fault);
        var command = new CreatePolicy(Unit.Anna, "r1", Spec("p", "ssh", "off"));

        await Assert.ThrowsAsync<StoreUnavailableException>(() => policies.CreateAsync(command));

        Assert.Equal(fault == StorageFault.ReplyLost ? 1 : 0, (await policies.GetAsync()).Revision);
        Assert.Equal(1, (await policies.CreateAsync(command)).Policy?.Version);
        Assert.Equal(1, (await policies.GetAsync()).Revision);
    }

    [Fact]
    public async Task UpdateAsync_GrowsVersionAndRevisionAndSurvivesReactivation()
    {
        var policies = silo.Grains.GetPolicySet(Tenant("tenant-update"));
        await policies.CreateAsync(new CreatePolicy(Unit.Anna, "r1", Spec("p", "ssh", "off")));

        var updated = await policies.UpdateAsync(new UpdatePolicy(Unit.Anna, Spec("p", "ssh", "on")));
        await silo.ForgetAsync(policies.GetGrainId());

        Assert.Equal((2L, 2L), (updated.Policy?.Version, updated.Policy?.Revision));
        Assert.Equal(updated.Policy, Assert.Single((await policies.GetAsync()).Policies));
        Assert.Equal("NOT_FOUND", (await policies.UpdateAsync(new UpdatePolicy(Unit.Anna, Spec("none", "a", "b")))).Error?.Reason);
    }

    private static PolicySpec Spec(string id, string setting, string value) =>
        new(Unit.Rollout(id), [], [new RequiredSetting { Name = "rule", Setting = setting, Value = value }]);

    private static TenantId Tenant(string name) => TenantId.TryParse(name, out var tenant) ? tenant : throw new FormatException();

    private Task Due(IPolicySetGrain policies) => silo.Grains.GetGrain<IDueGrain>(policies.GetGrainId()).OnDueAsync(Cancel);
}
