namespace Muster.Domain.Policies;

/// <summary>One rule of a policy; the kinds are a closed set.</summary>
[GenerateSerializer, Immutable, Alias("muster.policy-rule")]
public abstract record PolicyRule
{
    /// <summary>Unique within the policy: a <see cref="ResourceId"/>'s form, for example <c>ssh-off</c>.</summary>
    [Id(0)] public required string Name { get; init; }
}

/// <summary>The OS is at least this version (<see cref="Images.OsVersion"/>).</summary>
[GenerateSerializer, Immutable, Alias("muster.minimum-os-version")]
public sealed record MinimumOsVersion : PolicyRule
{
    [Id(0)] public required string Version { get; init; }
}

/// <summary>
/// A reported setting has this value. Compared without case and surrounding blanks; <c>yes</c>, <c>on</c>, <c>true</c> and <c>1</c> are
/// the same, and so are their opposites. A setting that was not reported cannot be evaluated: it never passes.
/// </summary>
[GenerateSerializer, Immutable, Alias("muster.required-setting")]
public sealed record RequiredSetting : PolicyRule
{
    /// <summary>The vendor's name, case and all.</summary>
    [Id(0)] public required string Setting { get; init; }

    [Id(1)] public required string Value { get; init; }
}

/// <summary>What a policy asks of the devices of some models.</summary>
/// <param name="Id">Its name within the tenant.</param>
/// <param name="Models">Models it applies to; empty for all.</param>
/// <param name="Rules">Its rules, in the order given.</param>
[GenerateSerializer, Immutable, Alias("muster.policy-spec")]
public sealed record PolicySpec(
    [property: Id(0)] ResourceId Id,
    [property: Id(1)] ImmutableArray<string> Models,
    [property: Id(2)] ImmutableArray<PolicyRule> Rules)
{
    public bool Equals(PolicySpec? other) =>
        other is not null
        && Id == other.Id
        && Models.AsSpan().SequenceEqual(other.Models.AsSpan())
        && Rules.AsSpan().SequenceEqual(other.Rules.AsSpan());

    public override int GetHashCode() => HashCode.Combine(Id, Models.Length, Rules.Length);
}

/// <summary>A policy as committed.</summary>
/// <param name="Spec">What it asks.</param>
/// <param name="Version">From 1; grows with every change of this policy.</param>
/// <param name="Revision">The revision of the set that this version came with.</param>
/// <param name="RequestId">Of the request that created it (AIP-155).</param>
[GenerateSerializer, Immutable, Alias("muster.policy")]
public sealed record Policy(
    [property: Id(0)] PolicySpec Spec,
    [property: Id(1)] long Version,
    [property: Id(2)] long Revision,
    [property: Id(3)] string RequestId);

/// <summary>All policies of a tenant: what a device is evaluated against.</summary>
/// <param name="Revision">From 1, grows with every change of any policy; 0 before the first.</param>
/// <param name="Policies">By id.</param>
/// <param name="EvaluatedRevision">The newest revision that every device in service was evaluated with.</param>
[GenerateSerializer, Immutable, Alias("muster.policy-set")]
public sealed record PolicySet(
    [property: Id(0)] long Revision,
    [property: Id(1)] ImmutableArray<Policy> Policies,
    [property: Id(2)] long EvaluatedRevision)
{
    /// <summary>No policy was ever made.</summary>
    public static PolicySet Empty { get; } = new(0, [], 0);
}
