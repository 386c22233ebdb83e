using Google.Protobuf.WellKnownTypes;
using Google.Rpc;
using Grpc.Core;
using Muster.Contracts.Rollouts;
using Muster.Domain;
using Muster.Domain.Operators;
using Muster.Domain.Rollouts;
using Muster.Domain.Strategies;
using V1 = Muster.Protocol.V1;

namespace Muster.Gateway.Tests.Grpc;

public sealed class StrategiesServiceTests
{
    private const string Parent = "tenants/default";

    private const string Canary = Parent + "/strategies/canary";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task CreateGetUpdateListAndDelete_OfAnAdministrator_AreTheGrains()
    {
        await using var edge = await OperatorsEdge.StartAsync();
        var set = new FakeStrategies(edge);
        var client = Administrator(edge);
        var course = Course();

        var created = await client.CreateStrategyAsync(Creation(course), cancellationToken: Stop);
        course.Waves[0].Count = 7;
        var updated = await client.UpdateStrategyAsync(
            new V1.UpdateStrategyRequest { Strategy = new V1.Strategy { Name = Canary, Rollout = course, Etag = created.Etag } },
            cancellationToken: Stop);
        var newest = await client.GetStrategyAsync(new V1.GetStrategyRequest { Name = Canary }, cancellationToken: Stop);
        var first = await client.GetStrategyAsync(new V1.GetStrategyRequest { Name = Canary + "@1" }, cancellationToken: Stop);
        var listed = await client.ListStrategiesAsync(new V1.ListStrategiesRequest { Parent = Parent }, cancellationToken: Stop);
        var versions = await client.ListStrategyVersionsAsync(
            new V1.ListStrategyVersionsRequest { Name = Canary }, cancellationToken: Stop);
        await client.DeleteStrategyAsync(new V1.DeleteStrategyRequest { Name = Canary, Etag = updated.Etag }, cancellationToken: Stop);

        Assert.Equal((Canary, 1L, "operator/anna", "for the fleet"), (
            created.Name, created.Version, created.ChangedBy, created.Description));
        Assert.Equal(2, updated.Version);
        Assert.Equal(updated, newest);
        Assert.Equal(created, first);
        Assert.Equal([updated], listed.Strategies);
        Assert.Equal([updated, created], versions.Strategies);
        Assert.Empty(set.Set.Strategies);

        // What a strategy shows is what it takes: the same again is no new version.
        Assert.Equal(7, newest.Rollout.Waves[0].Count);
        var gate = newest.Rollout.FailureGate;
        Assert.Equal((50, 3, V1.FailureAction.Abort), (newest.Rollout.DevicesPerMinute, gate.FailureCount, gate.Action));
        Assert.Equal(("", "", false, 0), (
            newest.Rollout.Image, newest.Rollout.Filter, newest.Rollout.AllowTrackChange, newest.Rollout.Settings.Count));
        var again = await client.CreateStrategyAsync(Creation(newest.Rollout), cancellationToken: Stop);
        Assert.Equal(newest.Rollout, again.Rollout);
    }

    [Fact]
    public async Task SiteRules_AreWrittenAsAWholeAndShownAsTheyWere()
    {
        await using var edge = await OperatorsEdge.StartAsync();
        _ = new FakeStrategies(edge);
        var client = Administrator(edge);
        await client.CreateStrategyAsync(Creation(Course()), cancellationToken: Stop);

        var none = await client.GetSiteRulesAsync(new V1.GetSiteRulesRequest { Name = Parent + "/siteRules" }, cancellationToken: Stop);
        var written = await client.UpdateSiteRulesAsync(Rules(none.Etag, ("berlin", 0), ("plant-*", 1)), cancellationToken: Stop);
        var read = await client.GetSiteRulesAsync(new V1.GetSiteRulesRequest { Name = Parent + "/siteRules" }, cancellationToken: Stop);
        var (code, reason, _) = await Samples.RefusedAsync(
            async () => await client.UpdateSiteRulesAsync(Rules(none.Etag, ("lund", 1)), cancellationToken: Stop));
        var (_, inUse, _) = await Samples.RefusedAsync(
            async () => await client.DeleteStrategyAsync(new V1.DeleteStrategyRequest { Name = Canary }, cancellationToken: Stop));

        Assert.Equal(("", null, 0), (none.ChangedBy, none.ChangedAt, none.Rules.Count));
        Assert.Equal(written, read);
        Assert.Equal(
            [("berlin", Canary, 1L), ("plant-*", Canary, 1L)],
            read.Rules.Select(rule => (rule.Site, rule.Strategy, rule.MinimumVersion)));
        Assert.Equal("operator/anna", read.ChangedBy);
        Assert.Equal((StatusCode.FailedPrecondition, "STRATEGY_CHANGED"), (code, reason));
        Assert.Equal("STRATEGY_IN_USE", inUse);
    }

