using System.Collections.Immutable;
using Muster.Contracts;
using Muster.Contracts.Commit;
using Muster.Contracts.Rollouts;
using Muster.Domain;
using Muster.Domain.Devices;
using Muster.Domain.Rollouts;

namespace Muster.Grains.Tests.Rollouts;

/// <summary>
/// Every step that a rollout takes at its store is a point at which something dies. The same course is taken once for each of them, with
/// the fault there and nowhere else, until a course ends before its point comes: so no step is forgotten that is added later. Operators and
/// due list do what they do in life: they ask again.
/// </summary>
public sealed class RolloutFaultPointsTests(RolloutSilo silo) : IClassFixture<RolloutSilo>
{
    private const int Budget = 2;

    private const int FirstWave = 4;

    /// <summary>Courses at a time: each of them waits more than it works.</summary>
    private const int AtOnce = 100;

    /// <summary>Far above what a course takes beside the others; only a bug reaches it.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    private static readonly string Old = new('9', 64);

    [Theory]
    [InlineData(FaultShape.Lost)]
    [InlineData(FaultShape.Unanswered)]
    [InlineData(FaultShape.Gone)]
    public Task Rollout_WithAFaultAtAnyStep_StopsWhilePausedAndEndsWithEachAttemptOfferedOnce(FaultShape shape) =>
        TakeAllAsync("end", shape, EndAsync);

    [Theory]
    [InlineData(FaultShape.Lost)]
    [InlineData(FaultShape.Unanswered)]
    [InlineData(FaultShape.Gone)]
    public Task RollBack_WithAFaultAtAnyStep_BringsEverybodyBackWhoWasTouched(FaultShape shape) =>
        TakeAllAsync("back", shape, RollBackAsync);

    [Theory]
    [InlineData(FaultShape.Lost)]
    [InlineData(FaultShape.Unanswered)]
    [InlineData(FaultShape.Gone)]
    public Task Cancel_WithAFaultAtAnyStep_EndsOffersOnceItIsAcknowledged(FaultShape shape) =>
        TakeAllAsync("stop", shape, CancelAsync);

    private async Task TakeAllAsync(string name, FaultShape shape, Func<string, ImmutableArray<string>, Task> takeAsync)
    {
        var points = new FaultPoints(shape, silo.Clock);
        silo.Store.Faults = points.Meet;
        var struck = new HashSet<string>();
        using var over = new CancellationTokenSource();
        var time = PassAsync(over.Token);
        int found;
        var first = 1;
        do
        {
            var sites = Enumerable.Range(first, AtOnce).Select(step => $"{name}-{shape.ToString().ToLowerInvariant()}-{step:D3}").ToList();
            await Task.WhenAll(sites.Select((site, i) => TakeOneAsync(points, site, first + i, takeAsync)));
            var met = sites.Select(points.Struck).OfType<string>().ToList();
            struck.UnionWith(met.Select(KindOf));
            (found, first) = (met.Count, first + AtOnce);
        }
        while (found == AtOnce);

        await over.CancelAsync();
        await time;
        silo.Store.Faults = null;
        Assert.Equal(
            [
                "hold rollout", "leave rollout", "offer", "raise rollout", $"read {GrainTypes.Rollout}",
                $"read {GrainTypes.RolloutPartition}", $"write {GrainTypes.Rollout}", $"write {GrainTypes.RolloutPartition}",
            ],
            struck.Order(StringComparer.Ordinal));
    }

    private async Task TakeOneAsync(FaultPoints points, string site, int step, Func<string, ImmutableArray<string>, Task> takeAsync)
    {
        var devices = silo.Fleet.Add(site, 6);
        try
        {
            points.Arm(site, devices, step);
            await takeAsync(site, devices);
        }
        catch (Exception fault)
        {
            throw new InvalidOperationException($"Step {step} of {site}, {points.Struck(site) ?? "not met"}: {fault.Message}", fault);
        }
    }

