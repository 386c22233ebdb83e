using System.Collections.Immutable;
using Muster.Contracts;
using Muster.Contracts.Commit;
using Muster.Contracts.Rollouts;
using Muster.Domain;
using Muster.Domain.Devices;
using Muster.Domain.Operators;
using Muster.Domain.Rollouts;

namespace Muster.Grains.Tests.Rollouts;

/// <summary>Rollouts of the rest of others, in a silo.</summary>
public sealed class RolloutRestTests(RolloutSilo silo) : IClassFixture<RolloutSilo>
{
    private static readonly ImmutableArray<WaveSpec> OneWave =
        [new WaveSpec(Amount.Percent(100), 0, 1, TimeSpan.Zero, ConnectedOnly: false)];

    private static OrderRollout Order => RolloutSilo.Order;

    [Theory]
    [InlineData("rest", false)]
    [InlineData("rest-crash", true)]
    public async Task Retry_OfFiveSucceededThreeFailedAndTwoNeverOffered_HasTheFive(string site, bool crash)
    {
        var (succeeded, failed, away) = await CancelledAsync(site);
        if (crash)
        {
            await CrashAllAsync(site);
        }

        var checkedOnly = await RetryAsync(site, $"{site}-again", validateOnly: true);
        var created = await RetryAsync(site, $"{site}-again");
        away.ToList().ForEach(key => silo.Fleet.SetOnline(key, online: true));
        var started = await Grain($"{site}-again").StartAsync(Order);
        var ended = await silo.UntilAsync(
            $"{site}-again", now => now.Plan.IsTerminal, () => silo.Fleet.End(site, ChangeOutcome.Succeeded));

        Assert.True(silo.Fleet.PartitionsOf(site).Length > 1);
        Assert.Equal((5, RolloutState.Draft), (checkedOnly.Matching, created.Rollout!.Plan.State));
        Assert.Equal(5, started.Rollout!.Plan.Members);
        Assert.Equal((RolloutState.Succeeded, 5), (ended.Plan.State, ended.Plan.Waves.Sum(wave => wave.Totals.Succeeded)));
        Assert.Equal(site, ended.Spec.RetryOf?.Value);
        Assert.All(succeeded, key => Assert.Equal(1, silo.Fleet.OffersOf(key)));
        Assert.All(failed, key => Assert.Equal(2, silo.Fleet.OffersOf(key)));
        Assert.All(away, key => Assert.Equal(1, silo.Fleet.OffersOf(key)));
        Assert.Equal(8, silo.Fleet.Offers.Count(offer => offer.Rollout.Value == site));
        Assert.Equal(RolloutState.Cancelled, (await Grain(site).GetAsync()).Rollout!.Plan.State);
    }

    [Fact]
    public async Task Retry_OfARetry_HasWhoFailedThereOnly()
    {
        const string Site = "rest-twice";
        var (_, failed, away) = await CancelledAsync(Site);
        Assert.Null((await RetryAsync(Site, "rest-second", Waves)).Error);
        Assert.Equal(5, (await Grain("rest-second").StartAsync(Order)).Rollout!.Plan.Members);
        await silo.UntilAsync("rest-second", _ => failed.All(key => silo.Fleet.OffersOf(key) == 2));
        silo.Fleet.EndOne(failed[0], ChangeOutcome.Failed);
        silo.Fleet.End(Site, ChangeOutcome.Succeeded);
        await CancelAsync("rest-second", now => now.Plan.Waves.Sum(wave => wave.Totals.Finished) == 3);
        silo.Fleet.Quarantine(away[0]);

        var elsewhere = await RetryAsync(
            "rest-second", "rest-third", spec => spec with { Filter = "site = Elsewhere" }, validateOnly: true);
        var created = await RetryAsync("rest-second", "rest-third");
        away.ToList().ForEach(key => silo.Fleet.SetOnline(key, online: true));
        await Grain("rest-third").StartAsync(Order);
        var ended = await silo.UntilAsync(
            "rest-third", now => now.Plan.IsTerminal, () => silo.Fleet.End(Site, ChangeOutcome.Succeeded));

        Assert.Equal("rest-second", created.Rollout!.Spec.RetryOf?.Value);
        Assert.Equal(RolloutErrors.NothingToRetryReason, elsewhere.Error?.Reason);
        Assert.Equal((2, 2), (ended.Plan.Members, ended.Plan.Waves.Sum(wave => wave.Totals.Succeeded)));
        Assert.Equal([3, 2, 2, 0, 1], failed.Concat(away).Select(silo.Fleet.OffersOf));

        static RolloutSpec Waves(RolloutSpec spec) => spec with { Waves = OneWave, MaxUnavailable = null };
    }

