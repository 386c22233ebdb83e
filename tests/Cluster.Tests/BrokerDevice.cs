using System.Collections.Concurrent;
using System.Globalization;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using MQTTnet;
using MQTTnet.Formatter;
using MQTTnet.Protocol;
using Muster.Protocol;
using Wire = Muster.Protocol.Device.V1;

namespace Muster.Cluster.Tests;

/// <summary>A device at a shared broker: it says what settings it has, and hears what became of it.</summary>
internal sealed class BrokerDevice : IAsyncDisposable
{
    /// <summary>The only setting that it reports.</summary>
    public const string Setting = "said";

    private const string Boot = "boot-1";

    private readonly IMqttClient _client = new MqttClientFactory().CreateMqttClient();
    private readonly ConcurrentDictionary<long, bool> _acknowledged = new();
    private readonly ConcurrentQueue<string> _refused = new();
    private readonly string _serial;
    private int _disconnects;
    private long _sequence;

    private BrokerDevice(string serial)
    {
        _serial = serial;
        _client.ApplicationMessageReceivedAsync += args =>
        {
            Hear(args.ApplicationMessage);
            return Task.CompletedTask;
        };
        _client.DisconnectedAsync += _ =>
        {
            Interlocked.Increment(ref _disconnects);
            return Task.CompletedTask;
        };
    }

    /// <summary>Inventories that Muster said it has taken.</summary>
    public int Acknowledged => _acknowledged.Count;

    /// <summary>How often its connection to the broker ended.</summary>
    public int Disconnects => Volatile.Read(ref _disconnects);

    public IReadOnlyCollection<string> Refused => _refused;

    /// <summary>With the certificate of <c>SERIAL.own.pem</c>; it hears what is said to it, and has said hello.</summary>
    public static async Task<BrokerDevice> ConnectAsync(
        ClusterSite site, SharedBroker broker, string serial, CancellationToken cancellationToken)
    {
        var device = new BrokerDevice(serial);
        using var pem = X509Certificate2.CreateFromPemFile(
            Path.Combine(site.Folder, $"{serial}.own.pem"), Path.Combine(site.Folder, $"{serial}.own.key"));
        var own = X509CertificateLoader.LoadPkcs12(pem.Export(X509ContentType.Pfx), null);
        var trust = new X509Certificate2Collection(
            X509CertificateLoader.LoadCertificateFromFile(Path.Combine(site.Profile, "server-ca.pem")));
        var options = new MqttClientOptionsBuilder()
            .WithTcpServer("localhost", broker.DevicePort)
            .WithTlsOptions(tls => tls.UseTls().WithClientCertificates([own]).WithTrustChain(trust))
            .WithProtocolVersion(MqttProtocolVersion.V500)
            .WithClientId(serial)
            .Build();
        var connected = await device._client.ConnectAsync(options, cancellationToken);
        Assert.Equal(MqttClientConnectResultCode.Success, connected.ResultCode);
        var down = new MqttTopicFilterBuilder().WithTopic(Topics.Down(serial, "#")).WithAtLeastOnceQoS();
        await device._client.SubscribeAsync(new MqttClientSubscribeOptionsBuilder().WithTopicFilter(down).Build(), cancellationToken);
        await device.PublishAsync(Topics.Hello, $$"""
            {"stamp":{"bootId":"{{Boot}}","sequence":2},"serial":"{{serial}}","model":"{{ClusterSite.Model}}",
            "osVersion":"12.11.70","secureBoot":true,"factoryDefault":false}
            """);
        return device;
    }

    /// <summary>Says it with a stamp of its own, once; returns with the broker's PUBACK. Its number is what an ack names.</summary>
    public async Task<long> SayAsync(string text)
    {
        var sequence = Interlocked.Increment(ref _sequence);
        await RepeatAsync(sequence, text);
        return sequence;
    }

    /// <summary>Says it again, with the same stamp, after each pause until Muster has taken it; how often it was said.</summary>
    public async Task<int> SayUntilTakenAsync(string text, TimeSpan pause, TimeSpan limit)
    {
        var sequence = await SayAsync(text);
        var times = 1;
        for (var waited = System.Diagnostics.Stopwatch.StartNew(); !_acknowledged.ContainsKey(sequence);)
        {
            Assert.True(waited.Elapsed < limit, $"{_serial} has no ack for '{text}' after {times} times.");
            if (waited.Elapsed > pause * times)
            {
                await RepeatAsync(sequence, text);
                times++;
            }

            await Task.Delay(TimeSpan.FromMilliseconds(10));
        }

        return times;
    }

    public async ValueTask DisposeAsync()
    {
        await _client.DisconnectAsync();
        _client.Dispose();
    }

    private Task RepeatAsync(long sequence, string text) => PublishAsync(Topics.Inventory, string.Create(
        CultureInfo.InvariantCulture,
        $$"""{"stamp":{"bootId":"{{Boot}}","sequence":{{sequence}}},"settings":[{"name":"{{Setting}}","value":"{{text}}"}]}"""));

    private async Task PublishAsync(string kind, string json)
    {
        var message = new MqttApplicationMessageBuilder()
            .WithTopic(Topics.Up(_serial, kind))
            .WithPayload(json)
            .WithQualityOfServiceLevel(MqttQualityOfServiceLevel.AtLeastOnce)
            .Build();
        var result = await _client.PublishAsync(message);
        Assert.Equal(MqttClientPublishReasonCode.Success, result.ReasonCode);
    }

    private void Hear(MqttApplicationMessage message)
    {
        var text = Encoding.UTF8.GetString(message.Payload);
        if (message.Topic == Topics.Down(_serial, Topics.Rejection))
        {
            _refused.Enqueue(text);
        }
        else if (message.Topic == Topics.Down(_serial, Topics.Ack)
            && Wire.Ack.Parser.ParseJson(text) is { Kind: Topics.Inventory, Stamp.Sequence: var sequence })
        {
            _acknowledged[sequence] = true;
        }
    }
}
