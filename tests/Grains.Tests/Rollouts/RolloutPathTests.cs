using Muster.Contracts;
using Muster.Contracts.Commit;
using Muster.Contracts.Rollouts;
using Muster.Domain;
using Muster.Domain.Devices;
using Muster.Domain.Images;
using Muster.Domain.Operators;
using Muster.Domain.Rollouts;

namespace Muster.Grains.Tests.Rollouts;

/// <summary>A rollout that takes its members over the steps of its image; the image's is 12.1.0, for one model.</summary>
public sealed class RolloutPathTests : IClassFixture<RolloutSilo>
{
    private readonly RolloutSilo _silo;

    public RolloutPathTests(RolloutSilo silo)
    {
        _silo = silo;
        _silo.Fleet.Conditions = new ImageConditions { Steps = ["10.12.0", "11.11.73"] };
        _silo.Fleet.AddImage(0, "10.12.0", "P3265-V");
        _silo.Fleet.AddImage(1, "11.11.73", "P3265-V");
    }

    /// <summary>What crashes, and when: behind each of the commits of the first step's offer, its end and the next permit.</summary>
    public static TheoryData<string, int> Crashes() => new(
        from crashes in new[] { "nothing", "shares", "coordinator" }
        from offers in crashes == "nothing" ? new[] { 0 } : [1, 2, 3, 4, 5]
        select (crashes, offers));

    [Theory]
    [MemberData(nameof(Crashes))]
    public async Task Advance_OfMembersWithSteps_TakesEachOverThemWithinOneAttempt(string crashes, int offers)
    {
        var site = $"path-{crashes}-{offers}";
        var devices = _silo.Fleet.Add(site, 3);
        foreach (var (device, steps) in devices.Zip([2, 1, 0]))
        {
            _silo.Fleet.StepsLeft[device] = steps;
        }

        var rollout = await StartAsync(site);
        var crashed = crashes == "nothing";
        var ended = await _silo.UntilAsync(site, now => now.Plan.IsTerminal, async () =>
        {
            if (!crashed && devices.Sum(_silo.Fleet.OffersOf) == offers)
            {
                crashed = true;
                foreach (var record in crashes == "coordinator"
                    ? [RolloutSilo.RecordOf(site)]
                    : _silo.Fleet.PartitionsOf(site).Select(
                        partition => new RecordKey(GrainTypes.RolloutPartition, $"default/{site}/{partition}")))
                {
                    await _silo.CrashAsync(record);
                }
            }

            _silo.Fleet.End(site, ChangeOutcome.Succeeded, countMax: 1);
        });

        Assert.True(crashed);
        Assert.Equal((RolloutState.Succeeded, 3), (ended.Plan.State, ended.Plan.Waves[0].Totals.Succeeded));
        Assert.Equal([3, 2, 1], devices.Select(_silo.Fleet.OffersOf));
        Assert.Equal(6, ended.Plan.Waves[0].Totals.Offered);
        Assert.Equal(1, _silo.Fleet.InProgressMax[site]);
        Assert.All(_silo.Fleet.Offers.Where(offer => offer.Rollout.Value == site), offer =>
        {
            Assert.Equal(0, offer.Retry);
            Assert.Equal(2, offer.Path.Length);
        });
        Assert.Equal(0, ended.Plan.Waves[0].Totals.FailedNow);
        Assert.Equal(2, (await rollout.GetAsync()).Rollout!.Spec.Path.Length);
    }

    [Fact]
    public async Task Advance_OfAStepThatFails_IsTheMembersFailure()
    {
        const string Site = "path-fails";
        var device = Assert.Single(_silo.Fleet.Add(Site, 1));
        _silo.Fleet.StepsLeft[device] = 2;
        await StartAsync(Site);
        await _silo.UntilAsync(Site, _ => _silo.Fleet.OffersOf(device) == 1);
        _silo.Fleet.End(Site, ChangeOutcome.Succeeded);
        await _silo.UntilAsync(Site, _ => _silo.Fleet.OffersOf(device) == 2);

        _silo.Fleet.End(Site, ChangeOutcome.Failed, reason: "flash");
        var stopped = await _silo.UntilAsync(Site, now => now.Plan.State == RolloutState.Suspended);

        Assert.Equal((1, 0), (stopped.Plan.Waves[0].Totals.FailedNow, stopped.Plan.Waves[0].Totals.Succeeded));
        Assert.Equal(2, _silo.Fleet.OffersOf(device));
    }

    /// <summary>A pause holds between two steps as it does before the first.</summary>
    [Fact]
    public async Task PauseAsync_BetweenTwoSteps_HoldsTheNextOneBack()
    {
        const string Site = "path-pause";
        var device = Assert.Single(_silo.Fleet.Add(Site, 1));
        _silo.Fleet.StepsLeft[device] = 1;
        var rollout = await StartAsync(Site);
        await _silo.UntilAsync(Site, _ => _silo.Fleet.OffersOf(device) == 1);
        await rollout.PauseAsync(RolloutSilo.Order);
        _silo.Fleet.End(Site, ChangeOutcome.Succeeded);
        var paused = await _silo.UntilAsync(Site, now => now.Plan.Waves[0].Totals.InProgress == 0);
        await _silo.SettleAsync(Site);
        Assert.Equal(1, _silo.Fleet.OffersOf(device));
        Assert.Equal((1, 0), (paused.Plan.Waves[0].Totals.Waiting, paused.Plan.Waves[0].Totals.Succeeded));

        await rollout.ResumeAsync(new ResumeRollout(RolloutSilo.Anna, Override: false, ""));
        var ended = await _silo.UntilAsync(
            Site, now => now.Plan.IsTerminal, () => _silo.Fleet.End(Site, ChangeOutcome.Succeeded));

        Assert.Equal((RolloutState.Succeeded, 2), (ended.Plan.State, _silo.Fleet.OffersOf(device)));
    }