    [Fact]
    public async Task Retry_WhenMembersWereLeftOut_HasThoseForWhomThatCanPass()
    {
        const string Site = "rest-unfit";
        var devices = silo.Fleet.Add(Site, 12);
        (silo.Fleet.Unfit[devices[0]], silo.Fleet.Unfit[devices[1]]) = ("MODEL_NOT_COMPATIBLE", "ALREADY_RUNNING_TARGET");
        (silo.Fleet.Unfit[devices[2]], silo.Fleet.Unfit[devices[3]]) = ("STEP_REQUIRED", "OS_BELOW_MINIMUM");
        var rollout = await silo.CreateAsync(Site, spec => spec with { Waves = OneWave });
        await rollout.StartAsync(Order);
        await silo.UntilAsync(Site, now => now.Plan.IsTerminal, () => silo.Fleet.End(Site, ChangeOutcome.Succeeded));
        devices[..4].ToList().ForEach(key => silo.Fleet.Unfit.Remove(key));

        Assert.Null((await RetryAsync(Site, "rest-fit")).Error);
        await Grain("rest-fit").StartAsync(Order);
        var ended = await silo.UntilAsync("rest-fit", now => now.Plan.IsTerminal, () => silo.Fleet.End(Site, ChangeOutcome.Succeeded));

        Assert.Equal((RolloutState.Succeeded, 2), (ended.Plan.State, ended.Plan.Members));
        Assert.Equal([0, 0, 1, 1], devices[..4].Select(silo.Fleet.OffersOf));
    }

    [Fact]
    public async Task End_WhenAShareCannotStoreHowItsMembersEnded_WaitsUntilItCan()
    {
        const string Site = "rest-store";
        var (succeeded, _, _) = await CancelledAsync(Site, beforeTheEnd: () => silo.Store.FailNextWrite(
            new RecordKey(GrainTypes.RolloutPartition, $"default/{Site}/{silo.Fleet.PartitionsOf(Site)[0]}")));
        await CrashAllAsync(Site);

        var counted = await RetryAsync(Site, "rest-stored", validateOnly: true);

        Assert.Equal(5, succeeded.Length);
        Assert.Equal(5, counted.Matching);
    }

    [Fact]
    public async Task SettleAsync_OfAShareThatBeginsWithIt_ReadsWhatItHasNotRead()
    {
        const string Site = "rest-fresh";
        var (_, _, away) = await CancelledAsync(Site);
        var ended = (await Grain(Site).GetAsync()).Rollout!;
        silo.Fleet.Quarantine(away[0]);
        await CrashAllAsync(Site);
        var command = new SettleShare(ended.Freeze, [.. ended.Plan.Waves.Select(wave => wave.Cut)], null);
        foreach (var share in ended.Plan.Shares)
        {
            await silo.Grains.GetRolloutPartition(TenantId.Default, ended.Id, share.Partition).SettleAsync(command);
        }

        await CrashAllAsync(Site);

        // It would not be a member anyhow, being out of service: this is about what is stored.
        var rest = 0;
        foreach (var share in ended.Plan.Shares)
        {
            var page = await silo.Grains.GetRolloutPartition(TenantId.Default, ended.Id, share.Partition)
                .ListRestAsync(new ListRest(ended.Freeze, From: 0));
            rest += page.Devices.Length;
        }

        Assert.Equal(4, rest);
    }

