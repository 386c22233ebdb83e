using System.Text;
using Microsoft.Extensions.Options;
using MQTTnet;
using MQTTnet.Protocol;
using Muster.Contracts.Devices;
using Muster.Contracts.Gateways;
using Muster.Domain;
using Muster.Domain.Devices;
using Muster.Domain.Tenants;
using Muster.Gateway.Broker;
using Muster.Gateway.Tests.Edge;
using Muster.Protocol;

namespace Muster.Gateway.Tests.Broker;

/// <summary>What is peculiar to the way through a broker: faults of the broker, of the gateway, and what the broker lets through.</summary>
public sealed class BrokerTests
{
    private static readonly TimeSpan LongerThanASave = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task Start_WithoutABroker_SaysSoAndServesOnceItIsThere()
    {
        await using var broker = Mosquitto.Create();
        await using var edge = await DeviceEdge.StartBehindAsync(broker, "gateway-1");
        await Eventually.TrueAsync(
            () => edge.BrokerNote?.Contains("the broker does not answer", StringComparison.Ordinal) == true, "a note of the broker");

        await broker.RunAsync();

        await edge.ConnectedToBrokerAsync();
        await using var client = await TestClient.ConnectedAsync(edge, Samples.Serial);
        await client.PublishAsync(Samples.Serial, Topics.Hello, Samples.Hello(Samples.Serial));
        await client.NextAsync(Samples.Serial, Topics.Ack);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Start_WithTheCertificateOfAnother_StaysOutsideAndSaysSo(bool isDevices)
    {
        await using var broker = await Mosquitto.StartAsync();
        using var certificate = isDevices ? broker.Pki.IssueOperational(Samples.Serial) : Mosquitto.IssueStranger();
        await using var edge = await DeviceEdge.StartAsync(
            broker.Pki, broker.Pki.CreateVerifier(), broker.Settings("gateway-1", certificate));

        await Eventually.TrueAsync(
            () => edge.BrokerNote is { } note && !note.Contains("not connected yet", StringComparison.Ordinal), "a refusal");
        Assert.StartsWith("0 of 1 connections", edge.BrokerNote, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Connect_WithAMakersCertificate_IsRefusedByTheBroker()
    {
        await using var edge = await DeviceEdge.StartAsync(DeviceWay.Broker);
        await using var client = new TestClient(edge, edge.Pki.Issue(Samples.Serial));

        await Assert.ThrowsAnyAsync<Exception>(() => client.ConnectAsync(Samples.Serial));
    }

    [Fact]
    public async Task Publish_WhileTheGrainDoesNotAnswer_IsTriedAgainAndNotAcknowledgedBefore()
    {
        await using var edge = await DeviceEdge.StartAsync(DeviceWay.Broker);
        var device = edge.Grains.Device(Samples.Serial);
        var tries = 0;
        device.Answer = _ => Interlocked.Increment(ref tries) < 4
            ? throw new TimeoutException("away") : Task.FromResult<FleetError?>(null);
        await using var client = await TestClient.ConnectedAsync(edge, Samples.Serial);

        await client.PublishAsync(Samples.Serial, Topics.Report, Samples.Report(1));
        await client.PublishAsync(Samples.Serial, Topics.Report, Samples.Report(2));

        await client.NextAsync(Samples.Serial, Topics.Ack);
        await client.NextAsync(Samples.Serial, Topics.Ack);
        Assert.Equal([1L, 2L], device.Received.OfType<ReportProgress>().Select(report => report.Envelope.Stamp.Sequence));
        Assert.Equal(5, tries);
    }

    [Fact]
    public async Task Stop_WithMessagesThatWereNotSettled_TheNextGatewayOfThisNameGetsThem()
    {
        await using var broker = await Mosquitto.StartAsync();
        var first = await DeviceEdge.StartBehindAsync(broker, "gateway-1");
        await using var client = await TestClient.ConnectedAsync(first, Samples.Serial);
        var asked = new TaskCompletionSource();
        first.Grains.Device(Samples.Serial).Answer = async _ =>
        {
            asked.TrySetResult();
            await Task.Delay(Timeout.Infinite, TestContext.Current.CancellationToken);
            return null;
        };
        await client.PublishAsync(Samples.Serial, Topics.Report, Samples.Report(1));
        await client.PublishAsync(Samples.Serial, Topics.Report, Samples.Report(2));
        await asked.Task.WaitAsync(LongerThanASave, TestContext.Current.CancellationToken);

        await first.DisposeAsync();
        await client.PublishAsync(Samples.Serial, Topics.Report, Samples.Report(3));
        await using var second = await DeviceEdge.StartBehindAsync(broker, "gateway-1");

        var device = second.Grains.Device(Samples.Serial);
        await Eventually.TrueAsync(() => device.Received.Count == 3, "the three reports");
        Assert.Equal([1L, 2L, 3L], device.Received.Cast<ReportProgress>().Select(report => report.Envelope.Stamp.Sequence));
    }

    [Fact]
    public async Task Stop_WhileAGrainWorks_AcknowledgesWhatItAnswersBeforeTheGatewayLeaves()
    {
        await using var broker = await Mosquitto.StartAsync();
        var first = await DeviceEdge.StartBehindAsync(broker, "gateway-1");
        await using var client = await TestClient.ConnectedAsync(first, Samples.Serial);
        var (asked, answer) = (new TaskCompletionSource(), new TaskCompletionSource());
        first.Grains.Device(Samples.Serial).Answer = async _ =>
        {
            asked.TrySetResult();
            await answer.Task;
            return null;
        };
        await client.PublishAsync(Samples.Serial, Topics.Report, Samples.Report(1));
        await asked.Task.WaitAsync(LongerThanASave, TestContext.Current.CancellationToken);

        var leaving = first.DisposeAsync().AsTask();
        Assert.False(leaving.IsCompleted);
        answer.SetResult();
        await leaving;
        await client.PublishAsync(Samples.Serial, Topics.Report, Samples.Report(2));
        await using var second = await DeviceEdge.StartBehindAsync(broker, "gateway-1");

        var device = second.Grains.Device(Samples.Serial);
        await Eventually.TrueAsync(() => !device.Received.IsEmpty, "the second report");
        Assert.Equal(2L, Assert.IsType<ReportProgress>(Assert.Single(device.Received)).Envelope.Stamp.Sequence);
    }

    [Fact]
    public async Task Kill_OfTheBroker_KeepsWhatItSavedForTheGateway()
    {
        await using var broker = await Mosquitto.StartAsync();
        var first = await DeviceEdge.StartBehindAsync(broker, "gateway-1");
        await using (var client = await TestClient.ConnectedAsync(first, Samples.Serial))
        {
            await first.DisposeAsync();
            await client.PublishAsync(
                Samples.Serial, Topics.Report, Samples.Report(1).Replace("boot-1", "boot-of-the-kill", StringComparison.Ordinal));
        }

        await broker.SavedAsync("boot-of-the-kill");
        await broker.KillAsync();
        await broker.RunAsync();
        await using var second = await DeviceEdge.StartBehindAsync(broker, "gateway-1");

        var device = second.Grains.Device(Samples.Serial);
        await Eventually.TrueAsync(() => !device.Received.IsEmpty, "the report");
        Assert.Equal("boot-of-the-kill", Assert.IsType<ReportProgress>(Assert.Single(device.Received)).Envelope.Stamp.BootId);
    }

    [Fact]
    public async Task Flood_ByOneDevice_IsSlowedDownAndRefusedAndItsNeighbourIsServed()
    {
        await using var edge = await DeviceEdge.StartAsync(
            DeviceWay.Broker, ("Muster:Broker:MessagesPerSecond", "5"), ("Muster:Broker:MessagesBurst", "5"));
        await using var client = await TestClient.ConnectedAsync(edge, Samples.Serial);
        await using var neighbour = await TestClient.ConnectedAsync(edge, Samples.OtherSerial);

        await Task.WhenAll(Enumerable.Range(1, 500).Select(n => client.PublishAsync(Samples.Serial, Topics.Status, Samples.Status(n))));
        await neighbour.PublishAsync(Samples.OtherSerial, Topics.Hello, Samples.Hello(Samples.OtherSerial));

        await neighbour.NextAsync(Samples.OtherSerial, Topics.Ack);
        Assert.Contains("LIMIT_REACHED", await client.NextAsync(Samples.Serial, Topics.Rejection), StringComparison.Ordinal);
        Assert.InRange(edge.Grains.Device(Samples.Serial).Received.Count, 1, 100);
    }

    [Fact]
    public async Task Will_OfADeviceThatIsLost_EndsItsSessionWithItsWords()
    {
        await using var edge = await DeviceEdge.StartAsync(DeviceWay.Broker);
        var device = edge.Grains.Device(Samples.Serial);
        var client = new TestClient(edge, edge.IssueDevice(Samples.Serial));
        await client.ConnectAsync(Samples.Serial, configure: options => options
            .WithWillTopic(Topics.Up(Samples.Serial, Topics.Gone)).WithWillPayload("no power")
            .WithWillQualityOfServiceLevel(MqttQualityOfServiceLevel.AtLeastOnce));
        await client.SubscribeAsync(Topics.Down(Samples.Serial, "#"));
        await client.PublishAsync(Samples.Serial, Topics.Hello, Samples.Hello(Samples.Serial));
        await client.NextAsync(Samples.Serial, Topics.Ack);

        await client.DisposeAsync();

        await Eventually.TrueAsync(() => !device.Disconnected.IsEmpty, "the end of the session");
        await Eventually.TrueAsync(
            () => edge.Grains.Inventory.Reports.SelectMany(report => report.Sessions).Any(
                session => session is { Connected: false, LastWill: "no power", Reason: DisconnectReason.ConnectionLost }),
            "presence of the end");
        await using var back = await TestClient.ConnectedAsync(edge, Samples.Serial);
        await back.PublishAsync(Samples.Serial, Topics.Status, Samples.Status(9));
        await Eventually.TrueAsync(() => device.Admitted.Last().Joins, "a session by the next word");
    }

    /// <summary>What goes to the broker counts as handed over; an offer for a session that is none any more goes back.</summary>
    [Fact]
    public async Task Deliver_OfAnOffer_IsReturnedOnlyWhenItsSessionIsNoneAnyMore()
    {
        await using var edge = await DeviceEdge.StartAsync(DeviceWay.Broker);
        var device = edge.Grains.Device(Samples.Serial);
        Assert.True(DeviceId.TryParse(Samples.Serial, out var id));
        DownDelivery Offer(long epoch, long generation, int sent) =>
            new(TenantId.Default, id, epoch, Samples.Desired(generation)) { Sent = sent };

        await using var client = await TestClient.ConnectedAsync(edge, Samples.Serial);
        await client.PublishAsync(Samples.Serial, Topics.Hello, Samples.Hello(Samples.Serial));
        await client.NextAsync(Samples.Serial, Topics.Ack);
        var (gateway, first) = (device.Receiver!.Gateway!, device.Epoch);
        await gateway.DeliverAsync(Offer(first, 3, sent: 1));
        Assert.Contains("\"generation\": \"3\"", await client.NextAsync(Samples.Serial, Topics.Desired), StringComparison.Ordinal);
        Assert.Empty(device.Returned);

        // The device says goodbye, and then hello.
        await client.PublishAsync(Samples.Serial, Topics.Gone, "maintenance");
        await Eventually.TrueAsync(() => !device.Disconnected.IsEmpty, "the end of the session");
        await client.PublishAsync(Samples.Serial, Topics.Hello, Samples.Hello(Samples.Serial));
        await client.NextAsync(Samples.Serial, Topics.Ack);
        await gateway.DeliverAsync(Offer(first, 4, sent: 0)); // nobody wants it back
        await gateway.DeliverAsync(Offer(first, 4, sent: 2));
        await gateway.DeliverAsync(Offer(device.Epoch, 5, sent: 3));

        Assert.Contains("\"generation\": \"5\"", await client.NextAsync(Samples.Serial, Topics.Desired), StringComparison.Ordinal);
        Assert.True(device.Epoch > first);
        Assert.Equal([new ReturnDelivery(first, 4, 2)], device.Returned);
    }

    [Fact]
    public async Task Silence_LongerThanAllowed_EndsTheSessionInPresence()
    {
        await using var edge = await DeviceEdge.StartAsync(DeviceWay.Broker, ("Muster:Broker:SilenceMax", "00:00:10"));
        await using var client = await TestClient.ConnectedAsync(edge, Samples.Serial);
        await client.PublishAsync(Samples.Serial, Topics.Hello, Samples.Hello(Samples.Serial));
        await client.NextAsync(Samples.Serial, Topics.Ack);

        edge.Pki.Clock.Shift(TimeSpan.FromSeconds(11));

        await Eventually.TrueAsync(
            () => edge.Grains.Inventory.Reports.SelectMany(report => report.Sessions)
                .Any(session => session is { Connected: false, Reason: DisconnectReason.KeepAliveTimeout }),
            "presence of the silence");
    }

    [Fact]
    public async Task Publish_Retained_IsRefusedByTheBroker()
    {
        await using var edge = await DeviceEdge.StartAsync(DeviceWay.Broker);
        await using var client = await TestClient.ConnectedAsync(edge, Samples.Serial);

        var isTaken = await client.PublishAsync(
                Topics.Up(Samples.Serial, Topics.Hello), Encoding.UTF8.GetBytes(Samples.Hello(Samples.Serial)), retain: true)
            .ContinueWith(done => done.IsCompletedSuccessfully && done.Result.IsSuccess, TaskScheduler.Default);

        Assert.False(isTaken);
        Assert.Empty(edge.Grains.Device(Samples.Serial).Received);
    }

    [Fact]
    public async Task Publish_OnATopicThatIsNoMessage_IsRejected()
    {
        await using var edge = await DeviceEdge.StartAsync(DeviceWay.Broker);
        await using var client = await TestClient.ConnectedAsync(edge, Samples.Serial);

        await client.PublishAsync(Samples.Serial, "nonsense", "{}");

        Assert.Contains("TOPIC_NOT_ALLOWED", await client.NextAsync(Samples.Serial, Topics.Rejection), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(new[] { Samples.Serial }, true)]
    [InlineData(new string[0], false)]
    [InlineData(new[] { Samples.OtherSerial }, false)]
    [InlineData(new[] { Samples.Serial, Samples.Serial }, false)]
    public async Task Publish_WhereThePropertySaysWhoItIs_IsTakenOnlyWithIt(string[] said, bool isTaken)
    {
        await using var edge = await DeviceEdge.StartAsync(DeviceWay.Broker, ("Muster:Broker:IdentityProperty", "identity"));
        await using var client = await TestClient.ConnectedAsync(edge, Samples.Serial);
        var message = new MqttApplicationMessageBuilder()
            .WithTopic(Topics.Up(Samples.Serial, Topics.Hello))
            .WithPayload(Samples.Hello(Samples.Serial))
            .WithQualityOfServiceLevel(MqttQualityOfServiceLevel.AtLeastOnce);
        foreach (var value in said)
        {
            message.WithUserProperty("identity", Encoding.UTF8.GetBytes(value));
        }

        await client.PublishAsync(message.Build());
        var last = new MqttApplicationMessageBuilder()
            .WithTopic(Topics.Up(Samples.Serial, Topics.Status))
            .WithPayload(Samples.Status())
            .WithQualityOfServiceLevel(MqttQualityOfServiceLevel.AtLeastOnce)
            .WithUserProperty("identity", Encoding.UTF8.GetBytes(Samples.Serial));
        await client.PublishAsync(last.Build());

        // They come in their order: whoever sees the last one has seen what became of the first.
        var device = edge.Grains.Device(Samples.Serial);
        await Eventually.TrueAsync(() => device.Received.Any(message => message is ReportStatus), "the last message");
        Assert.Equal(isTaken, device.Received.Any(message => message is ReportHello));
    }

    /// <summary>The common name of its certificate is the id, whatever letters the serial has.</summary>
    [Fact]
    public async Task Publish_WhereThePropertyIsAnEncodedName_IsTaken()
    {
        const string Id = "CAM%2F%61";
        await using var edge = await DeviceEdge.StartAsync(DeviceWay.Broker, ("Muster:Broker:IdentityProperty", "identity"));
        using var certificate = edge.IssueDevice("CAM/a");
        Assert.Contains($"CN={Id}", certificate.Subject, StringComparison.Ordinal);
        await using var client = await TestClient.ConnectedAsync(edge, certificate, Id);

        await client.PublishAsync(new MqttApplicationMessageBuilder()
            .WithTopic(Topics.Up(Id, Topics.Status))
            .WithPayload(Samples.Status())
            .WithQualityOfServiceLevel(MqttQualityOfServiceLevel.AtLeastOnce)
            .WithUserProperty("identity", Encoding.UTF8.GetBytes(Id))
            .Build());

        await Eventually.TrueAsync(() => edge.Grains.Device(Id).Received.Any(message => message is ReportStatus), "the message");
    }

    [Fact]
    public async Task Publish_OnSeveralConnections_IsAllTaken()
    {
        await using var edge = await DeviceEdge.StartAsync(DeviceWay.Broker, ("Muster:Broker:Connections", "3"));
        var device = edge.Grains.Device(Samples.Serial);
        await using var client = await TestClient.ConnectedAsync(edge, Samples.Serial);

        await Task.WhenAll(Enumerable.Range(1, 30).Select(n => client.PublishAsync(Samples.Serial, Topics.Report, Samples.Report(n))));

        await Eventually.TrueAsync(() => device.Received.Count == 30, "thirty reports");
        Assert.Equal(30, device.Received.Cast<ReportProgress>().Select(report => report.Envelope.Stamp).Distinct().Count());
        Assert.Single(device.Admitted);
    }

    [Fact]
    public void Validate_OfABrokerWithoutNameOrFilesAndOfTwoTenants_NamesEach()
    {
        var options = new BrokerOptions { Address = "broker.example", CaFile = "/nowhere/ca.pem" };
        Assert.True(TenantId.TryParse("acme", out var acme));
        var (tenants, _) = TenantDirectory.Create([new TenantNames(acme, ["acme.example"])]);

        var result = new BrokerOptionsCrossValidator(tenants).Validate(null, options);

        Assert.Equal(
            ["Muster:Broker:CaFile", "Muster:Broker:CertificateFile", "Muster:Broker:KeyFile", "Muster:Broker:ClientId", "Muster:Broker"],
            result.Failures!.Select(failure => failure.Split(' ')[0]));
        Assert.Equal(ValidateOptionsResult.Success, new BrokerOptionsCrossValidator().Validate(null, new BrokerOptions()));
    }
}
