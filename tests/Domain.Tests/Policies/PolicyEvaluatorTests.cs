using System.Collections.Immutable;
using Muster.Domain.Devices;
using Muster.Domain.Policies;
using Muster.Domain.Tests.Devices;

namespace Muster.Domain.Tests.Policies;

public sealed class PolicyEvaluatorTests
{
    [Theory]
    [InlineData("12.1", ComplianceState.Compliant)]
    [InlineData("12.1.0+build-7", ComplianceState.Compliant)]
    [InlineData("12.0.99", ComplianceState.NonCompliant)]
    [InlineData("unknown", ComplianceState.NotEvaluable)]
    public void Evaluate_OfAMinimumVersion_ComparesNumberByNumber(string version, ComplianceState expected)
    {
        var device = Device() with { Os = Units.Os("boot-1", version: version) };

        Assert.Equal(expected, PolicyEvaluator.Evaluate(device, Set([Minimum("12.1")])).State);
    }

    [Theory]
    [InlineData("no", "off", ComplianceState.Compliant)]
    [InlineData("0", "False", ComplianceState.Compliant)]
    [InlineData("YES", "on", ComplianceState.Compliant)]
    [InlineData(" https ", "HTTPS", ComplianceState.Compliant)]
    [InlineData("yes", "off", ComplianceState.NonCompliant)]
    [InlineData(null, "off", ComplianceState.NotEvaluable)]
    public void Evaluate_OfARequiredSetting_NeverPassesWithoutTheSetting(string? reported, string required, ComplianceState expected)
    {
        var device = Device() with { Settings = reported is null ? [] : [new DeviceSetting("ssh", reported)] };

        var report = PolicyEvaluator.Evaluate(device, Set([Required("ssh", required)]));

        Assert.Equal(expected, report.State);
        Assert.Equal(expected == ComplianceState.Compliant ? 1 : 0, report.Kept);
        Assert.All(report.Verdicts, verdict => Assert.InRange(verdict.Detail.Length, 1, PolicyEvaluator.DetailLengthMax));
    }

    [Fact]
    public void Evaluate_OfSeveralRules_TellsTheWorst()
    {
        var device = Device() with { Settings = [new DeviceSetting("ssh", "on")] };

        var report = PolicyEvaluator.Evaluate(device, Set([Required("missing", "on"), Required("ssh", "off"), Minimum("11")]));

        Assert.Equal(ComplianceState.NonCompliant, report.State);
        Assert.Equal(2, report.Verdicts.Length);
        Assert.Equal(1, report.Kept);
    }

    [Fact]
    public void Evaluate_OfAPolicyForOtherModels_IsKeptWithoutARule()
    {
        var report = PolicyEvaluator.Evaluate(Device(), Set([Minimum("99")], "Q6075"));

        Assert.Equal((ComplianceState.Compliant, 0), (report.State, report.Kept));
    }

    [Fact]
    public void Evaluate_BeforeAnyPolicy_SaysNothing() =>
        Assert.Equal(ComplianceState.Unspecified, PolicyEvaluator.Evaluate(Device(), PolicySet.Empty).State);

    [Fact]
    public void Apply_OfTheSameOrAnOlderSet_ChangesNothing()
    {
        var (device, fact) = PolicyEvaluator.Apply(Device(), Set([Minimum("12.1")], revision: 4));

        Assert.Equal(new ComplianceChanged(ComplianceState.NonCompliant, 4, 1), fact);
        Assert.Null(PolicyEvaluator.Apply(device, Set([Minimum("12.1")], revision: 4)).Fact);
        Assert.Null(PolicyEvaluator.Apply(device, Set([Minimum("11")], revision: 3)).Fact);
        Assert.NotNull(PolicyEvaluator.Apply(device, Set([Minimum("12.1")], revision: 5)).Fact);
    }

    [Fact]
    public void Sweep_InEveryState_EvaluatesWhatIsEnrolled()
    {
        foreach (var state in Units.States)
        {
            var isEvaluated = state switch
            {
                DeviceState.Enrolling or DeviceState.InService or DeviceState.Quarantined or DeviceState.Decommissioning => true,
                DeviceState.Expected or DeviceState.Decommissioned or DeviceState.Returned or DeviceState.Withdrawn => false,
                _ => throw new InvalidOperationException($"Decide whether a device in state {state} is evaluated."),
            };

            Assert.Equal(isEvaluated, !PolicyEvaluator.Sweep(Units.InState(state), Set([Minimum("12.1")])).Events.IsEmpty);
        }
    }

    internal static MinimumOsVersion Minimum(string version) => new() { Name = "minimum", Version = version };

    internal static RequiredSetting Required(string setting, string value) =>
        new() { Name = $"need-{setting}", Setting = setting, Value = value };

    internal static PolicySpec Spec(string id, params ImmutableArray<PolicyRule> rules) => new(Units.Rollout(id), [], rules);

    private static Device Device() => Units.InState(DeviceState.InService);

    private static PolicySet Set(ImmutableArray<PolicyRule> rules, string? model = null, long revision = 1) =>
        new(revision, [new Policy(Spec("hardening", rules) with { Models = model is null ? [] : [model] }, 1, revision, "r")], 0);
}
