namespace Muster.Domain.Policies;

/// <summary>Whether a device keeps the policies that apply to it.</summary>
public enum ComplianceState
{
    /// <summary>Nothing was evaluated yet.</summary>
    Unspecified = 0,

    /// <summary>Every rule that applies is kept.</summary>
    Compliant = 1,

    /// <summary>At least one rule is broken.</summary>
    NonCompliant = 2,

    /// <summary>No rule is broken, and at least one could not be evaluated (the device did not report the setting).</summary>
    NotEvaluable = 3,
}

/// <summary>The verdict on one rule.</summary>
/// <param name="Policy">The policy's id.</param>
/// <param name="Rule">The rule's name within the policy.</param>
/// <param name="State">Kept, broken, or not evaluable.</param>
/// <param name="Detail">What was expected and found, in words; at most 300 characters.</param>
[GenerateSerializer, Immutable, Alias("muster.rule-verdict")]
public sealed record RuleVerdict(
    [property: Id(0)] ResourceId Policy,
    [property: Id(1)] string Rule,
    [property: Id(2)] ComplianceState State,
    [property: Id(3)] string Detail);

/// <summary>A device's compliance as of its last evaluation.</summary>
/// <param name="State">The worst of the verdicts.</param>
/// <param name="PolicyRevision">The revision of the tenant's policies that it was evaluated with.</param>
/// <param name="Verdicts">Every rule that is not kept; rules that are kept are only counted.</param>
/// <param name="Kept">How many rules are kept.</param>
[GenerateSerializer, Immutable, Alias("muster.compliance-report")]
public sealed record ComplianceReport(
    [property: Id(0)] ComplianceState State,
    [property: Id(1)] long PolicyRevision,
    [property: Id(2)] ImmutableArray<RuleVerdict> Verdicts,
    [property: Id(3)] int Kept)
{
    /// <summary>Before the first evaluation.</summary>
    public static ComplianceReport NotEvaluated { get; } = new(ComplianceState.Unspecified, 0, [], 0);
}
