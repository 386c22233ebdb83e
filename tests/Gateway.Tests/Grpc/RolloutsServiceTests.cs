using Google.Protobuf.WellKnownTypes;
using Google.Rpc;
using Grpc.Core;
using Muster.Contracts.Rollouts;
using Muster.Domain;
using Muster.Domain.Operators;
using Muster.Domain.Rollouts;
using V1 = Muster.Protocol.V1;

namespace Muster.Gateway.Tests.Grpc;

public sealed class RolloutsServiceTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task CreateRollout_WithDefaults_HandsOnTheSpecAndAnswersWithTheDraft()
    {
        await using var edge = await OperatorsEdge.StartAsync();
        CreateRollout? created = null;
        edge.Fleet.On<IRolloutGrain, RolloutReply>(nameof(IRolloutGrain.CreateAsync), (key, args) =>
        {
            created = (CreateRollout)args[0]!;
            return new RolloutReply(RolloutOf(key, created, RolloutPlan.Draft), [], 0, null);
        });

        var first = await Client(edge).CreateRolloutAsync(Creation(), cancellationToken: Stop);
        var seed = created!.Spec.Seed;
        var second = await Client(edge).CreateRolloutAsync(Creation(), cancellationToken: Stop);

        Assert.Equal(V1.RolloutState.Draft, first.State);
        Assert.Equal(first, second);
        Assert.Equal(seed, created.Spec.Seed);
        Assert.Equal([true, false], created.Spec.Waves.Select(wave => wave.ConnectedOnly));
        Assert.Equal([Amount.Count(5), Amount.Percent(100)], created.Spec.Waves.Select(wave => wave.Size));
        Assert.Equal([100, 90], created.Spec.Waves.Select(wave => wave.SuccessPercent));
        Assert.Equal(FailureGate.Off, created.Spec.FailureGate);
        Assert.Equal(RolloutSpec.InProgressTimeoutDefault, created.Spec.InProgressTimeout);
    }

    [Fact]
    public async Task CreateRollout_ValidateOnly_SaysHowManyMatch()
    {
        await using var edge = await OperatorsEdge.StartAsync();
        edge.Fleet.On<IRolloutGrain, RolloutReply>(nameof(IRolloutGrain.CreateAsync), (_, _) => new RolloutReply(null, [], 42, null));
        var request = Creation();
        request.ValidateOnly = true;

        var preview = await Client(edge).CreateRolloutAsync(request, cancellationToken: Stop);

        Assert.Equal(42, preview.Members);
        Assert.Equal(V1.RolloutState.Unspecified, preview.State);
    }

    [Fact]
    public async Task CreateRollout_WithASpecThatMakesNoSense_TellsAllProblems()
    {
        await using var edge = await OperatorsEdge.StartAsync();
        edge.Fleet.On<IRolloutGrain, RolloutReply>(nameof(IRolloutGrain.CreateAsync), (_, args) =>
        {
            var spec = ((CreateRollout)args[0]!).Spec with { TargetVersion = "12" };
            return RolloutReply.Refused(RolloutErrors.SpecInvalid(RolloutSpecRules.Validate(spec)));
        });
        var request = Creation();
        request.Rollout.Waves[0].SuccessPercent = 101;
        request.Rollout.Filter = "colour = red";

        var (code, reason, status) = await Samples.RefusedAsync(
            async () => await Client(edge).CreateRolloutAsync(request, cancellationToken: Stop));

        Assert.Equal((StatusCode.InvalidArgument, "ROLLOUT_SPEC_INVALID"), (code, reason));
        Assert.Equal(
            ["filter", "waves[0].success_percent"], status.GetDetail<BadRequest>()!.FieldViolations.Select(violation => violation.Field));
    }

    [Fact]
    public async Task StartRollout_ForNoDevice_IsAFailedPrecondition()
    {
        await using var edge = await OperatorsEdge.StartAsync();
        edge.Fleet.On<IRolloutGrain, RolloutReply>(
            nameof(IRolloutGrain.StartAsync), (_, _) => RolloutReply.Refused(RolloutErrors.NoDevices("spring", "site = Mars")));

        var (code, reason, status) = await Samples.RefusedAsync(async () => await Client(edge).StartRolloutAsync(
            new V1.StartRolloutRequest { Name = "tenants/default/rollouts/spring" }, cancellationToken: Stop));

        Assert.Equal((StatusCode.FailedPrecondition, "ROLLOUT_MATCHES_NO_DEVICE"), (code, reason));
        Assert.Equal("rollout/spring", Assert.Single(status.GetDetail<PreconditionFailure>()!.Violations).Subject);
    }

    [Theory]
    [InlineData("")]
    [InlineData("tenants/default/rollouts/")]
    [InlineData("tenants/default/rollouts/Spring")]
    [InlineData("tenants/default/devices/spring")]
    [InlineData("tenants/default/rollouts/spring/more")]
    public async Task GetRollout_OfAMalformedName_IsInvalid(string name)
    {
        await using var edge = await OperatorsEdge.StartAsync();

        var (code, reason, _) = await Samples.RefusedAsync(
            async () => await Client(edge).GetRolloutAsync(new V1.GetRolloutRequest { Name = name }, cancellationToken: Stop));

        Assert.Equal((StatusCode.InvalidArgument, "REQUEST_INVALID"), (code, reason));
    }

    [Fact]
    public async Task CreateRollout_WithAnEndlessDuration_IsInvalid()
    {
        await using var edge = await OperatorsEdge.StartAsync();
        var request = Creation();
        request.Rollout.Waves[0].Soak = new Duration { Seconds = long.MaxValue };

        var (_, reason, status) = await Samples.RefusedAsync(
            async () => await Client(edge).CreateRolloutAsync(request, cancellationToken: Stop));

        Assert.Equal("REQUEST_INVALID", reason);
        Assert.Equal("rollout.waves[0].soak", Assert.Single(status.GetDetail<BadRequest>()!.FieldViolations).Field);
    }

    [Fact]
    public async Task WatchRollout_UntilItHasEnded_SendsEachChangeOnce()
    {
        await using var edge = await OperatorsEdge.StartAsync();
        var plans = new Queue<RolloutState>([
            RolloutState.Running, RolloutState.Running, RolloutState.Suspended, RolloutState.Running, RolloutState.Succeeded]);
        var command = new CreateRollout(Actor.Operator("anna"), "r1", SpecOf(), false);
        edge.Fleet.On<IRolloutGrain, RolloutReply>(nameof(IRolloutGrain.GetAsync), (key, _) =>
            new RolloutReply(RolloutOf(key, command, RolloutPlan.Draft with { State = plans.Dequeue() }), [], 0, null));
        using var call = Client(edge).WatchRollout(
            new V1.WatchRolloutRequest { Name = "tenants/default/rollouts/spring" }, cancellationToken: Stop);
        var states = new List<V1.RolloutState>();

        await foreach (var rollout in call.ResponseStream.ReadAllAsync(Stop))
        {
            states.Add(rollout.State);
        }

        Assert.Equal([V1.RolloutState.Running, V1.RolloutState.Suspended, V1.RolloutState.Running, V1.RolloutState.Succeeded], states);
    }

    private static V1.Rollouts.RolloutsClient Client(OperatorsEdge edge) => new(edge.Connect("anna", OperatorRole.Operator));

    private static V1.CreateRolloutRequest Creation() => new()
    {
        Parent = "tenants/default",
        RolloutId = "spring",
        RequestId = "r1",
        Rollout = new V1.Rollout
        {
            Image = "tenants/default/images/" + new string('a', 64),
            Waves = { new V1.WaveSpec { Count = 5 }, new V1.WaveSpec { Percent = 100, SuccessPercent = 90 } },
        },
    };

    private static RolloutSpec SpecOf() => new()
    {
        ImageDigest = new string('a', 64),
        TargetVersion = "12.1.0",
        Waves = [new WaveSpec(Amount.Percent(100), 100, 1, TimeSpan.Zero, false)],
    };

    private static Rollout RolloutOf(string key, CreateRollout command, RolloutPlan plan)
    {
        var (tenant, id) = RolloutKey.Parse(key);
        return new Rollout
        {
            Tenant = tenant,
            Id = id,
            Spec = command.Spec,
            Plan = plan,
            CreatedBy = command.Actor,
            CreatedAt = Samples.At,
            RequestId = command.RequestId,
        };
    }
}
