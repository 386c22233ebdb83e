using System.Collections.Immutable;
using Muster.Domain.Devices;
using Muster.Domain.Identity;
using Muster.Domain.Tests.Devices;
using Muster.Domain.Trust;

namespace Muster.Domain.Tests.Trust;

public sealed class SuspicionRulesTests
{
    private static readonly Actor Anna = Actor.Operator("anna");

    [Theory]
    [InlineData("A B C D E F G H I J", 0)]
    [InlineData("A A A A A A A A A A A A A A A A A A A A", 0)]
    [InlineData("A B A B", 2)]
    [InlineData("A B A B A", 3)]
    [InlineData("A B A A B B A", 3)]
    [InlineData("A B A C A C", 3)]
    public void Hear_ABootThatWasHeardBefore_CountsOneReturn(string boots, int returns)
    {
        var (alternation, _) = Hear(boots, TimeSpan.FromSeconds(1));

        Assert.Equal(returns, alternation?.Returns.Length ?? 0);
        Assert.Equal(returns >= 3, alternation?.IsSuspicious ?? false);
    }

    [Fact]
    public void Hear_ReturnsOverMoreThanTenMinutes_AreNotSuspicious()
    {
        var (alternation, _) = Hear("A B A B A B A B", TimeSpan.FromMinutes(5));

        Assert.False(alternation?.IsSuspicious);
    }

    [Fact]
    public void Take_OfPermits_NeverAllowsMoreThanAHundredDevicesWithinAnyHour()
    {
        var random = new Random(4);
        var now = Units.Start;
        ImmutableArray<QuarantinePermit> permits = [];
        var used = new List<(DateTimeOffset At, DeviceId Device)>();
        for (var i = 0; i < 3000; i++)
        {
            now += TimeSpan.FromSeconds(random.Next(40));
            var device = Device(random.Next(400));
            (permits, var isPermitted) = QuarantineBudget.Take(permits, device, now);
            if (isPermitted)
            {
                // The device commits later than the permit.
                used.Add((now + (QuarantineBudget.UseWithin * random.NextDouble()), device));
            }

            Assert.InRange(permits.Length, 0, QuarantineBudget.DevicesMax);
        }

        var most = used.Max(last => used
            .Where(one => one.At <= last.At && one.At > last.At - QuarantineBudget.Window)
            .Select(one => one.Device)
            .Distinct()
            .Count());
        Assert.InRange(most, QuarantineBudget.DevicesMax / 2, QuarantineBudget.DevicesMax);
    }

    [Fact]
    public void Take_OfAPermitThatWasNotUsedAtFirst_CountsFromItsLastAnswer()
    {
        ImmutableArray<QuarantinePermit> permits = [];
        for (var i = 0; i < QuarantineBudget.DevicesMax; i++)
        {
            permits = QuarantineBudget.Take(permits, Device(i), Units.Start).Next;
        }

        // The device's silo died before it was quarantined, and it is suspected again.
        var again = Units.Start + QuarantineBudget.Window - TimeSpan.FromMinutes(1);
        (permits, var isPermitted) = QuarantineBudget.Take(permits, Device(0), again);
        Assert.True(isPermitted);
        var later = Units.Start + QuarantineBudget.CountedFor;
        for (var i = 0; i < QuarantineBudget.DevicesMax - 1; i++)
        {
            (permits, isPermitted) = QuarantineBudget.Take(permits, Device(1000 + i), later);
            Assert.True(isPermitted);
        }

        Assert.False(QuarantineBudget.Take(permits, Device(2000), later).IsPermitted);
    }

    [Fact]
    public void Take_OfAPermitAgain_IsAnsweredAsBeforeAndCountedOnce()
    {
        ImmutableArray<QuarantinePermit> permits = [];
        for (var i = 0; i < QuarantineBudget.DevicesMax; i++)
        {
            permits = QuarantineBudget.Take(permits, Device(i), Units.Start).Next;
        }

        Assert.True(QuarantineBudget.Take(permits, Device(7), Units.Start).IsPermitted);
        Assert.False(QuarantineBudget.Take(permits, Device(100), Units.Start).IsPermitted);
        Assert.True(QuarantineBudget.Take(permits, Device(100), Units.Start + QuarantineBudget.CountedFor).IsPermitted);
    }

