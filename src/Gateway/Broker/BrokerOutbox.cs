using System.Threading.Channels;
using Microsoft.Extensions.Options;
using Muster.Contracts.Gateways;
using Muster.Gateway.Devices;
using Muster.Protocol;
using MQTTnet;
using MQTTnet.Protocol;

namespace Muster.Gateway.Broker;

/// <summary>
/// What waits to be published to devices. Those of one device go one after the other; while there is no broker they wait here, bounded in
/// number and in age, because the record repeats what matters.
/// </summary>
internal sealed partial class BrokerOutbox(
    BrokerConnections connections,
    BrokerInstruments instruments,
    DownMessageWriter writer,
    IOptions<BrokerOptions> options,
    TimeProvider clock,
    ILogger<BrokerOutbox> logger)
{
    /// <summary>Messages under way to the broker at once: enough to hide the round trip.</summary>
    private const int Senders = 16;

    /// <summary>
    /// Older messages say nothing new: a device that was away says hello and is told what holds then. The broker forgets them too.
    /// </summary>
    private static readonly TimeSpan AgeMax = TimeSpan.FromSeconds(60);

    private static readonly TimeSpan RetryDelay = TimeSpan.FromMilliseconds(200);

    private readonly Channel<Waiting>[] _channels =
        [.. Enumerable.Range(0, Senders).Select(_ => CreateChannel(options.Value.DownMessagesMax / Senders, instruments))];

    public void Put(BrokerDevice device, DownMessage message)
    {
        var index = (int)((uint)device.Address.GetHashCode() % Senders);
        _channels[index].Writer.TryWrite(new Waiting(device, message, clock.GetTimestamp()));
    }

    public Task RunAsync(CancellationToken stop) => Task.WhenAll(_channels.Select(channel => SendAsync(channel.Reader, stop)));

    private static Channel<Waiting> CreateChannel(int messagesMax, BrokerInstruments instruments) => Channel.CreateBounded<Waiting>(
        new BoundedChannelOptions(messagesMax) { FullMode = BoundedChannelFullMode.DropOldest, SingleReader = true },
        _ => instruments.DroppedDown());

    private async Task SendAsync(ChannelReader<Waiting> waiting, CancellationToken stop)
    {
        try
        {
            await foreach (var next in waiting.ReadAllAsync(stop))
            {
                await SendAsync(next, stop);
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // The gateway stops: another one has the session, or the next hello is answered.
        }
    }

    private async Task SendAsync(Waiting waiting, CancellationToken stop)
    {
        var (device, message, putAt) = waiting;
        var packet = new MqttApplicationMessage
        {
            Topic = Topics.Down(device.Address.Device.Value, DownMessageWriter.KindOf(message)),
            QualityOfServiceLevel = MqttQualityOfServiceLevel.AtLeastOnce,
            PayloadSegment = writer.Write(message, device.Address, device.Form),
            MessageExpiryInterval = (uint)AgeMax.TotalSeconds,
        };
        while (clock.GetElapsedTime(putAt) < AgeMax)
        {
            if (connections.FindOpen() is { } link && await link.TryPublishAsync(packet, stop) is { } code)
            {
                if (code is not (MqttClientPublishReasonCode.Success or MqttClientPublishReasonCode.NoMatchingSubscribers))
                {
                    LogRefused(logger, device.Address.Device.Value, DownMessageWriter.KindOf(message), code);
                }

                return;
            }

            await Task.Delay(RetryDelay, clock, stop);
        }

        instruments.DroppedDown();
    }

    private readonly record struct Waiting(BrokerDevice Device, DownMessage Message, long PutAt);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The broker refuses a {Kind} for device {DeviceId}: {Code}")]
    private static partial void LogRefused(ILogger logger, string deviceId, string kind, MqttClientPublishReasonCode code);
}