    [Theory]
    [InlineData(OperatorRole.Viewer)]
    [InlineData(OperatorRole.Operator)]
    [InlineData(OperatorRole.Approver)]
    public async Task Changes_OfAnybodyButAnAdministrator_AreDeniedAndReadingIsNot(OperatorRole role)
    {
        await using var edge = await OperatorsEdge.StartAsync();
        _ = new FakeStrategies(edge);
        var client = new V1.Strategies.StrategiesClient(edge.Connect("anna", role));

        Func<Task>[] changes =
        [
            async () => await client.CreateStrategyAsync(Creation(Course()), cancellationToken: Stop),
            async () => await client.UpdateStrategyAsync(
                new V1.UpdateStrategyRequest { Strategy = new V1.Strategy { Name = Canary, Rollout = Course() } }, cancellationToken: Stop),
            async () => await client.DeleteStrategyAsync(new V1.DeleteStrategyRequest { Name = Canary }, cancellationToken: Stop),
            async () => await client.UpdateSiteRulesAsync(Rules("", ("a", 1)), cancellationToken: Stop),
        ];
        foreach (var change in changes)
        {
            Assert.Equal(StatusCode.PermissionDenied, (await Samples.RefusedAsync(change)).Code);
        }

        Assert.Empty((await client.ListStrategiesAsync(
            new V1.ListStrategiesRequest { Parent = Parent }, cancellationToken: Stop)).Strategies);
        Assert.Empty((await client.GetSiteRulesAsync(
            new V1.GetSiteRulesRequest { Name = Parent + "/siteRules" }, cancellationToken: Stop)).Rules);
    }

    [Fact]
    public async Task CreateStrategy_WithWhatIsEachRolloutsOwn_NamesTheFields()
    {
        await using var edge = await OperatorsEdge.StartAsync();
        var course = Course();
        (course.Image, course.Filter, course.AllowTrackChange) = (Parent + "/images/" + new string('a', 64), "site = a", true);
        course.Settings.Add(new V1.Setting { Name = "a", Value = "b" });
        course.Strategy = Canary;

        var (_, reason, status) = await Samples.RefusedAsync(
            async () => await Administrator(edge).CreateStrategyAsync(Creation(course), cancellationToken: Stop));

        Assert.Equal("REQUEST_INVALID", reason);
        Assert.Equal(
            [
                "strategy.rollout.image", "strategy.rollout.filter", "strategy.rollout.allow_track_change", "strategy.rollout.settings",
                "strategy.rollout.strategy",
            ],
            status.GetDetail<BadRequest>()!.FieldViolations.Select(violation => violation.Field));
    }

    [Theory]
    [InlineData("tenants/default/strategies/canary@0")]
    [InlineData("tenants/default/strategies/canary@")]
    [InlineData("tenants/default/strategies/canary@-1")]
    [InlineData("tenants/default/strategies/canary@1@2")]
    [InlineData("tenants/default/strategies/@1")]
    [InlineData("tenants/default/rollouts/canary")]
    public async Task GetStrategy_ByWhatIsNoName_IsInvalid(string name)
    {
        await using var edge = await OperatorsEdge.StartAsync();

        var (code, reason, _) = await Samples.RefusedAsync(
            async () => await Administrator(edge).GetStrategyAsync(new V1.GetStrategyRequest { Name = name }, cancellationToken: Stop));

        Assert.Equal((StatusCode.InvalidArgument, "REQUEST_INVALID"), (code, reason));
    }

    [Fact]
    public async Task CreateRollout_FromAStrategy_HandsOnTheChoiceAndShowsTheVersion()
    {
        await using var edge = await OperatorsEdge.StartAsync();
        CreateRollout? created = null;
        edge.Fleet.On<IRolloutGrain, RolloutReply>(nameof(IRolloutGrain.CreateAsync), (_, args) =>
        {
            created = (CreateRollout)args[0]!;
            return new RolloutReply(RolloutOf(created.Spec with
            {
                Strategy = new RolloutStrategy(created.Strategy!.Strategy, 4, 9),
                Waves = [new WaveSpec(Amount.Count(5), 100, 1, TimeSpan.Zero, true)],
            }), [], 0, null);
        });

        var shown = await Operator(edge).CreateRolloutAsync(Order(Canary + "@4"), cancellationToken: Stop);
        await Operator(edge).CreateRolloutAsync(Order(Canary), cancellationToken: Stop);

        Assert.Equal(new StrategyChoice(Id("canary"), 0), created!.Strategy);
        Assert.Empty(created.Spec.Waves);
        Assert.Equal((Canary + "@4", 5), (shown.Strategy, Assert.Single(shown.Waves).Count));
    }

