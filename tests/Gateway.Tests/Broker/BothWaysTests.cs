using MQTTnet;
using MQTTnet.Protocol;
using Muster.Contracts.Devices;
using Muster.Contracts.Gateways;
using Muster.Domain;
using Muster.Domain.Devices;
using Muster.Domain.Identity;
using Muster.Gateway.Tests.Edge;
using Muster.Protocol;
using Wire = Muster.Protocol.Device.V1;

namespace Muster.Gateway.Tests.Broker;

/// <summary>What a device is promised, whether it comes to the gateway's own listener or to a broker before it.</summary>
public sealed class BothWaysTests
{
    [Theory]
    [InlineData(DeviceWay.Listener)]
    [InlineData(DeviceWay.Broker)]
    public async Task Publish_OfEachKind_ReachesTheGrainAndIsAcknowledged(DeviceWay way)
    {
        await using var edge = await DeviceEdge.StartAsync(way);
        var device = edge.Grains.Device(Samples.Serial);
        await using var client = await TestClient.ConnectedAsync(edge, Samples.Serial);

        await client.PublishAsync(Samples.Serial, Topics.Hello, Samples.Hello(Samples.Serial));
        await client.PublishAsync(Samples.Serial, Topics.Report, Samples.Report());
        await client.PublishAsync(Samples.Serial, Topics.Inventory, Samples.Inventory());
        await client.PublishAsync(Samples.Serial, Topics.Result, Samples.Result());
        await client.PublishAsync(Samples.Serial, Topics.Status, Samples.Status());

        foreach (var kind in new[] { "hello", "report", "inventory", "result" })
        {
            Assert.Contains(kind, await client.NextAsync(Samples.Serial, Topics.Ack), StringComparison.Ordinal);
        }

        await Eventually.TrueAsync(() => device.Received.Count == 5, "all five messages");
        var hello = Assert.IsType<ReportHello>(device.Received.First());
        Assert.Equal(Samples.Serial, hello.Envelope.Identity.Device.Value);
        Assert.Equal(way == DeviceWay.Broker, hello.Envelope.Identity.Kind == IdentityKind.Vouched);
        Assert.Collection(
            device.Received.Skip(1),
            report => Assert.IsType<ReportProgress>(report),
            inventory => Assert.IsType<ReportInventory>(inventory),
            result => Assert.IsType<ReportResult>(result),
            status => Assert.IsType<ReportStatus>(status));
    }

