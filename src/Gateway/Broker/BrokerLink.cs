using System.Security.Authentication;
using Microsoft.Extensions.Options;
using MQTTnet;
using MQTTnet.Exceptions;
using MQTTnet.Formatter;
using MQTTnet.Packets;
using MQTTnet.Protocol;
using Muster.Gateway.Axis;
using Muster.Protocol;

namespace Muster.Gateway.Broker;

/// <summary>One connection to the broker, opened again and again with a growing pause; its session at the broker outlives it.</summary>
internal sealed partial class BrokerLink(
    string clientId,
    BrokerTls tls,
    BrokerInbox inbox,
    BrokerInstruments instruments,
    IOptions<BrokerOptions> options,
    TimeProvider clock,
    ILogger logger)
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(10);

    /// <summary>A broker that died is noticed within one and a half of these, also when it says nothing.</summary>
    private static readonly TimeSpan KeepAlive = TimeSpan.FromSeconds(20);

    private static readonly TimeSpan PauseMin = TimeSpan.FromMilliseconds(250);

    /// <summary>Long enough not to disturb a broker that starts, short enough that nobody waits for it.</summary>
    private static readonly TimeSpan PauseMax = TimeSpan.FromSeconds(10);

    /// <summary>A commit takes milliseconds; a grain that does not answer is not waited for.</summary>
    private static readonly TimeSpan FinishTimeout = TimeSpan.FromSeconds(2);

    /// <summary>A connection that lived for so long was a good one: its end is not part of a series.</summary>
    private static readonly TimeSpan GoodAge = TimeSpan.FromSeconds(10);

    private IMqttClient? _open;

    public bool IsOpen => Volatile.Read(ref _open) is not null;

    /// <summary>Why it is not open, in words without addresses.</summary>
    public string Problem { get; private set; } = "not connected yet";

    private string Filter => $"$share/{options.Value.Group}/{Topics.Up("+", "+")}";

    private string AxisFilter => $"$share/{options.Value.Group}/{AxisTopic.Filter}";

    public async Task RunAsync(CancellationToken stop)
    {
        var pause = PauseMin;
        while (!stop.IsCancellationRequested)
        {
            var startedAt = clock.GetTimestamp();
            try
            {
                await ConnectAsync(stop);
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                return;
            }
            catch (Exception fault) when (fault is not OutOfMemoryException)
            {
                // The library throws many types for a broker that is not there, not ours, or does not want us.
                Problem = DescribeFault(fault);
                LogLost(logger, clientId, Problem, fault);
            }

            pause = clock.GetElapsedTime(startedAt) > GoodAge ? PauseMin : pause * 2 < PauseMax ? pause * 2 : PauseMax;
            try
            {
                // Gateways that lost the same broker do not come back in the same moment.
                await Task.Delay(pause * (0.5 + Random.Shared.NextDouble()), clock, stop);
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }

    /// <summary>The broker's answer; null when there is none, and the message has to be sent again.</summary>
    public async Task<MqttClientPublishReasonCode?> TryPublishAsync(MqttApplicationMessage message, CancellationToken stop)
    {
        if (Volatile.Read(ref _open) is not { } client)
        {
            return null;
        }

        try
        {
            return (await client.PublishAsync(message, stop)).ReasonCode;
        }
        catch (Exception fault) when (fault is not OutOfMemoryException && !stop.IsCancellationRequested)
        {
            return null;
        }
    }

    private async Task ConnectAsync(CancellationToken stop)
    {
        using var client = new MqttClientFactory().CreateMqttClient();
        using var over = new CancellationTokenSource();
        var ended = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        var token = over.Token;
        client.ApplicationMessageReceivedAsync += args =>
        {
            args.AutoAcknowledge = false;
            if (!stop.IsCancellationRequested)
            {
                inbox.Take(args, token);
            }

            return Task.CompletedTask;
        };
        client.DisconnectedAsync += args =>
        {
            ended.TrySetResult($"{args.Reason} {args.ReasonString}".TrimEnd());
            return Task.CompletedTask;
        };
        try
        {
            var result = await client.ConnectAsync(CreateOptions(), stop);
            if (result.ResultCode != MqttClientConnectResultCode.Success)
            {
                throw new MqttCommunicationException($"the broker refuses the gateway: {result.ResultCode}");
            }

            await SubscribeAsync(client, stop);
            Volatile.Write(ref _open, client);
            instruments.Connections.Add(1);
            LogOpened(logger, clientId, result.IsSessionPresent);
            try
            {
                throw new MqttCommunicationException($"the broker ended the connection: {await ended.Task.WaitAsync(stop)}");
            }
            finally
            {
                Volatile.Write(ref _open, null);
                instruments.Connections.Add(-1);
            }
        }
        finally
        {
            await LeaveAsync(client);
            await over.CancelAsync();
        }
    }

    /// <summary>What is in hand may end first; the rest the broker keeps for whoever comes next under this name.</summary>
    private async Task LeaveAsync(IMqttClient client)
    {
        if (client.IsConnected)
        {
            await inbox.FinishAsync(FinishTimeout);
            try
            {
                // Said again, because a goodbye without it would end the session and what waits in it.
                await client.DisconnectAsync(new MqttClientDisconnectOptions
                {
                    SessionExpiryInterval = (uint)options.Value.SessionExpiry.TotalSeconds,
                });
            }
            catch (Exception fault) when (fault is not OutOfMemoryException)
            {
                // It is gone by itself.
            }
        }
    }

    private async Task SubscribeAsync(IMqttClient client, CancellationToken stop)
    {
        string[] wanted = options.Value.Drain ? [] : options.Value.AxisEvents ? [Filter, AxisFilter] : [Filter];
        foreach (var filter in new[] { Filter, AxisFilter }.Except(wanted))
        {
            // The session at the broker remembers what an earlier start of this gateway wanted.
            await client.UnsubscribeAsync(filter, stop);
        }

        foreach (var filter in wanted)
        {
            await SubscribeAsync(client, filter, stop);
        }

        if (options.Value.Drain)
        {
            LogDrains(logger, clientId);
        }
    }

    private static async Task SubscribeAsync(IMqttClient client, string topic, CancellationToken stop)
    {
        var filter = new MqttTopicFilter
        {
            Topic = topic,
            QualityOfServiceLevel = MqttQualityOfServiceLevel.AtLeastOnce,
            RetainHandling = MqttRetainHandling.DoNotSendOnSubscribe,
        };
        var result = await client.SubscribeAsync(new MqttClientSubscribeOptions { TopicFilters = [filter] }, stop);
        var code = result.Items.Single().ResultCode;
        if (code is not MqttClientSubscribeResultCode.GrantedQoS1)
        {
            throw new MqttCommunicationException($"the broker does not grant the shared subscription: {code}");
        }
    }

    private MqttClientOptions CreateOptions() => new MqttClientOptionsBuilder()
        .WithTcpServer(options.Value.Address, options.Value.Port)
        .WithTlsOptions(tls.Configure)
        .WithProtocolVersion(MqttProtocolVersion.V500)
        .WithClientId(clientId)
        .WithCleanStart(false)
        .WithSessionExpiryInterval((uint)options.Value.SessionExpiry.TotalSeconds)
        .WithReceiveMaximum((ushort)options.Value.ReceiveMax)
        .WithMaximumPacketSize((uint)options.Value.PacketBytesMax)
        .WithKeepAlivePeriod(KeepAlive)
        .WithTimeout(Timeout)
        .Build();

    private static string DescribeFault(Exception fault)
    {
        for (var cause = fault; cause is not null; cause = cause.InnerException)
        {
            if (cause is AuthenticationException)
            {
                return "TLS failed: the broker's certificate or this gateway's is not accepted";
            }
        }

        return fault is MqttCommunicationException { InnerException: null }
            ? ShownText.OneLine(fault.Message, 200) : "the broker does not answer";
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Connected to the broker as {ClientId}; its session was kept: {IsPresent}")]
    private static partial void LogOpened(ILogger logger, string clientId, bool isPresent);

    [LoggerMessage(Level = LogLevel.Warning, Message = "No connection to the broker as {ClientId}: {Problem}")]
    private static partial void LogLost(ILogger logger, string clientId, string problem, Exception fault);

    [LoggerMessage(Level = LogLevel.Information, Message = "{ClientId} has left the share and takes what the broker still has for it")]
    private static partial void LogDrains(ILogger logger, string clientId);
}
