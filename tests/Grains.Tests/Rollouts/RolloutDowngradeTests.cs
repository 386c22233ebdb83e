using Muster.Contracts.Rollouts;
using Muster.Domain;
using Muster.Domain.Devices;
using Muster.Domain.Operators;
using Muster.Domain.Rollouts;

namespace Muster.Grains.Tests.Rollouts;

/// <summary>Approvals that an installation asks for when a rollout takes devices to an older version; the image's is 12.1.0.</summary>
public sealed class RolloutDowngradeTests : IClassFixture<RolloutSilo>, IDisposable
{
    private static readonly Actor Bert = Actor.Operator("bert");

    private readonly RolloutSilo _silo;

    public RolloutDowngradeTests(RolloutSilo silo)
    {
        _silo = silo;
        _silo.RolloutOptions.ApprovalsToDowngrade = 1;
    }

    public void Dispose() => _silo.RolloutOptions.ApprovalsToDowngrade = 0;

    [Fact]
    public async Task StartAsync_OfADowngrade_WaitsForItsApproval()
    {
        _silo.Fleet.Runs(_silo.Fleet.Add("down", 5)[2], "12.2.0");
        var rollout = await _silo.CreateAsync("down");

        var asked = await rollout.GetAsync();
        var refused = await rollout.StartAsync(RolloutSilo.Order);
        await _silo.CrashAsync(RolloutSilo.RecordOf("down"));
        var approved = await ApproveAsync(rollout, asked.Rollout!.Spec.Fingerprint);
        var started = await rollout.StartAsync(RolloutSilo.Order);

        Assert.Equal((RolloutState.AwaitingApproval, 1), (asked.Rollout.Plan.State, asked.ApprovalsNeeded));
        Assert.Equal(RolloutErrors.DowngradeNotApprovedReason, refused.Error?.Reason);
        Assert.Contains("1 of its devices", refused.Error!.Message, StringComparison.Ordinal);
        Assert.Equal(RolloutState.Draft, approved.Rollout?.Plan.State);
        Assert.Equal((RolloutState.Running, 5), (started.Rollout?.Plan.State, started.Rollout?.Plan.Members));
    }

    [Fact]
    public async Task StartAsync_OfWhatIsNoDowngrade_NeedsNoApproval()
    {
        var devices = _silo.Fleet.Add("up", 3);
        _silo.Fleet.Runs(devices[0], "12.1.0");
        _silo.Fleet.Runs(devices[1], "");
        var rollout = await _silo.CreateAsync("up");

        var started = await rollout.StartAsync(RolloutSilo.Order);

        Assert.Equal((RolloutState.Running, 0), (started.Rollout?.Plan.State, started.ApprovalsNeeded));
    }

    [Fact]
    public async Task StartAsync_WhenADeviceWasUpdatedSinceTheOrder_GoesByWhatItFreezes()
    {
        var devices = _silo.Fleet.Add("meanwhile", 3);
        var rollout = await _silo.CreateAsync("meanwhile");
        _silo.Fleet.Runs(devices[0], "13.0.0");

        var refused = await rollout.StartAsync(RolloutSilo.Order);
        var waiting = await rollout.GetAsync();
        _silo.Fleet.Runs(devices[0], "12.0.0");
        var started = await rollout.StartAsync(RolloutSilo.Order);

        Assert.Equal(RolloutErrors.DowngradeNotApprovedReason, refused.Error?.Reason);
        Assert.Equal((RolloutState.AwaitingApproval, 1), (waiting.Rollout?.Plan.State, waiting.ApprovalsNeeded));
        var found = _silo.Store.FactsOf(RolloutSilo.RecordOf("meanwhile")).OfType<RolloutDowngradesFound>();
        Assert.Equal([1, 0], found.Select(fact => fact.Devices));
        Assert.Equal((RolloutState.Running, 0), (started.Rollout?.Plan.State, started.Rollout?.Downgrades));
    }