    [Theory]
    [InlineData(TrustAction.Ignore, true, SuspicionState.Unspecified, DeviceState.InService)]
    [InlineData(TrustAction.Report, true, SuspicionState.Reported, DeviceState.InService)]
    [InlineData(TrustAction.Quarantine, true, SuspicionState.Quarantined, DeviceState.Quarantined)]
    [InlineData(TrustAction.Quarantine, false, SuspicionState.Waiting, DeviceState.InService)]
    public void Suspect_OfADeviceInService_DoesWhatRuleAndBudgetSay(
        TrustAction action, bool isPermitted, SuspicionState suspicion, DeviceState state)
    {
        var next = Suspect(Units.Offered(), action, isPermitted);

        Assert.Equal((suspicion, state), (next.Suspicion?.State ?? SuspicionState.Unspecified, next.State));
        var isRestricted = action != TrustAction.Ignore;
        Assert.Equal(isRestricted, TrustRestrictions.IsRestricted(next));
        Assert.Equal(isRestricted, next.Change is null);
        Assert.Equal(isRestricted, DeviceAdmission.CheckDownload(next, next.Id, Units.Identity, Units.NewDigest, Units.Start) is not null);
        Assert.Equal(
            isRestricted, CertificateRules.CheckState(next, next.Id, Units.Identity, Units.Start) is not null);
        Assert.Equal(isRestricted, TrustRestrictions.CheckUp(next, UpKind.Report) is not null);
        Assert.Equal(
            !isRestricted,
            DeviceChanges.Offer(next, Units.Offer("autumn"), hasSession: true, Units.Start).Verdict != OfferVerdict.Closed);
    }

    [Theory]
    [InlineData(DeviceState.Expected, false)]
    [InlineData(DeviceState.Enrolling, false)]
    [InlineData(DeviceState.InService, true)]
    [InlineData(DeviceState.Quarantined, true)]
    [InlineData(DeviceState.Decommissioning, false)]
    [InlineData(DeviceState.Decommissioned, false)]
    [InlineData(DeviceState.Returned, false)]
    [InlineData(DeviceState.Withdrawn, false)]
    public void Suspect_InEveryState_IsNewsInServiceAndInQuarantine(DeviceState state, bool isNews)
    {
        var next = Suspect(Units.InState(state), TrustAction.Quarantine, isPermitted: true);

        Assert.Equal(isNews, next.Suspicion is not null);
        Assert.Equal(state == DeviceState.InService ? DeviceState.Quarantined : state, next.State);
    }

    [Theory]
    [InlineData(true, DeviceState.InService)]
    [InlineData(false, DeviceState.InService)]
    public void Dismiss_OfWhatTheSuspicionAloneQuarantined_ReturnsItToService(bool wasPermitted, DeviceState expected)
    {
        var suspected = Suspect(Units.InState(DeviceState.InService), TrustAction.Quarantine, wasPermitted);

        var dismissed = SuspicionRules.Dismiss(suspected, TrustRules.Default, Anna, "two test units", Units.Start);

        Assert.Equal((expected, null), (dismissed.Next.State, dismissed.Next.Suspicion));
        Assert.False(TrustRestrictions.IsRestricted(dismissed.Next));
        Assert.Equal(
            "DEVICE_NOT_SUSPECTED",
            SuspicionRules.Dismiss(dismissed.Next, TrustRules.Default, Anna, "again", Units.Start).Error?.Reason);
    }

    [Theory]
    [InlineData(TrustAction.Quarantine, false, DeviceState.Quarantined)]
    [InlineData(TrustAction.Quarantine, true, DeviceState.InService)]
    [InlineData(TrustAction.Report, false, DeviceState.InService)]
    public void Dismiss_OfADeviceThatShowsAFinding_LeavesThatToItsRule(TrustAction rule, bool isAccepted, DeviceState state)
    {
        var suspected = Suspect(Units.InState(DeviceState.InService), TrustAction.Quarantine, isPermitted: true) with
        {
            Findings = [new TrustFinding(TrustFindingKind.SecureBootLost, Units.Start, isAccepted)],
        };
        var rules = TrustRules.Default with { SecureBootLost = rule };

        var dismissed = SuspicionRules.Dismiss(suspected, rules, Anna, "two test units", Units.Start);

        Assert.Equal((state, null), (dismissed.Next.State, dismissed.Next.Suspicion));
        Assert.Equal(suspected.Findings, dismissed.Next.Findings);
        var isApart = state == DeviceState.Quarantined;
        Assert.Equal(isApart ? Actor.Rule("trust.SecureBootLost") : null, dismissed.Next.Quarantine?.By);
        Assert.IsType(isApart ? typeof(DeviceQuarantined) : typeof(DeviceReleased), dismissed.Events[^1]);
    }