    /// <summary>What the feed does not tell, the device does: who runs a step is waited for until it is free for the way back.</summary>
    [Fact]
    public async Task RollBackAsync_OfAMemberThatAloneTellsOfItsStep_WaitsForIt()
    {
        const string Site = "path-unheard";
        var devices = _silo.Fleet.Add(Site, 2);
        _silo.Fleet.SteppedUnheard.Add(devices[0]);
        var rollout = await StartAsync(Site, spec => spec with { MaxUnavailable = Amount.Count(2) });
        await _silo.UntilAsync(
            Site, now => _silo.Fleet.CountAsked(devices[0]) > 0 && now.Plan.Waves[0].Totals is { InProgress: 1, Waiting: 1 });
        await rollout.RollBackAsync(new RollBackRollout(RolloutSilo.Anna, [OperatorRole.Operator], "boot loops"));

        // The way back of the other one begins when every share has turned: what is counted from there on is of the way back.
        var turned = await _silo.UntilAsync(
            Site,
            now => _silo.Fleet.OffersOf(devices[1]) == 2 && now.Plan.Waves[0].Totals.Succeeded == 1,
            () => _silo.Fleet.End(Site, ChangeOutcome.Succeeded));

        Assert.Equal((RolloutState.RollingBack, 0), (turned.Plan.State, turned.Plan.Waves[0].Totals.Untouched));
    }

    /// <summary>Estimates are told how many steps are before the members, also of those that are at one.</summary>
    [Fact]
    public async Task Advance_OfMembersWithSteps_ReportsHowManyAreBeforeThem()
    {
        const string Site = "path-ahead";
        var devices = _silo.Fleet.Add(Site, 4);
        foreach (var (device, version) in devices.Zip(["9.80.0", "11.0.0", "11.11.73", "9.80.0"]))
        {
            _silo.Fleet.Runs(device, version);
        }

        await StartAsync(Site);
        await _silo.UntilAsync(Site, now => Ahead(now) == new StepTotals([1, 1, 2]) && now.Plan.Waves[0].Totals.InProgress == 1);
        _silo.Fleet.Runs(devices[0], "11.11.73");
        _silo.Clock.Advance(TimeSpan.FromMinutes(2));

        var later = await _silo.UntilAsync(Site, now => Ahead(now) == new StepTotals([2, 1, 1]));

        Assert.False(later.Plan.IsTerminal);
    }

    [Fact]
    public async Task CreateAsync_ThatTakesSteps_ChoosesTheirImagesAndShowsThemInTheDryRun()
    {
        const string Site = "path-dry";
        var devices = _silo.Fleet.Add(Site, 2);
        _silo.Fleet.Runs(devices[0], "9.80");
        var ordered = await _silo.CreateAsync(Site, spec => spec with { TakeSteps = true });
        var spec = (await ordered.GetAsync()).Rollout!.Spec;

        var planned = await _silo.Grains.GetRollout(TenantId.Default, RolloutSilo.IdOf($"{Site}-dry")).CreateAsync(
            new CreateRollout(RolloutSilo.Anna, "", spec with { Path = [] }, ValidateOnly: true));
        var repeated = await ordered.CreateAsync(
            new CreateRollout(RolloutSilo.Anna, "r1", spec with { Path = [], TargetVersion = "" }, ValidateOnly: false));

        Assert.Equal([("10.12.0", 1), ("11.11.73", 1)], spec.Path.Select(step => (step.Version, step.Models.Length)));
        Assert.Equal(0, planned.ExpectedSkips!.Of(MemberReason.StepRequired));
        Assert.Equal(
            [("10.12.0", 1, true), ("11.11.73", 1, true)], planned.Steps.Select(step => (step.Version, step.Devices, step.IsTaken)));
        Assert.Null(repeated.Error);
        Assert.NotEqual(spec.Fingerprint, (spec with { Path = [] }).Fingerprint);
    }

    private static StepTotals? Ahead(Rollout rollout)
    {
        var totals = rollout.Plan.Waves[0].Totals;
        return StepTotals.Sum(totals.Steps, totals.StepsInProgress);
    }

    private async Task<IRolloutGrain> StartAsync(string site, Func<RolloutSpec, RolloutSpec>? change = null)
    {
        var rollout = await _silo.CreateAsync(site, spec => (change ?? (same => same))(spec with
        {
            TakeSteps = true,
            Waves = [new WaveSpec(Amount.Percent(100), 100, 1, TimeSpan.Zero, ConnectedOnly: false)],
            MaxUnavailable = Amount.Count(1),
            FailureGate = new FailureGate(1, null, 1),
        }));
        Assert.Null((await rollout.StartAsync(RolloutSilo.Order)).Error);
        return rollout;
    }
}