    /// <summary>What the start has counted is not what there is a wave later.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)] // another member was a downgrade at the start, and such are approved
    public async Task Offer_ToAMemberThatWasTakenToANewerVersionSince_NeedsTheApprovalToo(bool isApproved)
    {
        var site = isApproved ? "since-approved" : "since";
        var devices = _silo.Fleet.Add(site, 3);
        if (isApproved)
        {
            _silo.Fleet.Runs(devices[0], "13.0.0");
        }

        var rollout = await _silo.CreateAsync(site, spec => spec with { MaxUnavailable = Amount.Count(1) });
        if (isApproved)
        {
            await ApproveAsync(rollout, (await rollout.GetAsync()).Rollout!.Spec.Fingerprint);
        }

        Assert.Null((await rollout.StartAsync(RolloutSilo.Order)).Error);
        await _silo.UntilAsync(site, _ => _silo.Fleet.Offered(site).Length == 1);
        var others = devices.Except(_silo.Fleet.Offered(site)).ToList();
        _silo.Fleet.Runs(others[0], "13.0.0");
        var ended = await _silo.UntilAsync(
            site, now => now.Plan.IsTerminal, () => _silo.Fleet.End(site, ChangeOutcome.Succeeded));

        var skips = ended.Plan.Waves[0].Totals.Skips?.Of(MemberReason.DowngradeNotApproved) ?? 0;
        Assert.Equal((RolloutState.Succeeded, isApproved ? 0 : 1), (ended.Plan.State, skips));
        Assert.Equal(isApproved ? 3 : 2, ended.Plan.Waves[0].Totals.Succeeded);
        Assert.Equal(isApproved ? 1 : 0, _silo.Fleet.OffersOf(others[0]));
    }

    [Fact]
    public async Task CreateAsync_AsADryRun_ShowsWhatItWillNeed()
    {
        _silo.Fleet.Runs(_silo.Fleet.Add("shown", 2)[0], "13.0.0");
        var spec = (await (await _silo.CreateAsync("shown")).GetAsync()).Rollout!.Spec;

        var reply = await _silo.Grains.GetRollout(TenantId.Default, RolloutSilo.IdOf("shown-dry")).CreateAsync(
            new CreateRollout(RolloutSilo.Anna, "", spec, ValidateOnly: true));

        Assert.Equal((RolloutState.AwaitingApproval, 1, 2), (reply.Rollout?.Plan.State, reply.ApprovalsNeeded, reply.Matching));
    }

    [Fact]
    public async Task UpdateAsync_ThatLeavesTheDevicesOut_NeedsNoApprovalAnyMore()
    {
        _silo.Fleet.Runs(_silo.Fleet.Add("left", 3)[0], "13.0.0");
        var rollout = await _silo.CreateAsync("left");
        var spec = (await rollout.GetAsync()).Rollout!.Spec;

        var edited = await rollout.UpdateAsync(new UpdateRollout(
            RolloutSilo.Anna, spec with { Filter = "site = left AND os_version <= 12.1.0" }, ""));
        var started = await rollout.StartAsync(RolloutSilo.Order);

        Assert.Equal((RolloutState.Draft, 0), (edited.Rollout?.Plan.State, edited.ApprovalsNeeded));
        Assert.Equal((RolloutState.Running, 2), (started.Rollout?.Plan.State, started.Rollout?.Plan.Members));
    }

    [Fact]
    public async Task FailureGate_WithTheActionRollBackAndNoApprovalOfDowngrades_Suspends()
    {
        _silo.Fleet.Add("back", 4);
        var rollout = await _silo.CreateAsync("back", spec => spec with
        {
            FailureGate = new FailureGate(1, null, 1) { Action = FailureAction.RollBack },
        });
        await rollout.StartAsync(RolloutSilo.Order);
        await _silo.UntilAsync("back", _ => _silo.Fleet.Offered("back").Length == 4);

        _silo.Fleet.End("back", ChangeOutcome.Failed, countMax: 1);
        var stopped = await _silo.UntilAsync("back", now => now.Plan.State != RolloutState.Running);

        Assert.Equal(RolloutState.Suspended, stopped.Plan.State);
    }

    private static Task<RolloutReply> ApproveAsync(IRolloutGrain rollout, string fingerprint) =>
        rollout.ApproveAsync(new ApproveRollout(Bert, [OperatorRole.Approver], fingerprint));
}
