using Muster.Domain.Devices;
using Muster.Domain.Rollouts;
using static Muster.Domain.Tests.Rollouts.RolloutBuilder;

namespace Muster.Domain.Tests.Rollouts;

/// <summary>Approvals that the installation asks for, of downgrades above all.</summary>
public sealed class ApprovalPolicyTests
{
    private static readonly RolloutOrder Order = new(Id, Anna, "", Start);

    private static readonly Rollout Draft = new()
    {
        Tenant = TenantId.Default,
        Id = Id,
        Spec = Spec(Wave(Amount.Percent(100))),
        Plan = RolloutPlan.Draft,
        CreatedBy = Anna,
        CreatedAt = Start,
        RequestId = "",
    };

    [Theory]
    [InlineData("12.1.0", "12.0.0", true)]
    [InlineData("12.10.0", "12.9.0", true)]
    [InlineData("12.0.0", "12.0.0", false)]
    [InlineData("11.11.77", "12.0.0", false)]
    [InlineData("", "12.0.0", false)]
    [InlineData("factory", "12.0.0", false)]
    public void IsDowngrade_OfAVersion_ComparesVersionsAsVersions(string running, string target, bool expected) =>
        Assert.Equal(expected, ApprovalPolicy.IsDowngrade(running, target));

    [Theory]
    [InlineData("12.1.0", true)]
    [InlineData("12.0.0", false)]
    [InlineData("", true)]
    public void MayBeDowngrade_OfAVersionThatIsNotKnown_IsTrue(string running, bool expected) =>
        Assert.Equal(expected, ApprovalPolicy.MayBeDowngrade(running, "12.0.0"));

    [Theory]
    [InlineData(0, 0, 5, 0, 0)]
    [InlineData(0, 2, 0, 0, 2)]
    [InlineData(0, 2, 5, 2, 2)]
    [InlineData(3, 2, 5, 3, 3)]
    [InlineData(1, 0, 5, 1, 1)]
    public void Of_ARollout_IsTheHighestThatApplies(int toStart, int toDowngrade, int downgrades, int expected, int wayBack)
    {
        var policy = new ApprovalPolicy(toStart, toDowngrade);

        Assert.Equal((expected, wayBack), (policy.Of(Draft with { Downgrades = downgrades }), policy.ToRollBack));
    }

    [Fact]
    public void CountsDowngradesOf_WhatCannotNeedMore_IsFalse()
    {
        var settings = Draft.Spec with { Settings = SettingSet.Of([new DeviceSetting("SSH.Enabled", "no")]) };

        Assert.True(new ApprovalPolicy(1, 2).CountsDowngradesOf(Draft.Spec));
        Assert.False(new ApprovalPolicy(2, 2).CountsDowngradesOf(Draft.Spec));
        Assert.False(new ApprovalPolicy(1, 2).CountsDowngradesOf(settings));
    }

    [Fact]
    public void FindDowngrades_WithTooFewApprovals_WaitsForThemAndSaysSoOnce()
    {
        var policy = new ApprovalPolicy(0, 1);

        var none = RolloutApprovals.FindDowngrades(Draft, 0, policy, Order);
        var found = RolloutApprovals.FindDowngrades(Draft, 3, policy, Order);
        var again = RolloutApprovals.FindDowngrades(found.Next, 3, policy, Order);
        var healed = RolloutApprovals.FindDowngrades(found.Next, 0, policy, Order);

        Assert.Equal((RolloutState.Draft, 0), (none.Next.Plan.State, none.Events.Length));
        Assert.Equal((RolloutState.AwaitingApproval, 3), (found.Next.Plan.State, found.Next.Downgrades));
        Assert.Equal(new RolloutDowngradesFound(Id, 3, 1), Assert.Single(found.Events));
        Assert.Contains("3 devices", found.Next.Plan.Decisions[^1].Text, StringComparison.Ordinal);
        Assert.Equal((RolloutState.AwaitingApproval, 0), (again.Next.Plan.State, again.Events.Length));
        Assert.Equal((RolloutState.Draft, 1), (healed.Next.Plan.State, healed.Events.Length));
    }
}
