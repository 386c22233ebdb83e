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
        var taken = new List<(DateTimeOffset At, DeviceId Device)>();
        for (var i = 0; i < 3000; i++)
        {
            now += TimeSpan.FromSeconds(random.Next(40));
            var device = Device(random.Next(400));
            (permits, var isPermitted) = QuarantineBudget.Take(permits, device, now);
            if (isPermitted)
            {
                taken.Add((now, device));
            }

            var within = permits.Where(one => one.At > now - QuarantineBudget.Window).Select(one => one.Device).Distinct().Count();
            Assert.InRange(within, 0, QuarantineBudget.DevicesMax);
            Assert.InRange(permits.Length, 0, QuarantineBudget.DevicesMax);
        }

        Assert.NotEmpty(taken);
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
        Assert.True(QuarantineBudget.Take(permits, Device(100), Units.Start + QuarantineBudget.Window).IsPermitted);
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

        var dismissed = SuspicionRules.Dismiss(suspected, Anna, "two test units", Units.Start);

        Assert.Equal((expected, null), (dismissed.Next.State, dismissed.Next.Suspicion));
        Assert.False(TrustRestrictions.IsRestricted(dismissed.Next));
        Assert.Equal("DEVICE_NOT_SUSPECTED", SuspicionRules.Dismiss(dismissed.Next, Anna, "again", Units.Start).Error?.Reason);
    }

    [Fact]
    public void Dismiss_OfADeviceThatAnOperatorQuarantined_LeavesItThere()
    {
        var apart = DeviceLifecycle.Quarantine(Units.InState(DeviceState.InService), "stolen", Units.Start, Anna).Next;
        var suspected = Suspect(apart, TrustAction.Quarantine, isPermitted: false);

        var dismissed = SuspicionRules.Dismiss(suspected, Anna, "not that", Units.Start).Next;

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
