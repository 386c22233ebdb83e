using System.Buffers;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Google.Protobuf;
using MQTTnet;
using MQTTnet.Formatter;
using MQTTnet.Protocol;
using Muster.Protocol;

namespace Muster.Simulator.Fleet;

/// <summary>One MQTT 5 connection of one device over TLS; what arrives goes to <paramref name="arrived"/>, also its end (null).</summary>
internal sealed class DeviceConnection(
    FleetOptions options, string serial, X509Certificate2 identity, TimeProvider time, Action<(string Kind, byte[] Payload)?> arrived)
    : IDisposable
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(30);

    private readonly IMqttClient _client = new MqttClientFactory().CreateMqttClient();

    public async Task<MqttClientConnectResult> ConnectAsync(CancellationToken cancellationToken)
    {
        var prefix = Topics.Down(serial, "");
        _client.ApplicationMessageReceivedAsync += args =>
        {
            var message = args.ApplicationMessage;
            if (message.Topic.StartsWith(prefix, StringComparison.Ordinal))
            {
                arrived((message.Topic[prefix.Length..], message.Payload.ToArray()));
            }

            return Task.CompletedTask;
        };
        _client.DisconnectedAsync += _ =>
        {
            arrived(null);
            return Task.CompletedTask;
        };
        var builder = new MqttClientOptionsBuilder()
            .WithTcpServer(options.Mqtt.Host, options.Mqtt.Port)
            .WithClientId(serial)
            .WithProtocolVersion(MqttProtocolVersion.V500)
            .WithCleanStart(true)
            .WithKeepAlivePeriod(TimeSpan.FromMinutes(1))
            .WithTimeout(Timeout)
            .WithTlsOptions(tls => tls.UseTls()
                .WithSslProtocols(SslProtocols.Tls12 | SslProtocols.Tls13)
                .WithClientCertificates([identity])
                .WithCertificateValidationHandler(args =>
                    args.Certificate is X509Certificate2 server
                    && !args.SslPolicyErrors.HasFlag(SslPolicyErrors.RemoteCertificateNameMismatch)
                    && options.IsServer(server, time.GetUtcNow())));
        return await _client.ConnectAsync(builder.Build(), cancellationToken);
    }

    public async Task PublishAsync(string kind, IMessage message, bool isCheap, CancellationToken cancellationToken) =>
        await _client.PublishAsync(
            new MqttApplicationMessage
            {
                Topic = Topics.Up(serial, kind),
                PayloadSegment = message.ToByteArray(),
                QualityOfServiceLevel = isCheap ? MqttQualityOfServiceLevel.AtMostOnce : MqttQualityOfServiceLevel.AtLeastOnce,
            },
            cancellationToken);

    public async Task CloseAsync(CancellationToken cancellationToken)
    {
        if (_client.IsConnected)
        {
            await _client.DisconnectAsync(cancellationToken: cancellationToken);
        }
    }

    public void Dispose() => _client.Dispose();
}