    [Theory]
    [InlineData(DeviceWay.Listener)]
    [InlineData(DeviceWay.Broker)]
    public async Task Deliver_DesiredAndCommand_ReachTheDevice(DeviceWay way)
    {
        await using var edge = await DeviceEdge.StartAsync(way);
        var device = edge.Grains.Device(Samples.Serial);
        await using var client = await TestClient.ConnectedAsync(edge, Samples.Serial);
        await client.PublishAsync(Samples.Serial, Topics.Hello, Samples.Hello(Samples.Serial));
        await client.NextAsync(Samples.Serial, Topics.Ack);
        var now = TimeProvider.System.GetUtcNow();

        await device.SendAsync(Samples.Desired(3));
        Assert.Contains("\"generation\": \"3\"", await client.NextAsync(Samples.Serial, Topics.Desired), StringComparison.Ordinal);
        await device.SendAsync(new CommandMessage(
            new DeviceCommand(CommandKind.FactoryDefault, new string('a', 32), now, now.AddHours(1))));

        Assert.Contains(new string('a', 32), await client.NextAsync(Samples.Serial, Topics.Command), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(DeviceWay.Listener)]
    [InlineData(DeviceWay.Broker)]
    public async Task Publish_ThatIsRefusedForEver_IsRejectedWithItsStampAndTheNextIsTaken(DeviceWay way)
    {
        await using var edge = await DeviceEdge.StartAsync(way);
        var device = edge.Grains.Device(Samples.Serial);
        device.Answer = command => Task.FromResult<FleetError?>(
            command is ReportProgress { Generation: 7 } ? DeviceErrors.GenerationUnknown(IdOf(Samples.Serial), 7) : null);
        await using var client = await TestClient.ConnectedAsync(edge, Samples.Serial);
        await client.PublishAsync(Samples.Serial, Topics.Hello, Samples.Hello(Samples.Serial));

        await client.PublishAsync(Samples.Serial, Topics.Report, Samples.Report(sequence: 5, generation: 7));
        await client.PublishAsync(Samples.Serial, Topics.Report, Samples.Report(sequence: 6));

        var rejection = await client.NextAsync(Samples.Serial, Topics.Rejection);
        Assert.Contains("GENERATION_UNKNOWN", rejection, StringComparison.Ordinal);
        Assert.Contains("\"sequence\": \"5\"", rejection, StringComparison.Ordinal);
        await Eventually.TrueAsync(() => device.Received.OfType<ReportProgress>().Any(), "the next report");
    }

    [Theory]
    [InlineData(DeviceWay.Listener)]
    [InlineData(DeviceWay.Broker)]
    public async Task Publish_ThatIsNoMessage_IsRejectedBeforeTheGrain(DeviceWay way)
    {
        await using var edge = await DeviceEdge.StartAsync(way);
        await using var client = await TestClient.ConnectedAsync(edge, Samples.Serial);

        await client.PublishAsync(Samples.Serial, Topics.Status, "{\"stamp\":{\"bootId\":\"boot-1\",\"sequence\":0}}");

        Assert.Contains("PAYLOAD_INVALID", await client.NextAsync(Samples.Serial, Topics.Rejection), StringComparison.Ordinal);
        Assert.Empty(edge.Grains.Device(Samples.Serial).Received);
    }

    [Theory]
    [InlineData(DeviceWay.Listener)]
    [InlineData(DeviceWay.Broker)]
    public async Task Publish_ToTheTopicOfAnother_IsNotAuthorised(DeviceWay way)
    {
        await using var edge = await DeviceEdge.StartAsync(way);
        await using var client = await TestClient.ConnectedAsync(edge, Samples.Serial);

        var result = await client.PublishAsync(Samples.OtherSerial, Topics.Hello, Samples.Hello(Samples.OtherSerial));
        await client.PublishAsync(Samples.Serial, Topics.Hello, Samples.Hello(Samples.Serial));

        Assert.Equal(MqttClientPublishReasonCode.NotAuthorized, result.ReasonCode);
        await client.NextAsync(Samples.Serial, Topics.Ack);
        Assert.Empty(edge.Grains.Device(Samples.OtherSerial).Admitted);
        Assert.Empty(edge.Grains.Device(Samples.OtherSerial).Received);
    }

    [Theory]
    [InlineData(DeviceWay.Listener)]
    [InlineData(DeviceWay.Broker)]
    public async Task Publish_LargerThanTheLimit_IsNotTakenAndNeighboursAreServed(DeviceWay way)
    {
        await using var edge = await DeviceEdge.StartAsync(way);
        await using var client = await TestClient.ConnectedAsync(edge, Samples.Serial);
        await using var neighbour = await TestClient.ConnectedAsync(edge, Samples.OtherSerial);

        // A listener ends the connection; a broker answers with a reason.
        var isTaken = await client.PublishAsync(Topics.Up(Samples.Serial, Topics.Hello), new byte[300 * 1024])
            .ContinueWith(done => done.IsCompletedSuccessfully && done.Result.IsSuccess, TaskScheduler.Default);
        Assert.False(isTaken);
        await neighbour.PublishAsync(Samples.OtherSerial, Topics.Hello, Samples.Hello(Samples.OtherSerial));

        await neighbour.NextAsync(Samples.OtherSerial, Topics.Ack);
        Assert.Empty(edge.Grains.Device(Samples.Serial).Received);
    }

    [Theory]
    [InlineData(DeviceWay.Listener)]
    [InlineData(DeviceWay.Broker)]
    public async Task Publish_BesideADeviceWhoseGrainHangs_IsAnswered(DeviceWay way)
    {
        await using var edge = await DeviceEdge.StartAsync(way);
        var release = new TaskCompletionSource();
        edge.Grains.Device(Samples.Serial).Answer = async _ =>
        {
            await release.Task;
            return null;
        };
        await using var client = await TestClient.ConnectedAsync(edge, Samples.Serial);
        await using var neighbour = await TestClient.ConnectedAsync(edge, Samples.OtherSerial);
        var stuck = client.PublishAsync(Samples.Serial, Topics.Hello, Samples.Hello(Samples.Serial));

        await neighbour.PublishAsync(Samples.OtherSerial, Topics.Hello, Samples.Hello(Samples.OtherSerial));

        await neighbour.NextAsync(Samples.OtherSerial, Topics.Ack);
        Assert.Empty(edge.Grains.Device(Samples.Serial).Received);
        release.SetResult();
        await client.NextAsync(Samples.Serial, Topics.Ack);
        await stuck;
    }

    [Theory]
    [InlineData(DeviceWay.Listener)]
    [InlineData(DeviceWay.Broker)]
    public async Task Hello_OfADeviceThatAppears_IsToldToItsPartition(DeviceWay way)
    {
        await using var edge = await DeviceEdge.StartAsync(way);
        await using var client = await TestClient.ConnectedAsync(edge, Samples.Serial);

        await client.PublishAsync(Samples.Serial, Topics.Hello, Samples.Hello(Samples.Serial));
        await client.PublishAsync(Samples.Serial, Topics.Status, Samples.Status());

        await Eventually.TrueAsync(
            () => edge.Grains.Inventory.Reports.SelectMany(report => report.Sessions)
                .Any(session => session is { Connected: true, Health.Note: "well" } && session.Device.Value == Samples.Serial),
            "presence with the status");
    }

    [Theory]
    [InlineData(DeviceWay.Listener)]
    [InlineData(DeviceWay.Broker)]
    public async Task Publish_InBinary_IsAnsweredInBinary(DeviceWay way)
    {
        await using var edge = await DeviceEdge.StartAsync(way);
        await using var client = await TestClient.ConnectedAsync(edge, Samples.Serial);
        var stamp = new Wire.Stamp { BootId = "b", Sequence = 3 };

        await client.PublishAsync(
            Samples.Serial, Topics.Report, new Wire.Report { Stamp = stamp, Generation = 2, Step = Wire.Step.Failed, Reason = "no room" });

        await Eventually.TrueAsync(() => !client.Messages.IsEmpty, "an acknowledgement");
        Assert.True(client.Messages.TryDequeue(out var message));
        Assert.Equal(new Wire.Ack { Kind = "report", Stamp = stamp }, Wire.Ack.Parser.ParseFrom(message.Payload));
    }

    [Theory]
    [InlineData(DeviceWay.Listener)]
    [InlineData(DeviceWay.Broker)]
    public async Task Publish_WithQosZero_IsTaken(DeviceWay way)
    {
        await using var edge = await DeviceEdge.StartAsync(way);
        await using var client = await TestClient.ConnectedAsync(edge, Samples.Serial);

        await client.PublishAsync(Samples.Serial, Topics.Status, Samples.Status(), MqttQualityOfServiceLevel.AtMostOnce);

        await Eventually.TrueAsync(() => edge.Grains.Device(Samples.Serial).Received.Count == 1, "the status arrives");
    }

    [Theory]
    [InlineData(DeviceWay.Listener)]
    [InlineData(DeviceWay.Broker)]
    public async Task Publish_OfADeviceThatBecameATombstone_IsRefusedWithItsReason(DeviceWay way)
    {
        await using var edge = await DeviceEdge.StartAsync(way);
        var device = edge.Grains.Device(Samples.Serial);
        await using var client = await TestClient.ConnectedAsync(edge, Samples.Serial);
        await client.PublishAsync(Samples.Serial, Topics.Hello, Samples.Hello(Samples.Serial));
        await client.NextAsync(Samples.Serial, Topics.Ack);
        var tombstone = DeviceErrors.Tombstone(IdOf(Samples.Serial));
        (device.AdmitError, device.Answer) = (tombstone, _ => Task.FromResult<FleetError?>(tombstone));

        var result = await client.PublishAsync(Samples.Serial, Topics.Status, Samples.Status(2));

        if (way == DeviceWay.Listener)
        {
            Assert.Equal(MqttClientPublishReasonCode.NotAuthorized, result.ReasonCode);
            await client.NextEndAsync();
        }
        else
        {
            Assert.Contains("DEVICE_DECOMMISSIONED", await client.NextAsync(Samples.Serial, Topics.Rejection), StringComparison.Ordinal);
        }

        Assert.IsType<ReportHello>(Assert.Single(device.Received));
        await Eventually.TrueAsync(
            () => edge.Grains.Inventory.Reports.SelectMany(report => report.Sessions).Any(session => !session.Connected),
            "the end of presence");
    }

    [Theory]
    [InlineData(DeviceWay.Listener)]
    [InlineData(DeviceWay.Broker)]
    public async Task Presence_OfAPartitionThatBeganAnew_IsToldWhole(DeviceWay way)
    {
        await using var edge = await DeviceEdge.StartAsync(way);
        await using var client = await TestClient.ConnectedAsync(edge, Samples.Serial);
        await client.PublishAsync(Samples.Serial, Topics.Hello, Samples.Hello(Samples.Serial));
        await Eventually.TrueAsync(
            () => edge.Grains.Inventory.Reports.Any(report => report.Sessions.Any(session => session.Connected)), "presence");
        edge.Grains.Inventory.Reports.Clear();

        edge.Grains.Inventory.BeginAnew();

        await Eventually.TrueAsync(
            () => edge.Grains.Inventory.Reports.Any(report => report.IsFull && report.Sessions.Any(session => session.Connected)),
            "a full report");
    }

    private static DeviceId IdOf(string serial) => DeviceId.TryParse(serial, out var id) ? id : throw new FormatException(serial);
}
