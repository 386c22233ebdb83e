using Muster.Contracts.Rollouts;
using Muster.Domain;
using Muster.Domain.Operators;
using Muster.Domain.Rollouts;
using V1 = Muster.Protocol.V1;

namespace Muster.Gateway.Tests.Grpc;

public sealed class RolloutRollBackServiceTests
{
    private const string Name = "tenants/default/rollouts/spring";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task RollBackRollout_ByAnOperator_HandsOnWhoAndWhyAndShowsBothWays()
    {
        await using var edge = await OperatorsEdge.StartAsync();
        RollBackRollout? ordered = null;
        edge.Fleet.On<IRolloutGrain, RolloutReply>(nameof(IRolloutGrain.RollBackAsync), (_, args) =>
        {
            ordered = (RollBackRollout)args[0]!;
            return new RolloutReply(Turned(), [new WaveReport([WaitingOn.LaterWave])], 0, null);
        });

        var shown = await Client(edge, OperatorRole.Operator).RollBackRolloutAsync(
            new V1.RollBackRolloutRequest { Name = Name, Reason = "boot loops" }, cancellationToken: Stop);

        Assert.Equal((Actor.Operator("anna"), "boot loops"), (ordered!.Actor, ordered.Reason));
        Assert.Equal([OperatorRole.Operator], ordered.Roles);
        Assert.Equal((V1.RolloutState.RollingBack, 1), (shown.State, shown.RollBack.Wave));
        Assert.Equal("wave 0: LATER_WAVE", shown.WaitingOn);
        var wave = Assert.Single(shown.WaveStatus);
        Assert.Equal((V1.WaveState.Skipped, 3L), (wave.State, wave.Untouched));
        Assert.Equal((V1.WaveState.Passed, 2L, 1L), (wave.WayThere.State, wave.WayThere.Succeeded, wave.WayThere.Failed));
        Assert.Equal("NO_WAY_BACK", Assert.Single(wave.Skips).Reason);
    }

    [Fact]
    public async Task RollBackRollout_ByAViewer_IsDenied()
    {
        await using var edge = await OperatorsEdge.StartAsync();

        var (code, _, _) = await Samples.RefusedAsync(async () => await Client(edge, OperatorRole.Viewer).RollBackRolloutAsync(
            new V1.RollBackRolloutRequest { Name = Name }, cancellationToken: Stop));

        Assert.Equal(global::Grpc.Core.StatusCode.PermissionDenied, code);
    }

    private static V1.Rollouts.RolloutsClient Client(OperatorsEdge edge, OperatorRole role) => new(edge.Connect("anna", role));

    private static Rollout Turned() => new()
    {
        Tenant = TenantId.Default,
        Id = ResourceId.TryParse("spring", out var id) ? id : throw new FormatException(),
        Spec = new RolloutSpec
        {
            ImageDigest = new string('a', 64),
            TargetVersion = "12.1.0",
            Waves = [new WaveSpec(Amount.Percent(100), 100, 1, TimeSpan.Zero, ConnectedOnly: false)],
        },
        Plan = RolloutPlan.Draft with
        {
            State = RolloutState.RollingBack,
            Epoch = 3,
            Members = 4,
            RollBack = new RollBackPlan(Samples.At, 1, 4),
            Waves =
            [
                new WavePlan
                {
                    Cut = new WaveCut(0, "", false, 4, 0, 0),
                    State = WaveState.Skipped,
                    Totals = new ShareTotals
                    {
                        Members = 4,
                        Untouched = 3,
                        Skipped = 1,
                        Skips = new SkipTotals([.. Enumerable.Range(0, MemberReasons.Count)
                            .Select(reason => reason == (int)MemberReason.NoWayBack ? 1 : 0)]),
                    },
                    Forward = new WayThere(
                        WaveState.Passed, Samples.At, Samples.At, new ShareTotals { Members = 4, Succeeded = 2, Failed = 1 }),
                },
            ],
        },
        CreatedBy = Actor.Operator("anna"),
        CreatedAt = Samples.At,
        RequestId = "",
    };
}
