using Muster.Domain.Devices;
using Muster.Domain.Policies;

namespace Muster.Domain.Tests.Devices;

/// <summary>A change of settings from its offer to its end, and behind it.</summary>
public sealed class SettingsChangesTests
{
    private const string Ssh = "root.Network.SSH.Enabled";
    private const string Ntp = "root.Time.NTP.Server";

    private static readonly SettingSet Wanted = [new DeviceSetting(Ssh, "no")];

    private static readonly Device Idle = Reporting(Units.InState(DeviceState.InService), 1, ("root.Brand", "x"), (Ssh, "yes"));

    private static readonly Device Offered = DeviceChanges.Offer(Idle, Offer(), hasSession: true, Units.Start).Next;

    [Fact]
    public void Offer_OfSettings_IsAGenerationThatNamesThemAndNoImage()
    {
        var decision = DeviceChanges.Offer(Idle, Offer(), hasSession: true, Units.Start);

        Assert.Equal(OfferVerdict.InProgress, decision.Verdict);
        Assert.Equal(new ChangeOffered(Units.Rollout(), 1, 1, ""), Assert.Single(decision.Events));
        Assert.Equal((1L, null, Wanted), (decision.Next.Desired.Generation, decision.Next.Desired.Os, decision.Next.Desired.Settings));
        Assert.Equal((ChangeKind.Settings, ChangeStep.Offered), (decision.Next.Change!.Kind, decision.Next.Change.Step));
    }

    [Fact]
    public void Offer_ToADeviceThatReportsThem_IsSkipped()
    {
        var decision = DeviceChanges.Offer(Reporting(Idle, 2, (Ssh, "no"), (Ntp, "a")), Offer(), hasSession: false, Units.Start);

        Assert.Equal(
            (OfferVerdict.Closed, ChangeOutcome.Skipped, "ALREADY_HAS_SETTINGS"), (decision.Verdict, decision.Outcome, decision.Reason));
        Assert.Empty(decision.Events);
    }

    [Theory]
    [InlineData("No", true)] // another spelling is another value: a vendor's names of hosts and users are told apart by it
    [InlineData(null, true)]
    [InlineData("no", false)]
    public void Offer_ComparesValuesAsTheyAre(string? value, bool isOffered)
    {
        var device = Reporting(Idle, 2, value is null ? [] : [(Ssh, value)]);

        Assert.Equal(isOffered, !DeviceChanges.Offer(device, Offer(), hasSession: true, Units.Start).Events.IsEmpty);
    }

    [Fact]
    public void Offer_BesideAnImage_WaitsAndTheOtherWayRound()
    {
        var image = DeviceChanges.Offer(Idle, Units.Offer("image"), hasSession: true, Units.Start).Next;

        Assert.Equal(OfferVerdict.Busy, DeviceChanges.Offer(image, Offer(), hasSession: true, Units.Start).Verdict);
        Assert.Equal(OfferVerdict.Busy, DeviceChanges.Offer(Offered, Units.Offer("image"), hasSession: true, Units.Start).Verdict);
    }

    [Theory]
    [InlineData("no", 0, ChangeOutcome.Succeeded, "")] // what the device is, is taken whatever generation it names
    [InlineData("no", 1, ChangeOutcome.Succeeded, "")]
    [InlineData("yes", 0, ChangeOutcome.Unspecified, null)]
    [InlineData("yes", 1, ChangeOutcome.Failed, "SETTINGS_DIFFER")] // it says that it has applied them
    [InlineData("yes", 9, ChangeOutcome.Failed, "SETTINGS_DIFFER")]
    public void TakeInventory_DecidesByWhatIsReported(string value, long generation, ChangeOutcome outcome, string? reason)
    {
        var decision = Take(Offered, 2, generation, (Ssh, value), (Ntp, "a"));

        var closed = decision.Events.OfType<ChangeClosed>().SingleOrDefault();
        Assert.Equal((outcome, reason), (closed?.Outcome ?? ChangeOutcome.Unspecified, closed?.Reason));
        Assert.Equal(outcome == ChangeOutcome.Unspecified, decision.Next.Change is not null);
        Assert.Equal(outcome == ChangeOutcome.Failed, decision.Next.Desired.OrdersNothing);
        Assert.Equal(generation == 0 ? 0 : 1, decision.Next.GenerationReached);
    }

    [Fact]
    public void TakeInventory_OfASuccess_IsNoInstallation()
    {
        var device = Take(Offered, 2, 1, (Ssh, "no")).Next;

        Assert.Equal((Idle.Track, Idle.Installs, Idle.OsFloor), (device.Track, device.Installs, device.OsFloor));
        Assert.Equal((ChangeKind.Settings, ""), (device.LastChange!.Kind, device.LastChange.TargetDigest));
    }

    [Fact]
    public void TakeInventory_ThatANewerOneOvertook_DecidesNothing()
    {
        var newer = Take(Offered, 3, 0, (Ssh, "yes")).Next;

        var late = Take(newer, 2, 1, (Ssh, "no"));

        Assert.NotNull(late.Next.Change);
        Assert.Empty(late.Events.OfType<ChangeClosed>());
    }

    [Fact]
    public void TakeHello_InANewBoot_DeliversAndDecidesNothing()
    {
        var installing = Units.Take(Offered, Units.Report(1, ChangeStep.Installing, 1));

        var delivered = DeviceMessages.TakeHello(Offered, Units.Hello("boot-2", 1, generation: 1), PolicySet.Empty, Units.Start);
        var rebooted = DeviceMessages.TakeHello(installing, Units.Hello("boot-2", 1, Units.NewDigest, 1), PolicySet.Empty, Units.Start);

        Assert.Equal(new ChangeDelivered(Units.Rollout(), 1), Assert.Single(delivered.Events.OfType<ChangeDelivered>()));
        Assert.Equal(Units.Start, delivered.Next.Change!.DeliveredAt);
        Assert.NotNull(rebooted.Next.Change);
        Assert.Empty(rebooted.Events.OfType<ChangeClosed>());
    }

