using Muster.Domain.Devices;

namespace Muster.Domain.Trust;

/// <summary>Compares what a hello says with what a device in service has to be, and decides what follows by the tenant's rules.</summary>
public static class TrustEvaluator
{
    /// <summary>What is found of the device as its newest hello describes it, by kind; what is ignored is not found.</summary>
    public static ImmutableArray<TrustFindingKind> Find(Device device, TrustBasis basis)
    {
        ArgumentNullException.ThrowIfNull(device);
        ArgumentNullException.ThrowIfNull(basis);
        if (device.Os is not { } os)
        {
            return [];
        }

        (TrustFindingKind Kind, bool IsFound)[] all =
        [
            (TrustFindingKind.SecureBootLost, !os.SecureBoot),
            (TrustFindingKind.ImageUnknown, basis.Image == ImageKnowledge.Unknown),
            (TrustFindingKind.OsBelowFloor, !EnrollmentRules.IsAtLeast(os.Version, device.OsFloor)),
            (TrustFindingKind.CustomFirmwareCertificate, os.CustomFirmwareCertificate),
            (TrustFindingKind.ImageUnnamed, os.ImageDigest.Length == 0),
        ];
        return [.. all.Where(one => one.IsFound && basis.Rules.Of(one.Kind) != TrustAction.Ignore).Select(one => one.Kind)];
    }

    /// <summary>
    /// The device with its findings, in quarantine or back from it when the rules say so, and the facts of it. What an operator quarantined
    /// no rule releases, nor what is suspected; a finding that an operator accepted quarantines no more.
    /// </summary>
    public static (Device Next, ImmutableArray<DomainEvent> Facts) Apply(Device device, TrustBasis basis, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(device);
        if (device.State is not (DeviceState.InService or DeviceState.Quarantined))
        {
            return (device, []);
        }

        var known = device.Findings.IsDefault ? [] : device.Findings;
        ImmutableArray<TrustFinding> found = [.. Find(device, basis).Select(kind =>
            known.FirstOrDefault(finding => finding.Kind == kind) ?? new TrustFinding(kind, now, IsAccepted: false))];
        var (next, facts) = Note(device, known, found);
        var order = FindOrder(found, basis.Rules, now);
        if (order is not null && next.State == DeviceState.InService)
        {
            return Append(facts, DeviceLifecycle.QuarantineBy(next, order));
        }

        var heals = order is null && next is { State: DeviceState.Quarantined, Suspicion: null, Quarantine.By.Kind: ActorKind.Rule };
        return heals && basis.Rules.AutoRelease
            ? Append(facts, DeviceLifecycle.ReleaseBy(next, Actor.Rule("trust.autoRelease"), "No finding is left that quarantines.", now))
            : (next, facts);
    }

    /// <summary>The quarantine that the rules ask for because of findings that nobody accepted; null for none.</summary>
    internal static QuarantineOrder? FindOrder(ImmutableArray<TrustFinding> findings, TrustRules rules, DateTimeOffset now) =>
        (findings.IsDefault ? [] : findings).FirstOrDefault(
            finding => !finding.IsAccepted && rules.Of(finding.Kind) == TrustAction.Quarantine) is { } serious
            ? new QuarantineOrder(RuleOf(serious.Kind), $"The device's hello shows {serious.Kind}.", now)
            : null;

    private static Actor RuleOf(TrustFindingKind kind) => Actor.Rule($"trust.{kind}");

    private static (Device Next, ImmutableArray<DomainEvent> Facts) Note(
        Device device, ImmutableArray<TrustFinding> known, ImmutableArray<TrustFinding> found)
    {
        ImmutableArray<TrustFindingKind> news = [.. found.Except(known).Select(finding => finding.Kind)];
        ImmutableArray<TrustFindingKind> healed = [.. known.Except(found).Select(finding => finding.Kind)];
        return news.IsEmpty && healed.IsEmpty
            ? (device, [])
            : (device with { Findings = found }, [new TrustFindingsChanged(news, healed)]);
    }

    private static (Device Next, ImmutableArray<DomainEvent> Facts) Append(
        ImmutableArray<DomainEvent> facts, Decision<Device> decision) => (decision.Next, facts.AddRange(decision.Events));
}
