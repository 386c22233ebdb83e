using System.Collections.Immutable;
using Muster.Contracts;
using Muster.Contracts.Commit;
using Muster.Contracts.Rollouts;
using Muster.Domain;
using Muster.Domain.Devices;
using Muster.Domain.Operators;
using Muster.Domain.Rollouts;

namespace Muster.Grains.Tests.Rollouts;

/// <summary>Budgets per value: members of one value are in several partitions, and their seats in one place.</summary>
public sealed class RolloutBudgetsTests(RolloutSilo silo) : IClassFixture<RolloutSilo>
{
    private static readonly ImmutableArray<WaveSpec> OneWave = [new(Amount.Percent(100), 100, 1, TimeSpan.Zero, ConnectedOnly: false)];

    private static readonly ValueBudget OnePerRing = new("labels.ring", Amount.Count(1));

    [Fact]
    public async Task Members_OfOneValue_HaveTheirTurnOneAfterAnother()
    {
        var devices = silo.Fleet.Add("single", 8);
        await StartAsync("single", new ValueBudget("site", Amount.Count(1)));

        var ended = await silo.UntilAsync("single", now => now.Plan.IsTerminal, () => Work("single"));

        Assert.True(silo.Fleet.PartitionsOf("single").Length > 1);
        Assert.Equal((RolloutState.Succeeded, 8), (ended.Plan.State, ended.Plan.Waves.Sum(wave => wave.Totals.Succeeded)));
        Assert.Equal(1, silo.Fleet.InProgressMax["single"]);
        Assert.All(devices, key => Assert.Equal(1, silo.Fleet.OffersOf(key)));
    }

    [Fact]
    public async Task Members_OfPairs_AreInProgressOneOfEachAndThePairsTogether()
    {
        Pair("pairs", 6);
        await StartAsync("pairs", OnePerRing);

        await silo.UntilAsync("pairs", _ => silo.Fleet.Offered("pairs").Length == 6, Wait);
        await silo.SettleAsync("pairs");
        Assert.Equal(6, silo.Fleet.Offered("pairs").Length);
        var ended = await silo.UntilAsync("pairs", now => now.Plan.IsTerminal, () => Work("pairs"));

        Assert.Equal(12, ended.Plan.Waves.Sum(wave => wave.Totals.Succeeded));
        Assert.Equal(1, RingMax("pairs"));
    }

    /// <summary>Two budgets: a site that is half full keeps no pair waiting for ever, and no pair a site.</summary>
    [Fact]
    public async Task Members_OfTwoBudgets_KeepBoth()
    {
        Pair("both", 5);
        await StartAsync("both", new ValueBudget("site", Amount.Count(2)), OnePerRing);

        var ended = await silo.UntilAsync("both", now => now.Plan.IsTerminal, () => Work("both"));

        Assert.Equal(10, ended.Plan.Waves.Sum(wave => wave.Totals.Succeeded));
        Assert.True(silo.Fleet.InProgressMax["both"] <= 2);
        Assert.Equal(1, RingMax("both"));
    }

    [Fact]
    public async Task Members_OfAPercentage_AreAsManyAsThePartitionsTogetherAllow()
    {
        silo.Fleet.Add("percent", 20);
        await StartAsync("percent", new ValueBudget("site", Amount.Percent(15)));

        await silo.UntilAsync("percent", _ => silo.Fleet.Offered("percent").Length == 3, Wait);
        for (var i = 0; i < 30; i++)
        {
            await silo.UntilAsync("percent", _ => true, Wait);
        }

        Assert.Equal(3, silo.Fleet.Offered("percent").Length);
        await silo.UntilAsync("percent", now => now.Plan.IsTerminal, () => Work("percent"));
        Assert.Equal(3, silo.Fleet.InProgressMax["percent"]);
    }