    [Fact]
    public void TakeInventory_OfAnotherValueAfterASuccess_TakesItBack()
    {
        var set = Take(Offered, 2, 1, (Ssh, "no")).Next;

        var same = Take(set, 3, 1, (Ssh, "no"), (Ntp, "b"));
        var decision = Take(same.Next, 4, 1, (Ssh, "yes"));
        var again = Take(decision.Next, 5, 1, (Ssh, "no"));

        Assert.Empty(same.Events.OfType<ChangeClosed>());
        Assert.Equal(
            new ChangeClosed(Units.Rollout(), 1, ChangeOutcome.Failed, "SETTINGS_DIFFER"),
            Assert.Single(decision.Events.OfType<ChangeClosed>()));
        Assert.True(decision.Next.Desired.OrdersNothing);
        Assert.Empty(again.Events.OfType<ChangeClosed>());
    }

    [Fact]
    public void TakeHello_OfAnotherImage_TakesAnImageBackThatSettingsFollowed()
    {
        var installed = Units.Take(
            DeviceChanges.Offer(Idle, Units.Offer("image"), hasSession: true, Units.Start).Next,
            Units.Hello("boot-2", 1, Units.NewDigest, 1));
        var offered = DeviceChanges.Offer(installed, Offer(), hasSession: true, Units.Start).Next;
        var set = Take(offered, 2, 2, (Ssh, "no")).Next;

        var during = DeviceMessages.TakeHello(offered, Units.Hello("boot-3", 1, Units.OldDigest), PolicySet.Empty, Units.Start);
        var after = DeviceMessages.TakeHello(set, Units.Hello("boot-3", 1, Units.OldDigest), PolicySet.Empty, Units.Start);

        foreach (var decision in new[] { during, after })
        {
            var fact = Assert.Single(decision.Events.OfType<ChangeClosed>());
            Assert.Equal(("image", ChangeOutcome.Failed, DeviceChanges.RunsAnotherImage), (fact.Rollout.Value, fact.Outcome, fact.Reason));

            // What the settings' rollout ordered since stays ordered.
            Assert.Equal((2L, Wanted), (decision.Next.Desired.Generation, decision.Next.Desired.Settings));
        }

        Assert.NotNull(during.Next.Change);
        Assert.Equal(ChangeOutcome.Succeeded, after.Next.LastChange!.Outcome);
        Assert.Empty(Take(after.Next, 3, 2, (Ssh, "no")).Events.OfType<ChangeClosed>());
    }

    [Fact]
    public void TakeInventory_AfterANewerChangeOfSettings_LooksAtThatAlone()
    {
        var set = Take(Offered, 2, 1, (Ssh, "no"), (Ntp, "a")).Next;
        var next = DeviceChanges.Offer(set, Offer("summer", (Ntp, "b")), hasSession: true, Units.Start).Next;
        var both = Take(next, 3, 2, (Ssh, "no"), (Ntp, "b")).Next;

        var decision = Take(both, 4, 2, (Ssh, "yes"), (Ntp, "b"));

        Assert.Empty(decision.Events.OfType<ChangeClosed>());
        Assert.Null(Assert.Single(both.EarlierChanges).Settings);
        Assert.NotNull(both.LastChange!.Settings);
    }

    [Theory]
    [InlineData("SETTING_REFUSED", false)]
    [InlineData("a recording is running", true)]
    public void Offer_AfterTheDeviceRejectedThem_IsMadeAgainUnlessItNeverTakesThem(string reason, bool isOffered)
    {
        var rejected = Units.Take(
            Offered, Units.Report(1, ChangeStep.Unspecified, 1, outcome: ChangeOutcome.Rejected) with { Reason = reason });

        var next = DeviceChanges.Offer(rejected, Offer() with { Retry = 1 }, hasSession: true, Units.Start);

        Assert.Equal(isOffered, next.Verdict == OfferVerdict.InProgress);
        Assert.Equal(isOffered ? Wanted : null, next.Next.Desired.Settings);
    }

    [Fact]
    public void Expire_OfSettingsThatWereNotReported_OrdersNothingAnyMore()
    {
        var over = DeviceChanges.Expire(Offered, Units.Rollout(), 0, new ChangeTimers(TimeSpan.Zero, TimeSpan.Zero), Units.Start);

        Assert.Equal(ChangeOutcome.TimedOut, over.Outcome);
        Assert.True(over.Next.Desired.OrdersNothing);
        Assert.Equal(2, over.Next.Desired.Generation);
    }

    private static ChangeOffer Offer(string rollout = "spring", params (string Name, string Value)[] settings) =>
        new(Units.Rollout(rollout), 1, OsTarget.None, "", [])
        {
            Settings = settings.Length == 0 ? Wanted : [.. settings.Select(setting => new DeviceSetting(setting.Name, setting.Value))],
        };

    private static Decision<Device> Take(Device device, long sequence, long generation, params (string Name, string Value)[] settings) =>
        DeviceMessages.TakeInventory(
            device,
            new ObservedInventory(
                Units.From(device.Os!.BootId, sequence), [.. settings.Select(setting => new DeviceSetting(setting.Name, setting.Value))])
            {
                Generation = generation,
            },
            PolicySet.Empty,
            Units.Start);

    private static Device Reporting(Device device, long sequence, params (string Name, string Value)[] settings) =>
        Take(device, sequence, 0, settings).Next;
}
