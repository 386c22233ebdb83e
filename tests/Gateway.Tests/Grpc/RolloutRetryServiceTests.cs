using Google.Rpc;
using Grpc.Core;
using Muster.Contracts.Rollouts;
using Muster.Domain;
using Muster.Domain.Devices;
using Muster.Domain.Operators;
using Muster.Domain.Rollouts;
using Muster.Domain.Strategies;
using V1 = Muster.Protocol.V1;

namespace Muster.Gateway.Tests.Grpc;

public sealed class RolloutRetryServiceTests
{
    private const string Name = "tenants/default/rollouts/spring";

    private static readonly RolloutSpec Spring = new()
    {
        ImageDigest = new string('a', 64),
        TargetVersion = "12.1.0",
        Filter = "site = Lund",
        Seed = 42,
        Waves = [new WaveSpec(Amount.Percent(100), 100, 1, TimeSpan.Zero, ConnectedOnly: false)],
        FailureGate = new FailureGate(3, null, 1),
        DevicesPerMinute = 50,
        ApprovalsRequired = 1,
    };

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task RetryRollout_WithNothingNew_OrdersWhatWasOrderedOfTheRest()
    {
        await using var edge = await OperatorsEdge.StartAsync();
        var created = Serve(edge, Spring);

        var shown = await Client(edge).RetryRolloutAsync(Request(), cancellationToken: Stop);

        var (key, command) = Assert.Single(created);
        Assert.Equal("default/spring-rest", key);
        Assert.Equal((Actor.Operator("anna"), "r1", false), (command.Actor, command.RequestId, command.ValidateOnly));
        Assert.Equal(Spring with { RetryOf = IdOf("spring") }, command.Spec);
        Assert.Equal((Name, 42L, "site = Lund"), (shown.RetryOf, shown.Seed, shown.Filter));
        Assert.Empty(shown.Approvals);
    }

    [Theory]
    [InlineData("site = Lund", "model = M1137 OR model = Q1656", "(site = Lund) AND (model = M1137 OR model = Q1656)")]
    [InlineData("", "model = M1137", "model = M1137")]
    [InlineData("site = Lund", "", "site = Lund")]
    public async Task RetryRollout_OfSomeOfTheRest_OrdersItOfThoseThatMatchBothFilters(string filter, string more, string expected)
    {
        await using var edge = await OperatorsEdge.StartAsync();
        var created = Serve(edge, Spring with { Filter = filter });
        var request = Request();
        request.Filter = more;

        await Client(edge).RetryRolloutAsync(request, cancellationToken: Stop);

        var spec = Assert.Single(created).Command.Spec;
        Assert.Equal(Spring with { RetryOf = IdOf("spring"), Filter = expected }, spec);
        Assert.Empty(RolloutSpecRules.Validate(spec with { TargetVersion = "12" }));
    }

    [Theory]
    [InlineData(null, "model = M1137 OR model = Q1656", "model = M1137 OR model = Q1656")]
    [InlineData("site = Lund OR site = Oslo", "model = M1137", "(site = Lund OR site = Oslo) AND (model = M1137)")]
    public async Task RetryRollout_WithAFilterOfAWave_PutsItBesideTheWavesOwn(string? own, string more, string expected)
    {
        await using var edge = await OperatorsEdge.StartAsync();
        var retried = Spring with { Waves = [Spring.Waves[0] with { Filter = own }] };
        var created = Serve(edge, retried);
        var request = Request();
        request.WaveFilters.Add(new V1.WaveFilter { Wave = 0, Filter = more });

        var shown = await Client(edge).RetryRolloutAsync(request, cancellationToken: Stop);

        Assert.Equal(
            Spring with { RetryOf = IdOf("spring"), Waves = [Spring.Waves[0] with { Filter = expected }] },
            Assert.Single(created).Command.Spec);
        Assert.Equal(expected, Assert.Single(shown.Waves).Filter);
    }

    /// <summary>Each is a filter, and both together are not; the waves are those of the request where it has some.</summary>
    [Fact]
    public async Task RetryRollout_WithAFilterThatIsTooLongWithTheWavesOwn_SaysWhichAndOrdersNothing()
    {
        await using var edge = await OperatorsEdge.StartAsync();
        var created = Serve(edge, Spring);
        var request = Request();
        request.Waves.Add(new V1.WaveSpec { Count = 2 });
        request.Waves.Add(new V1.WaveSpec { Count = 4, Filter = $"site = {new string('a', 2_500)}" });
        request.WaveFilters.Add(new V1.WaveFilter { Wave = 0, Filter = "model = M1137" });
        request.WaveFilters.Add(new V1.WaveFilter { Wave = 1, Filter = $"model = {new string('b', 2_500)}" });
        request.WaveFilters.Add(new V1.WaveFilter { Wave = 2, Filter = "model = M1137" });

        var (_, reason, status) = await Samples.RefusedAsync(
            async () => await Client(edge).RetryRolloutAsync(request, cancellationToken: Stop));

        Assert.Equal("ROLLOUT_SPEC_INVALID", reason);
        Assert.Empty(created);
        var violations = status.GetDetail<BadRequest>()!.FieldViolations;
        Assert.Equal(["wave_filters[1].filter", "wave_filters[2].wave"], violations.Select(violation => violation.Field));
        Assert.Equal("there is no wave 2; the 2 waves count from 0", violations[1].Description);
    }

