using System.Collections.Immutable;
using Muster.Contracts.Devices;
using Muster.Contracts.Gateways;
using Muster.Contracts.Inventory;
using Muster.Domain.Devices;
using Muster.Domain.Rollouts;

namespace Muster.Grains.Tests.Devices;

/// <summary>A device is told when it may begin to install, and again as long as it waits for that.</summary>
public sealed class DeviceInstallsTests : IAsyncLifetime
{
    private static readonly ImmutableArray<OfferWindow> Nights = [new("0 22 * * *", TimeSpan.FromHours(4), "UTC")];

    /// <summary>The first of the next is now, whenever that is.</summary>
    private static readonly ImmutableArray<OfferWindow> Always = [new("0 0 * * *", TimeSpan.FromDays(1), "UTC")];

    private static readonly ExpireChange TwoHours = new(Unit.Rollout(), TimeSpan.FromHours(2), TimeSpan.FromDays(7));

    private readonly DeviceSilo _silo = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync() => _silo.InitializeAsync();

    public ValueTask DisposeAsync() => _silo.DisposeAsync();

    [Fact]
    public async Task Offer_WithInstallWindows_IsToldWithTheNextOfThemAndAgainByANewActivation()
    {
        var unit = await new Unit(_silo).EnrolAsync();
        var opens = NextNight();
        await unit.Grain.OfferAsync(Unit.Offer() with { InstallWindows = Nights });
        var first = await unit.Gateway.NextAsync<DesiredMessage>(Cancel);
        Assert.Null((await unit.Grain.ReportAsync(unit.Report("boot-1", 1, 1, ChangeStep.Verifying))).Error);
        await _silo.ForgetAsync(unit.GrainId);
        _silo.Clock.Advance(TimeSpan.FromDays(5) - TimeSpan.FromSeconds(1));

        // By the timer of the new activation, although the change is delivered: it heard of the session from a status.
        await unit.Grain.StatusAsync(new ReportStatus(unit.Envelope("boot-1", 2), new DeviceHealth(1, null, "")));
        _silo.Clock.Advance(TimeSpan.FromSeconds(1));
        var renewed = await ToldAsync(unit, NextNight());

        Assert.Equal((InstallTimes.IntervalsMax, opens), (first.InstallTimes!.Value.Length, first.InstallTimes.Value[0].OpensAt));
        Assert.Equal((1L, InstallTimes.IntervalsMax), (renewed.Desired.Generation, renewed.InstallTimes!.Value.Length));
        Assert.Equal(opens.AddDays(5), NextNight());
    }

    [Fact]
    public async Task Status_ToANewActivation_TellsADeviceNothingThatKnowsItsWindows()
    {
        var unit = await VerifiedAsync(Always);
        var delivered = _silo.Clock.GetUtcNow();
        await _silo.ForgetAsync(unit.GrainId);
        _silo.Clock.Advance(TimeSpan.FromDays(1) - TimeSpan.FromSeconds(1));
        _silo.Presence[unit.Id] = new DevicePresence(
            true, _silo.Clock.GetUtcNow(), unit.Epoch, "gateway-1", unit.Session().Gateway, null);

        // Its timer looks for the session, and tells nothing: the next time is a second away.
        await unit.Grain.StatusAsync(new ReportStatus(unit.Envelope("boot-1", 2), new DeviceHealth(1, null, "")));
        var asked = _silo.PresenceAsks;
        _silo.Clock.ShiftTimestamps(TimeSpan.FromSeconds(90));
        await Unit.UntilAsync(() => Task.FromResult(_silo.PresenceAsks > asked));
        await unit.GetAsync();
        _silo.Clock.Advance(TimeSpan.FromSeconds(1));
        await unit.Grain.HelloAsync(unit.Hello("boot-2", 1, generation: 1));

        Assert.Equal(delivered.AddDays(1), await NextOpeningAsync(unit, after: delivered));
    }

    [Fact]
    public async Task Hello_OfADeviceThatWaits_IsAnsweredWithTheNextWindowsUntilItInstalls()
    {
        var unit = await VerifiedAsync();
        _silo.Clock.Advance(TimeSpan.FromDays(20));

        await unit.Grain.HelloAsync(unit.Hello("boot-2", 1, generation: 1));
        var answered = await ToldAsync(unit, NextNight());
        Assert.Null((await unit.Grain.ReportAsync(unit.Report("boot-2", 1, 1, ChangeStep.Installing))).Error);

        Assert.Equal(1, answered.Desired.Generation);
        Assert.False(DeviceChanges.AwaitsInstall(await unit.GetAsync()));
    }

