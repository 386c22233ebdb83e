using System.Buffers;
using System.Collections.Concurrent;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using MQTTnet;
using MQTTnet.Formatter;
using MQTTnet.Protocol;
using Muster.Cryptography.Certificates;
using Muster.Protocol;

namespace Muster.Scenarios.Tests.BadInput;

/// <summary>A device made of MQTTnet's client, with any certificate.</summary>
internal sealed class DeviceLine : IAsyncDisposable
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(30);

    private readonly IMqttClient _client = new MqttClientFactory().CreateMqttClient();
    private readonly ConcurrentQueue<(string Topic, string Text)> _received = new();
    private readonly SemaphoreSlim _arrived = new(0);
    private readonly TaskCompletionSource<MqttClientDisconnectReason> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public DeviceLine()
    {
        _client.ApplicationMessageReceivedAsync += args =>
        {
            _received.Enqueue((args.ApplicationMessage.Topic, Encoding.UTF8.GetString(args.ApplicationMessage.Payload.ToArray())));
            _arrived.Release();
            return Task.CompletedTask;
        };
        _client.DisconnectedAsync += args =>
        {
            _ended.TrySetResult(args.Reason);
            return Task.CompletedTask;
        };
    }

    /// <summary>The device in service, as its receiving session.</summary>
    public static async Task<DeviceLine> ConnectedAsync(BadInputSite site, MqttProtocolVersion version)
    {
        var line = new DeviceLine();
        using var certificate = Load(site.Identity);
        var result = await line.ConnectAsync(site.MqttPort, certificate, BadInputSite.Serial, version);
        Assert.Equal(MqttClientConnectResultCode.Success, result.ResultCode);
        return line;
    }

    public static X509Certificate2 Load(IssuedCertificate issued) => X509Certificate2.CreateFromPem(issued.CertificatePem, issued.KeyPem);

    public Task<MqttClientConnectResult> ConnectAsync(
        int port, X509Certificate2? certificate, string clientId, MqttProtocolVersion version) => _client.ConnectAsync(
            new MqttClientOptionsBuilder()
                .WithTcpServer("127.0.0.1", port)
                .WithClientId(clientId)
                .WithProtocolVersion(version)
                .WithTimeout(Timeout)
                .WithTlsOptions(tls =>
                {
                    tls.UseTls().WithCertificateValidationHandler(_ => true);
                    if (certificate is not null)
                    {
                        tls.WithClientCertificates([certificate]);
                    }
                })
                .Build(),
            TestContext.Current.CancellationToken);

    public Task<MqttClientPublishResult> PublishAsync(string kind, string json) => PublishAsync(BadInputSite.Serial, kind, json);

    public Task<MqttClientPublishResult> PublishAsync(string serial, string kind, string json) =>
        PublishAsync(Topics.Up(serial, kind), Encoding.UTF8.GetBytes(json));

    public Task<MqttClientPublishResult> PublishAsync(string topic, byte[] payload) => _client.PublishAsync(
        new MqttApplicationMessage
        {
            Topic = topic,
            PayloadSegment = payload,
            QualityOfServiceLevel = MqttQualityOfServiceLevel.AtLeastOnce,
        },
        TestContext.Current.CancellationToken);

    public Task PingAsync() => _client.PingAsync(TestContext.Current.CancellationToken);

    /// <summary>The next message of a kind to the device in service; those of other kinds are passed over.</summary>
    public async Task<string> NextAsync(string kind)
    {
        var topic = Topics.Down(BadInputSite.Serial, kind);
        while (true)
        {
            Assert.True(await _arrived.WaitAsync(Timeout, TestContext.Current.CancellationToken), $"Nothing came on {topic}.");
            if (_received.TryDequeue(out var message) && message.Topic == topic)
            {
                return message.Text;
            }
        }
    }

    public Task<MqttClientDisconnectReason> EndAsync() => _ended.Task.WaitAsync(Timeout, TestContext.Current.CancellationToken);

    public ValueTask DisposeAsync()
    {
        _client.Dispose();
        _arrived.Dispose();
        return ValueTask.CompletedTask;
    }
}
