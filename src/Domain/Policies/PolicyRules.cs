using Muster.Domain.EndOfSupport;
using Muster.Domain.Images;

namespace Muster.Domain.Policies;

/// <summary>Decides what policies may ask, and what a change of one leaves to do.</summary>
public static class PolicyRules
{
    /// <summary>The whole set is one record and one message between silos: about 300 kB when full.</summary>
    public const int PoliciesMax = 50;

    /// <summary>A hardening guide has some dozens.</summary>
    public const int RulesMax = 50;

    /// <summary>A policy for more models than that is one for all.</summary>
    public const int ModelsMax = 100;

    /// <summary>As long as a device may report them.</summary>
    public const int SettingLengthMax = 200;

    /// <summary>Longer values are not compared by policies.</summary>
    public const int ValueLengthMax = 200;

    /// <summary>How long a silo may evaluate with the set it read last; one small call per silo and period.</summary>
    public static readonly TimeSpan CacheLease = TimeSpan.FromSeconds(1);

    /// <summary>
    /// A sweep starts when no silo can still hold an older set, the clocks of two silos being at most two seconds apart: a device
    /// that appears behind it was evaluated with the new one.
    /// </summary>
    public static readonly TimeSpan SweepDelay = CacheLease + TimeSpan.FromSeconds(2);

    /// <summary>Makes a policy; the same request again is answered with the policy as it is now.</summary>
    public static Decision<TenantPolicies> Create(
        TenantPolicies current, PolicySpec spec, string requestId, int partitions, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(current);
        ArgumentNullException.ThrowIfNull(spec);
        ArgumentNullException.ThrowIfNull(requestId);
        if (Find(current.Set, spec.Id) is { } existing)
        {
            if (existing.RequestId != requestId)
            {
                return Decision.Refuse(current, PolicyErrors.Exists(spec.Id));
            }

            // After an update the first request's repetition is still the same request.
            return existing.Version > 1 || existing.Spec == spec
                ? Decision.Unchanged(current)
                : Decision.Refuse(current, RequestErrors.IdReused(requestId));
        }

        if (requestId.Length is 0 or > 64)
        {
            return Decision.Refuse(current, PolicyErrors.Invalid("request_id", "1 to 64 characters"));
        }

        if (Check(spec) is { } invalid)
        {
            return Decision.Refuse(current, invalid);
        }

        if (current.Set.Policies.Length >= PoliciesMax)
        {
            return Decision.Refuse(current, PolicyErrors.LimitReached($"{PoliciesMax} policies"));
        }

        var policy = new Policy(spec, 1, current.Set.Revision + 1, requestId);
        var policies = current.Set.Policies.Add(policy).Sort((a, b) => string.CompareOrdinal(a.Spec.Id.Value, b.Spec.Id.Value));
        return Decision.Accept(Revise(current, policies, partitions, now), new PolicyCreated(policy));
    }

    /// <summary>Replaces what a policy asks; the same spec again changes nothing.</summary>
    public static Decision<TenantPolicies> Update(TenantPolicies current, PolicySpec spec, int partitions, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(current);
        ArgumentNullException.ThrowIfNull(spec);
        if (Find(current.Set, spec.Id) is not { } existing)
        {
            return Decision.Refuse(current, PolicyErrors.NotFound(spec.Id));
        }

        if (Check(spec) is { } invalid)
        {
            return Decision.Refuse(current, invalid);
        }

        if (existing.Spec == spec)
        {
            return Decision.Unchanged(current);
        }

        var policy = existing with { Spec = spec, Version = existing.Version + 1, Revision = current.Set.Revision + 1 };
        return Decision.Accept(Revise(current, current.Set.Policies.Replace(existing, policy), partitions, now), new PolicyUpdated(policy));
    }

    /// <summary>
    /// A step of the sweep is done; a step for an older revision than the one that runs now counts for nothing. A sweep that missed
    /// devices begins again after a while: the revision counts as evaluated when all were asked.
    /// </summary>
    public static Decision<TenantPolicies> Advance(TenantPolicies current, long revision, SweepStep step, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(current);
        ArgumentNullException.ThrowIfNull(step);
        if (current.Sweep is not { } sweep || sweep.Revision != revision)
        {
            return Decision.Unchanged(current);
        }

        var missed = sweep.Missed + step.Missed;
        if (step.Done.IsFull && missed == 0)
        {
            return Decision.Accept(
                new TenantPolicies(current.Set with { EvaluatedRevision = revision }, null), new PoliciesEvaluated(revision));
        }

        var next = step.Done.IsFull
            ? new PolicySweep(revision, PartitionSet.Empty(step.Done.Count), "", now + SweepStep.RepeatInterval)
            : sweep with { Done = step.Done, After = step.After, NextAt = now, Missed = missed };
        return Decision.Accept(current with { Sweep = next }, new PoliciesSwept(revision, step.Done.Members));
    }

    public static Policy? Find(PolicySet set, ResourceId policy)
    {
        ArgumentNullException.ThrowIfNull(set);
        return set.Policies.FirstOrDefault(one => one.Spec.Id == policy);
    }

    private static TenantPolicies Revise(TenantPolicies current, ImmutableArray<Policy> policies, int partitions, DateTimeOffset now)
    {
        var revision = current.Set.Revision + 1;
        return new TenantPolicies(
            current.Set with { Revision = revision, Policies = policies },
            new PolicySweep(revision, PartitionSet.Empty(partitions), "", now + SweepDelay));
    }

    private static FleetError? Check(PolicySpec spec)
    {
        if (spec.Models.Length > ModelsMax || spec.Models.Any(model => model.Length is 0 or > 100))
        {
            return PolicyErrors.Invalid("models", $"at most {ModelsMax}, each of 1 to 100 characters");
        }

        if (spec.Rules.Length is 0 or > RulesMax)
        {
            return PolicyErrors.Invalid("rules", $"1 to {RulesMax}");
        }

        if (spec.Rules.Select(rule => rule.Name).Distinct(StringComparer.Ordinal).Count() != spec.Rules.Length)
        {
            return PolicyErrors.Invalid("rules", "each has a name of its own");
        }

        return spec.Rules.Select(Check).FirstOrDefault(error => error is not null);
    }

    private static FleetError? Check(PolicyRule rule)
    {
        if (!ResourceId.TryParse(rule.Name, out _))
        {
            return PolicyErrors.Invalid("rules.name", "lower-case letters, digits and hyphens, at most 63");
        }

        return rule switch
        {
            MinimumOsVersion minimum => OsVersion.TryParse(minimum.Version, out _)
                ? null
                : PolicyErrors.Invalid("rules.minimum_os_version", "numbers with dots between them"),
            RequiredSetting setting => setting.Setting.Length is 0 or > SettingLengthMax || setting.Value.Length > ValueLengthMax
                ? PolicyErrors.Invalid(
                    "rules.required_setting", $"a setting of 1 to {SettingLengthMax} and a value of at most {ValueLengthMax} characters")
                : null,
            _ => throw new UnreachableException($"Unknown rule {rule.GetType().Name}."),
        };
    }
}