    [Fact]
    public async Task Members_WithoutAValueOrABudget_NeedNoSeat()
    {
        silo.Fleet.Add("bare", 6);
        silo.Fleet.Add("free", 6);
        await StartAsync("bare", OnePerRing);
        await StartAsync("free");

        await silo.UntilAsync("bare", _ => silo.Fleet.Offered("bare").Length == 6);
        await silo.UntilAsync("free", _ => silo.Fleet.Offered("free").Length == 6);
        await silo.UntilAsync("bare", now => now.Plan.IsTerminal, () => Work("bare"));
        await silo.UntilAsync("free", now => now.Plan.IsTerminal, () => Work("free"));

        foreach (var bucket in Enumerable.Range(0, PartitionMap.CountMin))
        {
            Assert.False(silo.Store.Has(GroupsOf("bare", bucket)) || silo.Store.Has(GroupsOf("free", bucket)));
        }
    }

    [Fact]
    public async Task Members_UnderCrashesAndARefusingStore_KeepTheBudgetAndAllEnd()
    {
        var devices = silo.Fleet.Add("crashed", 12);
        await StartAsync("crashed", new ValueBudget("site", Amount.Count(2)));
        var step = 0;

        var ended = await silo.UntilAsync("crashed", now => now.Plan.IsTerminal, async () =>
        {
            silo.Fleet.End("crashed", ChangeOutcome.Succeeded, countMax: step % 3 == 0 ? 1 : 0);
            silo.Clock.Advance(TimeSpan.FromSeconds(2));
            switch (step++ % 80)
            {
                case 20:
                    await silo.CrashAsync(GroupsOf("crashed"));
                    break;
                case 40:
                    silo.Store.FailNextWrite(GroupsOf("crashed"));
                    break;
                case 60:
                    foreach (var partition in silo.Fleet.PartitionsOf("crashed"))
                    {
                        await silo.CrashAsync(ShareOf("crashed", partition));
                    }

                    break;
                case 79:
                    silo.Store.FailNextWrite(ShareOf("crashed", silo.Fleet.PartitionsOf("crashed")[step / 80 % 2]));
                    break;
            }
        });

        Assert.Equal(12, ended.Plan.Waves.Sum(wave => wave.Totals.Succeeded));
        Assert.True(silo.Fleet.InProgressMax["crashed"] <= 2);
        Assert.All(devices, key => Assert.Equal(1, silo.Fleet.OffersOf(key)));
    }

    /// <summary>Nobody gives the seat back, and nobody remembers it but the group: it asks when somebody else is refused.</summary>
    [Fact]
    public async Task Seats_WhoseReturnIsLost_AreTakenBackWhenSomebodyNeedsThem()
    {
        silo.Fleet.Add("lost", 4);
        await StartAsync("lost", new ValueBudget("site", Amount.Count(1)));
        await silo.UntilAsync("lost", _ => silo.Fleet.Offered("lost").Length == 1, Wait);

        silo.Fleet.End("lost", ChangeOutcome.Succeeded);
        await silo.UntilAsync(
            "lost",
            now => now.Plan.Waves.Sum(wave => wave.Totals.Succeeded) == 1,
            () => silo.Store.FailNextWrite(GroupsOf("lost")));
        foreach (var partition in silo.Fleet.PartitionsOf("lost"))
        {
            silo.Store.FailNextWrite(GroupsOf("lost"));
            await silo.CrashAsync(ShareOf("lost", partition));
        }

        var ended = await silo.UntilAsync("lost", now => now.Plan.IsTerminal, () => Work("lost"));

        Assert.Equal((4, 1), (ended.Plan.Waves.Sum(wave => wave.Totals.Succeeded), silo.Fleet.InProgressMax["lost"]));
    }