    [Fact]
    public async Task CreateAndUpdateRollout_WithMoreBesideAStrategy_NameTheFields()
    {
        await using var edge = await OperatorsEdge.StartAsync();
        var order = Order(Canary);
        order.Rollout.Waves.Add(new V1.WaveSpec { Percent = 100 });
        order.Rollout.FailureGate = new V1.FailureGate();
        order.Rollout.ApprovalsRequired = 1;
        order.Rollout.InProgressPolicy = V1.TimeoutPolicy.Wait;
        order.Rollout.Epoch = 3; // output only: not looked at
        string[] fields =
        [
            "rollout.waves", "rollout.failure_gate", "rollout.in_progress_policy", "rollout.approvals_required",
        ];

        var (_, reason, status) = await Samples.RefusedAsync(
            async () => await Operator(edge).CreateRolloutAsync(order, cancellationToken: Stop));
        order.Rollout.Name = Parent + "/rollouts/spring";
        var (_, _, update) = await Samples.RefusedAsync(async () => await Operator(edge).UpdateRolloutAsync(
            new V1.UpdateRolloutRequest { Rollout = order.Rollout }, cancellationToken: Stop));

        Assert.Equal("REQUEST_INVALID", reason);
        Assert.Equal(fields, status.GetDetail<BadRequest>()!.FieldViolations.Select(violation => violation.Field));
        Assert.Equal(fields, update.GetDetail<BadRequest>()!.FieldViolations.Select(violation => violation.Field));
    }

    [Fact]
    public async Task CreateRollout_FromAStrategyOfAnotherTenant_IsDenied()
    {
        await using var edge = await OperatorsEdge.StartAsync();

        var (code, _, _) = await Samples.RefusedAsync(async () => await Operator(edge).CreateRolloutAsync(
            Order("tenants/acme/strategies/canary"), cancellationToken: Stop));

        Assert.Equal(StatusCode.PermissionDenied, code);
    }

    [Fact]
    public async Task SimulateRollout_OfAStrategy_IsTheOneOfItsCourse()
    {
        await using var edge = await OperatorsEdge.StartAsync();
        _ = new FakeStrategies(edge);
        await Administrator(edge).CreateStrategyAsync(Creation(Course()), cancellationToken: Stop);
        var client = new V1.Rollouts.RolloutsClient(edge.Connect("vera", OperatorRole.Viewer));
        V1.SimulateRolloutRequest Request(V1.Rollout rollout) => new()
        {
            Parent = Parent,
            Rollout = rollout,
            Fleet = new V1.SimulatedFleet { Members = 40 },
            Runs = 20,
        };

        var named = await client.SimulateRolloutAsync(Request(new V1.Rollout { Strategy = Canary }), cancellationToken: Stop);
        var whole = await client.SimulateRolloutAsync(Request(Course()), cancellationToken: Stop);
        var (code, _, _) = await Samples.RefusedAsync(async () => await client.SimulateRolloutAsync(
            Request(new V1.Rollout { Strategy = Canary + "@2" }), cancellationToken: Stop));

        Assert.Equal(whole, named);
        Assert.Equal([5, 35], named.Waves);
        Assert.Equal(StatusCode.NotFound, code);
    }

    private static V1.Strategies.StrategiesClient Administrator(OperatorsEdge edge) =>
        new(edge.Connect("anna", OperatorRole.Administrator));

    private static V1.Rollouts.RolloutsClient Operator(OperatorsEdge edge) => new(edge.Connect("otto", OperatorRole.Operator));

    private static ResourceId Id(string text) => ResourceId.TryParse(text, out var id) ? id : throw new FormatException(text);

    private static V1.Rollout Course() => new()
    {
        Waves = { new V1.WaveSpec { Count = 5, Soak = new Duration { Seconds = 60 } }, new V1.WaveSpec { Percent = 100 } },
        FailureGate = new V1.FailureGate { FailureCount = 3, Action = V1.FailureAction.Abort },
        DevicesPerMinute = 50,
    };

    private static V1.CreateStrategyRequest Creation(V1.Rollout course) => new()
    {
        Parent = Parent,
        StrategyId = "canary",
        RequestId = "r1",
        Strategy = new V1.Strategy { Description = "for the fleet", Rollout = course },
    };

    private static V1.UpdateSiteRulesRequest Rules(string etag, params (string Site, long MinVersion)[] rules) => new()
    {
        SiteRules = new V1.SiteRules
        {
            Name = Parent + "/siteRules",
            Etag = etag,
            Rules =
            {
                rules.Select(rule => new V1.SiteRule { Site = rule.Site, Strategy = Canary, MinimumVersion = rule.MinVersion }),
            },
        },
    };

    private static V1.CreateRolloutRequest Order(string strategy) => new()
    {
        Parent = Parent,
        RolloutId = "spring",
        RequestId = "r1",
        Rollout = new V1.Rollout
        {
            Image = Parent + "/images/" + new string('a', 64),
            Filter = "site = a",
            AllowTrackChange = true,
            Strategy = strategy,
        },
    };

    private static Rollout RolloutOf(RolloutSpec spec) => new()
    {
        Tenant = TenantId.Default,
        Id = Id("spring"),
        Spec = spec,
        Plan = RolloutPlan.Draft,
        CreatedBy = Actor.Operator("otto"),
        CreatedAt = Samples.At,
        RequestId = "r1",
    };
}