    [Fact]
    public async Task Retry_OfWhatHasNoRest_SaysWhatToDo()
    {
        const string Site = "rest-refused";
        silo.Fleet.Add(Site, 2);
        var running = await silo.CreateAsync(Site, spec => spec with { Waves = OneWave });
        var draft = await RetryAsync(Site, "rest-none");
        await running.StartAsync(Order);
        var early = await RetryAsync(Site, "rest-none");
        await silo.UntilAsync(Site, now => now.Plan.IsTerminal, () => silo.Fleet.End(Site, ChangeOutcome.Succeeded));
        var settings = await RetryAsync(
            Site, "rest-none", spec => spec with { ImageDigest = "", Settings = [new DeviceSetting("a", "b")] });
        var done = await RetryAsync(Site, "rest-none", validateOnly: true);
        var missing = await RetryAsync(Site, "rest-none", spec => spec with { RetryOf = RolloutSilo.IdOf("rest-nowhere") });
        Assert.Null((await RetryAsync(Site, "rest-none")).Error);
        var started = await Grain("rest-none").StartAsync(Order);
        Assert.Null((await Grain("rest-none").CancelAsync(Order)).Error);
        var unstarted = await RetryAsync("rest-none", "rest-nobody");

        Assert.Equal(("ROLLOUT_NOT_ENDED", "ROLLOUT_NOT_ENDED"), (draft.Error?.Reason, early.Error?.Reason));
        Assert.Contains("cancel it", early.Error!.Message, StringComparison.Ordinal);
        Assert.Equal(("ROLLOUT_SPEC_INVALID", "retry_of"), (settings.Error?.Reason, settings.Error!.Metadata.Single().Key));
        Assert.Equal(("ROLLOUT_NOTHING_TO_RETRY", "NOT_FOUND"), (done.Error?.Reason, missing.Error?.Reason));
        Assert.Equal("ROLLOUT_NOTHING_TO_RETRY", started.Error?.Reason);
        Assert.Equal("ROLLOUT_HAS_NO_REST", unstarted.Error?.Reason);
    }

    [Fact]
    public async Task Retry_WhenTheMembersAreGone_SaysThatTheyAre()
    {
        const string Site = "rest-gone";
        await CancelledAsync(Site);
        Assert.Null((await RetryAsync(Site, "rest-lost")).Error);
        var share = new RecordKey(GrainTypes.RolloutPartition, $"default/{Site}/{silo.Fleet.PartitionsOf(Site)[^1]}");
        silo.Store.Forget(share);
        await silo.CrashAsync(share);

        var started = await Grain("rest-lost").StartAsync(Order);
        var counted = await RetryAsync(Site, "rest-lost-too", validateOnly: true);

        Assert.Equal(("ROLLOUT_MEMBERS_UNKNOWN", "ROLLOUT_MEMBERS_UNKNOWN"), (started.Error?.Reason, counted.Error?.Reason));
        Assert.Equal(RolloutState.Draft, (await Grain("rest-lost").GetAsync()).Rollout!.Plan.State);
    }

    [Fact]
    public async Task Retry_OfSettings_IsApprovedAnewAndKeepsItsRestWhenEdited()
    {
        const string Site = "rest-settings";
        var (_, failed, _) = await CancelledAsync(
            Site, spec => spec with { ImageDigest = "", Settings = [new DeviceSetting("a", "b")], Seed = 7 });
        var rest = Grain("rest-values");

        var created = await RetryAsync(Site, "rest-values", spec => spec with { ApprovalsRequired = 1 });
        var edited = await rest.UpdateAsync(new UpdateRollout(
            RolloutSilo.Anna, created.Rollout!.Spec with { RetryOf = null, Seed = 9, DevicesPerMinute = 600 }, "") { KeepsSeed = true });
        var other = await rest.UpdateAsync(new UpdateRollout(
            RolloutSilo.Anna, created.Rollout.Spec with { RetryOf = RolloutSilo.IdOf("rest-gone-by") }, ""));
        var unapproved = await rest.StartAsync(Order);
        await rest.ApproveAsync(new ApproveRollout(
            Actor.Operator("bert"), [OperatorRole.Approver], edited.Rollout!.Spec.Fingerprint));
        var started = await rest.StartAsync(Order);
        await silo.UntilAsync("rest-values", _ => failed.All(key => silo.Fleet.OffersOf(key) == 2));

        Assert.Equal(RolloutState.AwaitingApproval, created.Rollout.Plan.State);
        Assert.Equal((Site, 7L), (edited.Rollout.Spec.RetryOf?.Value, edited.Rollout.Spec.Seed));
        Assert.NotNull(other.Error);
        Assert.Equal(RolloutErrors.NotApprovedReason, unapproved.Error?.Reason);
        Assert.Equal(5, started.Rollout!.Plan.Members);
    }

