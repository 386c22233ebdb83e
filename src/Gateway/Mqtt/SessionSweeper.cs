using Microsoft.Extensions.Options;
using MQTTnet.Protocol;
using Muster.Domain;
using Muster.Domain.Identity;
using Muster.Gateway.Devices;
using Muster.Gateway.Revocations;

namespace Muster.Gateway.Mqtt;

/// <summary>
/// One clock for all sessions instead of a timer each: ends the silent, the stuck, and those whose certificate of the fleet CA has ended
/// or whose maker's anchor is gone; and all of them when the host stops.
/// </summary>
internal sealed class SessionSweeper(
    SessionRegistry registry,
    WatchedPartitions partitions,
    IOptions<MqttOptions> options,
    IHostApplicationLifetime lifetime,
    TimeProvider clock) : BackgroundService
{
    /// <summary>A silent session is noticed at most this late; a look at 50,000 sessions costs about a millisecond.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // Before the listener waits for its connections to end, not after.
        using var stopping = lifetime.ApplicationStopping.Register(CloseAll);
        using var timer = new PeriodicTimer(Interval, clock);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                Sweep();
            }
        }
        catch (OperationCanceledException)
        {
            CloseAll();
        }
    }

    private void Sweep()
    {
        var now = clock.GetTimestamp();
        var today = clock.GetUtcNow();
        var stuck = (long)(options.Value.WriteTimeout.TotalSeconds * clock.TimestampFrequency);
        foreach (var session in registry.Sessions)
        {
            if (EndOf(session) <= today)
            {
                // Its messages are refused from now on; it would still be told what others must not hear.
                session.Close(MqttDisconnectReasonCode.NotAuthorized, CertificateErrors.Expired(session.Address.Device.Value));
            }
            else if (session.Peer?.Result?.Error is { } error)
            {
                session.Close(MqttDisconnectReasonCode.NotAuthorized, error);
            }
            else if (partitions.IsLost(session.Device.Partition))
            {
                // Nobody would hear of its revocation: it comes back where somebody does.
                session.Close(MqttDisconnectReasonCode.ServerBusy, DeviceMessageErrors.RevocationsUnknown());
            }
            else if (!session.Channel.AbortIfStuck(now, stuck) && !session.IsBusy
                && now - session.LastReceived > session.Limits.SilenceTicksMax)
            {
                session.Close(
                    MqttDisconnectReasonCode.KeepAliveTimeout,
                    FleetError.Of(ErrorKind.Unavailable, "TEMPORARILY_UNAVAILABLE", "Nothing was heard for too long."));
            }
        }
    }

    /// <summary>The maker's certificate is judged by the record alone; one of the fleet CA ends, or is replaced.</summary>
    private static DateTimeOffset? EndOf(MqttSession session) =>
        session.AcceptedUntil ?? (session.Identity.IsOperational ? session.Identity.NotAfter : null);

    private void CloseAll()
    {
        foreach (var session in registry.Sessions)
        {
            session.Close(
                MqttDisconnectReasonCode.ServerShuttingDown,
                FleetError.Of(ErrorKind.Unavailable, "TEMPORARILY_UNAVAILABLE", "The gateway is stopping."));
        }
    }
}