    [Fact]
    public async Task Change_OfADeviceThatWaits_EndsWhenItsWindowsWereOpenForItsTime()
    {
        var unit = await VerifiedAsync();
        var night = NextNight();

        Assert.Equal(OfferStatus.Offered, await ExpireAsync(unit, night.AddMinutes(-1)));
        var waits = await unit.Grain.PreviewOfferAsync(Unit.Offer());
        Assert.Equal(OfferStatus.Offered, await ExpireAsync(unit, night.AddMinutes(30)));
        var may = await unit.Grain.PreviewOfferAsync(Unit.Offer());
        Assert.Equal(OfferStatus.Offered, await ExpireAsync(unit, night.AddHours(2).AddSeconds(-1)));
        Assert.Equal(OfferStatus.Closed, await ExpireAsync(unit, night.AddHours(2)));

        Assert.Equal((night, (DateTimeOffset?)null), (waits!.InstallOpensAt, may!.InstallOpensAt));
        Assert.Equal((ChangeOutcome.TimedOut, ChangeTimers.ChangeTimedOut), await EndAsync(unit));
    }

    [Fact]
    public async Task Change_OfADeviceThatInstallsWhenTheWindowShuts_IsLeftToFinishAndSucceeds()
    {
        var unit = await VerifiedAsync();
        var shuts = NextNight().AddHours(4);
        _silo.Clock.Advance(shuts.AddHours(-2.5) - _silo.Clock.GetUtcNow()); // an hour and a half of its time has passed
        Assert.Null((await unit.Grain.ReportAsync(unit.Report("boot-1", 2, 1, ChangeStep.Installing))).Error);
        var told = await unit.Grain.ExpireChangeAsync(TwoHours with { InProgressMax = TimeSpan.FromHours(6) });
        var preview = await unit.Grain.PreviewOfferAsync(Unit.Offer());

        _silo.Clock.Advance(TimeSpan.FromHours(4)); // shut for an hour and a half; five and a half hours of six are over
        var later = await unit.Grain.ExpireChangeAsync(TwoHours with { InProgressMax = TimeSpan.FromHours(6) });
        await unit.Grain.HelloAsync(unit.Hello("boot-2", 1, Unit.NewDigest, 1));

        Assert.Equal((shuts.AddHours(-2.5), shuts.AddHours(-2.5)), (told.InstallsSince, preview!.InstallsSince));
        Assert.Equal(OfferStatus.Offered, later.Status);
        Assert.Equal((ChangeOutcome.Succeeded, ""), await EndAsync(unit));
    }

    private async Task<Unit> VerifiedAsync(ImmutableArray<OfferWindow>? windows = null)
    {
        var unit = await new Unit(_silo).EnrolAsync();
        await unit.Grain.OfferAsync(Unit.Offer() with { InstallWindows = windows ?? Nights });
        await unit.Gateway.NextAsync<DesiredMessage>(Cancel);
        Assert.Null((await unit.Grain.ReportAsync(unit.Report("boot-1", 1, 1, ChangeStep.Verifying))).Error);
        return unit;
    }

    /// <summary>The next message that says so; before it may be others, since a timer tells what is not answered yet.</summary>
    private static async Task<DesiredMessage> ToldAsync(Unit unit, DateTimeOffset opensAt)
    {
        while (true)
        {
            var told = await unit.Gateway.NextAsync<DesiredMessage>(Cancel);
            if (told.InstallTimes!.Value[0].OpensAt == opensAt)
            {
                return told;
            }
        }
    }

    /// <summary>The first window of the next message that was not sent at this time, as a repetition of the offer is.</summary>
    private static async Task<DateTimeOffset> NextOpeningAsync(Unit unit, DateTimeOffset after)
    {
        while (true)
        {
            var told = await unit.Gateway.NextAsync<DesiredMessage>(Cancel);
            if (told.InstallTimes!.Value[0].OpensAt is var opensAt && opensAt > after)
            {
                return opensAt;
            }
        }
    }

    private async Task<OfferStatus> ExpireAsync(Unit unit, DateTimeOffset time)
    {
        _silo.Clock.Advance(time - _silo.Clock.GetUtcNow());
        return (await unit.Grain.ExpireChangeAsync(TwoHours)).Status;
    }

    private static async Task<(ChangeOutcome Outcome, string Reason)> EndAsync(Unit unit)
    {
        var device = await unit.GetAsync();
        Assert.Null(device.Change);
        return (device.LastChange!.Outcome, device.LastChange.Reason);
    }

    private DateTimeOffset NextNight() => new DateTimeOffset(_silo.Clock.GetUtcNow().Date, TimeSpan.Zero).AddHours(22);
}
