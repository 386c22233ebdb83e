using System.Collections.Immutable;
using Muster.Contracts;
using Muster.Contracts.Commit;
using Muster.Contracts.Rollouts;
using Muster.Domain;
using Muster.Domain.Devices;
using Muster.Domain.Rollouts;

namespace Muster.Grains.Tests.Rollouts;

/// <summary>Waves with filters and strata, over all partitions and through crashes.</summary>
public sealed class RolloutWavesTests(RolloutSilo silo) : IClassFixture<RolloutSilo>
{
    private static readonly ImmutableArray<WaveSpec> Ringed =
    [
        Wave(Amount.Count(6)) with { ConnectedOnly = true, Filter = "labels.ring = early", StratifyBy = ["model"] },
        Wave(Amount.Percent(50)) with { Filter = "model = Q1656" },
    ];

    [Fact]
    public async Task StartAsync_WithFiltersAndStrata_OffersEveryDeviceOnceInItsWave()
    {
        var early = Add("ringed", 20, "P3265-V", "early").Concat(Add("ringed", 2, "M1137", "early")).ToHashSet();
        var away = Assert.Single(silo.Fleet.Add("ringed", 1, online: false));
        silo.Fleet.Describe(away, "M4216", "early");
        var dome = Add("ringed", 10, "Q1656");
        var others = Add("ringed", 7, "P3265-V");
        var rollout = await silo.CreateAsync("ringed", spec => spec with { Waves = Ringed });

        var started = (await rollout.StartAsync(RolloutSilo.Order)).Rollout!.Plan;
        await silo.UntilAsync("ringed", _ => silo.Fleet.Offered("ringed").Length == 6);
        await silo.SettleAsync("ringed");
        var canaries = silo.Fleet.Offered("ringed");
        await CrashSharesAsync("ringed", started);
        silo.Fleet.End("ringed", ChangeOutcome.Succeeded);
        await silo.UntilAsync("ringed", _ => silo.Fleet.Offered("ringed").Length == 16);
        await silo.SettleAsync("ringed");
        var second = silo.Fleet.Offered("ringed").Except(canaries).ToList();
        await CrashSharesAsync("ringed", started);
        silo.Fleet.SetOnline(away, online: true);
        var ended = await silo.UntilAsync(
            "ringed", now => now.Plan.IsTerminal, () => silo.Fleet.End("ringed", ChangeOutcome.Succeeded));

        Assert.Equal([6, 10, 24], started.Waves.Select(wave => wave.Cut.Members));
        Assert.Equal(1, started.Waves[0].Cut.PassedOver);
        Assert.Equal(
            ["M1137 1 of 2", "P3265-V 5 of 20"],
            started.Waves[0].Cut.Strata.Select(stratum => $"{stratum.Values[0]} {stratum.Members} of {stratum.Available}"));
        Assert.Equal(6, canaries.Length);
        Assert.All(canaries, key => Assert.Contains(key, early));
        Assert.Equal(1, canaries.Count(key => silo.Fleet.ModelOf(key) == "M1137"));
        Assert.Equal(dome.Order(), second.Order());
        Assert.Equal(RolloutState.Succeeded, ended.Plan.State);
        Assert.All(early.Concat(dome).Concat(others).Append(away), key => Assert.Equal(1, silo.Fleet.OffersOf(key)));
    }

