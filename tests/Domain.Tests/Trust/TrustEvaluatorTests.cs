using Muster.Domain.Devices;
using Muster.Domain.Policies;
using Muster.Domain.Tests.Devices;
using Muster.Domain.Trust;

namespace Muster.Domain.Tests.Trust;

public sealed class TrustEvaluatorTests
{
    private static readonly TrustBasis Published = new(TrustRules.Default, ImageKnowledge.Published);

    /// <summary>What the hello shows, what the rule of it says, and what follows.</summary>
    public static TheoryData<TrustFindingKind, TrustAction, bool, DeviceState> Rules()
    {
        var rules = new TheoryData<TrustFindingKind, TrustAction, bool, DeviceState>();
        foreach (var kind in Enum.GetValues<TrustFindingKind>().Where(kind => kind != TrustFindingKind.Unspecified))
        {
            rules.Add(kind, TrustAction.Ignore, false, DeviceState.InService);
            rules.Add(kind, TrustAction.Report, true, DeviceState.InService);
            rules.Add(kind, TrustAction.Quarantine, true, DeviceState.Quarantined);
        }

        return rules;
    }

    [Theory]
    [MemberData(nameof(Rules))]
    public void TakeHello_ShowingAFinding_DoesWhatTheRuleSays(
        TrustFindingKind kind, TrustAction action, bool isNoted, DeviceState expected)
    {
        var rules = RulesWith(kind, action);

        var decision = Take(Units.InState(DeviceState.InService), kind, rules);

        Assert.Equal(isNoted ? [new TrustFinding(kind, Units.Start, false)] : [], decision.Next.Findings);
        Assert.Equal(expected, decision.Next.State);
        Assert.Equal(isNoted, decision.Events.Any(fact => fact is TrustFindingsChanged { Found: [var found] } && found == kind));
        Assert.Equal(
            expected == DeviceState.Quarantined ? Actor.Rule($"trust.{kind}") : null,
            decision.Events.OfType<DeviceQuarantined>().SingleOrDefault()?.By);
        Assert.Equal(expected == DeviceState.Quarantined ? Actor.Rule($"trust.{kind}") : null, decision.Next.Quarantine?.By);
    }

    [Theory]
    [InlineData(DeviceState.Expected)]
    [InlineData(DeviceState.Enrolling)]
    [InlineData(DeviceState.InService)]
    [InlineData(DeviceState.Quarantined)]
    [InlineData(DeviceState.Decommissioning)]
    [InlineData(DeviceState.Decommissioned)]
    [InlineData(DeviceState.Returned)]
    [InlineData(DeviceState.Withdrawn)]
    public void Apply_InEveryState_JudgesDevicesInServiceAndInQuarantineAlone(DeviceState state)
    {
        var device = Units.InState(state) with { Os = Units.Os("boot-1") with { SecureBoot = false } };

        var (next, facts) = TrustEvaluator.Apply(device, Published, Units.Start);

        var isJudged = state is DeviceState.InService or DeviceState.Quarantined;
        Assert.Equal(isJudged, !next.Findings.IsEmpty);
        Assert.Equal(isJudged, !facts.IsEmpty);
        Assert.Equal(state == DeviceState.InService ? DeviceState.Quarantined : state, next.State);
    }

    [Fact]
    public void TakeHello_ThatShowsTheSameAgain_KeepsSinceAndLeavesNoFactOfIt()
    {
        var once = Take(Units.InState(DeviceState.InService), TrustFindingKind.ImageUnknown, TrustRules.Default).Next;

        var again = Take(once, TrustFindingKind.ImageUnknown, TrustRules.Default, "boot-2", Units.Start.AddHours(1));

        Assert.Equal(Units.Start, Assert.Single(again.Next.Findings).Since);
        Assert.DoesNotContain(again.Events, fact => fact is TrustFindingsChanged);
    }

    [Theory]
    [InlineData(false, DeviceState.Quarantined)]
    [InlineData(true, DeviceState.InService)]
    public void TakeHello_OfADeviceThatHealed_ComesBackByRuleAlone(bool autoRelease, DeviceState expected)
    {
        var rules = TrustRules.Default with { AutoRelease = autoRelease };
        var lost = Take(Units.InState(DeviceState.InService), TrustFindingKind.SecureBootLost, rules).Next;

        var healed = Take(lost, TrustFindingKind.Unspecified, rules, "boot-2", Units.Start.AddHours(1));

        Assert.Empty(healed.Next.Findings);
        Assert.Equal(expected, healed.Next.State);
        Assert.Contains(healed.Events, fact => fact is TrustFindingsChanged { Healed: [TrustFindingKind.SecureBootLost] });
        Assert.Equal(autoRelease, healed.Events.Any(fact => fact is DeviceReleased { By.Name: "trust.autoRelease" }));
    }

    [Fact]
    public void TakeHello_OfADeviceThatAnOperatorQuarantined_IsNeverReleasedByRule()
    {
        var rules = TrustRules.Default with { AutoRelease = true };
        var byRule = Take(Units.InState(DeviceState.InService), TrustFindingKind.SecureBootLost, rules).Next;
        var byOperator = DeviceLifecycle.Quarantine(byRule, "looks odd", Units.Start, Actor.Operator("anna"));

        var healed = Take(byOperator.Next, TrustFindingKind.Unspecified, rules, "boot-2");
        var older = Take(Units.InState(DeviceState.Quarantined), TrustFindingKind.Unspecified, rules, "boot-2");

        Assert.IsType<DeviceQuarantined>(Assert.Single(byOperator.Events));
        Assert.Equal(DeviceState.Quarantined, healed.Next.State);
        Assert.Equal(Actor.Operator("anna"), healed.Next.Quarantine?.By);
        Assert.Equal(DeviceState.Quarantined, older.Next.State);
    }

