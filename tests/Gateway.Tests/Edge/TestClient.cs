using System.Buffers;
using System.Collections.Concurrent;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Google.Protobuf;
using MQTTnet;
using MQTTnet.Formatter;
using MQTTnet.Protocol;
using Muster.Protocol;

namespace Muster.Gateway.Tests.Edge;

/// <summary>A device made of MQTTnet's client.</summary>
internal sealed class TestClient : IAsyncDisposable
{
    private readonly IMqttClient _client = new MqttClientFactory().CreateMqttClient();
    private readonly DeviceEdge _edge;
    private readonly X509Certificate2? _certificate;
    private readonly int _port;

    /// <param name="edge">Where it connects.</param>
    /// <param name="certificate">Who it is; null for nobody.</param>
    /// <param name="port">Another one than where devices of this edge connect.</param>
    public TestClient(DeviceEdge edge, X509Certificate2? certificate, int? port = null)
    {
        (_edge, _certificate, _port) = (edge, certificate, port ?? edge.DevicePort);
        _client.ApplicationMessageReceivedAsync += args =>
        {
            Messages.Enqueue((args.ApplicationMessage.Topic, args.ApplicationMessage.Payload.ToArray()));
            return Task.CompletedTask;
        };
        _client.DisconnectedAsync += args =>
        {
            Disconnected.TrySetResult(args);
            return Task.CompletedTask;
        };
    }

    public ConcurrentQueue<(string Topic, byte[] Payload)> Messages { get; } = new();

    public TaskCompletionSource<MqttClientDisconnectedEventArgs> Disconnected { get; } =
        new(TaskCreationOptions.RunContinuationsAsynchronously);

    public bool IsConnected => _client.IsConnected;

    public static async Task<TestClient> ConnectedAsync(
        DeviceEdge edge, string serial, string? clientId = null, MqttProtocolVersion version = MqttProtocolVersion.V500)
    {
        var client = new TestClient(edge, edge.IssueDevice(serial));
        var result = await client.ConnectAsync(clientId ?? serial, version);
        Assert.Equal(MqttClientConnectResultCode.Success, result.ResultCode);
        if (edge.Broker is not null)
        {
            // A broker knows nothing of devices: it sends them what they subscribe to.
            await client.SubscribeAsync(Topics.Down(serial, "#"));
        }

        return client;
    }

    public Task<MqttClientConnectResult> ConnectAsync(
        string clientId,
        MqttProtocolVersion version = MqttProtocolVersion.V500,
        bool cleanStart = true,
        Action<MqttClientOptionsBuilder>? configure = null)
    {
        var builder = new MqttClientOptionsBuilder()
            .WithTcpServer("127.0.0.1", _port)
            .WithClientId(clientId)
            .WithProtocolVersion(version)
            .WithCleanStart(cleanStart)
            .WithTimeout(TimeSpan.FromSeconds(20))
            .WithTlsOptions(tls =>
            {
                tls.UseTls().WithSslProtocols(SslProtocols.Tls13)
                    .WithCertificateValidationHandler(args => _edge.Pki.IsServer(args.Certificate));
                if (_certificate is not null)
                {
                    tls.WithClientCertificates([_certificate]);
                }
            });
        configure?.Invoke(builder);
        return _client.ConnectAsync(builder.Build(), TestContext.Current.CancellationToken);
    }

    public Task<MqttClientPublishResult> PublishAsync(
        string serial, string kind, string json, MqttQualityOfServiceLevel qos = MqttQualityOfServiceLevel.AtLeastOnce) =>
        PublishAsync(Topics.Up(serial, kind), Encoding.UTF8.GetBytes(json), qos);

    public Task<MqttClientPublishResult> PublishAsync(string serial, string kind, IMessage message) =>
        PublishAsync(Topics.Up(serial, kind), message.ToByteArray());

    public Task<MqttClientPublishResult> PublishAsync(
        string topic, byte[] payload, MqttQualityOfServiceLevel qos = MqttQualityOfServiceLevel.AtLeastOnce, bool retain = false) =>
        _client.PublishAsync(
            new MqttApplicationMessage { Topic = topic, PayloadSegment = payload, QualityOfServiceLevel = qos, Retain = retain },
            TestContext.Current.CancellationToken);

    public Task<MqttClientPublishResult> PublishAsync(MqttApplicationMessage message) =>
        _client.PublishAsync(message, TestContext.Current.CancellationToken);

    public async Task<MqttClientSubscribeResultCode> SubscribeAsync(string filter) =>
        (await _client.SubscribeAsync(filter, MqttQualityOfServiceLevel.AtLeastOnce, TestContext.Current.CancellationToken))
            .Items.Single().ResultCode;

    public Task DisconnectAsync() => _client.DisconnectAsync(cancellationToken: TestContext.Current.CancellationToken);

    /// <summary>The next message of a kind, as JSON text.</summary>
    public async Task<string> NextAsync(string serial, string kind)
    {
        var topic = Topics.Down(serial, kind);
        return await Eventually.GetAsync(
            () => Messages.TryDequeue(out var message) && message.Topic == topic ? Encoding.UTF8.GetString(message.Payload) : null, topic);
    }

    public async Task<MqttClientDisconnectReason> NextEndAsync() =>
        (await Disconnected.Task.WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken)).Reason;

    public static async Task<TestClient> ConnectedAsync(DeviceEdge edge, X509Certificate2 certificate, string clientId)
    {
        var client = new TestClient(edge, certificate);
        Assert.Equal(MqttClientConnectResultCode.Success, (await client.ConnectAsync(clientId)).ResultCode);
        return client;
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        _certificate?.Dispose();
        await Task.CompletedTask;
    }
}