    [Fact]
    public async Task FreezeAsync_RepeatedBehindACrash_GivesTheSameMembersOfTheSameClasses()
    {
        var devices = Add("frozen", 60, "P3265-V", "early");
        var partition = silo.Fleet.PartitionsOf("frozen")[0];
        var share = silo.Grains.GetRolloutPartition(TenantId.Default, RolloutSilo.IdOf("frozen"), partition);
        var command = new FreezeMembers(Guid.NewGuid(), "site = frozen", 7) { Sorting = WaveSorting.Of(Ringed) };

        var first = await share.FreezeAsync(command);
        var places = await share.GetPlacesAsync(command.Freeze, [.. Enumerable.Range(0, MemberHistogram.Buckets).Select(PlaceQuery.All)]);
        foreach (var key in devices)
        {
            silo.Fleet.Describe(key, "Q1656");
        }

        await silo.CrashAsync(ShareOf("frozen", partition));
        var again = await share.FreezeAsync(command);
        var placesAgain = await share.GetPlacesAsync(
            command.Freeze, [.. Enumerable.Range(0, MemberHistogram.Buckets).Select(PlaceQuery.All)]);
        var other = await share.FreezeAsync(command with { Freeze = Guid.NewGuid() });

        Assert.NotEqual(0, first.Total);
        Assert.Equal(new MemberClass(1, ["P3265-V"]), Assert.Single(first.Classes).Class);
        Assert.Equal(first.Classes.Select(kind => kind.Class), again.Classes.Select(kind => kind.Class));
        Assert.Equal(first.Connected, again.Connected);
        Assert.Equal(first.Total, places.Length);
        Assert.Equal(places, placesAgain);
        Assert.Equal(new MemberClass(2, ["Q1656"]), Assert.Single(other.Classes).Class); // a new start looks anew
        await Assert.ThrowsAsync<InvalidOperationException>(() => share.GetPlacesAsync(command.Freeze, [PlaceQuery.All(0)]));
    }

    [Fact]
    public async Task StartAsync_ThatFailsInAShareAndIsRepeated_CutsTheSameWaves()
    {
        Add("again", 30, "P3265-V", "early");
        Add("again", 10, "Q1656");
        var rollout = await silo.CreateAsync("again", spec => spec with { Waves = Ringed });
        var planned = await ValidateAsync(rollout, "again");
        silo.Store.FailNextWrite(ShareOf("again", silo.Fleet.PartitionsOf("again")[^1]));

        await Assert.ThrowsAsync<StoreUnavailableException>(() => rollout.StartAsync(RolloutSilo.Order));
        var started = await rollout.StartAsync(RolloutSilo.Order);

        Assert.Equal(planned.Planned, started.Rollout!.Plan.Waves.Select(wave => wave.Cut));
    }

    [Fact]
    public async Task CreateAsync_ValidateOnly_SaysHowAStartWouldCutAndStoresNothing()
    {
        Add("dry", 25, "P3265-V", "early");
        Add("dry", 5, "M1137", "early");
        Add("dry", 12, "Q1656");
        var rollout = await silo.CreateAsync("dry", spec => spec with { Waves = Ringed });

        var planned = await ValidateAsync(rollout, "dry");
        var held = Enumerable.Range(0, PartitionMap.CountMin)
            .Where(partition => silo.Store.HeldBy(partition, RolloutKey.ReaderOf(TenantId.Default, RolloutSilo.IdOf("dry"))) is not null);
        var shares = silo.Fleet.PartitionsOf("dry").SelectMany(partition => silo.Store.FactsOf(ShareOf("dry", partition)));

        Assert.Null(planned.Error);
        Assert.Equal(42, planned.Matching);
        Assert.Equal([6, 12, 24], planned.Planned.Select(cut => cut.Members));
        Assert.Equal(
            [("M1137", 1), ("P3265-V", 5)], planned.Planned[0].Strata.Select(stratum => (stratum.Values[0], stratum.Members)));
        Assert.Empty(held);
        Assert.Empty(shares);
        var started = await rollout.StartAsync(RolloutSilo.Order);
        Assert.Equal(planned.Planned, started.Rollout!.Plan.Waves.Select(wave => wave.Cut));
    }

