using Muster.Domain.Devices;
using Muster.Domain.Images;

namespace Muster.Domain.Policies;

/// <summary>Compares what a device is with what the policies ask.</summary>
public static class PolicyEvaluator
{
    /// <summary>A sentence; values are cut to fit.</summary>
    public const int DetailLengthMax = 300;

    private const int QuoteLengthMax = 60;

    /// <summary>The verdict of all policies that apply to the device's model.</summary>
    public static ComplianceReport Evaluate(Device device, PolicySet policies)
    {
        ArgumentNullException.ThrowIfNull(device);
        ArgumentNullException.ThrowIfNull(policies);
        if (policies.Revision == 0)
        {
            return ComplianceReport.NotEvaluated;
        }

        var settings = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var setting in device.Settings)
        {
            settings[setting.Name] = setting.Value;
        }

        var verdicts = ImmutableArray.CreateBuilder<RuleVerdict>();
        var kept = 0;
        foreach (var policy in policies.Policies.Where(policy => Applies(policy.Spec, device)))
        {
            foreach (var rule in policy.Spec.Rules)
            {
                var verdict = Judge(policy.Spec.Id, rule, device.Os, settings);
                if (verdict.State == ComplianceState.Compliant)
                {
                    kept++;
                }
                else
                {
                    verdicts.Add(verdict);
                }
            }
        }

        return new ComplianceReport(Worst(verdicts), policies.Revision, verdicts.ToImmutable(), kept);
    }

    /// <summary>
    /// The device with its verdict, and the fact when it is another or of another revision. An older set than the one it was
    /// evaluated with changes nothing (I11).
    /// </summary>
    public static (Device Next, DomainEvent? Fact) Apply(Device device, PolicySet policies)
    {
        ArgumentNullException.ThrowIfNull(device);
        ArgumentNullException.ThrowIfNull(policies);
        if (policies.Revision < device.Compliance.PolicyRevision || !IsEvaluated(device))
        {
            return (device, null);
        }

        var report = Evaluate(device, policies);
        return IsSame(report, device.Compliance)
            ? (device, null)
            : (device with { Compliance = report }, new ComplianceChanged(report.State, report.PolicyRevision, report.Verdicts.Length));
    }

    /// <summary>Evaluates a device because the policies changed.</summary>
    public static Decision<Device> Sweep(Device device, PolicySet policies)
    {
        var (next, fact) = Apply(device, policies);
        return fact is null ? Decision.Unchanged(device) : Decision.Accept(next, fact);
    }

    private static bool IsEvaluated(Device device) => device.State switch
    {
        DeviceState.Enrolling or DeviceState.InService or DeviceState.Quarantined or DeviceState.Decommissioning => true,
        DeviceState.Expected or DeviceState.Returned or DeviceState.Decommissioned or DeviceState.Withdrawn => false,
        _ => throw new UnreachableException($"Device '{device.Id}' has unknown state {device.State}."),
    };

    private static bool Applies(PolicySpec spec, Device device) => spec.Models.IsEmpty || spec.Models.Contains(device.Model);

    private static RuleVerdict Judge(ResourceId policy, PolicyRule rule, ReportedOs? os, Dictionary<string, string> settings)
    {
        var (state, detail) = rule switch
        {
            MinimumOsVersion minimum => Judge(minimum, os),
            RequiredSetting required => Judge(required, settings),
            _ => throw new UnreachableException($"Unknown rule {rule.GetType().Name}."),
        };
        return new RuleVerdict(policy, rule.Name, state, detail);
    }

    private static (ComplianceState State, string Detail) Judge(MinimumOsVersion rule, ReportedOs? os)
    {
        if (!OsVersion.TryParse(os?.Version, out var actual) || !OsVersion.TryParse(rule.Version, out var minimum))
        {
            return (ComplianceState.NotEvaluable, $"at least {rule.Version} expected, '{Quote(os?.Version ?? "")}' cannot be compared");
        }

        return actual >= minimum
            ? (ComplianceState.Compliant, "")
            : (ComplianceState.NonCompliant, $"at least {rule.Version} expected, {Quote(os.Version)} found");
    }

    private static (ComplianceState State, string Detail) Judge(RequiredSetting rule, Dictionary<string, string> settings)
    {
        if (!settings.TryGetValue(rule.Setting, out var value))
        {
            return (ComplianceState.NotEvaluable, $"{Quote(rule.Setting)} = '{Quote(rule.Value)}' expected, not reported");
        }

        return Canonical(value) == Canonical(rule.Value)
            ? (ComplianceState.Compliant, "")
            : (ComplianceState.NonCompliant, $"{Quote(rule.Setting)} = '{Quote(rule.Value)}' expected, '{Quote(value)}' found");
    }

    private static string Canonical(string value)
    {
        var plain = value.Trim().ToUpperInvariant();
        return plain switch
        {
            "YES" or "ON" or "TRUE" or "1" => "TRUE",
            "NO" or "OFF" or "FALSE" or "0" => "FALSE",
            _ => plain,
        };
    }

    private static ComplianceState Worst(ImmutableArray<RuleVerdict>.Builder verdicts) =>
        verdicts.Count == 0 ? ComplianceState.Compliant
        : verdicts.Any(verdict => verdict.State == ComplianceState.NonCompliant) ? ComplianceState.NonCompliant
        : ComplianceState.NotEvaluable;

    /// <summary>Records compare arrays by reference; two evaluations are the same when all they say is.</summary>
    private static bool IsSame(ComplianceReport a, ComplianceReport b) =>
        a.State == b.State
        && a.PolicyRevision == b.PolicyRevision
        && a.Kept == b.Kept
        && a.Verdicts.AsSpan().SequenceEqual(b.Verdicts.AsSpan());

    private static string Quote(string text) => text.Length <= QuoteLengthMax ? text : $"{text[..QuoteLengthMax]}…";
}
