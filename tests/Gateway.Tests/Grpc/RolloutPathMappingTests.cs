using Muster.Domain;
using Muster.Domain.Devices;
using Muster.Domain.Images;
using Muster.Domain.Rollouts;
using Muster.Gateway.Rollouts;

namespace Muster.Gateway.Tests.Grpc;

public sealed class RolloutPathMappingTests
{
    /// <summary>Whoever approves the rollout reads which images it takes devices over its steps with.</summary>
    [Fact]
    public void ToApi_OfARolloutThatTakesSteps_ShowsItsImages()
    {
        var rollout = new Rollout
        {
            Tenant = TenantId.Default,
            Id = ResourceId.TryParse("spring", out var id) ? id : throw new FormatException(),
            Plan = RolloutPlan.Draft,
            CreatedBy = Actor.Operator("anna"),
            CreatedAt = default,
            RequestId = "",
            Spec = new RolloutSpec
            {
                ImageDigest = new string('a', 64),
                TargetVersion = "12.1.0",
                Waves = [],
                TakeSteps = true,
                Path = [Step('1', "10.12.0"), Step('2', "10.12.0"), Step('3', "11.11.73")],
            },
        };

        var shown = RolloutsMapping.ToApi(rollout, [], approvalsNeeded: 0);

        Assert.True(shown.TakeSteps);
        Assert.Equal(
            [("10.12.0", true, 2), ("11.11.73", true, 1)], shown.Steps.Select(step => (step.Version, step.Taken, step.Images.Count)));
        Assert.Equal($"tenants/default/images/{new string('3', 64)}", shown.Steps[1].Images[0]);
    }

    private static StepImage Step(char digest, string version) =>
        new(new string(digest, 64), version, "active", ["P3265-V"], ImageConditions.None);
}
