using MQTTnet;
using Muster.Contracts.Devices;
using Muster.Cryptography.Decommissioning;
using Muster.Domain;
using Muster.Domain.Decommissioning;
using Muster.Domain.Devices;
using Muster.Gateway.Tests.Edge;
using Muster.Protocol;
using Wire = Muster.Protocol.Device.V1;

namespace Muster.Gateway.Tests.Mqtt;

/// <summary>The edge with the real device grain behind Orleans' own client: observers, epochs and refusals as they are.</summary>
public sealed class RealDeviceTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Device_FromHelloToTombstone_IsServedAndThenRefused(bool isInside)
    {
        await using var silo = await DeviceSilo.StartAsync();
        await using var edge = await DeviceEdge.StartAsync(isInside ? silo.GrainsInside : silo.Grains);
        var device = silo.Device(Samples.Serial);
        await ExpectAsync(device);
        using var certificate = edge.Pki.Issue(Samples.Serial);
        await using var client = await TestClient.ConnectedAsync(edge, certificate, Samples.Serial);

        Assert.True((await client.PublishAsync(Samples.Serial, Topics.Hello, Samples.Hello(Samples.Serial))).IsSuccess);
        Assert.Contains("hello", await client.NextAsync(Samples.Serial, Topics.Ack), StringComparison.Ordinal);
        Assert.Equal(DeviceState.InService, (await device.GetAsync()).Device!.State);
        Assert.True((await client.PublishAsync(Samples.Serial, Topics.Status, Samples.Status())).IsSuccess);

        var nonce = new string('a', 32);
        var now = TimeProvider.System.GetUtcNow();
        await device.BeginDecommissionAsync(new BeginDecommission(
            Actor.Operator("ann"), new DeviceCommand(CommandKind.FactoryDefault, nonce, now, now.AddHours(1))));
        var command = Wire.Command.Parser.ParseJson(await client.NextAsync(Samples.Serial, Topics.Command));
        Assert.True(DeviceId.TryParse(Samples.Serial, out var id));
        var proof = ErasureProofSigner.Sign(
            new ErasureProof(TenantId.Default, id, command.Nonce, "boot-2", ErasureProof.FactoryDefault), certificate);
        var result = await client.PublishAsync(Samples.Serial, Topics.Result, new Wire.Result
        {
            Stamp = new Wire.Stamp { BootId = "boot-2", Sequence = 1 },
            Nonce = command.Nonce,
            Succeeded = true,
            Proof = Google.Protobuf.ByteString.CopyFrom(proof),
        });

        Assert.True(result.IsSuccess, result.ReasonString);
        Assert.Equal(MqttClientDisconnectReason.AdministrativeAction, await client.NextEndAsync());
        await using var again = new TestClient(edge, certificate);
        Assert.Equal(MqttClientConnectResultCode.Banned, (await again.ConnectAsync(Samples.Serial)).ResultCode);
    }

    [Fact]
    public async Task Connect_OfADeviceThatNobodyExpects_IsRefused()
    {
        await using var silo = await DeviceSilo.StartAsync();
        await using var edge = await DeviceEdge.StartAsync(silo.Grains);
        await using var client = new TestClient(edge, edge.Pki.Issue(Samples.Serial));

        var result = await client.ConnectAsync(Samples.Serial);

        Assert.Equal(MqttClientConnectResultCode.NotAuthorized, result.ResultCode);
        Assert.StartsWith("DEVICE_NOT_EXPECTED", result.ReasonString, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Report_OfAGenerationNeverIssued_IsRefusedForEver()
    {
        await using var silo = await DeviceSilo.StartAsync();
        await using var edge = await DeviceEdge.StartAsync(silo.Grains);
        await ExpectAsync(silo.Device(Samples.Serial));
        using var certificate = edge.Pki.Issue(Samples.Serial);
        await using var client = await TestClient.ConnectedAsync(edge, certificate, Samples.Serial);
        await client.PublishAsync(Samples.Serial, Topics.Hello, Samples.Hello(Samples.Serial));

        var result = await client.PublishAsync(Samples.Serial, Topics.Report, Samples.Report(generation: 7));

        Assert.Equal(MqttClientPublishReasonCode.ImplementationSpecificError, result.ReasonCode);
        Assert.Contains("GENERATION_UNKNOWN", await client.NextAsync(Samples.Serial, Topics.Rejection), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Connect_AfterTheDeviceIsInService_SessionIsPresentAndTheOlderOneEnds()
    {
        await using var silo = await DeviceSilo.StartAsync();
        await using var edge = await DeviceEdge.StartAsync(silo.Grains);
        await ExpectAsync(silo.Device(Samples.Serial));
        using var certificate = edge.Pki.Issue(Samples.Serial);
        await using var older = await TestClient.ConnectedAsync(edge, certificate, Samples.Serial);
        await older.PublishAsync(Samples.Serial, Topics.Hello, Samples.Hello(Samples.Serial));
        await using var newer = new TestClient(edge, certificate);

        var result = await newer.ConnectAsync(Samples.Serial, cleanStart: false);

        Assert.True(result.IsSessionPresent);
        Assert.Equal(MqttClientDisconnectReason.SessionTakenOver, await older.NextEndAsync());
        Assert.True((await newer.PublishAsync(Samples.Serial, Topics.Status, Samples.Status())).IsSuccess);
    }

    private static async Task ExpectAsync(IDeviceGrain device)
    {
        var spec = new ExpectedDevice("P3265-V", "active", "Lund", "", EnrollmentApproval.Automatic);
        var reply = await device.ExpectAsync(new ExpectDevice(Actor.Operator("ann"), "request-1", spec));
        Assert.Null(reply.Error);
    }
}