    [Fact]
    public void Suspect_OfAPairThatWasDismissed_RaisesNothingAndOfAnotherKeyOrSerialAnew()
    {
        var dismissed = SuspicionRules.Dismiss(Suspect(Pair(1, 1)), TrustRules.Default, Anna, "one desk", Units.Start).Next;

        Assert.Same(dismissed, Suspect(Pair(1, 1), dismissed));
        Assert.Equal(Pair(1, 2), Suspect(Pair(1, 2), dismissed).Suspicion?.Pair);
        Assert.Equal(Pair(2, 1), Suspect(Pair(2, 1), dismissed).Suspicion?.Pair);
        Assert.NotNull(Suspect(null, dismissed).Suspicion);
    }

    [Theory]
    [InlineData(false, true)]
    [InlineData(true, false)]
    public void Release_OfASuspectedDevice_DismissesThePairUnlessItWasConfirmed(bool isConfirmed, bool isDismissed)
    {
        var suspected = Suspect(Pair(1, 1));
        var device = isConfirmed ? SuspicionRules.Confirm(suspected, Anna, "a copy", Units.Start).Next : suspected;

        var released = DeviceLifecycle.Release(device, "seen", Units.Start).Next;

        Assert.Null(released.Suspicion);
        Assert.Equal(isDismissed, Suspect(Pair(1, 1), released).Suspicion is null);
    }

    [Fact]
    public void Dismiss_OfMorePairsThanAreRemembered_ForgetsTheOldest()
    {
        var device = Units.InState(DeviceState.InService) with { DismissedPairs = default };
        for (var serial = 0; serial <= SuspectedPair.DismissedMax; serial++)
        {
            device = SuspicionRules.Dismiss(Suspect(Pair(serial, 1), device), TrustRules.Default, Anna, "desk", Units.Start).Next;
        }

        Assert.Equal(SuspectedPair.DismissedMax, device.DismissedPairs.Length);
        Assert.NotNull(Suspect(Pair(0, 1), device).Suspicion);
        Assert.Null(Suspect(Pair(1, 1), device).Suspicion);
    }

    [Fact]
    public void Dismiss_OfADeviceThatAnOperatorQuarantined_LeavesItThere()
    {
        var apart = DeviceLifecycle.Quarantine(Units.InState(DeviceState.InService), "stolen", Units.Start, Anna).Next;
        var suspected = Suspect(apart, TrustAction.Quarantine, isPermitted: false);

        var dismissed = SuspicionRules.Dismiss(suspected, TrustRules.Default, Anna, "not that", Units.Start).Next;

        Assert.Equal(SuspicionState.Quarantined, suspected.Suspicion?.State);
        Assert.Equal(DeviceState.Quarantined, dismissed.State);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Confirm_MakesTheQuarantineTheOperators(bool wasPermitted)
    {
        var suspected = Suspect(Units.InState(DeviceState.InService), TrustAction.Quarantine, wasPermitted);

        var confirmed = SuspicionRules.Confirm(suspected, Anna, "seen twice", Units.Start);

        Assert.Equal((DeviceState.Quarantined, Anna), (confirmed.Next.State, confirmed.Next.Quarantine?.By));
        Assert.Equal(SuspicionState.Confirmed, confirmed.Next.Suspicion?.State);
        Assert.Empty(SuspicionRules.Confirm(confirmed.Next, Anna, "again", Units.Start).Events);
    }

    private static Sha256Hash Pair(int serial, ulong key) =>
        SuspectedPair.Of(TenantId.Default, Device(serial), new Sha256Hash(key, 0, 0, 0));

    private static Device Suspect(Sha256Hash? pair, Device? device = null) => SuspicionRules.Suspect(
        device ?? Units.InState(DeviceState.InService),
        SuspicionKind.KeyUnderTwoSerials,
        "seen",
        TrustAction.Quarantine,
        isPermitted: true,
        Units.Start,
        pair).Next;

    private static Device Suspect(Device device, TrustAction action, bool isPermitted) =>
        SuspicionRules.Suspect(device, SuspicionKind.AlternatingBoots, "seen", action, isPermitted, Units.Start).Next;

    private static DeviceId Device(int number) =>
        DeviceId.TryParse($"B8A44F{number:X6}", out var id) ? id : throw new FormatException();

    private static (BootAlternation? Alternation, ImmutableArray<BootSequences> Known) Hear(string boots, TimeSpan apart)
    {
        BootAlternation? alternation = null;
        ImmutableArray<BootSequences> known = [];
        var now = Units.Start;
        foreach (var boot in boots.Split(' '))
        {
            now += apart;
            alternation = BootAlternation.Hear(alternation, known, boot, now);
            if (MessageWindow.Judge(known, UpKind.Hello, new MessageStamp(boot, 1)) == MessageNovelty.News)
            {
                known = MessageWindow.Note(known, UpKind.Hello, new MessageStamp(boot, 1));
            }
        }

        return (alternation, known);
    }
}