    [Fact]
    public async Task ExplainDeviceAsync_OfWhoHadSucceeded_SaysThatItIsNoneOfTheRest()
    {
        var (succeeded, _, _) = await CancelledAsync("rest-why");
        await RetryAsync("rest-why", "rest-because");
        await Grain("rest-because").StartAsync(Order);

        var explained = await Grain("rest-because").ExplainDeviceAsync(Contracts.Devices.DeviceKey.Parse(succeeded[0]).Device);

        Assert.Equal(NotMember.NotAmongTheRest, explained.Explanation!.NotMember);
    }

    private IRolloutGrain Grain(string id) => silo.Grains.GetRollout(TenantId.Default, RolloutSilo.IdOf(id));

    /// <summary>A cancelled rollout of ten devices: five succeeded, three failed, two were away and never offered anything.</summary>
    private async Task<(ImmutableArray<string> Succeeded, ImmutableArray<string> Failed, ImmutableArray<string> Away)> CancelledAsync(
        string site, Func<RolloutSpec, RolloutSpec>? change = null, Action? beforeTheEnd = null)
    {
        var there = silo.Fleet.Add(site, 8);
        var away = silo.Fleet.Add(site, 2, online: false);
        var rollout = await silo.CreateAsync(site, spec => (change ?? (same => same))(spec with { Waves = OneWave }));
        await rollout.StartAsync(Order);
        await silo.UntilAsync(site, _ => silo.Fleet.Offered(site).Length == 8);
        there[..5].ToList().ForEach(key => silo.Fleet.EndOne(key, ChangeOutcome.Succeeded));
        there[5..].ToList().ForEach(key => silo.Fleet.EndOne(key, ChangeOutcome.Failed));
        await CancelAsync(site, now => now.Plan.Waves.Sum(wave => wave.Totals.Finished) == 8, beforeTheEnd);
        return (there[..5], there[5..], away);
    }

    private async Task CancelAsync(string id, Func<Rollout, bool> when, Action? before = null)
    {
        await silo.UntilAsync(id, when);
        before?.Invoke();
        Assert.Null((await Grain(id).CancelAsync(Order)).Error);
        Assert.Equal(RolloutState.Cancelled, (await silo.UntilAsync(id, now => now.Plan.IsTerminal)).Plan.State);
    }

    /// <summary>Forgets what the coordinator and the shares had in memory.</summary>
    private async Task CrashAllAsync(string id)
    {
        await silo.CrashAsync(RolloutSilo.RecordOf(id));
        foreach (var share in (await Grain(id).GetAsync()).Rollout!.Plan.Shares)
        {
            await silo.CrashAsync(new RecordKey(GrainTypes.RolloutPartition, $"default/{id}/{share.Partition}"));
        }
    }

    private async Task<RolloutReply> RetryAsync(
        string retried, string id, Func<RolloutSpec, RolloutSpec>? change = null, bool validateOnly = false)
    {
        var spec = (await Grain(retried).GetAsync()).Rollout!.Spec with { RetryOf = RolloutSilo.IdOf(retried) };
        return await Grain(id).CreateAsync(
            new CreateRollout(RolloutSilo.Anna, "r1", change is null ? spec : change(spec), validateOnly));
    }
}