    /// <summary>Who is of a rest is known: nobody joins it.</summary>
    [Fact]
    public async Task RetryRollout_OfARolloutWithLateJoiners_OrdersOneWithout()
    {
        await using var edge = await OperatorsEdge.StartAsync();
        var created = Serve(edge, Spring with { IncludeLateJoiners = true });

        await Client(edge).RetryRolloutAsync(Request(), cancellationToken: Stop);

        Assert.Equal(Spring with { RetryOf = IdOf("spring") }, Assert.Single(created).Command.Spec);
    }

    [Fact]
    public async Task RetryRollout_WithWavesGateAndSeed_TakesThemInsteadAndCountsWhenOnlyAsked()
    {
        await using var edge = await OperatorsEdge.StartAsync();
        var created = Serve(edge, Spring with { ImageDigest = "", Settings = [new DeviceSetting("a", "b")], ApprovalsRequired = 0 });
        var request = Request();
        request.ValidateOnly = true;
        request.Waves.Add(new V1.WaveSpec { Count = 2 });
        request.FailureGate = new V1.FailureGate { FailurePercent = 20, Action = V1.FailureAction.Abort };
        request.Seed = 0;

        var shown = await Client(edge).RetryRolloutAsync(request, cancellationToken: Stop);

        var spec = Assert.Single(created).Command.Spec;
        Assert.Equal(Amount.Count(2), Assert.Single(spec.Waves).Size);
        Assert.Equal(new FailureGate(null, 20, 1) { Action = FailureAction.Abort }, spec.FailureGate);
        Assert.Equal((0L, 50), (spec.Seed, spec.DevicesPerMinute));
        Assert.NotNull(spec.Settings);
        Assert.Equal(5, shown.Members);
    }

    /// <summary>Whether it goes by the strategy is the grain's to say, by the course.</summary>
    [Fact]
    public async Task RetryRollout_OfOneFromAStrategy_ClaimsNoStrategyAndHasItsCourse()
    {
        await using var edge = await OperatorsEdge.StartAsync();
        var spring = Spring with { Strategy = new RolloutStrategy(IdOf("canary"), 3, 7) };
        var created = Serve(edge, spring);

        await Client(edge).RetryRolloutAsync(Request(), cancellationToken: Stop);

        var command = Assert.Single(created).Command;
        Assert.Null(command.Strategy);
        Assert.Null(command.Spec.Strategy);
        Assert.Equal(StrategyCourse.Of(spring), StrategyCourse.Of(command.Spec));
    }

    [Fact]
    public async Task RetryRollout_OfOneThatIsNotThere_IsNotFound()
    {
        await using var edge = await OperatorsEdge.StartAsync();
        edge.Fleet.On<IRolloutGrain, RolloutReply>(
            nameof(IRolloutGrain.GetAsync), (_, _) => RolloutReply.Refused(RolloutErrors.NotFound("spring")));

        var (code, reason, _) = await Samples.RefusedAsync(
            async () => await Client(edge).RetryRolloutAsync(Request(), cancellationToken: Stop));

        Assert.Equal((StatusCode.NotFound, "NOT_FOUND"), (code, reason));
    }

    [Fact]
    public async Task RetryRollout_OfOneThatRuns_SaysWhatToDo()
    {
        await using var edge = await OperatorsEdge.StartAsync();
        Serve(edge, Spring);
        edge.Fleet.On<IRolloutGrain, RolloutReply>(
            nameof(IRolloutGrain.CreateAsync), (_, _) => RolloutReply.Refused(RolloutErrors.NotEnded("spring", RolloutState.Running)));

        var (code, reason, _) = await Samples.RefusedAsync(
            async () => await Client(edge).RetryRolloutAsync(Request(), cancellationToken: Stop));

        Assert.Equal((StatusCode.FailedPrecondition, "ROLLOUT_NOT_ENDED"), (code, reason));
    }

    [Fact]
    public async Task RetryRollout_ThatIsMalformed_TellsEachField()
    {
        await using var edge = await OperatorsEdge.StartAsync();
        var request = Request();
        (request.Name, request.RolloutId, request.RequestId) = ("spring", "Spring", "");
        request.Waves.Add(new V1.WaveSpec { MinSucceeded = -1, Filter = "site = Lund) OR (site = Oslo" });
        request.FailureGate = new V1.FailureGate { FailureCount = -1 };
        request.Filter = "site = Lund)";
        request.WaveFilters.Add(new V1.WaveFilter { Wave = -1, Filter = "site = Lund) OR (site = Oslo" });
        request.WaveFilters.Add(new V1.WaveFilter { Wave = -1 });

        var (_, reason, status) = await Samples.RefusedAsync(
            async () => await Client(edge).RetryRolloutAsync(request, cancellationToken: Stop));

        Assert.Equal("REQUEST_INVALID", reason);
        Assert.Equal(
            [
                "name", "rollout_id", "request_id", "waves[0].size", "waves[0].min_succeeded", "failure_gate.failure_count", "filter",
                "waves[0].filter", "wave_filters[0].wave", "wave_filters[0].filter", "wave_filters[1].wave", "wave_filters[1].wave",
                "wave_filters[1].filter",
            ],
            status.GetDetail<BadRequest>()!.FieldViolations.Select(violation => violation.Field));
    }

