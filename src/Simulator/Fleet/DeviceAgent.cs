using System.Security.Cryptography.X509Certificates;
using System.Threading.Channels;
using Google.Protobuf;
using MQTTnet;
using MQTTnet.Exceptions;
using Muster.Protocol;
using Muster.Protocol.Device.V1;
using Muster.Simulator.Devices;

namespace Muster.Simulator.Fleet;

/// <summary>
/// The shell of one virtual device: connects, feeds it one input at a time, and does what it decides. With a
/// <paramref name="disguise"/>, the identity of the spare device, it comes back under that once it is a tombstone.
/// </summary>
internal sealed class DeviceAgent(Fleet fleet, VirtualDevice device, X509Certificate2 identity, X509Certificate2? disguise = null)
{
    /// <summary>Inputs that wait; the server sends at most a few. What does not fit is repeated by the server.</summary>
    private const int InputsMax = 64;

    private static readonly TimeSpan StatusEvery = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan RetryMax = TimeSpan.FromSeconds(20);

    /// <summary>Timers know no years.</summary>
    private static readonly TimeSpan WaitMax = TimeSpan.FromDays(1);

    private readonly Channel<Func<IEnumerable<DeviceStep>>> _inputs = Channel.CreateBounded<Func<IEnumerable<DeviceStep>>>(
        new BoundedChannelOptions(InputsMax) { SingleReader = true, FullMode = BoundedChannelFullMode.DropOldest });

    private DeviceConnection? _connection;
    private CancellationTokenSource? _session;

    private bool IsOver => device.Memory.IsRetired && disguise is null;

