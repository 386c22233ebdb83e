using System.Collections.Immutable;
using Muster.Domain.Devices;
using Muster.Domain.Trust;

namespace Muster.Domain.Tests.Devices;

public sealed class DeviceAlarmsTests
{
    private static readonly AlarmSignal Failing = new(AlarmKind.StorageFailure, "SD_DISK", IsRaised: true, IsMomentary: false);

    private static readonly AlarmSignal Mended = Failing with { IsRaised = false };

    private static readonly AlarmSignal Covered = new(AlarmKind.Tampering, "1", IsRaised: true, IsMomentary: true);

    private static Device InService => Units.InState(DeviceState.InService);

    [Fact]
    public void Take_OfAnAlarmThatComesAndGoes_IsAFactEachTime()
    {
        var raised = Take(InService, Units.Start, Failing);
        var cleared = Take(raised.Next, Units.Start.AddMinutes(1), Mended);

        Assert.Equal(new DeviceAlarm(AlarmKind.StorageFailure, "SD_DISK", Units.Start, false), Assert.Single(raised.Next.Alarms));
        Assert.Equal(new DeviceAlarmChanged(AlarmKind.StorageFailure, "SD_DISK", true), Assert.Single(raised.Events));
        Assert.Empty(cleared.Next.Alarms);
        Assert.Equal(new DeviceAlarmChanged(AlarmKind.StorageFailure, "SD_DISK", false), Assert.Single(cleared.Events));
    }

    [Fact]
    public void Take_OfWhatTheRecordSays_ChangesNothing()
    {
        var raised = Take(InService, Units.Start, Failing).Next;

        Assert.Same(raised, Take(raised, Units.Start.AddDays(9), Failing).Next);
        Assert.Empty(Take(InService, Units.Start, Mended).Events);
    }

    [Fact]
    public void Take_OfARecordFromBeforeThereWereAlarms_TakesTheFirst() =>
        Assert.Single(Take(InService with { Alarms = default }, Units.Start, Failing).Next.Alarms);

    [Fact]
    public void Take_OfTwoPartsOfAKind_KeepsThemApart()
    {
        var both = Take(InService, Units.Start, Failing, Failing with { Source = "NetworkShare" }).Next;

        var one = Take(both, Units.Start.AddMinutes(1), Mended).Next;

        Assert.Equal(2, both.Alarms.Length);
        Assert.Equal("NetworkShare", Assert.Single(one.Alarms).Source);
    }

    [Theory]
    [InlineData(DeviceState.Quarantined, false)]
    [InlineData(DeviceState.InService, true)]
    [InlineData(DeviceState.Decommissioning, true)]
    public void Take_OfADeviceThatIsNotTrusted_RaisesAndEndsNothing(DeviceState state, bool isSuspected)
    {
        var suspicion = new CloneSuspicion(SuspicionKind.AlternatingBoots, SuspicionState.Reported, Units.Start, "seen");
        var raised = Take(Units.InState(state), Units.Start, Failing).Next with { Suspicion = isSuspected ? suspicion : null };

        var both = Take(raised, Units.Start.AddMinutes(1), Mended, Covered);

        Assert.Equal([AlarmKind.StorageFailure, AlarmKind.Tampering], both.Next.Alarms.Select(alarm => alarm.Kind));
        Assert.Equal(new DeviceAlarmChanged(AlarmKind.Tampering, "1", true), Assert.Single(both.Events));
    }

    [Theory]
    [InlineData(DeviceState.Quarantined, "DEVICE_QUARANTINED")]
    [InlineData(DeviceState.InService, "CLONE_SUSPECTED")]
    [InlineData(DeviceState.Decommissioning, "CLONE_SUSPECTED")]
    public void CheckAlarm_OfASuspectedDevice_NamesWhyNothingEnds(DeviceState state, string reason)
    {
        var suspected = Units.InState(state) with
        {
            Suspicion = new CloneSuspicion(SuspicionKind.AlternatingBoots, SuspicionState.Reported, Units.Start, "seen"),
        };

        Assert.Equal(reason, TrustRestrictions.CheckAlarm(suspected, Mended)?.Reason);
        Assert.Null(TrustRestrictions.CheckAlarm(suspected, Failing));
        Assert.Null(TrustRestrictions.CheckAlarm(InService, Mended));
    }

