using Google.Rpc;
using Muster.Contracts.Rollouts;
using Muster.Domain;
using Muster.Domain.Operators;
using Muster.Domain.Rollouts;
using V1 = Muster.Protocol.V1;

namespace Muster.Gateway.Tests.Grpc;

/// <summary>Budgets per value, as the API takes and shows them.</summary>
public sealed class RolloutBudgetsServiceTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task CreateRollout_WithBudgetsPerValue_HandsThemOnAndShowsThem(bool validateOnly)
    {
        await using var edge = await OperatorsEdge.StartAsync();
        CreateRollout? created = null;
        edge.Fleet.On<IRolloutGrain, RolloutReply>(nameof(IRolloutGrain.CreateAsync), (key, args) =>
        {
            created = (CreateRollout)args[0]!;
            return new RolloutReply(RolloutOf(key, created.Spec), [], 0, null);
        });
        var request = Creation();
        request.ValidateOnly = validateOnly;

        var shown = await Client(edge).CreateRolloutAsync(request, cancellationToken: Stop);

        Assert.Equal(
            [new ValueBudget("site", Amount.Percent(10)), new ValueBudget("labels.redundancy_group", Amount.Count(1))],
            created!.Spec.MaxUnavailablePer);
        Assert.Empty(RolloutSpecRules.Validate(created.Spec with { TargetVersion = "12" }));
        Assert.Equal(request.Rollout.MaxUnavailablePer, shown.MaxUnavailablePer);
    }

    [Fact]
    public async Task CreateRollout_WithABudgetWithoutALimit_IsInvalid()
    {
        await using var edge = await OperatorsEdge.StartAsync();
        var request = Creation();
        request.Rollout.MaxUnavailablePer.Add(new V1.ValueBudget { Field = "model" });

        var (_, reason, status) = await Samples.RefusedAsync(
            async () => await Client(edge).CreateRolloutAsync(request, cancellationToken: Stop));

        Assert.Equal("REQUEST_INVALID", reason);
        Assert.Equal(
            "rollout.max_unavailable_per[2].limit", Assert.Single(status.GetDetail<BadRequest>()!.FieldViolations).Field);
    }

    [Fact]
    public async Task SimulateRollout_WithBudgetsPerValue_SaysThatTheyAreLeftOut()
    {
        await using var edge = await OperatorsEdge.StartAsync();
        var request = new V1.SimulateRolloutRequest
        {
            Parent = "tenants/default",
            Runs = 1,
            Fleet = new V1.SimulatedFleet { Members = 10 },
            Rollout = new V1.Rollout { Waves = { new V1.WaveSpec { Percent = 100 } } },
        };

        var without = await Client(edge).SimulateRolloutAsync(request, cancellationToken: Stop);
        request.Rollout.MaxUnavailablePer.AddRange(Creation().Rollout.MaxUnavailablePer);
        var with = await Client(edge).SimulateRolloutAsync(request, cancellationToken: Stop);

        Assert.Empty(without.LeftOut);
        Assert.Equal(
            "max_unavailable_per (site=10%, labels.redundancy_group=1): budgets per value are not simulated", Assert.Single(with.LeftOut));
    }

    private static V1.CreateRolloutRequest Creation() => new()
    {
        Parent = "tenants/default",
        RolloutId = "spring",
        RequestId = "r1",
        Rollout = new V1.Rollout
        {
            Image = $"tenants/default/images/{new string('a', 64)}",
            Waves = { new V1.WaveSpec { Percent = 100 } },
            MaxUnavailablePer =
            {
                new V1.ValueBudget { Field = "site", Percent = 10 },
                new V1.ValueBudget { Field = "labels.redundancy_group", Count = 1 },
            },
        },
    };

    private static Rollout RolloutOf(string key, RolloutSpec spec)
    {
        var (tenant, id) = RolloutKey.Parse(key);
        return new Rollout
        {
            Tenant = tenant,
            Id = id,
            Spec = spec,
            Plan = RolloutPlan.Draft,
            CreatedBy = Actor.Operator("anna"),
            CreatedAt = Samples.At,
            RequestId = "r1",
        };
    }

    private static V1.Rollouts.RolloutsClient Client(OperatorsEdge edge) => new(edge.Connect("anna", OperatorRole.Operator));
}