    /// <summary>
    /// The groups are gone, as after an import: whoever is in progress is counted again before anybody else begins. Paused meanwhile, as
    /// nothing runs during an import: a share that is just asking for a seat would get it from groups that know nobody.
    /// </summary>
    [Fact]
    public async Task Groups_ThatAreGone_AreToldAgainWhoIsInProgress()
    {
        silo.Fleet.Add("gone", 6);
        var rollout = await StartAsync("gone", new ValueBudget("site", Amount.Count(2)));
        await silo.UntilAsync("gone", _ => silo.Fleet.Offered("gone").Length == 2, Wait);
        Assert.Null((await rollout.PauseAsync(new OrderRollout(RolloutSilo.Anna, ""))).Error);

        await silo.CrashAsync(GroupsOf("gone"));
        silo.Store.Forget(GroupsOf("gone"));
        await silo.CrashAsync(RolloutSilo.RecordOf("gone"));
        foreach (var partition in silo.Fleet.PartitionsOf("gone"))
        {
            await silo.CrashAsync(ShareOf("gone", partition));
        }

        Assert.Null((await rollout.ResumeAsync(new ResumeRollout(RolloutSilo.Anna, false, ""))).Error);
        for (var i = 0; i < 40; i++)
        {
            await silo.UntilAsync("gone", _ => true, Wait);
        }

        Assert.Equal(2, silo.Fleet.Offered("gone").Length);
        await silo.UntilAsync("gone", now => now.Plan.IsTerminal, () => Work("gone"));
        Assert.Equal(2, silo.Fleet.InProgressMax["gone"]);
    }

    [Fact]
    public async Task Explain_AMemberOfAFullGroup_NamesTheGroupAndTheWaveWaitsForIt()
    {
        silo.Fleet.Add("full", 4);
        var rollout = await StartAsync("full", new ValueBudget("site", Amount.Count(1)));
        await silo.UntilAsync("full", _ => silo.Fleet.Offered("full").Length == 1, Wait);

        DeviceExplanation? explained = null;
        await silo.UntilAsync("full", _ => explained is { WaitingOn: [.., WaitingOn.GroupBudget] }, async () =>
        {
            await Wait();
            var waiting = silo.Fleet.KeysOf("full").First(key => silo.Fleet.OffersOf(key) == 0);
            Assert.True(DeviceId.TryParse(waiting[(waiting.IndexOf('/', StringComparison.Ordinal) + 1)..], out var device));
            explained = (await rollout.ExplainDeviceAsync(device)).Explanation;
        });

        Assert.EndsWith(
            "Of the devices with site = full no more than 1 are offered it at a time.", explained!.Text, StringComparison.Ordinal);
        Assert.Contains(WaitingOn.GroupBudget, (await rollout.GetAsync()).Waves[0].WaitingOn);
        await silo.UntilAsync("full", now => now.Plan.IsTerminal, () => Work("full"));
    }

    [Fact]
    public async Task Pause_Resume_AndCancel_KeepTheBudget()
    {
        silo.Fleet.Add("paused", 5);
        var rollout = await StartAsync("paused", new ValueBudget("site", Amount.Count(1)));
        await silo.UntilAsync("paused", _ => silo.Fleet.Offered("paused").Length == 1, Wait);

        await rollout.PauseAsync(RolloutSilo.Order);
        silo.Fleet.End("paused", ChangeOutcome.Succeeded);
        await silo.UntilAsync("paused", now => now.Plan.Waves.Sum(wave => wave.Totals.Succeeded) == 1, Wait);
        Assert.Single(silo.Fleet.Offered("paused"));
        await rollout.ResumeAsync(new ResumeRollout(RolloutSilo.Anna, false, ""));
        await silo.UntilAsync("paused", _ => silo.Fleet.Offered("paused").Length == 2, Wait);
        await rollout.CancelAsync(RolloutSilo.Order);
        var ended = await silo.UntilAsync("paused", now => now.Plan.IsTerminal, () => Work("paused"));

        Assert.Equal(RolloutState.Cancelled, ended.Plan.State);
        Assert.Equal((2, 1), (silo.Fleet.Offered("paused").Length, silo.Fleet.InProgressMax["paused"]));
    }

