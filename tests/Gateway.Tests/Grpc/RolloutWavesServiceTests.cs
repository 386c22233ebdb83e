using System.Collections.Immutable;
using Google.Rpc;
using Muster.Contracts.Rollouts;
using Muster.Domain;
using Muster.Domain.Operators;
using Muster.Domain.Rollouts;
using V1 = Muster.Protocol.V1;

namespace Muster.Gateway.Tests.Grpc;

/// <summary>Filters and strata of waves, as the API takes and shows them.</summary>
public sealed class RolloutWavesServiceTests
{
    private static readonly ImmutableArray<WaveCut> Cuts =
    [
        new WaveCut(0, "", true, 6, 1, 0)
        {
            IsFiltered = true,
            StratifiedBy = [0, 1],
            Strata = [new(["M1137", ""], 1, "A", 1, 2), new(["P3265-V", "Lund"], 2, "B", 5, 20)],
        },
        new WaveCut(ulong.MaxValue, "\uffff", false, 0, 0, 1) { IsFiltered = true },
        new WaveCut(ulong.MaxValue, "\uffff", false, 34, 0, 1),
    ];

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task CreateRollout_WithFiltersAndStrata_HandsThemOnAndShowsThem()
    {
        await using var edge = await OperatorsEdge.StartAsync();
        CreateRollout? created = null;
        edge.Fleet.On<IRolloutGrain, RolloutReply>(nameof(IRolloutGrain.CreateAsync), (key, args) =>
        {
            created = (CreateRollout)args[0]!;
            return new RolloutReply(RolloutOf(key, created.Spec, RolloutPlan.Draft), [], 0, null);
        });

        var shown = await Client(edge).CreateRolloutAsync(Creation(), cancellationToken: Stop);

        Assert.Equal([true, false], created!.Spec.Waves.Select(wave => wave.HasFilter));
        Assert.Equal([true, false], created.Spec.Waves.Select(wave => wave.IsStratified));
        Assert.Equal("labels.ring = early", created.Spec.Waves[0].Filter);
        Assert.Equal(["model", "site"], created.Spec.Waves[0].StratifyBy);
        Assert.Empty(RolloutSpecRules.Validate(created.Spec with { TargetVersion = "12" }));
        Assert.Equal(["labels.ring = early", ""], shown.Waves.Select(wave => wave.Filter));
        Assert.Equal(["model", "site"], shown.Waves[0].StratifyBy);
        Assert.Empty(shown.Waves[1].StratifyBy);
    }

    [Fact]
    public async Task CreateRollout_ValidateOnly_ShowsTheWavesAndStrataOfAStart()
    {
        await using var edge = await OperatorsEdge.StartAsync();
        edge.Fleet.On<IRolloutGrain, RolloutReply>(nameof(IRolloutGrain.CreateAsync), (key, args) => new RolloutReply(
            RolloutOf(key, ((CreateRollout)args[0]!).Spec, RolloutPlan.Draft), [], 40, null) { Planned = Cuts });
        var request = Creation();
        request.ValidateOnly = true;

        var plan = await Client(edge).CreateRolloutAsync(request, cancellationToken: Stop);

        Assert.Equal((40L, V1.RolloutState.Draft), (plan.Members, plan.State));
        Assert.Equal([6, 0, 34], plan.WaveStatus.Select(wave => wave.Members));
        Assert.All(plan.WaveStatus, wave => Assert.Equal((V1.WaveState.Pending, wave.Members), (wave.State, wave.Waiting)));
        AssertStrata(plan.WaveStatus[0]);
        Assert.StartsWith("if it is started now: ends about ", plan.Estimate.Text, StringComparison.Ordinal);
        Assert.Contains("40 devices have no outcome", plan.Estimate.Text, StringComparison.Ordinal);
        Assert.NotNull(plan.Estimate.EndsAt);
    }

    [Fact]
    public async Task Rollout_WithLateJoiners_ShowsTheirWaveAndWhoIsLeftOut()
    {
        await using var edge = await OperatorsEdge.StartAsync();
        CreateRollout? created = null;
        WaveCut late = new(ulong.MaxValue, "", false, 3, 0, 1) { TakesJoiners = true };
        edge.Fleet.On<IRolloutGrain, RolloutReply>(nameof(IRolloutGrain.CreateAsync), (key, args) =>
        {
            created = (CreateRollout)args[0]!;
            return new RolloutReply(RolloutOf(key, created.Spec, RolloutPlan.Draft with
            {
                State = RolloutState.Running,
                Members = 43,
                LeftOut = 7,
                Waves = [.. Cuts.Add(late).Select(cut => new WavePlan { Cut = cut, State = WaveState.Pending })],
            }), [], 0, null);
        });
        var request = Creation();
        request.Rollout.IncludeLateJoiners = true;

        var shown = await Client(edge).CreateRolloutAsync(request, cancellationToken: Stop);

        Assert.True(created!.Spec.IncludeLateJoiners && shown.IncludeLateJoiners);
        Assert.Equal((43L, 3L, 7L), (shown.Members, shown.LateJoiners, shown.LeftOut));
        Assert.Equal([false, false, false, true], shown.WaveStatus.Select(wave => wave.LateJoiners));
    }

