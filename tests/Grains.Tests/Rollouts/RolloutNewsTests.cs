using System.Collections.Immutable;
using Muster.Contracts;
using Muster.Contracts.Commit;
using Muster.Contracts.Rollouts;
using Muster.Domain;
using Muster.Domain.Devices;
using Muster.Domain.Rollouts;

namespace Muster.Grains.Tests.Rollouts;

/// <summary>Shares in which nothing happens are left alone, and what happens is told.</summary>
public sealed class RolloutNewsTests : IAsyncLifetime
{
    private static readonly TimeSpan Sweep = TimeSpan.FromSeconds(10);
    private readonly RolloutSilo _silo = new();

    public ValueTask InitializeAsync() => _silo.InitializeAsync();

    public ValueTask DisposeAsync() => _silo.DisposeAsync();

    [Fact]
    public async Task AQuietRollout_WithMembersOffline_AsksNoShareBeforeTheSweep()
    {
        var away = await StartWithAwayAsync("quiet", 6);
        await _silo.RestAsync("quiet");
        var before = _silo.Fleet.ListensOf("quiet");

        await _silo.RestAsync("quiet"); // rounds go on, by the system's clock
        var quiet = _silo.Fleet.ListensOf("quiet");
        _silo.Clock.Advance(Sweep);
        await _silo.UntilAsync("quiet", _ => _silo.Fleet.ListensOf("quiet") > quiet);
        await _silo.RestAsync("quiet");

        Assert.Equal(before, quiet);
        Assert.Equal(quiet + _silo.Fleet.PartitionsOf("quiet").Length, _silo.Fleet.ListensOf("quiet")); // each once
        Assert.All(away, key => Assert.Equal(0, _silo.Fleet.OffersOf(key)));
    }

    [Fact]
    public async Task AMemberThatComesOnline_IsOfferedTheChangeWithoutTheSweep()
    {
        var away = await StartWithAwayAsync("comes", 1);
        await _silo.RestAsync("comes");
        _silo.Clock.Advance(TimeSpan.FromSeconds(3)); // gateways tell presence no more often than that

        _silo.Fleet.SetOnline(away[0], true);
        await _silo.UntilAsync("comes", _ => _silo.Fleet.OffersOf(away[0]) == 1);
    }

    [Fact]
    public async Task AnOutcome_MovesTheGateWithoutTheSweep()
    {
        var away = await StartWithAwayAsync("gate", 1);
        _silo.Fleet.SetOnline(away[0], true);
        _silo.Clock.Advance(TimeSpan.FromSeconds(3));
        await _silo.UntilAsync("gate", _ => _silo.Fleet.OffersOf(away[0]) == 1);
        await _silo.RestAsync("gate");

        Assert.Equal(1, _silo.Fleet.End("gate", ChangeOutcome.Succeeded));
        await _silo.UntilAsync("gate", rollout => rollout.Plan.State == RolloutState.Succeeded);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task ANewsThatIsLost_IsMadeGoodByTheSweep(bool isOnItsWay)
    {
        var away = await StartWithAwayAsync("lost", 1);
        _silo.Clock.Advance(TimeSpan.FromSeconds(3));
        await _silo.RestAsync("lost");
        if (isOnItsWay)
        {
            _silo.Fleet.LosesNews = true;
        }
        else
        {
            _silo.Fleet.ForgetListeners(); // the partition's silo has died
        }

        _silo.Fleet.SetOnline(away[0], true);
        await _silo.RestAsync("lost");
        Assert.Equal(0, _silo.Fleet.OffersOf(away[0]));
        _silo.Clock.Advance(Sweep);
        await _silo.UntilAsync("lost", _ => _silo.Fleet.OffersOf(away[0]) == 1);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task APartitionThatTellsNobody_IsAskedInEveryRound(bool isDeaf)
    {
        (_silo.Fleet.IsDeaf, _silo.Fleet.IsFull) = (isDeaf, !isDeaf);
        var away = await StartWithAwayAsync("deaf", 1);
        await _silo.RestAsync("deaf");
        _silo.Clock.Advance(TimeSpan.FromSeconds(3));

        _silo.Fleet.SetOnline(away[0], true);
        await _silo.UntilAsync("deaf", _ => _silo.Fleet.OffersOf(away[0]) == 1);
        _silo.Fleet.End("deaf", ChangeOutcome.Succeeded);
        await _silo.UntilAsync("deaf", rollout => rollout.Plan.State == RolloutState.Succeeded);
    }

    [Fact]
    public async Task AShareAndACoordinatorThatAreActivatedAnew_ListenAgain()
    {
        var away = await StartWithAwayAsync("anew", 1);
        await _silo.RestAsync("anew");
        var partition = Assert.Single(_silo.Fleet.PartitionsOf("anew"));
        var before = _silo.Fleet.ListensOf("anew");

        await _silo.CrashAsync(new RecordKey(GrainTypes.RolloutPartition, $"default/anew/{partition}"));
        await _silo.CrashAsync(RolloutSilo.RecordOf("anew"));
        await _silo.UntilAsync("anew", _ => _silo.Fleet.ListensOf("anew") > before);
        await _silo.RestAsync("anew");
        _silo.Clock.Advance(TimeSpan.FromSeconds(3));
        _silo.Fleet.SetOnline(away[0], true);
        await _silo.UntilAsync("anew", _ => _silo.Fleet.OffersOf(away[0]) == 1);
    }

    [Fact]
    public async Task AMemberWhoseTimeIsOver_IsGivenUpWhenItIs()
    {
        _silo.Fleet.Add("over", 1, online: false);
        await _silo.CreateAsync("over", spec => spec with
        {
            Waves = [Wave],
            UndeliveredTimeout = TimeSpan.FromSeconds(68),
        });
        await _silo.Grains.GetRollout(TenantId.Default, RolloutSilo.IdOf("over")).StartAsync(RolloutSilo.Order);
        await _silo.RestAsync("over");
        _silo.Clock.Advance(TimeSpan.FromSeconds(65));
        await _silo.RestAsync("over");

        _silo.Clock.Advance(TimeSpan.FromSeconds(4)); // six seconds before the next sweep
        await _silo.UntilAsync("over", rollout => rollout.Plan.Waves[0].Totals.TimedOut == 1);
    }

    private static WaveSpec Wave => new(Amount.Percent(100), 100, 1, TimeSpan.Zero, ConnectedOnly: false);

    private async Task<ImmutableArray<string>> StartWithAwayAsync(string site, int devices)
    {
        var away = _silo.Fleet.Add(site, devices, online: false);
        var rollout = await _silo.CreateAsync(site, spec => spec with { Waves = [Wave] });
        Assert.Null((await rollout.StartAsync(RolloutSilo.Order)).Error);
        await _silo.UntilAsync(site, now => now.Plan.Waves[0].Totals.WaitingOffline == devices);
        return away;
    }
}