    [Fact]
    public async Task StartAsync_WithAFilterOfSettings_AsksTheInventory()
    {
        var on = silo.Fleet.Add("settings", 4).ToHashSet();
        var off = silo.Fleet.Add("settings", 8);
        foreach (var key in on)
        {
            silo.Fleet.Describe(key, "P3265-V", sshEnabled: "yes");
        }

        var rollout = await silo.CreateAsync("settings", spec => spec with
        {
            Waves = [Wave(Amount.Percent(100)) with { Filter = "settings.SSH.Enabled = yes" }],
        });
        await rollout.StartAsync(RolloutSilo.Order);
        await silo.UntilAsync("settings", _ => silo.Fleet.Offered("settings").Length == 4);
        await silo.SettleAsync("settings");

        Assert.Equal(on.Order(), silo.Fleet.Offered("settings").Order());
        await silo.UntilAsync("settings", now => now.Plan.IsTerminal, () => silo.Fleet.End("settings", ChangeOutcome.Succeeded));
        Assert.All(off, key => Assert.Equal(1, silo.Fleet.OffersOf(key)));
    }

    [Theory]
    [InlineData("strata", 300, "ROLLOUT_STRATA_TOO_MANY")]
    [InlineData("classes", 1_100, "ROLLOUT_CLASSES_TOO_MANY")]
    public async Task StartAsync_WithAStratumForEachDevice_IsRefusedAndLetsAllFeedsGo(string site, int devices, string reason)
    {
        silo.Fleet.Add(site, devices);
        var rollout = await silo.CreateAsync(site, spec => spec with { Waves = [Wave(Amount.Count(5)) with { StratifyBy = ["name"] }] });

        var planned = await ValidateAsync(rollout, site);
        var started = await rollout.StartAsync(RolloutSilo.Order);

        Assert.Equal((reason, reason), (planned.Error?.Reason, started.Error?.Reason));
        Assert.Contains("name", started.Error!.Message, StringComparison.Ordinal);
        Assert.Equal(RolloutState.Draft, (await rollout.GetAsync()).Rollout!.Plan.State);
        Assert.DoesNotContain(Enumerable.Range(0, PartitionMap.CountMin), partition =>
            silo.Store.HeldBy(partition, RolloutKey.ReaderOf(TenantId.Default, RolloutSilo.IdOf(site))) is not null);
    }

    [Fact]
    public async Task StartAsync_WithAnEmptyFirstWave_PassesItAtOnceAndGoesOn()
    {
        silo.Fleet.Add("empty", 5);
        var rollout = await silo.CreateAsync("empty", spec => spec with
        {
            Waves = [Wave(Amount.Count(3)) with { Filter = "model = Q1656" }, Wave(Amount.Percent(100))],
        });

        await rollout.StartAsync(RolloutSilo.Order);
        var ended = await silo.UntilAsync(
            "empty", now => now.Plan.IsTerminal, () => silo.Fleet.End("empty", ChangeOutcome.Succeeded));

        Assert.Equal((RolloutState.Succeeded, 5), (ended.Plan.State, ended.Plan.Waves[1].Totals.Succeeded));
        Assert.Contains(ended.Plan.Decisions, decision => decision is { Reason: PlanReasons.WaveEmpty, Wave: 0 });
    }

    private static WaveSpec Wave(Amount size) => new(size, 100, 1, TimeSpan.Zero, ConnectedOnly: false);

    private static RecordKey ShareOf(string site, int partition) => new(GrainTypes.RolloutPartition, $"default/{site}/{partition}");

    private static async Task<RolloutReply> ValidateAsync(IRolloutGrain rollout, string site)
    {
        var spec = (await rollout.GetAsync()).Rollout!.Spec;
        Assert.Equal($"site = {site}", spec.Filter);
        return await rollout.CreateAsync(new CreateRollout(RolloutSilo.Anna, "", spec, ValidateOnly: true));
    }

    private ImmutableArray<string> Add(string site, int count, string model, string? ring = null)
    {
        var keys = silo.Fleet.Add(site, count);
        foreach (var key in keys)
        {
            silo.Fleet.Describe(key, model, ring);
        }

        return keys;
    }

    private async Task CrashSharesAsync(string site, RolloutPlan plan)
    {
        foreach (var share in plan.Shares)
        {
            await silo.CrashAsync(ShareOf(site, share.Partition));
        }
    }
}