    [Fact]
    public async Task GetRollout_ThatStarted_ShowsTheStrataOfItsWaves()
    {
        await using var edge = await OperatorsEdge.StartAsync();
        var plan = RolloutPlan.Draft with
        {
            State = RolloutState.Running,
            Waves = [.. Cuts.Select(cut => new WavePlan { Cut = cut, State = WaveState.Pending })],
        };
        var spec = new RolloutSpec
        {
            ImageDigest = new string('a', 64),
            TargetVersion = "12.1.0",
            Waves = [new WaveSpec(Amount.Count(6), 100, 1, TimeSpan.Zero, true)],
        };
        edge.Fleet.On<IRolloutGrain, RolloutReply>(
            nameof(IRolloutGrain.GetAsync), (key, _) => new RolloutReply(RolloutOf(key, spec, plan), [], 0, null));

        var shown = await Client(edge).GetRolloutAsync(
            new V1.GetRolloutRequest { Name = "tenants/default/rollouts/spring" }, cancellationToken: Stop);

        Assert.Equal([6, 0, 34], shown.WaveStatus.Select(wave => wave.Members));
        AssertStrata(shown.WaveStatus[0]);
        Assert.Empty(shown.WaveStatus[2].Strata);
    }

    [Fact]
    public async Task CreateRollout_WithFourFieldsInAWave_IsInvalid()
    {
        await using var edge = await OperatorsEdge.StartAsync();
        var request = Creation();
        request.Rollout.Waves[1].StratifyBy.AddRange(["model", "site", "track", "os_version"]);

        var (_, reason, status) = await Samples.RefusedAsync(
            async () => await Client(edge).CreateRolloutAsync(request, cancellationToken: Stop));

        Assert.Equal("REQUEST_INVALID", reason);
        Assert.Equal("rollout.waves[1].stratify_by", Assert.Single(status.GetDetail<BadRequest>()!.FieldViolations).Field);
    }

    [Fact]
    public async Task SimulateRollout_OfGroups_CutsThemIntoTheirWaves()
    {
        await using var edge = await OperatorsEdge.StartAsync();
        var request = Simulation();
        request.Fleet.Groups.Add(Group(20, "P3265-V", "early"));
        request.Fleet.Groups.Add(Group(2, "M1137", "early"));
        request.Fleet.Groups.Add(Group(18, "Q1656", ""));

        var answer = await Client(edge).SimulateRolloutAsync(request, cancellationToken: Stop);

        Assert.Equal([6, 34], answer.Waves);
    }

    [Fact]
    public async Task SimulateRollout_OfGroupsBesideACountOrWithoutAField_IsRefused()
    {
        await using var edge = await OperatorsEdge.StartAsync();
        var both = Simulation();
        both.Fleet.Members = 40;
        both.Fleet.Groups.Add(Group(20, "P3265-V", "early"));
        var without = Simulation();
        without.Fleet.Groups.Add(new V1.SimulatedGroup { Members = 5, Fields = { ["model"] = "M1137" } });
        without.Fleet.Groups[0].Fields["site"] = "Lund";

        var first = await Samples.RefusedAsync(async () => await Client(edge).SimulateRolloutAsync(both, cancellationToken: Stop));
        var second = await Samples.RefusedAsync(async () => await Client(edge).SimulateRolloutAsync(without, cancellationToken: Stop));

        Assert.Equal("fleet.groups", Assert.Single(first.Status.GetDetail<BadRequest>()!.FieldViolations).Field);
        Assert.Equal("groups[0].fields", Assert.Single(second.Status.GetDetail<BadRequest>()!.FieldViolations).Field);
    }

    private static void AssertStrata(V1.Wave wave) => Assert.Equal(
        ["M1137/: 1 of 2", "P3265-V/Lund: 5 of 20"],
        wave.Strata.Select(stratum => $"{string.Join('/', stratum.Values)}: {stratum.Members} of {stratum.Available}"));

    private static V1.SimulatedGroup Group(int members, string model, string ring) => new()
    {
        Members = members,
        Fields = { ["model"] = model, ["site"] = "Lund", ["labels.ring"] = ring },
    };

    private static V1.SimulateRolloutRequest Simulation() => new()
    {
        Parent = "tenants/default",
        Runs = 1,
        Fleet = new V1.SimulatedFleet(),
        Rollout = new V1.Rollout { Waves = { Creation().Rollout.Waves } },
    };

    private static V1.CreateRolloutRequest Creation() => new()
    {
        Parent = "tenants/default",
        RolloutId = "spring",
        RequestId = "r1",
        Rollout = new V1.Rollout
        {
            Image = $"tenants/default/images/{new string('a', 64)}",
            Waves =
            {
                new V1.WaveSpec { Count = 6, Filter = "labels.ring = early", StratifyBy = { "model", "site" } },
                new V1.WaveSpec { Percent = 100 },
            },
        },
    };

    private static Rollout RolloutOf(string key, RolloutSpec spec, RolloutPlan plan)
    {
        var (tenant, id) = RolloutKey.Parse(key);
        return new Rollout
        {
            Tenant = tenant,
            Id = id,
            Spec = spec,
            Plan = plan,
            CreatedBy = Actor.Operator("anna"),
            CreatedAt = Samples.At,
            RequestId = "r1",
        };
    }

    private static V1.Rollouts.RolloutsClient Client(OperatorsEdge edge) => new(edge.Connect("anna", OperatorRole.Operator));
}
