using System.Collections.Concurrent;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.DependencyInjection;
using MQTTnet;
using Muster.Contracts.Devices;
using Muster.Cryptography.Decommissioning;
using Muster.Domain;
using Muster.Domain.Decommissioning;
using Muster.Domain.Devices;
using Muster.Gateway.Broker;
using Muster.Gateway.Tests.Edge;
using Muster.Protocol;
using Wire = Muster.Protocol.Device.V1;

namespace Muster.Gateway.Tests.Broker;

/// <summary>A real broker, real gateways and the real device grain: what is committed, and how often.</summary>
public sealed class RealDeviceTests
{
    private const int Messages = 20;

    private static readonly string[] Serials = [.. Enumerable.Range(1, 8).Select(number => $"CAM-{number:000000}")];

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Hello_OfADeviceThatNeverProvedItsKey_IsRefusedUntilItDid()
    {
        await using var silo = await DeviceSilo.StartAsync();
        await using var broker = await Mosquitto.StartAsync();
        await using var edge = await DeviceEdge.StartBehindAsync(broker, "gateway-1", silo.Grains);
        await ExpectAsync(silo, Samples.Serial);
        await using var client = await TestClient.ConnectedAsync(edge, Samples.Serial);

        await client.PublishAsync(Samples.Serial, Topics.Hello, Samples.Hello(Samples.Serial));
        Assert.Contains("IDENTITY_NOT_PROVEN", await client.NextAsync(Samples.Serial, Topics.Rejection), StringComparison.Ordinal);
        Assert.Equal(DeviceState.Expected, (await silo.Device(Samples.Serial).GetAsync()).Device!.State);

        await EnrolAsync(edge, Samples.Serial);
        await client.PublishAsync(Samples.Serial, Topics.Hello, Samples.Hello(Samples.Serial, 2));
        Assert.Contains("hello", await client.NextAsync(Samples.Serial, Topics.Ack), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Device_FromItsCommandToItsTombstone_IsServedAndThenRefused()
    {
        await using var silo = await DeviceSilo.StartAsync();
        await using var broker = await Mosquitto.StartAsync();
        await using var edge = await DeviceEdge.StartBehindAsync(broker, "gateway-1", silo.Grains);
        await ExpectAsync(silo, Samples.Serial);
        using var makers = await EnrolAsync(edge, Samples.Serial);
        await using var client = await TestClient.ConnectedAsync(edge, Samples.Serial);
        await client.PublishAsync(Samples.Serial, Topics.Hello, Samples.Hello(Samples.Serial, 2));
        await client.NextAsync(Samples.Serial, Topics.Ack);

        var now = TimeProvider.System.GetUtcNow();
        await silo.Device(Samples.Serial).BeginDecommissionAsync(new BeginDecommission(
            Actor.Operator("ann"), new DeviceCommand(CommandKind.FactoryDefault, new string('a', 32), now, now.AddHours(1))));
        var command = Wire.Command.Parser.ParseJson(await client.NextAsync(Samples.Serial, Topics.Command));
        Assert.True(DeviceId.TryParse(Samples.Serial, out var id));
        var proof = ErasureProofSigner.Sign(
            new ErasureProof(TenantId.Default, id, command.Nonce, "boot-2", ErasureProof.FactoryDefault), makers);
        await client.PublishAsync(Samples.Serial, Topics.Result, new Wire.Result
        {
            Stamp = new Wire.Stamp { BootId = "boot-2", Sequence = 1 },
            Nonce = command.Nonce,
            Succeeded = true,
            Proof = Google.Protobuf.ByteString.CopyFrom(proof),
        });
        await Eventually.TrueAsync(
            () => silo.Device(Samples.Serial).GetAsync().Result.Device!.State == DeviceState.Decommissioned, "the tombstone");
        await client.PublishAsync(Samples.Serial, Topics.Hello, Samples.Hello(Samples.Serial, 3));

        Assert.Contains("DEVICE_DECOMMISSIONED", await client.NextAsync(Samples.Serial, Topics.Rejection), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Publish_ToTwoGatewaysOfOneShare_EachMessageIsCommittedOnceAndAcknowledged()
    {
        await using var silo = await DeviceSilo.StartAsync();
        await using var broker = await Mosquitto.StartAsync();
        await using var first = await DeviceEdge.StartBehindAsync(broker, "gateway-1", silo.Grains);
        await using var second = await DeviceEdge.StartBehindAsync(broker, "gateway-2", silo.Grains);
        await PrepareAsync(silo, first);

        await Task.WhenAll(Serials.Select(serial => SpeakAsync(first, serial, [])));

        AssertCommittedOnce(silo);
        Assert.Equal(Serials.Length, Devices(first));
        Assert.Equal(Serials.Length, Devices(second));
    }

    [Fact]
    public async Task Kill_OfTheBrokerAndStopOfAGateway_WhileDevicesSpeak_LosesAndDoublesNothing()
    {
        await using var silo = await DeviceSilo.StartAsync();
        await using var broker = await Mosquitto.StartAsync();
        await using var first = await DeviceEdge.StartBehindAsync(broker, "gateway-1", silo.Grains);
        var second = await DeviceEdge.StartBehindAsync(broker, "gateway-2", silo.Grains);
        await PrepareAsync(silo, first);
        var acknowledged = new ConcurrentBag<string>();
        var speaking = Task.WhenAll(Serials.Select(serial => SpeakAsync(first, serial, acknowledged)));

        await Eventually.TrueAsync(() => acknowledged.Count > Serials.Length * Messages / 4, "a quarter of the messages");
        await broker.KillAsync();
        await broker.RunAsync();
        await Eventually.TrueAsync(() => acknowledged.Count > Serials.Length * Messages / 2, "half of the messages");
        await second.DisposeAsync();
        await using var third = await DeviceEdge.StartBehindAsync(broker, "gateway-2", silo.Grains);

        await speaking;
        AssertCommittedOnce(silo);
    }

    [Fact]
    public async Task Cut_OfAGatewaysConnection_WhileItsMessagesAreUnderWay_LosesAndDoublesNothing()
    {
        await using var silo = await DeviceSilo.StartAsync();
        await using var broker = await Mosquitto.StartAsync();
        await using var wire = new Relay(broker.GatewayPort);
        await using var edge = await DeviceEdge.StartBehindAsync(
            broker, "gateway-1", silo.Grains, ("Muster:Broker:Port", $"{wire.Port}"));
        await PrepareAsync(silo, edge);
        var acknowledged = new ConcurrentBag<string>();
        var speaking = Task.WhenAll(Serials.Select(serial => SpeakAsync(edge, serial, acknowledged)));

        for (var cut = 1; cut <= 3; cut++)
        {
            var count = cut * Serials.Length * Messages / 5;
            await Eventually.TrueAsync(() => acknowledged.Count > count, $"{count} messages");
            wire.Cut();
            await Eventually.TrueAsync(() => edge.BrokerNote is not null || acknowledged.Count > count + Serials.Length, "the cut");
        }

        await speaking;
        AssertCommittedOnce(silo);
    }

    /// <summary>As a device does: repeats with the same stamp, after a pause or over a new connection, until the ack comes.</summary>
    private static async Task SpeakAsync(DeviceEdge edge, string serial, ConcurrentBag<string> acknowledged)
    {
        for (var sequence = 2; sequence < Messages + 2;)
        {
            try
            {
                await using var client = await TestClient.ConnectedAsync(edge, serial);
                for (; sequence < Messages + 2; sequence++)
                {
                    await SayAsync(client, serial, sequence);
                    acknowledged.Add($"{serial} {sequence}");
                }
            }
            catch (Exception exception) when (exception is not Xunit.Sdk.XunitException && !Cancel.IsCancellationRequested)
            {
                // The broker is away: as with any connection that is lost.
                await Task.Delay(50, Cancel);
            }
        }
    }

    private static async Task SayAsync(TestClient client, string serial, int sequence)
    {
        while (true)
        {
            await client.PublishAsync(serial, Topics.Hello, Samples.Hello(serial, sequence));
            for (var wait = 0; wait < 300; wait++)
            {
                while (client.Messages.TryDequeue(out var message))
                {
                    if (message.Topic == Topics.Down(serial, Topics.Ack)
                        && Wire.Ack.Parser.ParseJson(System.Text.Encoding.UTF8.GetString(message.Payload)).Stamp.Sequence == sequence)
                    {
                        return;
                    }
                }

                if (!client.IsConnected)
                {
                    throw new IOException("The connection was lost.");
                }

                await Task.Delay(10, Cancel);
            }
        }
    }

    private static async Task PrepareAsync(DeviceSilo silo, DeviceEdge edge)
    {
        foreach (var serial in Serials)
        {
            await ExpectAsync(silo, serial);
            (await EnrolAsync(edge, serial)).Dispose();
        }
    }

    /// <summary>Expected, enrolled, and one commit for each message: a repetition makes none.</summary>
    private static void AssertCommittedOnce(DeviceSilo silo)
    {
        foreach (var serial in Serials)
        {
            var device = silo.Device(serial).GetAsync().Result.Device!;
            Assert.Equal("boot-1", Assert.Single(device.Boots).BootId);
            Assert.Equal(2 + Messages, silo.CommitsOf(serial));
        }
    }

    private static int Devices(DeviceEdge edge) => edge.Services.GetRequiredService<BrokerDevices>().Count;

    /// <summary>At the devices' own listener, where the maker's certificate is seen.</summary>
    private static async Task<X509Certificate2> EnrolAsync(DeviceEdge edge, string serial)
    {
        // The client disposes of its own copy.
        var makers = edge.Pki.Issue(serial);
        var copy = X509CertificateLoader.LoadPkcs12(makers.Export(X509ContentType.Pfx), null, X509KeyStorageFlags.Exportable);
        await using var client = new TestClient(edge, copy, edge.MqttPort);
        Assert.Equal(MqttClientConnectResultCode.Success, (await client.ConnectAsync(serial)).ResultCode);
        Assert.True((await client.PublishAsync(serial, Topics.Hello, Samples.Hello(serial))).IsSuccess);
        await client.DisconnectAsync();
        return makers;
    }

    private static async Task ExpectAsync(DeviceSilo silo, string serial)
    {
        var spec = new ExpectedDevice("P3265-V", "active", "Lund", "", EnrollmentApproval.Automatic);
        var reply = await silo.Device(serial).ExpectAsync(new ExpectDevice(Actor.Operator("ann"), $"request-{serial}", spec));
        Assert.Null(reply.Error);
    }
}
