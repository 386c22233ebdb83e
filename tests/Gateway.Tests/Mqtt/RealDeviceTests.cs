using Microsoft.Extensions.DependencyInjection;
using MQTTnet;
using Muster.Contracts.Devices;
using Muster.Cryptography.Decommissioning;
using Muster.Domain;
using Muster.Domain.Decommissioning;
using Muster.Domain.Devices;
using Muster.Gateway.Mqtt;
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

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Offer_ToASessionThatIsGone_ComesBackAndIsWithdrawnAfterAMinute(bool isInside)
    {
        var clock = new LateClock();
        await using var silo = await DeviceSilo.StartAsync(clock);
        await using var edge = await DeviceEdge.StartAsync(isInside ? silo.GrainsInside : silo.Grains);
        var device = silo.Device(Samples.Serial);
        await ExpectAsync(device);
        using var certificate = edge.Pki.Issue(Samples.Serial);
        await using var client = await TestClient.ConnectedAsync(edge, certificate, Samples.Serial);
        await client.PublishAsync(Samples.Serial, Topics.Hello, Samples.Hello(Samples.Serial));
        await client.NextAsync(Samples.Serial, Topics.Ack);

        // The grain believes in a session that its gateway does not have: it was told of one, and not yet of its end.
        var gateway = edge.Services.GetRequiredService<GatewayReference>().Value;
        var session = edge.Services.GetRequiredService<SessionRegistry>().Sessions.Single();
        var gone = new UpEnvelope(session.Identity, new SessionRef("gone", session.Epoch + 1, gateway), new MessageStamp("boot-1", 2));
        Assert.Null((await device.StatusAsync(new ReportStatus(gone, new DeviceHealth(1, null, "")))).Error);
        Assert.Equal(OfferStatus.Offered, (await device.OfferAsync(Offer("spring"))).Status);
        await Eventually.TrueAsync(
            () => device.OfferAsync(Offer("summer")).Result.Status == OfferStatus.WaitingOffline, "the message to come back");
        Assert.NotNull((await device.GetAsync()).Device!.Change);

        clock.Late = OfferHandover.WaitMax;

        await Eventually.TrueAsync(() => device.GetAsync().Result.Device!.Change is null, "the withdrawal");
        var known = (await device.GetAsync()).Device!;
        Assert.Equal((ChangeOutcome.Withdrawn, OfferHandover.Reason), (known.LastChange!.Outcome, known.LastChange.Reason));
        Assert.Equal(new DesiredState(2, null, null), known.Desired);
    }

    private static OfferChange Offer(string rollout) => new(
        ResourceId.TryParse(rollout, out var id) ? id : throw new FormatException(rollout),
        0,
        new OsTarget(new string('b', 64), "12.12.1", 4711, [1]),
        "active",
        [],
        AllowTrackChange: false);

    /// <summary>The system's clock, and later.</summary>
    private sealed class LateClock : TimeProvider
    {
        private long _ticks;

        public TimeSpan Late
        {
            set => Interlocked.Exchange(ref _ticks, value.Ticks);
        }

        public override DateTimeOffset GetUtcNow() => base.GetUtcNow().AddTicks(Interlocked.Read(ref _ticks));
    }

    private static async Task ExpectAsync(IDeviceGrain device)
    {
        var spec = new ExpectedDevice("P3265-V", "active", "Lund", "", EnrollmentApproval.Automatic);
        var reply = await device.ExpectAsync(new ExpectDevice(Actor.Operator("ann"), "request-1", spec));
        Assert.Null(reply.Error);
    }
}
