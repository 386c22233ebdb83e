using Muster.Contracts.Devices;
using Muster.Contracts.Gateways;
using Muster.Contracts.Inventory;
using Muster.Domain.Devices;

namespace Muster.Grains.Tests.Devices;

/// <summary>
/// After the death of a silo a partition has no presence for a while, and the devices have noticed nothing: what they are to be told
/// reaches the connections that they still have.
/// </summary>
public sealed class DeviceReattachmentTests : IAsyncLifetime
{
    /// <summary>An activation believes in a session that it heard from for as long.</summary>
    private static readonly TimeSpan BelievedFor = TimeSpan.FromSeconds(90);

    /// <summary>No device is back sooner: it makes a new connection first.</summary>
    private static readonly TimeSpan BackAfter = TimeSpan.FromMilliseconds(1);

    private readonly DeviceSilo _silo = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync() => _silo.InitializeAsync();

    public ValueTask DisposeAsync() => _silo.DisposeAsync();

    [Fact]
    public async Task Command_OfANewActivation_ReachesASessionThatPresenceNamesLater()
    {
        var unit = await EnrolAsync();
        await _silo.ForgetAsync(unit.GrainId);
        var asked = _silo.PresenceAsks;
        await DecommissionAsync(unit);

        // Twice in vain: with the command, and with the first look after it.
        while (_silo.PresenceAsks < asked + 2)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(50), Cancel);
        }

        Tell(unit);

        await unit.Gateway.NextAsync<CommandMessage>(Cancel);
    }

    [Fact]
    public async Task Command_ForASessionThatPresenceForgot_ReachesItWhenPresenceNamesItAgain()
    {
        var unit = await EnrolAsync();
        _silo.Clock.ShiftTimestamps(BelievedFor);
        await DecommissionAsync(unit);
        Assert.True(unit.Gateway.IsSilent);

        Tell(unit);

        await unit.Gateway.NextAsync<CommandMessage>(Cancel);
    }

    [Fact]
    public async Task Command_ForASessionThatPresenceForgot_ReachesItAfterItsNextWord()
    {
        var unit = await EnrolAsync();
        _silo.Clock.ShiftTimestamps(BelievedFor);
        await DecommissionAsync(unit);
        Assert.True(unit.Gateway.IsSilent);

        await unit.Grain.StatusAsync(new ReportStatus(unit.Envelope("boot-1", 1), new DeviceHealth(1, null, "")));

        await unit.Gateway.NextAsync<CommandMessage>(Cancel);
    }

    [Fact]
    public async Task Session_ThatEndedWhilePresenceStillNamesIt_IsNotTakenUpAgain()
    {
        var unit = await EnrolAsync();
        Tell(unit);
        await unit.Grain.DisconnectAsync(unit.Session());

        Assert.Equal(OfferStatus.WaitingOffline, (await unit.Grain.OfferAsync(Unit.Offer())).Status);
    }

    /// <summary>
    /// The silo died behind the admission and before the hello: nobody remembers this session but its gateway, which tells of its end
    /// when the device is back already.
    /// </summary>
    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public async Task Offer_AfterTheLateGoodbyeOfSessionsThatOnlyADeadSiloKnew_ReachesTheOneThatIsOpen(int sessions)
    {
        var unit = await EnrolAsync();
        for (var i = 0; i < sessions; i++)
        {
            _silo.Clock.Advance(BackAfter);
            await unit.ConnectAsync();
        }

        var forgotten = unit.Session();
        await _silo.ForgetAsync(unit.GrainId);
        _silo.Clock.Advance(BackAfter);
        await unit.ConnectAsync();

        await unit.Grain.DisconnectAsync(forgotten);

        Assert.Equal(UpReply.AcceptedOwingAck, await unit.Grain.HelloAsync(unit.Hello("boot-2", 1)));
        Assert.Equal(OfferStatus.Offered, (await unit.Grain.OfferAsync(Unit.Offer())).Status);
        await unit.Gateway.NextAsync<DesiredMessage>(Cancel);
    }

    private async Task<Unit> EnrolAsync()
    {
        var unit = await new Unit(_silo).EnrolAsync();
        Assert.True(unit.Gateway.IsSilent);
        return unit;
    }

    private static Task<DeviceReply> DecommissionAsync(Unit unit) => unit.Grain.BeginDecommissionAsync(
        new BeginDecommission(Unit.Anna, Unit.Command()));

    private void Tell(Unit unit) => _silo.Presence[unit.Id] = new DevicePresence(
        true, _silo.Clock.GetUtcNow(), unit.Epoch, "gateway-1", unit.Session().Gateway, null);
}