    [Fact]
    public async Task RetryRollout_ByAViewer_IsDenied()
    {
        await using var edge = await OperatorsEdge.StartAsync();

        var (code, _, _) = await Samples.RefusedAsync(async () => await new V1.Rollouts.RolloutsClient(
            edge.Connect("anna", OperatorRole.Viewer)).RetryRolloutAsync(Request(), cancellationToken: Stop));

        Assert.Equal(StatusCode.PermissionDenied, code);
    }

    [Theory]
    [InlineData("tenants/default/rollouts/spring", null)]
    [InlineData("tenants/acme/rollouts/spring", "PERMISSION_DENIED")]
    [InlineData("spring", "REQUEST_INVALID")]
    public async Task CreateRollout_ThatNamesWhatItRetries_TakesOneOfItsTenant(string retried, string? expected)
    {
        await using var edge = await OperatorsEdge.StartAsync();
        var created = Serve(edge, Spring);
        var request = new V1.CreateRolloutRequest
        {
            Parent = "tenants/default",
            RolloutId = "spring-rest",
            RequestId = "r1",
            Rollout = new V1.Rollout { Image = Image, RetryOf = retried, Waves = { new V1.WaveSpec { Percent = 100 } } },
        };

        if (expected is null)
        {
            await Client(edge).CreateRolloutAsync(request, cancellationToken: Stop);
            Assert.Equal("spring", Assert.Single(created).Command.Spec.RetryOf?.Value);
            return;
        }

        var (_, reason, _) = await Samples.RefusedAsync(
            async () => await Client(edge).CreateRolloutAsync(request, cancellationToken: Stop));
        Assert.Equal(expected, reason);
        Assert.Empty(created);
    }

    [Theory]
    [InlineData(null, true)]
    [InlineData(7L, false)]
    public async Task UpdateRollout_WithAndWithoutASeed_SaysWhetherTheDraftKeepsItsOwn(long? seed, bool keeps)
    {
        await using var edge = await OperatorsEdge.StartAsync();
        UpdateRollout? updated = null;
        edge.Fleet.On<IRolloutGrain, RolloutReply>(nameof(IRolloutGrain.UpdateAsync), (key, args) =>
        {
            updated = (UpdateRollout)args[0]!;
            return new RolloutReply(RolloutOf(key, updated.Spec), [], 0, null);
        });
        var rollout = new V1.Rollout { Name = Name, Image = Image, Waves = { new V1.WaveSpec { Percent = 100 } } };
        if (seed is { } given)
        {
            rollout.Seed = given;
        }

        await Client(edge).UpdateRolloutAsync(new V1.UpdateRolloutRequest { Rollout = rollout }, cancellationToken: Stop);

        Assert.Equal(keeps, updated!.KeepsSeed);
        Assert.True(seed is null || updated.Spec.Seed == seed);
    }

    private static string Image => $"tenants/default/images/{new string('a', 64)}";

    private static V1.RetryRolloutRequest Request() => new() { Name = Name, RolloutId = "spring-rest", RequestId = "r1" };

    private static V1.Rollouts.RolloutsClient Client(OperatorsEdge edge) => new(edge.Connect("anna", OperatorRole.Operator));

    private static ResourceId IdOf(string text) => ResourceId.TryParse(text, out var id) ? id : throw new FormatException(text);

    /// <summary>There is a rollout with the spec, and what is created is kept.</summary>
    private static List<(string Key, CreateRollout Command)> Serve(OperatorsEdge edge, RolloutSpec spec)
    {
        var created = new List<(string, CreateRollout)>();
        edge.Fleet.On<IRolloutGrain, RolloutReply>(
            nameof(IRolloutGrain.GetAsync), (key, _) => new RolloutReply(RolloutOf(key, spec), [], 0, null));
        edge.Fleet.On<IRolloutGrain, RolloutReply>(nameof(IRolloutGrain.CreateAsync), (key, args) =>
        {
            var command = (CreateRollout)args[0]!;
            created.Add((key, command));
            return new RolloutReply(RolloutOf(key, command.Spec), [], command.ValidateOnly ? 5 : 0, null);
        });
        return created;
    }

    private static Rollout RolloutOf(string key, RolloutSpec spec) => new()
    {
        Tenant = TenantId.Default,
        Id = RolloutKey.Parse(key).Rollout,
        Spec = spec,
        Plan = RolloutPlan.Draft,
        CreatedBy = Actor.Operator("anna"),
        CreatedAt = Samples.At,
        RequestId = "r1",
    };
}
