using System.Text;
using MQTTnet;
using MQTTnet.Formatter;
using MQTTnet.Protocol;
using Muster.Contracts.Commit;
using Muster.Contracts.Devices;
using Muster.Domain;
using Muster.Domain.Devices;
using Muster.Gateway.Tests.Edge;
using Muster.Protocol;
using Wire = Muster.Protocol.Device.V1;

namespace Muster.Gateway.Tests.Mqtt;

public sealed class PublishTests
{
    private static readonly FleetError Unknown = FleetError.Of(
        ErrorKind.Precondition, "GENERATION_UNKNOWN", "Generation 7 was never issued.", ("generation", "7"));

    [Theory]
    [InlineData(MqttProtocolVersion.V500)]
    [InlineData(MqttProtocolVersion.V311)]
    public async Task Publish_OfEachKind_ReachesTheGrainAndIsAcknowledged(MqttProtocolVersion version)
    {
        await using var edge = await DeviceEdge.StartAsync();
        await using var client = await TestClient.ConnectedAsync(edge, Samples.Serial, version: version);

        foreach (var (kind, json) in new[]
        {
            (Topics.Hello, Samples.Hello(Samples.Serial)),
            (Topics.Status, Samples.Status()),
            (Topics.Report, Samples.Report()),
            (Topics.Inventory, Samples.Inventory()),
            (Topics.Result, Samples.Result()),
        })
        {
            Assert.True((await client.PublishAsync(Samples.Serial, kind, json)).IsSuccess);
        }

        var received = edge.Grains.Device(Samples.Serial).Received.ToArray();
        var hello = Assert.IsType<ReportHello>(received[0]);
        Assert.Equal(("P3265-V", "12.11.77", true, true), (hello.Model, hello.Os.Version, hello.Os.SecureBoot, hello.Os.FactoryDefault));
        Assert.Equal((1L, new MessageStamp("boot-1", 1)), (hello.Envelope.Session.Epoch, hello.Envelope.Stamp));
        Assert.Equal(new DeviceHealth(12, null, "well"), Assert.IsType<ReportStatus>(received[1]).Health);
        Assert.Equal(ChangeStep.Downloading, Assert.IsType<ReportProgress>(received[2]).Step);
        var inventory = Assert.IsType<ReportInventory>(received[3]);
        Assert.Equal((4L, "no"), (inventory.Generation, inventory.Settings.Single().Value));
        Assert.Equal([1, 2, 3], Assert.IsType<ReportResult>(received[4]).Proof);
        foreach (var kind in new[] { Topics.Hello, Topics.Report, Topics.Inventory, Topics.Result })
        {
            Assert.Contains($"\"kind\": \"{kind}\"", await client.NextAsync(Samples.Serial, Topics.Ack), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Publish_InBinary_IsAnsweredInBinary()
    {
        await using var edge = await DeviceEdge.StartAsync();
        await using var client = await TestClient.ConnectedAsync(edge, Samples.Serial);
        var stamp = new Wire.Stamp { BootId = "b", Sequence = 3 };
        var report = new Wire.Report { Stamp = stamp, Generation = 2, Step = Wire.Step.Failed, Reason = "no room" };

        var result = await client.PublishAsync(Samples.Serial, Topics.Report, report);

        Assert.True(result.IsSuccess);
        await Eventually.TrueAsync(() => !client.Messages.IsEmpty, "an acknowledgement");
        Assert.True(client.Messages.TryDequeue(out var message));
        Assert.Equal(new Wire.Ack { Kind = "report", Stamp = report.Stamp }, Wire.Ack.Parser.ParseFrom(message.Payload));
        Assert.Equal(
            (ChangeOutcome.Failed, "no room"),
            edge.Grains.Device(Samples.Serial).Received.OfType<ReportProgress>().Select(taken => (taken.Outcome, taken.Reason)).Single());
    }

    [Fact]
    public async Task Publish_ByAConnectionThatOnlyPublishes_IsAcknowledgedToTheOneThatReceives()
    {
        await using var edge = await DeviceEdge.StartAsync();
        await using var receiver = await TestClient.ConnectedAsync(edge, Samples.Serial);
        await using var publisher = await TestClient.ConnectedAsync(edge, Samples.Serial, $"{Samples.Serial}/pub");

        await publisher.PublishAsync(Samples.Serial, Topics.Hello, Samples.Hello(Samples.Serial));

        Assert.Contains("hello", await receiver.NextAsync(Samples.Serial, Topics.Ack), StringComparison.Ordinal);
        Assert.Empty(publisher.Messages);
        Assert.Equal(0, edge.Grains.Device(Samples.Serial).Received.OfType<ReportHello>().Single().Envelope.Session.Epoch);
    }

    [Theory]
    [InlineData("hello, world")]
    [InlineData("{\"stamp\":")]
    [InlineData("{\"stamp\":{\"bootId\":\"b\",\"sequence\":1},\"unheardOf\":1}")]
    [InlineData("{\"stamp\":{\"bootId\":\"\",\"sequence\":0},\"serial\":\"\",\"model\":\"m\",\"osVersion\":\"1\"}")]
    [InlineData("{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":1}}}}}}}}}}")]
    [InlineData("[]")]
    [InlineData("")]
    public async Task Publish_OfSomethingThatIsNoMessage_IsRefusedAndLosesNothing(string payload)
    {
        await using var edge = await DeviceEdge.StartAsync();
        await using var client = await TestClient.ConnectedAsync(edge, Samples.Serial);
        await client.PublishAsync(Samples.Serial, Topics.Status, Samples.Status());

        var result = await client.PublishAsync(Samples.Serial, Topics.Hello, payload);

        Assert.Equal(MqttClientPublishReasonCode.PayloadFormatInvalid, result.ReasonCode);
        await Eventually.TrueAsync(() => !client.Messages.IsEmpty, "a rejection");
        Assert.True(client.Messages.TryDequeue(out var message));
        Assert.Equal(Topics.Down(Samples.Serial, Topics.Rejection), message.Topic);
        var rejection = payload.StartsWith('{')
            ? Wire.Rejection.Parser.ParseJson(Encoding.UTF8.GetString(message.Payload))
            : Wire.Rejection.Parser.ParseFrom(message.Payload);
        Assert.Equal(("hello", "PAYLOAD_INVALID"), (rejection.Kind, rejection.Reason));
        Assert.True(client.IsConnected);
        Assert.Single(edge.Grains.Device(Samples.Serial).Received);
    }

    [Fact]
    public async Task Publish_OfZerosBelowTheLimit_IsRefused()
    {
        await using var edge = await DeviceEdge.StartAsync();
        await using var client = await TestClient.ConnectedAsync(edge, Samples.Serial);

        var result = await client.PublishAsync(Topics.Up(Samples.Serial, Topics.Hello), new byte[128 * 1024]);

        Assert.Equal(MqttClientPublishReasonCode.PayloadFormatInvalid, result.ReasonCode);
    }

    [Fact]
    public async Task Publish_OfOneMebibyteOfZeros_IsRefusedAndNothingElseIsLost()
    {
        await using var edge = await DeviceEdge.StartAsync();
        await using var client = await TestClient.ConnectedAsync(edge, Samples.Serial);
        await using var neighbour = await TestClient.ConnectedAsync(edge, Samples.OtherSerial);
        await client.PublishAsync(Samples.Serial, Topics.Hello, Samples.Hello(Samples.Serial));

        var publish = client.PublishAsync(Topics.Up(Samples.Serial, Topics.Status), new byte[1024 * 1024]);

        Assert.Equal(MqttClientDisconnectReason.PacketTooLarge, await client.NextEndAsync());
        await Assert.ThrowsAnyAsync<Exception>(() => publish);
        Assert.True((await neighbour.PublishAsync(Samples.OtherSerial, Topics.Status, Samples.Status())).IsSuccess);
        await using var again = await TestClient.ConnectedAsync(edge, Samples.Serial);
        Assert.True((await again.PublishAsync(Samples.Serial, Topics.Status, Samples.Status())).IsSuccess);
        Assert.Equal(2, edge.Grains.Device(Samples.Serial).Received.Count);
    }

    [Theory]
    [InlineData(Topics.Prefix + Samples.OtherSerial + "/up/hello", MqttClientPublishReasonCode.NotAuthorized)]
    [InlineData(Topics.Prefix + Samples.Serial + "/up/unheard-of", MqttClientPublishReasonCode.TopicNameInvalid)]
    [InlineData(Topics.Prefix + Samples.Serial + "/down/desired", MqttClientPublishReasonCode.TopicNameInvalid)]
    [InlineData("somewhere/else", MqttClientPublishReasonCode.TopicNameInvalid)]
    public async Task Publish_ToATopicThatIsNotItsOwn_IsRefusedWithARejection(string topic, MqttClientPublishReasonCode code)
    {
        await using var edge = await DeviceEdge.StartAsync();
        await using var client = await TestClient.ConnectedAsync(edge, Samples.Serial);

        var result = await client.PublishAsync(topic, Encoding.UTF8.GetBytes(Samples.Hello(Samples.OtherSerial)));

        Assert.Equal(code, result.ReasonCode);
        Assert.Contains("TOPIC_NOT_ALLOWED", await client.NextAsync(Samples.Serial, Topics.Rejection), StringComparison.Ordinal);
        Assert.Empty(edge.Grains.Device(Samples.OtherSerial).Received);
        Assert.Empty(edge.Grains.Device(Samples.Serial).Received);
    }

    [Fact]
    public async Task Publish_OfAGenerationNeverIssued_IsRefusedForEver()
    {
        await using var edge = await DeviceEdge.StartAsync();
        edge.Grains.Device(Samples.Serial).Answer = _ => Task.FromResult<FleetError?>(Unknown);
        await using var client = await TestClient.ConnectedAsync(edge, Samples.Serial);

        var result = await client.PublishAsync(Samples.Serial, Topics.Report, Samples.Report(generation: 7));

        Assert.Equal(MqttClientPublishReasonCode.ImplementationSpecificError, result.ReasonCode);
        Assert.StartsWith("GENERATION_UNKNOWN", result.ReasonString, StringComparison.Ordinal);
        Assert.Contains("GENERATION_UNKNOWN", await client.NextAsync(Samples.Serial, Topics.Rejection), StringComparison.Ordinal);
        Assert.True(client.IsConnected);
    }

    [Fact]
    public async Task Publish_RefusedForEver_OnMqtt311IsAcknowledgedAndRejected()
    {
        await using var edge = await DeviceEdge.StartAsync();
        edge.Grains.Device(Samples.Serial).Answer = _ => Task.FromResult<FleetError?>(Unknown);
        await using var client = await TestClient.ConnectedAsync(edge, Samples.Serial, version: MqttProtocolVersion.V311);

        var refused = await client.PublishAsync(Samples.Serial, Topics.Report, Samples.Report(generation: 7));
        var unreadable = await client.PublishAsync(Samples.Serial, Topics.Report, "{");

        Assert.True(refused.IsSuccess && unreadable.IsSuccess);
        Assert.Contains("GENERATION_UNKNOWN", await client.NextAsync(Samples.Serial, Topics.Rejection), StringComparison.Ordinal);
        Assert.Contains("PAYLOAD_INVALID", await client.NextAsync(Samples.Serial, Topics.Rejection), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Publish_ThatEndsTheDevice_IsAcknowledgedBeforeTheSessionEnds()
    {
        await using var edge = await DeviceEdge.StartAsync();
        var device = edge.Grains.Device(Samples.Serial);
        await using var client = await TestClient.ConnectedAsync(edge, Samples.Serial);
        device.Answer = async _ =>
        {
            // As the grain does: it closes everything before its answer is back at the gateway.
            await device.CloseAsync(long.MaxValue, all: true, FleetError.Of(ErrorKind.Denied, "DEVICE_DECOMMISSIONED", "A tombstone."));
            return null;
        };

        var result = await client.PublishAsync(Samples.Serial, Topics.Result, Samples.Result());

        Assert.True(result.IsSuccess);
        Assert.Contains("result", await client.NextAsync(Samples.Serial, Topics.Ack), StringComparison.Ordinal);
        Assert.Equal(MqttClientDisconnectReason.AdministrativeAction, await client.NextEndAsync());
    }

    [Fact]
    public async Task Publish_OfATombstoneThatNobodyClosed_IsRefusedAndEndsTheSession()
    {
        await using var edge = await DeviceEdge.StartAsync();
        var device = edge.Grains.Device(Samples.Serial);
        await using var client = await TestClient.ConnectedAsync(edge, Samples.Serial, Samples.Serial + "/tools");
        device.Answer = _ => Task.FromResult<FleetError?>(
            FleetError.Of(ErrorKind.Denied, "DEVICE_DECOMMISSIONED", "A tombstone."));

        var result = await client.PublishAsync(Samples.Serial, Topics.Status, Samples.Status());

        Assert.Equal(MqttClientPublishReasonCode.NotAuthorized, result.ReasonCode);
        Assert.Equal(MqttClientDisconnectReason.AdministrativeAction, await client.NextEndAsync());
    }

    [Theory]
    [InlineData(false, MqttClientDisconnectReason.ServerBusy)]
    [InlineData(true, MqttClientDisconnectReason.QuotaExceeded)]
    public async Task Publish_ThatIsNotPossibleNow_IsNotAcknowledgedAndClosed(bool isFull, MqttClientDisconnectReason reason)
    {
        await using var edge = await DeviceEdge.StartAsync();
        edge.Grains.Device(Samples.Serial).Answer = _ => isFull
            ? Task.FromResult<FleetError?>(FleetError.Of(ErrorKind.Exhausted, "LIMIT_REACHED", "The feed is full."))
            : Task.FromException<FleetError?>(new StoreUnavailableException("gone"));
        await using var client = await TestClient.ConnectedAsync(edge, Samples.Serial);
        await using var neighbour = await TestClient.ConnectedAsync(edge, Samples.OtherSerial);

        var publish = client.PublishAsync(Samples.Serial, Topics.Status, Samples.Status());

        Assert.Equal(reason, await client.NextEndAsync());
        await Assert.ThrowsAnyAsync<Exception>(() => publish);
        Assert.True(neighbour.IsConnected);
    }

    [Fact]
    public async Task Publish_WithTheRetainFlag_IsTakenAsAnyOther()
    {
        await using var edge = await DeviceEdge.StartAsync();
        await using var client = await TestClient.ConnectedAsync(edge, Samples.Serial);

        var result = await client.PublishAsync(
            Topics.Up(Samples.Serial, Topics.Status), Encoding.UTF8.GetBytes(Samples.Status()), retain: true);

        Assert.Equal(MqttClientPublishReasonCode.Success, result.ReasonCode);
        Assert.Single(edge.Grains.Device(Samples.Serial).Received);
    }

    [Fact]
    public async Task Publish_WithQosTwo_EndsTheSession()
    {
        await using var edge = await DeviceEdge.StartAsync();
        await using var client = await TestClient.ConnectedAsync(edge, Samples.Serial);

        var publish = client.PublishAsync(
            Topics.Up(Samples.Serial, Topics.Status), Encoding.UTF8.GetBytes(Samples.Status()), MqttQualityOfServiceLevel.ExactlyOnce);

        Assert.Equal(MqttClientDisconnectReason.QosNotSupported, await client.NextEndAsync());
        await Assert.ThrowsAnyAsync<Exception>(() => publish);
        Assert.Empty(edge.Grains.Device(Samples.Serial).Received);
    }

    [Fact]
    public async Task Publish_WithQosZero_IsTaken()
    {
        await using var edge = await DeviceEdge.StartAsync();
        await using var client = await TestClient.ConnectedAsync(edge, Samples.Serial);

        await client.PublishAsync(Samples.Serial, Topics.Status, Samples.Status(), MqttQualityOfServiceLevel.AtMostOnce);

        await Eventually.TrueAsync(() => edge.Grains.Device(Samples.Serial).Received.Count == 1, "the status arrives");
    }

    [Fact]
    public async Task Bytes_ThatAreNotMqtt_EndTheSession()
    {
        await using var edge = await DeviceEdge.StartAsync();
        using var certificate = edge.Pki.Issue(Samples.Serial);
        await using var client = await RawClient.ConnectAsync(edge, certificate);
        await client.ConnectAsync(Samples.Serial, keepAlive: 60);
        await client.ReceiveAsync();

        await client.SendAsync([0x30, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF]);

        var end = await client.ReceiveAsync();
        Assert.Equal([0xE0, 0x81], [end[0], end[2]]);
    }

    [Fact]
    public async Task Publish_OfANoisyDevice_IsSlowedDownAndItsNeighbourIsNot()
    {
        await using var edge = await DeviceEdge.StartAsync(("Muster:Mqtt:MessagesPerSecond", "10"), ("Muster:Mqtt:MessagesBurst", "5"));
        await using var noisy = await TestClient.ConnectedAsync(edge, Samples.Serial);
        await using var neighbour = await TestClient.ConnectedAsync(edge, Samples.OtherSerial);
        var clock = System.Diagnostics.Stopwatch.StartNew();

        var flood = Task.WhenAll(Enumerable.Range(1, 25).Select(i => noisy.PublishAsync(Samples.Serial, Topics.Status, Samples.Status(i))));
        await neighbour.PublishAsync(Samples.OtherSerial, Topics.Status, Samples.Status());

        Assert.False(flood.IsCompleted);
        await flood;
        Assert.True(clock.Elapsed >= TimeSpan.FromSeconds(1.8), $"Twenty messages above the burst passed in {clock.Elapsed}.");
        Assert.Equal(25, edge.Grains.Device(Samples.Serial).Received.Count);
    }
}