    private string Serial => device.Memory.Serial;

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        fleet.Memory.Save(device.Memory);
        var started = fleet.Time.GetTimestamp();
        for (var failures = 0; !IsOver && !cancellationToken.IsCancellationRequested;)
        {
            var isAdmitted = await SessionAsync(started, cancellationToken);
            failures = isAdmitted ? 0 : failures + 1;
            if (!IsOver)
            {
                await Task.Delay(Fleet.Jitter(Backoff(failures)), fleet.Time, cancellationToken);
            }
        }
    }

    private static TimeSpan Backoff(int failures)
    {
        var pause = TimeSpan.FromMilliseconds(300 * Math.Pow(2, Math.Min(failures, 10)));
        return pause < RetryMax ? pause : RetryMax;
    }

    private async Task<bool> SessionAsync(long started, CancellationToken cancellationToken)
    {
        using var session = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var (serial, certificate) = device.Memory.IsRetired && disguise is not null
            ? (FleetOptions.SpareSerial, disguise)
            : (Serial, identity);
        using var connection = new DeviceConnection(
            fleet.Options, serial, certificate, fleet.Time, message => Arrived(session, message));
        (_session, _connection) = (session, connection);
        if (!await ConnectAsync(connection, cancellationToken))
        {
            return false;
        }

        await DoAsync(device.Connected(), cancellationToken);
        var status = StatusAsync(connection, started, session);
        try
        {
            while (await _inputs.Reader.WaitToReadAsync(session.Token))
            {
                while (!session.IsCancellationRequested && _inputs.Reader.TryRead(out var input))
                {
                    await DoAsync(input(), cancellationToken);
                }
            }
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            await connection.CloseAsync(cancellationToken);
        }

        await status;
        return true;
    }

    private async Task<bool> ConnectAsync(DeviceConnection connection, CancellationToken cancellationToken)
    {
        await fleet.Connects.WaitAsync(cancellationToken);
        try
        {
            var answer = await connection.ConnectAsync(cancellationToken);
            if (answer.ResultCode == MqttClientConnectResultCode.Success)
            {
                return true;
            }

            var isTombstone = answer.ResultCode == MqttClientConnectResultCode.Banned;
            await DoAsync(device.Refused(isTombstone, $"{answer.ResultCode} {answer.ReasonString}"), cancellationToken);
        }
        catch (Exception e) when (IsTransient(e, cancellationToken))
        {
            fleet.Log.Write(Serial, new DeviceStep.Tell("unreachable", Reason: e.Message));
        }
        finally
        {
            fleet.Connects.Release();
        }

        return false;
    }

    private void Arrived(CancellationTokenSource session, (string Kind, byte[] Payload)? message)
    {
        if (message is not { } arrived)
        {
            End(session);
            return;
        }

        _inputs.Writer.TryWrite(() => Read(arrived.Kind, arrived.Payload));
    }

    private IEnumerable<DeviceStep> Read(string kind, byte[] payload)
    {
        try
        {
            return kind switch
            {
                Topics.Ack => device.Acknowledged(Ack.Parser.ParseFrom(payload)),
                Topics.Rejection => device.Rejected(Rejection.Parser.ParseFrom(payload)),
                Topics.Desired => device.Desired(Desired.Parser.ParseFrom(payload), fleet.Time.GetUtcNow()),
                Topics.Command => device.Commanded(Command.Parser.ParseFrom(payload), fleet.Time.GetUtcNow()),
                _ => [],
            };
        }
        catch (InvalidProtocolBufferException e)
        {
            return [new DeviceStep.Tell("unreadable", Reason: $"{kind}: {e.Message}")];
        }
    }

    /// <summary>Does all steps: a message that is not delivered ends the session, and is repeated in the next one.</summary>
    private async Task DoAsync(IEnumerable<DeviceStep> steps, CancellationToken cancellationToken)
    {
        foreach (var step in steps)
        {
            switch (step)
            {
                case DeviceStep.Save:
                    fleet.Memory.Save(device.Memory);
                    break;
                case DeviceStep.Tell tell:
                    fleet.Log.Write(Serial, tell);
                    break;
                case DeviceStep.Publish publish:
                    await PublishAsync(publish, cancellationToken);
                    break;
                case DeviceStep.Fetch fetch:
                    _ = FetchAsync(fetch, cancellationToken);
                    break;
                case DeviceStep.Wait wait:
                    _ = WaitAsync(wait, cancellationToken);
                    break;
                case DeviceStep.Reboot:
                    End(_session);
                    break;
                default:
                    throw new InvalidOperationException($"Unknown step {step}.");
            }
        }
    }

    private async Task PublishAsync(DeviceStep.Publish publish, CancellationToken cancellationToken)
    {
        try
        {
            await _connection!.PublishAsync(publish.Kind, publish.Message, isCheap: false, cancellationToken);
        }
        catch (Exception e) when (IsTransient(e, cancellationToken))
        {
            End(_session);
        }
    }

    private async Task FetchAsync(DeviceStep.Fetch fetch, CancellationToken cancellationToken)
    {
        var (generation, target) = (fetch.Generation, fetch.Target);
        var path = Path.Combine(fleet.DownloadFolder, $"{Serial}-{target.Digest}.part");
        try
        {
            await Task.Delay(fetch.Delay, fleet.Time, cancellationToken);
            await fleet.Downloads.WaitAsync(cancellationToken);
            try
            {
                if (await fleet.Download.GetAsync(target, identity, path, cancellationToken) is { } fault)
                {
                    await _inputs.Writer.WriteAsync(
                        () => fault == ImageDownload.LinkEnded
                            ? device.LinkEnded(generation)
                            : device.Failed(generation, fault, isRefusal: false),
                        cancellationToken);
                    return;
                }

                await _inputs.Writer.WriteAsync(() => device.Downloaded(generation, target), cancellationToken);
                var refusal = fleet.Download.Verify(target, path);
                File.Delete(path);
                await _inputs.Writer.WriteAsync(
                    () => refusal is null
                        ? device.Verified(generation, target, fleet.Time.GetUtcNow())
                        : device.Failed(generation, refusal, isRefusal: true),
                    cancellationToken);
            }
            finally
            {
                fleet.Downloads.Release();
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            await _inputs.Writer.WriteAsync(() => device.Failed(generation, "no room for the image", isRefusal: false), cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The fleet ends; the file stays, and the next boot goes on with it.
        }
    }

    /// <summary>Whoever goes on too early waits again.</summary>
    private async Task WaitAsync(DeviceStep.Wait wait, CancellationToken cancellationToken)
    {
        try
        {
            var left = wait.Until - fleet.Time.GetUtcNow();
            await Task.Delay(TimeSpan.FromTicks(Math.Clamp(left.Ticks, 0, WaitMax.Ticks)), fleet.Time, cancellationToken);
            await _inputs.Writer.WriteAsync(() => wait.Then(fleet.Time.GetUtcNow()), cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The fleet ends.
        }
    }

    private async Task StatusAsync(DeviceConnection connection, long started, CancellationTokenSource session)
    {
        var cancellationToken = session.Token;
        try
        {
            while (true)
            {
                await Task.Delay(Fleet.Jitter(StatusEvery), fleet.Time, cancellationToken);
                var status = device.Status(fleet.Time.GetElapsedTime(started));
                await connection.PublishAsync(Topics.Status, status, isCheap: true, cancellationToken);
            }
        }
        catch (Exception e) when (e is OperationCanceledException || IsTransient(e, cancellationToken))
        {
            End(session);
        }
    }

    private static bool IsTransient(Exception e, CancellationToken cancellationToken) =>
        !cancellationToken.IsCancellationRequested
        && e is MqttCommunicationException or MqttClientNotConnectedException or MqttCommunicationTimedOutException
            or MqttClientDisconnectedException or OperationCanceledException or IOException or InvalidOperationException;

    private static void End(CancellationTokenSource? session)
    {
        try
        {
            session?.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // The end of a connection that is over already.
        }
    }
}
