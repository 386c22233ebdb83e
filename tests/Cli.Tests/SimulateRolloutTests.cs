using Grpc.Core;
using Muster.Cli.Rollouts;
using V1 = Muster.Protocol.V1;

namespace Muster.Cli.Tests;

/// <summary>Which fields of an exported inventory a simulation counts.</summary>
public sealed class SimulateRolloutTests
{
    private const string Strategy = "tenants/default/strategies/canary-site-fleet";

    [Fact]
    public async Task CourseOfAsync_OfARolloutFromAStrategy_HasTheFiltersByWhichTheInventoryIsCounted()
    {
        var strategies = new PlayedStrategies();
        var course = await SimulateRollout.CourseOfAsync(
            strategies, new V1.Rollout { Strategy = Strategy }, TestContext.Current.CancellationToken);

        var count = new FleetCount(course);
        count.Add(new V1.Device { State = V1.DeviceState.InService, Site = "Lund", Model = "M1137" });
        count.Add(new V1.Device { State = V1.DeviceState.InService, Site = "Oslo", Model = "M1137" });

        Assert.Equal([Strategy], strategies.Asked);
        Assert.Equal(["Lund: 1", "Oslo: 1"], count.ToFleet().Groups.Select(group => $"{group.Fields["site"]}: {group.Members}"));
    }

    [Fact]
    public async Task CourseOfAsync_OfARolloutWithItsOwnWaves_AsksNobody()
    {
        var strategies = new PlayedStrategies();
        var rollout = new V1.Rollout { Waves = { new V1.WaveSpec { Percent = 100 } } };

        Assert.Same(rollout, await SimulateRollout.CourseOfAsync(strategies, rollout, TestContext.Current.CancellationToken));
        Assert.Null(await SimulateRollout.CourseOfAsync(strategies, null, TestContext.Current.CancellationToken));
        Assert.Empty(strategies.Asked);
    }

    /// <summary>A server with one strategy, whose first wave is of one site.</summary>
    private sealed class PlayedStrategies : V1.Strategies.StrategiesClient
    {
        public List<string> Asked { get; } = [];

        public override AsyncUnaryCall<V1.Strategy> GetStrategyAsync(
            V1.GetStrategyRequest request, Metadata? headers, DateTime? deadline, CancellationToken cancellationToken)
        {
            Asked.Add(request.Name);
            var waves = new[] { new V1.WaveSpec { Count = 5, Filter = "site = Lund" }, new V1.WaveSpec { Percent = 100 } };
            return new AsyncUnaryCall<V1.Strategy>(
                Task.FromResult(new V1.Strategy { Name = Strategy, Rollout = new V1.Rollout { Waves = { waves } } }),
                Task.FromResult(new Metadata()),
                () => Status.DefaultSuccess,
                () => [],
                () => { });
        }
    }
}