    [Fact]
    public void Release_ByAnOperatorWithAFinding_AcceptsItUntilItWasGone()
    {
        var lost = Take(Units.InState(DeviceState.InService), TrustFindingKind.SecureBootLost, TrustRules.Default).Next;

        var released = DeviceLifecycle.Release(lost, "spare part", Units.Start).Next;
        var still = Take(released, TrustFindingKind.SecureBootLost, TrustRules.Default, "boot-2").Next;
        var healed = Take(still, TrustFindingKind.Unspecified, TrustRules.Default, "boot-3").Next;
        var lostAgain = Take(healed, TrustFindingKind.SecureBootLost, TrustRules.Default, "boot-4").Next;

        Assert.Null(released.Quarantine);
        Assert.True(Assert.Single(still.Findings).IsAccepted);
        Assert.Equal((DeviceState.InService, DeviceState.InService), (still.State, healed.State));
        Assert.Equal(DeviceState.Quarantined, lostAgain.State);
    }

    [Theory]
    [InlineData(TrustAction.Ignore, TrustAction.Unspecified, TrustAction.Ignore)]
    [InlineData(TrustAction.Report, TrustAction.Unspecified, TrustAction.Ignore)]
    [InlineData(TrustAction.Quarantine, TrustAction.Unspecified, TrustAction.Quarantine)]
    [InlineData(TrustAction.Quarantine, TrustAction.Report, TrustAction.Report)]
    [InlineData(TrustAction.Quarantine, TrustAction.Ignore, TrustAction.Ignore)]
    [InlineData(TrustAction.Report, TrustAction.Quarantine, TrustAction.Quarantine)]
    public void TakeHello_ThatNamesNoImage_IsAFindingWhereKnownOnesAreDemandedOrTheOwnerSaysSo(
        TrustAction unknown, TrustAction unnamed, TrustAction follows)
    {
        var rules = TrustRules.Default with { ImageUnknown = unknown, ImageUnnamed = unnamed };

        var next = Take(Units.InState(DeviceState.InService), TrustFindingKind.ImageUnnamed, rules).Next;

        Assert.Equal(
            follows == TrustAction.Ignore ? [] : [TrustFindingKind.ImageUnnamed], next.Findings.Select(finding => finding.Kind));
        Assert.Equal(follows == TrustAction.Quarantine ? DeviceState.Quarantined : DeviceState.InService, next.State);
    }

    [Fact]
    public void TakeHello_OfAReleasedDeviceThatNeverNamesItsImage_IsNotQuarantinedAgain()
    {
        var rules = TrustRules.Default with { ImageUnknown = TrustAction.Quarantine };
        var first = Take(Units.InState(DeviceState.InService), TrustFindingKind.ImageUnnamed, rules).Next;

        var released = DeviceLifecycle.Release(first, "its maker names none", Units.Start).Next;

        Assert.Equal(
            DeviceState.InService, Take(released, TrustFindingKind.ImageUnnamed, rules, "boot-2", Units.Start.AddHours(1)).Next.State);
    }

    [Fact]
    public void Set_OfRules_GrowsTheRevisionRefusesNonsenseAndTakesRepetitions()
    {
        var stricter = TrustRules.Default with { ImageUnknown = TrustAction.Quarantine };

        var set = TrustRules.Set(TrustRules.Default, stricter);
        var again = TrustRules.Set(set.Next, stricter);
        var nonsense = TrustRules.Set(set.Next, stricter with { OsBelowFloor = (TrustAction)9 });
        var unnamed = TrustRules.Set(set.Next, stricter with { ImageUnnamed = (TrustAction)9 });

        Assert.Equal(1, set.Next.Revision);
        Assert.IsType<TrustRulesChanged>(Assert.Single(set.Events));
        Assert.Empty(again.Events);
        Assert.Equal("TRUST_RULES_INVALID", nonsense.Error?.Reason);
        Assert.Equal("TRUST_RULES_INVALID", unnamed.Error?.Reason);
    }

    private static TrustRules RulesWith(TrustFindingKind kind, TrustAction action) => kind switch
    {
        TrustFindingKind.SecureBootLost => TrustRules.Default with { SecureBootLost = action },
        TrustFindingKind.ImageUnknown => TrustRules.Default with { ImageUnknown = action },
        TrustFindingKind.OsBelowFloor => TrustRules.Default with { OsBelowFloor = action },
        TrustFindingKind.CustomFirmwareCertificate => TrustRules.Default with { CustomFirmwareCertificate = action },
        TrustFindingKind.ImageUnnamed => TrustRules.Default with { ImageUnnamed = action },
        _ => throw new InvalidOperationException($"Decide what rule {kind} has."),
    };

    private static Decision<Device> Take(
        Device device, TrustFindingKind shown, TrustRules rules, string boot = "boot-1", DateTimeOffset? at = null)
    {
        var os = Units.Os(boot, version: shown == TrustFindingKind.OsBelowFloor ? "10.0" : "12.0.1") with
        {
            SecureBoot = shown != TrustFindingKind.SecureBootLost,
            CustomFirmwareCertificate = shown == TrustFindingKind.CustomFirmwareCertificate,
        };
        os = shown == TrustFindingKind.ImageUnnamed ? os with { ImageDigest = "" } : os;
        var image = shown switch
        {
            TrustFindingKind.ImageUnknown => ImageKnowledge.Unknown,
            TrustFindingKind.ImageUnnamed => ImageKnowledge.Unspecified,
            _ => ImageKnowledge.Published,
        };
        var hello = Units.Hello(boot, 2) with { Os = os };
        return DeviceMessages.TakeHello(device, hello, PolicySet.Empty, at ?? Units.Start, new TrustBasis(rules, image));
    }
}
