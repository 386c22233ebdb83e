using Muster.Domain.EndOfSupport;
using Muster.Domain.Policies;
using Muster.Domain.Tests.Devices;

namespace Muster.Domain.Tests.Policies;

public sealed class PolicyRulesTests
{
    private const int Partitions = 16;

    [Fact]
    public void Create_Repeated_GivesTheSameAndAnotherRequestIsRefused()
    {
        var spec = PolicyEvaluatorTests.Spec("hardening", PolicyEvaluatorTests.Minimum("12"));
        var created = Create(TenantPolicies.None, spec, "r1").Next;

        Assert.Empty(Create(created, spec, "r1").Events);
        Assert.Equal("ALREADY_EXISTS", Create(created, spec, "r2").Error?.Reason);
        Assert.Equal(
            "REQUEST_ID_REUSED",
            Create(created, PolicyEvaluatorTests.Spec("hardening", PolicyEvaluatorTests.Minimum("13")), "r1").Error?.Reason);
    }

    [Fact]
    public void Update_WithAnotherSpec_GrowsVersionAndRevisionAndStartsTheSweepAgain()
    {
        var created = Create(TenantPolicies.None, PolicyEvaluatorTests.Spec("hardening", PolicyEvaluatorTests.Minimum("12")), "r1").Next;
        var spec = PolicyEvaluatorTests.Spec("hardening", PolicyEvaluatorTests.Minimum("13"));

        var updated = PolicyRules.Update(created, spec, Partitions, Units.Start);

        var policy = PolicyRules.Find(updated.Next.Set, spec.Id);
        Assert.Equal((2L, 2L), (policy?.Version, policy?.Revision));
        Assert.Equal(2, updated.Next.Sweep?.Revision);
        Assert.Equal(Units.Start + PolicyRules.SweepDelay, updated.Next.Sweep?.NextAt);
        Assert.Empty(PolicyRules.Update(updated.Next, spec, Partitions, Units.Start).Events);
        var unknown = PolicyEvaluatorTests.Spec("none", PolicyEvaluatorTests.Minimum("1"));
        Assert.Equal("NOT_FOUND", PolicyRules.Update(created, unknown, Partitions, Units.Start).Error?.Reason);
    }

    [Fact]
    public void Create_OutOfRange_IsRefused()
    {
        var twice = PolicyEvaluatorTests.Spec("p", PolicyEvaluatorTests.Minimum("1"), PolicyEvaluatorTests.Minimum("2"));

        Assert.Equal("POLICY_INVALID", Create(TenantPolicies.None, twice, "r").Error?.Reason);
        Assert.Equal("POLICY_INVALID", Create(TenantPolicies.None, PolicyEvaluatorTests.Spec("p"), "r").Error?.Reason);
        Assert.Equal(
            "POLICY_INVALID",
            Create(TenantPolicies.None, PolicyEvaluatorTests.Spec("p", PolicyEvaluatorTests.Minimum("x")), "r").Error?.Reason);
        Assert.Equal(
            "POLICY_INVALID",
            Create(TenantPolicies.None, PolicyEvaluatorTests.Spec("p", PolicyEvaluatorTests.Required("", "on")), "r").Error?.Reason);
    }

    [Fact]
    public void Create_OfMoreThanTheLimit_IsRefused()
    {
        var policies = TenantPolicies.None;
        for (var i = 0; i < PolicyRules.PoliciesMax; i++)
        {
            policies = Create(policies, PolicyEvaluatorTests.Spec($"p{i}", PolicyEvaluatorTests.Minimum("1")), $"r{i}").Next;
        }

        Assert.Equal(
            "LIMIT_REACHED", Create(policies, PolicyEvaluatorTests.Spec("more", PolicyEvaluatorTests.Minimum("1")), "r").Error?.Reason);
    }

    [Fact]
    public void Advance_OfAnOlderRevision_CountsForNothing()
    {
        var created = Create(TenantPolicies.None, PolicyEvaluatorTests.Spec("p", PolicyEvaluatorTests.Minimum("1")), "r").Next;
        var all = Enumerable.Range(0, Partitions).Aggregate(PartitionSet.Empty(Partitions), (set, partition) => set.With(partition));

        var some = PolicyRules.Advance(created, 1, new SweepStep(PartitionSet.Empty(Partitions).With(0), "B8", 1, 0), Units.Start);
        var done = PolicyRules.Advance(some.Next, 1, new SweepStep(all, "", 1, 0), Units.Start);

        Assert.Equal("B8", some.Next.Sweep?.After);
        Assert.Equal(1, done.Next.Set.EvaluatedRevision);
        Assert.Null(done.Next.Sweep);
        Assert.Empty(PolicyRules.Advance(created, 0, new SweepStep(all, "", 1, 0), Units.Start).Events);
        Assert.Empty(PolicyRules.Advance(done.Next, 1, new SweepStep(all, "", 1, 0), Units.Start).Events);
    }

    [Fact]
    public void Advance_WhenDevicesWereMissed_EvaluatesAllAgainSoonAndIsNotDoneBefore()
    {
        var created = Create(TenantPolicies.None, PolicyEvaluatorTests.Spec("p", PolicyEvaluatorTests.Minimum("1")), "r").Next;
        var all = Enumerable.Range(0, Partitions).Aggregate(PartitionSet.Empty(Partitions), (set, partition) => set.With(partition));

        var some = PolicyRules.Advance(created, 1, new SweepStep(PartitionSet.Empty(Partitions).With(0), "", 1, 1), Units.Start).Next;
        var missed = PolicyRules.Advance(some, 1, new SweepStep(all, "", 1, 0), Units.Start).Next;
        var done = PolicyRules.Advance(missed, 1, new SweepStep(all, "", 2, 0), Units.Start).Next;

        Assert.Equal(
            (0, 0, Units.Start + SweepStep.RepeatInterval),
            (missed.Set.EvaluatedRevision, missed.Sweep!.Done.Members, missed.Sweep.NextAt));
        Assert.Equal((1, null), (done.Set.EvaluatedRevision, done.Sweep));
    }

    private static Decision<TenantPolicies> Create(TenantPolicies current, PolicySpec spec, string requestId) =>
        PolicyRules.Create(current, spec, requestId, Partitions, Units.Start);
}
