using Google.Protobuf.WellKnownTypes;
using Google.Rpc;
using Grpc.Core;
using Muster.Domain.Operators;
using V1 = Muster.Protocol.V1;

namespace Muster.Gateway.Tests.Grpc;

public sealed class RolloutSimulationsTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task SimulateRollout_OfAGoodAndABadImage_AnswersWithBothAndAsksNoGrain()
    {
        await using var edge = await OperatorsEdge.StartAsync();

        var answer = await Client(edge).SimulateRolloutAsync(Request(), cancellationToken: Stop);
        var again = await Client(edge).SimulateRolloutAsync(Request(), cancellationToken: Stop);

        Assert.Equal(answer, again);
        Assert.Equal((20, [10, 90]), (answer.Runs, answer.Waves));
        Assert.Equal((100, 0), (answer.Good.SucceededPercent, answer.Good.HaltedPercent));
        Assert.InRange(answer.Good.SucceededAfter.P50.Seconds, 1_200, 1_300);
        Assert.Null(answer.Good.HaltedAfter);
        Assert.Equal((100, 100), (answer.Bad.HaltedPercent, answer.Bad.HaltedInTimePercent));
        Assert.Equal((10, 10), (answer.Bad.TouchedBeforeHalt.P95, answer.TouchedPercentMax));
    }

    /// <summary>Two steps before each: three times ten minutes in either wave. Who says nothing of them is told so.</summary>
    [Fact]
    public async Task SimulateRollout_OfARolloutThatTakesItsSteps_CountsEachAsAnOffer()
    {
        await using var edge = await OperatorsEdge.StartAsync();
        var request = Request();
        request.Rollout.TakeSteps = true;
        var without = await Client(edge).SimulateRolloutAsync(request, cancellationToken: Stop);
        request.Fleet.BelowSteps.Add([100, 100]);

        var answer = await Client(edge).SimulateRolloutAsync(request, cancellationToken: Stop);

        Assert.StartsWith("take_steps: ", Assert.Single(without.LeftOut), StringComparison.Ordinal);
        Assert.InRange(without.Good.SucceededAfter.P50.Seconds, 1_200, 1_300);
        Assert.Empty(answer.LeftOut);
        Assert.InRange(answer.Good.SucceededAfter.P50.Seconds, 3_600, 3_700);
    }

    /// <summary>A start would take these devices alone, and the simulation takes the fleet as it is.</summary>
    [Fact]
    public async Task SimulateRollout_OfARolloutThatChoosesItsMembers_SaysThatTheFleetDoes()
    {
        await using var edge = await OperatorsEdge.StartAsync();
        var request = Request();
        request.Rollout.Filter = "site = Lund";
        request.Rollout.RetryOf = "tenants/default/rollouts/spring";

        var answer = await Client(edge).SimulateRolloutAsync(request, cancellationToken: Stop);

        Assert.Equal(
            ["filter (site = Lund)", "retry_of (tenants/default/rollouts/spring)"], answer.LeftOut.Select(text => text.Split(':')[0]));
    }

    [Fact]
    public async Task SimulateRollout_OfWhatCannotRun_NamesEveryField()
    {
        await using var edge = await OperatorsEdge.StartAsync();
        var request = Request();
        request.Fleet.Connected = 101;
        request.Assumptions.FailurePercent = -1;
        request.Rollout.Waves[0].SuccessPercent = 101;

        var refused = await Assert.ThrowsAsync<RpcException>(() =>
            Client(edge).SimulateRolloutAsync(request, cancellationToken: Stop).ResponseAsync);

        var details = refused.GetRpcStatus()!.GetDetail<ErrorInfo>();
        Assert.Equal("ROLLOUT_SPEC_INVALID", details.Reason);
        Assert.Equal(["connected", "failure_percent", "waves[0].success_percent"], details.Metadata.Keys.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task SimulateRollout_BesideAnother_IsRefusedAndTheFirstEndsWithItsCaller()
    {
        await using var edge = await OperatorsEdge.StartAsync();
        var large = Request();
        (large.Fleet.Members, large.Runs) = (2_000, 10_000);
        using var enough = new CancellationTokenSource();
        var first = StartLarge();

        // Which of the two comes first is not known before the small one is refused: the large one may be it, and begins again.
        RpcException? refused = null;
        while (refused is null)
        {
            first = first.IsCompleted ? StartLarge() : first;
            refused = await TryAsync();
        }

        Assert.Equal(StatusCode.ResourceExhausted, refused.StatusCode);
        await enough.CancelAsync();
        await Assert.ThrowsAsync<RpcException>(() => first);
        while (await TryAsync() is not null)
        {
            await Task.Delay(10, Stop);
        }

        Task<V1.SimulateRolloutResponse> StartLarge() =>
            Client(edge).SimulateRolloutAsync(large, cancellationToken: enough.Token).ResponseAsync;

        async Task<RpcException?> TryAsync()
        {
            try
            {
                await Client(edge).SimulateRolloutAsync(Request(), cancellationToken: Stop);
                return null;
            }
            catch (RpcException exhausted)
            {
                return exhausted;
            }
        }
    }

    private static V1.Rollouts.RolloutsClient Client(OperatorsEdge edge) => new(edge.Connect("anna", OperatorRole.Viewer));

    private static V1.SimulateRolloutRequest Request()
    {
        var ten = Duration.FromTimeSpan(TimeSpan.FromMinutes(10));
        return new V1.SimulateRolloutRequest
        {
            Parent = "tenants/default",
            Rollout = new V1.Rollout { Waves = { new V1.WaveSpec { Count = 10 }, new V1.WaveSpec { Percent = 100 } } },
            Fleet = new V1.SimulatedFleet { Members = 100 },
            Assumptions = new V1.SimulationAssumptions
            {
                FailurePercent = 0,
                BadFailurePercent = 100,
                SilentPercent = 0,
                TakesMedian = ten,
                TakesAtMost = ten,
            },
            Runs = 20,
        };
    }
}