    [Fact]
    public void Take_OfAFlappingContact_IsHeldToItsPace()
    {
        var device = InService;
        var commits = 0;
        for (var second = 0; second < 3600; second++)
        {
            var decision = Take(device, Units.Start.AddSeconds(second), second % 2 == 0 ? Failing : Mended);
            commits += decision.Events.IsEmpty ? 0 : 1;
            device = decision.Next;
        }

        Assert.Equal(DeviceAlarms.ChangesAtOnce + 5, commits);
        Assert.True(DeviceAlarms.WaitFor(device, Units.Start.AddHours(1)) <= DeviceAlarms.PaceInterval);
    }

    /// <summary>Else it would say nothing for a year, and be held by a timer that takes no such time.</summary>
    [Fact]
    public void Take_AfterTheClockWasSetBackByAYear_IsNotHeld()
    {
        var ahead = Take(InService, Units.Start.AddYears(1), Failing).Next;

        Assert.True(DeviceAlarms.WaitFor(ahead, Units.Start) <= TimeSpan.Zero);
        var back = Take(ahead, Units.Start, Mended);
        Assert.Single(back.Events);
        Assert.Equal(Units.Start + DeviceAlarms.PaceInterval, back.Next.AlarmsPacedUntil);
    }

    [Fact]
    public void WaitFor_OfADeviceThatNeverHadAlarms_IsNothing() =>
        Assert.True(DeviceAlarms.WaitFor(InService, Units.Start) <= TimeSpan.Zero);

    [Fact]
    public void Take_OfAMomentaryAlarm_IsRepeatedAfterAnHourAndEndsAfterADay()
    {
        var covered = Take(InService, Units.Start, Covered).Next;
        Assert.Empty(Take(covered, Units.Start.AddMinutes(59), Covered).Events);
        var again = Take(covered, Units.Start.AddHours(1), Covered).Next;

        Assert.Equal(Units.Start.AddHours(1), Assert.Single(again.Alarms).At);
        Assert.Equal("STORAGE_FAILURE", DeviceAlarms.Summarize(Take(again, Units.Start.AddHours(26), Failing).Next.Alarms));
        Assert.Equal(2, Take(again, Units.Start.AddHours(24), Failing).Next.Alarms.Length);
    }

    [Fact]
    public void Take_OfMoreThanTheLimit_IsRefused()
    {
        var signals = Enumerable.Range(0, DeviceAlarms.AlarmsMax + 1).Select(fan => Failing with { Source = $"{fan}" }).ToImmutableArray();

        var full = DeviceAlarms.Take(InService, signals[..DeviceAlarms.AlarmsMax], Units.Start);
        var refused = DeviceAlarms.Take(full.Next, signals[^1..], Units.Start.AddHours(1));

        Assert.Equal(DeviceAlarms.AlarmsMax, full.Next.Alarms.Length);
        Assert.Equal("ALARM_LIMIT_REACHED", refused.Error?.Reason);
        Assert.Same(full.Next, refused.Next);
    }

    [Fact]
    public void Summarize_OfEveryKind_NamesEachOnce()
    {
        var alarms = Enum.GetValues<AlarmKind>().Where(kind => kind != AlarmKind.Unspecified).Reverse()
            .SelectMany(kind => new[] { "0", "1" }, (kind, source) => new DeviceAlarm(kind, source, Units.Start, false)).ToImmutableArray();

        Assert.Equal(
            "SYSTEM_NOT_READY,STORAGE_FAILURE,TEMPERATURE_OUT_OF_RANGE,FAN_FAILURE,POWER_SUPPLY_FAILURE,CASING_OPEN,TAMPERING,"
            + "CERTIFICATE_EXPIRY,NETWORK_LOST",
            DeviceAlarms.Summarize(alarms));
        Assert.Equal("", DeviceAlarms.Summarize(default));
    }

    private static Decision<Device> Take(Device device, DateTimeOffset now, params ImmutableArray<AlarmSignal> signals) =>
        DeviceAlarms.Take(device, signals, now);
}