    /// <summary>One device fails at its first attempt; between the waves somebody pauses.</summary>
    private async Task EndAsync(string site, ImmutableArray<string> devices)
    {
        var rollout = await StartAsync(site, spec => spec with
        {
            Retries = new RetryPolicy(2, TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(1)),
        });
        var hasFailed = false;
        void Work()
        {
            foreach (var key in devices)
            {
                if (key != devices[0] || silo.Fleet.OffersOf(key) > 1)
                {
                    silo.Fleet.EndOne(key, ChangeOutcome.Succeeded);
                }
                else if (!hasFailed && silo.Fleet.OffersOf(key) == 1)
                {
                    silo.Fleet.EndOne(key, ChangeOutcome.Failed);
                    hasFailed = true;
                }
            }
        }

        await UntilAsync(site, now => now.Plan.Waves[0].Totals.Succeeded > 0, Work);
        await AskAsync(() => rollout.PauseAsync(RolloutSilo.Order));
        var offered = OffersOf(devices);
        await TakeTimeAsync(site, Work);
        Assert.Equal(offered, OffersOf(devices));
        await AskAsync(() => rollout.ResumeAsync(new ResumeRollout(RolloutSilo.Anna, false, "")));
        var ended = await UntilAsync(site, now => now.Plan.IsTerminal, Work);

        Assert.Equal((RolloutState.Succeeded, 6), (ended.Plan.State, ended.Plan.Waves.Sum(wave => wave.Totals.Succeeded)));
        Assert.Equal([2, 1, 1, 1, 1, 1], devices.Select(silo.Fleet.OffersOf));
        AssertWithinBudget(site);
    }

    /// <summary>A device of the second wave fails, which takes everybody back.</summary>
    private async Task RollBackAsync(string site, ImmutableArray<string> devices)
    {
        await StartAsync(site, spec => spec with { FailureGate = new FailureGate(1, null, 1) { Action = FailureAction.RollBack } });
        await UntilAsync(site, now => now.Plan.Waves[1].Totals.InProgress > 0, () => EndFirst(site));
        var failed = 0;
        await UntilAsync(
            site,
            now => now.Plan.RollBack is not null,
            () => failed += failed == 0 ? silo.Fleet.End(site, ChangeOutcome.Failed, countMax: 1) : 0);
        var ended = await UntilAsync(site, now => now.Plan.IsTerminal, () => EndAll(site));

        Assert.Equal(RolloutState.RolledBack, ended.Plan.State);
        Assert.All(devices, key => Assert.Equal(Old, silo.Fleet.RunningOf(key)));
        Assert.All(devices, key => Assert.InRange(silo.Fleet.OffersOf(key), 0, 2)); // there and back
        AssertWithinBudget(site);
    }

    /// <summary>Somebody cancels behind the first wave; what is delivered then is finished.</summary>
    private async Task CancelAsync(string site, ImmutableArray<string> devices)
    {
        var rollout = await StartAsync(site, spec => spec);
        await UntilAsync(site, now => now.Plan.Waves[1].Totals.InProgress > 0, () => EndFirst(site));
        await AskAsync(() => rollout.CancelAsync(RolloutSilo.Order));
        var offered = OffersOf(devices);
        var ended = await UntilAsync(site, now => now.Plan.IsTerminal, () => EndAll(site));
        await TakeTimeAsync(site, () => { });

        Assert.Equal((RolloutState.Cancelled, offered), (ended.Plan.State, OffersOf(devices)));
        Assert.All(devices, key => Assert.InRange(silo.Fleet.OffersOf(key), 0, 1));
        Assert.InRange(offered, FirstWave, 6);
        AssertWithinBudget(site);
    }