    [Fact]
    public async Task RollBack_OfMembersOfOneValue_IsOneAfterAnotherToo()
    {
        silo.Fleet.Add("back", 5);
        var rollout = await StartAsync("back", new ValueBudget("site", Amount.Count(1)));
        var first = new HashSet<string>();

        // No more than three end, however late the third is seen.
        await silo.UntilAsync("back", now => now.Plan.Waves.Sum(wave => wave.Totals.Succeeded) == 3, () =>
        {
            foreach (var device in silo.Fleet.Offered("back").Where(key => first.Contains(key) || first.Count < 3))
            {
                first.Add(device);
                silo.Fleet.EndOne(device, ChangeOutcome.Succeeded);
            }

            return Wait();
        });

        var reply = await rollout.RollBackAsync(new RollBackRollout(RolloutSilo.Anna, [OperatorRole.Operator], "because"));
        var ended = await silo.UntilAsync("back", now => now.Plan.IsTerminal, () => Work("back"));

        Assert.Null(reply.Error);
        Assert.Equal(RolloutState.RolledBack, ended.Plan.State);
        Assert.Equal(1, silo.Fleet.InProgressMax["back"]);
        Assert.True(ended.Plan.Waves.Sum(wave => wave.Totals.Succeeded) >= 3); // of the way back
    }

    /// <summary>A share denies a seat with a commit behind it: what was on its way before finds another version.</summary>
    [Fact]
    public async Task ListUnseated_OfMembersThatWait_CommitsBeforeItAnswers()
    {
        silo.Fleet.Add("unseated", 1);
        var rollout = await StartAsync("unseated", new ValueBudget("site", Amount.Count(1)));
        await silo.UntilAsync("unseated", _ => silo.Fleet.Offered("unseated").Length == 1, Wait);
        var partition = Assert.Single(silo.Fleet.PartitionsOf("unseated"));
        var share = silo.Grains.GetRolloutPartition(TenantId.Default, RolloutSilo.IdOf("unseated"), partition);
        var freeze = (await rollout.GetAsync()).Rollout!.Freeze;

        Assert.Empty(await share.ListUnseatedAsync(new ListUnseated(freeze, [0])));
        Assert.Equal([7], await share.ListUnseatedAsync(new ListUnseated(freeze, [0, 7])));
        silo.Store.FailNextWrite(ShareOf("unseated", partition));
        await Assert.ThrowsAsync<StoreUnavailableException>(() => share.ListUnseatedAsync(new ListUnseated(freeze, [7])));
        await Assert.ThrowsAsync<InvalidOperationException>(() => share.ListUnseatedAsync(new ListUnseated(Guid.NewGuid(), [7])));
    }

    private static RecordKey ShareOf(string site, int partition) => new(GrainTypes.RolloutPartition, $"default/{site}/{partition}");

    private static RecordKey GroupsOf(string site, int bucket) => new(GrainTypes.RolloutGroups, $"default/{site}/{bucket}");

    /// <summary>Of the site's own group.</summary>
    private static RecordKey GroupsOf(string site) =>
        GroupsOf(site, new PartitionMap(PartitionMap.CountMin).OfGroup(new GroupName("site", site).ToString()));

    private async Task<IRolloutGrain> StartAsync(string site, params ImmutableArray<ValueBudget> budgets)
    {
        var rollout = await silo.CreateAsync(site, spec => spec with { Waves = OneWave, MaxUnavailablePer = budgets });
        Assert.Null((await rollout.StartAsync(RolloutSilo.Order)).Error);
        return rollout;
    }

    private void Pair(string site, int pairs)
    {
        var devices = silo.Fleet.Add(site, 2 * pairs);
        for (var i = 0; i < devices.Length; i++)
        {
            silo.Fleet.Describe(devices[i], "P3265-V", $"{site}-{i / 2}");
        }
    }

    private int RingMax(string site) =>
        silo.Fleet.RingMax.Where(ring => ring.Key.StartsWith(site, StringComparison.Ordinal)).Max(ring => ring.Value);

    private Task Wait()
    {
        silo.Clock.Advance(TimeSpan.FromSeconds(2));
        return Task.CompletedTask;
    }

    private void Work(string site)
    {
        silo.Fleet.End(site, ChangeOutcome.Succeeded);
        silo.Clock.Advance(TimeSpan.FromSeconds(2));
    }
}
