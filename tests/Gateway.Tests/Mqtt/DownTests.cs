using System.Collections.Immutable;
using Google.Protobuf;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using MQTTnet;
using MQTTnet.Formatter;
using Muster.Contracts.Gateways;
using Muster.Contracts.Inventory;
using Muster.Domain;
using Muster.Domain.Devices;
using Muster.Gateway.Mqtt;
using Muster.Gateway.Tests.Edge;
using Muster.Protocol;
using Wire = Muster.Protocol.Device.V1;

namespace Muster.Gateway.Tests.Mqtt;

public sealed class DownTests
{
    [Theory]
    [InlineData(MqttProtocolVersion.V500)]
    [InlineData(MqttProtocolVersion.V311)]
    public async Task Deliver_BeforeTheConnectionIsAccepted_ArrivesAfterItWithoutASubscription(MqttProtocolVersion version)
    {
        await using var edge = await DeviceEdge.StartAsync();
        edge.Grains.Device(Samples.Serial).AtAdmission = Samples.Desired(3);
        await using var client = await TestClient.ConnectedAsync(edge, Samples.Serial, version: version);

        var desired = Wire.Desired.Parser.ParseJson(await client.NextAsync(Samples.Serial, Topics.Desired));

        Assert.Equal((3L, 4711L), (desired.Generation, desired.Os.SizeBytes));
        Assert.StartsWith(
            $"/v1/images/{Samples.Digest}?tenant=default&device={Samples.Serial}&expires=", desired.Os.Path, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Deliver_OfSettings_NamesThemAndNoImage()
    {
        await using var edge = await DeviceEdge.StartAsync();
        await using var client = await TestClient.ConnectedAsync(edge, Samples.Serial);

        await edge.Grains.Device(Samples.Serial).SendAsync(new DesiredMessage(new DesiredState(5, null, "hardening")
        {
            Settings = [new DeviceSetting("root.Network.SSH.Enabled", "no"), new DeviceSetting("root.Note", "")],
        }));

        var text = await client.NextAsync(Samples.Serial, Topics.Desired);
        var desired = Wire.Desired.Parser.ParseJson(text);
        Assert.Equal((5L, null), (desired.Generation, desired.Os));
        Assert.Equal(
            [("root.Network.SSH.Enabled", "no"), ("root.Note", "")], desired.Settings.Select(setting => (setting.Name, setting.Value)));
        Assert.Contains("\"settings\"", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Deliver_WithInstallTimes_NamesThemInUtcAndWithoutThemNothingOfThem()
    {
        await using var edge = await DeviceEdge.StartAsync();
        await using var client = await TestClient.ConnectedAsync(edge, Samples.Serial);
        var opens = new DateTimeOffset(2026, 6, 1, 22, 0, 0, TimeSpan.FromHours(2));
        var plain = new DesiredMessage(new DesiredState(5, null, "hardening") { Settings = [new DeviceSetting("a", "b")] });

        await edge.Grains.Device(Samples.Serial).SendAsync(plain);
        var without = await client.NextAsync(Samples.Serial, Topics.Desired);
        await edge.Grains.Device(Samples.Serial).SendAsync(plain with { InstallTimes = [new(opens, opens.AddHours(4))] });
        var with = await client.NextAsync(Samples.Serial, Topics.Desired);
        await edge.Grains.Device(Samples.Serial).SendAsync(plain with { InstallTimes = ImmutableArray<InstallInterval>.Empty });
        var never = Wire.Desired.Parser.ParseJson(await client.NextAsync(Samples.Serial, Topics.Desired));

        // Letter for letter as before there were install windows.
        Assert.Equal("""{ "generation": "5", "settings": [ { "name": "a", "value": "b" } ] }""", without);
        Assert.Equal("0805B204060A0161120162", Convert.ToHexString(Wire.Desired.Parser.ParseJson(without).ToByteArray()));
        Assert.Contains(
            """
            "installTimes": { "intervals": [ { "opensAt": "2026-06-01T20:00:00Z", "closesAt": "2026-06-02T00:00:00Z" } ] }
            """,
            with,
            StringComparison.Ordinal);
        Assert.Empty(never.InstallTimes.Intervals);
    }

    [Fact]
    public async Task Deliver_OfAnImageTwice_NamesTheSamePartOfTheSpread()
    {
        await using var edge = await DeviceEdge.StartAsync(("Muster:Downloads:Spread", "00:30:00"));
        await using var client = await TestClient.ConnectedAsync(edge, Samples.Serial);
        var delays = new List<uint>();
        foreach (var generation in (long[])[3, 3, 4])
        {
            await edge.Grains.Device(Samples.Serial).SendAsync(Samples.Desired(generation));
            delays.Add(Wire.Desired.Parser.ParseJson(await client.NextAsync(Samples.Serial, Topics.Desired)).Os.DelaySeconds);
        }

        Assert.Equal(delays[0], delays[1]);
        Assert.NotEqual(delays[1], delays[2]);
        Assert.All(delays, delay => Assert.InRange(delay, 0u, 1_800u));
    }

    [Fact]
    public async Task Deliver_OfACommand_ArrivesWithNonceAndExpiry()
    {
        await using var edge = await DeviceEdge.StartAsync();
        await using var client = await TestClient.ConnectedAsync(edge, Samples.Serial);
        var expires = new DateTimeOffset(2030, 1, 2, 3, 4, 5, TimeSpan.Zero);

        await edge.Grains.Device(Samples.Serial).SendAsync(
            new CommandMessage(new DeviceCommand(CommandKind.FactoryDefault, new string('0', 32), expires.AddDays(-1), expires)));

        var command = Wire.Command.Parser.ParseJson(await client.NextAsync(Samples.Serial, Topics.Command));
        Assert.Equal((Wire.CommandKind.FactoryDefault, expires), (command.Kind, command.ExpiresAt.ToDateTimeOffset()));
    }

    [Fact]
    public async Task Deliver_ForAnOlderEpoch_IsNotSent()
    {
        await using var edge = await DeviceEdge.StartAsync();
        var device = edge.Grains.Device(Samples.Serial);
        await using var client = await TestClient.ConnectedAsync(edge, Samples.Serial);
        Assert.True(DeviceId.TryParse(Samples.Serial, out var id));

        await device.Receiver!.Gateway!.DeliverAsync(new DownDelivery(TenantId.Default, id, device.Epoch - 1, Samples.Desired(1)));
        await device.SendAsync(Samples.Desired(2));

        var desired = Wire.Desired.Parser.ParseJson(await client.NextAsync(Samples.Serial, Topics.Desired));
        Assert.Equal(2, desired.Generation);
        Assert.Empty(client.Messages);
    }

    [Fact]
    public async Task Deliver_OfAnOffer_IsReturnedOnlyWhenNobodyHereWillHaveIt()
    {
        await using var edge = await DeviceEdge.StartAsync();
        var device = edge.Grains.Device(Samples.Serial);
        await using var client = await TestClient.ConnectedAsync(edge, Samples.Serial);
        var gateway = device.Receiver!.Gateway!;
        Assert.True(DeviceId.TryParse(Samples.Serial, out var id));
        DownDelivery Offer(long epoch, int sent) => new(TenantId.Default, id, epoch, Samples.Desired(3)) { Sent = sent };

        await gateway.DeliverAsync(Offer(device.Epoch, 1));
        await client.NextAsync(Samples.Serial, Topics.Desired);
        await gateway.DeliverAsync(Offer(device.Epoch - 1, 0)); // nobody wants it back
        Assert.Empty(device.Returned);
        await gateway.DeliverAsync(Offer(device.Epoch - 1, 2)); // the session before this one
        await client.DisconnectAsync();
        await Eventually.TrueAsync(() => !device.Disconnected.IsEmpty, "the end of the session");
        await gateway.DeliverAsync(Offer(device.Epoch, 3));

        Assert.Equal([new(device.Epoch - 1, 3, 2), new(device.Epoch, 3, 3)], device.Returned);
    }

    [Fact]
    public async Task Deliver_OfAnOfferBeforeTheConnectionIsAccepted_IsNotReturned()
    {
        await using var edge = await DeviceEdge.StartAsync();
        var device = edge.Grains.Device(Samples.Serial);
        device.AtAdmission = Samples.Desired(3);
        device.SentAtAdmission = 1;
        await using var client = await TestClient.ConnectedAsync(edge, Samples.Serial);

        await client.NextAsync(Samples.Serial, Topics.Desired);

        Assert.Empty(device.Returned);
    }

    [Fact]
    public async Task Deliver_OfMoreThanTheWindow_ArrivesWhole()
    {
        await using var edge = await DeviceEdge.StartAsync(("Muster:Mqtt:QueuedMessagesMax", "1000"));
        await using var client = await TestClient.ConnectedAsync(edge, Samples.Serial);

        for (var i = 1; i <= 100; i++)
        {
            await edge.Grains.Device(Samples.Serial).SendAsync(new AckMessage(UpKind.Report, new MessageStamp("b", i)));
        }

        await Eventually.TrueAsync(() => client.Messages.Count == 100, "a hundred messages");
        var acks = client.Messages.Select(message => Wire.Ack.Parser.ParseJson(System.Text.Encoding.UTF8.GetString(message.Payload)));
        Assert.Equal(100, acks.Select(ack => ack.Stamp.Sequence).Distinct().Count());
    }

    [Theory]
    [InlineData("muster/v1/devices/" + Samples.Serial + "/down/#", MqttClientSubscribeResultCode.GrantedQoS1)]
    [InlineData("muster/v1/devices/" + Samples.Serial + "/down/desired", MqttClientSubscribeResultCode.GrantedQoS1)]
    [InlineData("muster/v1/devices/" + Samples.OtherSerial + "/down/#", MqttClientSubscribeResultCode.NotAuthorized)]
    [InlineData("muster/v1/devices/+/down/desired", MqttClientSubscribeResultCode.NotAuthorized)]
    [InlineData("#", MqttClientSubscribeResultCode.NotAuthorized)]
    [InlineData("$share/a/muster/v1/devices/" + Samples.Serial + "/down/#", MqttClientSubscribeResultCode.SharedSubscriptionsNotSupported)]
    public async Task Subscribe_IsGrantedForOwnDownTopicsOnly(string filter, MqttClientSubscribeResultCode expected)
    {
        await using var edge = await DeviceEdge.StartAsync();
        await using var client = await TestClient.ConnectedAsync(edge, Samples.Serial);
        await using var old = await TestClient.ConnectedAsync(edge, Samples.OtherSerial, version: MqttProtocolVersion.V311);

        Assert.Equal(expected, await client.SubscribeAsync(filter));
        Assert.Equal(
            filter.Contains(Samples.OtherSerial, StringComparison.Ordinal)
                ? MqttClientSubscribeResultCode.GrantedQoS1
                : MqttClientSubscribeResultCode.UnspecifiedError,
            await old.SubscribeAsync(filter));
    }

    [Fact]
    public async Task Reject_WhenTheReceiverIsOnAnotherGateway_GoesThere()
    {
        await using var edge = await DeviceEdge.StartAsync();
        await using var publisher = await TestClient.ConnectedAsync(edge, Samples.Serial, $"{Samples.Serial}/pub");
        var elsewhere = new OtherGateway();
        edge.Grains.Inventory.Presence = new DevicePresence(true, default, 9, "other", elsewhere, null);

        await publisher.PublishAsync(Samples.Serial, Topics.Report, "{");

        var delivery = await Eventually.GetAsync(() => elsewhere.Delivered, "a delivery to the other gateway");
        Assert.Equal((9, "PAYLOAD_INVALID"), (delivery.Epoch, Assert.IsType<RejectionMessage>(delivery.Message).Error.Reason));
    }

    [Fact]
    public async Task Presence_OfASession_IsReportedWhenItComesAndGoes()
    {
        await using var edge = await DeviceEdge.StartAsync();
        await using var client = await TestClient.ConnectedAsync(edge, Samples.Serial);
        await client.PublishAsync(Samples.Serial, Topics.Status, Samples.Status());

        var here = await FindAsync(edge, session => session.Connected);
        Assert.Equal((1, "well"), (here.Epoch, here.Health?.Note));
        await client.DisconnectAsync();
        var gone = await FindAsync(edge, session => !session.Connected);
        Assert.Equal((1, DisconnectReason.ClosedByDevice), (gone.Epoch, gone.Reason));
    }

    [Fact]
    public async Task Presence_OfASessionThatEndsBeforeAFullReport_IsReportedAsGone()
    {
        await using var edge = await DeviceEdge.StartAsync();
        var reporter = edge.Services.GetServices<IHostedService>().OfType<PresenceReporter>().Single();
        await using var client = await TestClient.ConnectedAsync(edge, Samples.Serial);
        await reporter.ReportAsync(isFull: true, TestContext.Current.CancellationToken);
        Assert.Contains(Sessions(edge), session => session.Connected);
        await client.DisconnectAsync();
        await Eventually.TrueAsync(() => !edge.Grains.Device(Samples.Serial).Disconnected.IsEmpty, "the end of the session");

        await reporter.ReportAsync(isFull: true, TestContext.Current.CancellationToken);

        Assert.Contains(Sessions(edge), session => !session.Connected);
    }

    [Fact]
    public async Task Presence_ThatAPartitionDidNotTake_IsToldAgain()
    {
        await using var edge = await DeviceEdge.StartAsync();
        var reporter = edge.Services.GetServices<IHostedService>().OfType<PresenceReporter>().Single();
        await using var client = await TestClient.ConnectedAsync(edge, Samples.Serial);
        await reporter.ReportAsync(isFull: true, TestContext.Current.CancellationToken);
        edge.Grains.Inventory.IsAway = true;
        await client.DisconnectAsync();
        await Eventually.TrueAsync(() => !edge.Grains.Device(Samples.Serial).Disconnected.IsEmpty, "the end of the session");
        await reporter.ReportAsync(isFull: true, TestContext.Current.CancellationToken);
        Assert.DoesNotContain(Sessions(edge), session => !session.Connected);

        edge.Grains.Inventory.IsAway = false;
        await reporter.ReportAsync(isFull: false, TestContext.Current.CancellationToken);

        Assert.Contains(Sessions(edge), session => !session.Connected);
    }

    [Fact]
    public async Task Presence_OfAPartitionThatBeganAnew_IsToldWholeWithoutWaitingForTheNextTime()
    {
        await using var edge = await DeviceEdge.StartAsync();
        await using var client = await TestClient.ConnectedAsync(edge, Samples.Serial);
        await FindAsync(edge, session => session.Connected);
        edge.Grains.Inventory.Reports.Clear();

        edge.Grains.Inventory.BeginAnew();

        // The next time would be half a minute after the start, which is later than anybody waits here.
        await Eventually.TrueAsync(
            () => edge.Grains.Inventory.Reports.Any(report => report.IsFull && report.Sessions.Any(session => session.Connected)),
            "a full report");
    }

    private static async Task<SessionPresence> FindAsync(DeviceEdge edge, Predicate<SessionPresence> predicate)
    {
        await Eventually.TrueAsync(() => Sessions(edge).Any(session => predicate(session)), "presence");
        return Sessions(edge).Last(session => predicate(session));
    }

    private static ImmutableArray<SessionPresence> Sessions(DeviceEdge edge) =>
        [.. edge.Grains.Inventory.Reports.SelectMany(report => report.Sessions)];

    private sealed class OtherGateway : IGatewayObserver
    {
        public DownDelivery? Delivered { get; private set; }

        public Task DeliverAsync(DownDelivery delivery)
        {
            Delivered = delivery;
            return Task.CompletedTask;
        }

        public Task CloseAsync(CloseSession close) => Task.CompletedTask;
    }
}