    private async Task<IRolloutGrain> StartAsync(string site, Func<RolloutSpec, RolloutSpec> change)
    {
        var rollout = silo.Grains.GetRollout(TenantId.Default, RolloutSilo.IdOf(site));
        await AskAsync(() => silo.CreateAsync(site, spec => change(spec) with
        {
            Waves = [new(Amount.Count(FirstWave), 100, 1, TimeSpan.Zero, false), new(Amount.Percent(100), 100, 1, TimeSpan.Zero, false)],
            MaxUnavailable = Amount.Count(Budget),
            InProgressTimeout = TimeSpan.FromDays(7),
        }));
        var reply = await AskAsync(() => rollout.StartAsync(RolloutSilo.Order));
        Assert.Null(reply.Error);
        return rollout;
    }

    /// <summary>Asks until there is an answer: whoever is told that the store is away asks again.</summary>
    private static async Task<T> AskAsync<T>(Func<Task<T>> askAsync)
    {
        var started = TimeProvider.System.GetTimestamp();
        while (true)
        {
            try
            {
                return await askAsync();
            }
            catch (Exception fault) when (IsOfStore(fault) && TimeProvider.System.GetElapsedTime(started) < Patience)
            {
                await PauseAsync();
            }
        }
    }

    private static bool IsOfStore(Exception fault) => fault is StoreUnavailableException or CommitConflictException;

    private async Task<Rollout> UntilAsync(string site, Func<Rollout, bool> expected, Action work)
    {
        var started = TimeProvider.System.GetTimestamp();
        while (true)
        {
            work();
            silo.Fleet.TellNews();
            var now = await AskAsync(() => LookAsync(site));
            if (expected(now))
            {
                return now;
            }

            Assert.True(
                TimeProvider.System.GetElapsedTime(started) < Patience,
                $"{now.Plan.State}: {string.Join("; ", now.Plan.Waves.Select(wave => wave.Totals))}");
            await PauseAsync();
        }
    }

    /// <summary>Some rounds of the coordinator, and more than a minute of the calendar, in which the store comes back.</summary>
    private async Task TakeTimeAsync(string site, Action work)
    {
        var until = silo.Clock.GetUtcNow() + TimeSpan.FromMinutes(2);
        await UntilAsync(site, _ => silo.Clock.GetUtcNow() >= until, work);
    }

    private async Task<Rollout> LookAsync(string site)
    {
        if (silo.Store.DueAtOf(RolloutSilo.RecordOf(site)) <= silo.Clock.GetUtcNow())
        {
            await silo.Grains.GetGrain<IDueGrain>(GrainId.Create(GrainTypes.Rollout, $"default/{site}"))
                .OnDueAsync(TestContext.Current.CancellationToken);
        }

        return (await silo.Grains.GetRollout(TenantId.Default, RolloutSilo.IdOf(site)).GetAsync()).Rollout!;
    }

    /// <summary>The calendar goes on meanwhile, some forty times as fast as the clock on the wall.</summary>
    private async Task PassAsync(CancellationToken over)
    {
        while (!over.IsCancellationRequested)
        {
            silo.Clock.Advance(TimeSpan.FromSeconds(2));
            await PauseAsync();
        }
    }

    private static Task PauseAsync() => Task.Delay(TimeSpan.FromMilliseconds(50), TestContext.Current.CancellationToken);

    private static string KindOf(string step) =>
        step.StartsWith("offer", StringComparison.Ordinal) ? "offer" : step[..step.IndexOf('/', StringComparison.Ordinal)];

    private void EndAll(string site) => silo.Fleet.End(site, ChangeOutcome.Succeeded);

    /// <summary>The devices of the first wave succeed; those behind it stay in progress.</summary>
    private void EndFirst(string site)
    {
        foreach (var key in silo.Fleet.Offered(site) is { Length: <= FirstWave } first ? first : [])
        {
            silo.Fleet.EndOne(key, ChangeOutcome.Succeeded);
        }
    }

    private int OffersOf(ImmutableArray<string> devices) => devices.Sum(silo.Fleet.OffersOf);

    private void AssertWithinBudget(string site) => Assert.InRange(silo.Fleet.InProgressMax[site], 1, Budget);
}
