using System.Collections.Concurrent;
using Muster.Contracts.Devices;
using Muster.Contracts.Gateways;
using Muster.Contracts.Revocations;
using Muster.Domain;
using Muster.Domain.Devices;
using Muster.Domain.Identity;
using Muster.Domain.Images;
using Muster.Gateway.Mqtt;
using MQTTnet.Protocol;

namespace Muster.Gateway.Revocations;

/// <summary>
/// What is open at this gateway and may have to end: MQTT sessions, also those that only publish, downloads, and HTTPS connections on
/// which nothing is asked. A tombstone's end at once, and those of a revoked image; for anything else the device's own grain judges each,
/// until it answers.
/// </summary>
internal sealed partial class OpenAccess(
    IGrainFactory grains,
    SessionRegistry sessions,
    OpenDownloads downloads,
    OpenConnections connections,
    IEnumerable<ISessionsBehind> behind,
    ServedImages images,
    WatchedPartitions partitions,
    TimeProvider clock,
    ILogger<OpenAccess> logger)
{
    /// <summary>Devices that are judged at once: a campaign that renews the certificates of a fleet must not flood the silos.</summary>
    private const int JudgedAtOnce = 64;

    /// <summary>A download whose certificate was replaced ends with the overlap, which is days: a minute more does not matter.</summary>
    private static readonly TimeSpan DownloadInterval = TimeSpan.FromMinutes(1);

    /// <summary>Devices that wait to be judged; true while they are.</summary>
    private readonly ConcurrentDictionary<DeviceAddress, bool> _waiting = new();
    private TaskCompletionSource _proof = NewProof();
    private int _judging;
    private long _downloadsAt = clock.GetTimestamp();

    /// <summary>Completes with the next proof that came.</summary>
    public Task NextProof => Volatile.Read(ref _proof).Task;

    /// <summary>Something was proved: those who wait for it look again.</summary>
    public void Proved() => Interlocked.Exchange(ref _proof, NewProof()).TrySetResult();

    /// <summary>Ends what the revocation is about, or has it judged.</summary>
    public void Act(in Revocation revocation)
    {
        if (revocation.Image is { } image)
        {
            EndImage(revocation.Tenant, image);
            return;
        }

        var address = new DeviceAddress(revocation.Tenant, revocation.Device);
        if (revocation.Effect == RevocationEffect.End)
        {
            End(address, DeviceErrors.Tombstone(revocation.Device));
            foreach (var connection in connections.Of(address))
            {
                connection.Abort();
            }

            EndBehind(address, DeviceErrors.Tombstone(revocation.Device));
        }
        else if (sessions.Has(address) || connections.Has(address) || downloads.Of(address).Any()
            || behind.Any(one => one.Find(address) is not null))
        {
            _waiting.TryAdd(address, false);
            JudgeWaiting();
        }
    }

    /// <summary>Nobody knows who of this partition is revoked: all come again and are judged at the door.</summary>
    public void EndPartition(int partition)
    {
        foreach (var device in sessions.Devices.Where(device => device.Partition == partition))
        {
            End(device.Address, DeviceErrors.SayHelloAgain(device.Address.Device));
        }

        // Who has no connection here cannot come again by himself: his record is asked instead.
        foreach (var address in behind.SelectMany(one => one.Of(partition)))
        {
            _waiting.TryAdd(address, false);
        }

        JudgeWaiting();

        // Before its downloads end: one that begins meanwhile is open already, or asks for the image anew.
        images.Forget(partition);
        foreach (var download in downloads.All.Where(download => download.IsOf(partition)))
        {
            download.Abort();
        }
    }

    /// <summary>What the clock ends or asks for: twice a second.</summary>
    public void Tick()
    {
        JudgeWaiting();
        foreach (var download in downloads.All.Where(
            one => one.IsSent && (partitions.IsLost(one.Partition) || partitions.IsLost(one.ImagePartition))))
        {
            download.Abort();
        }

        if (clock.GetElapsedTime(_downloadsAt) >= DownloadInterval)
        {
            _downloadsAt = clock.GetTimestamp();
            foreach (var download in downloads.All)
            {
                _waiting.TryAdd(download.Address, false);
            }
        }
    }

    private void JudgeWaiting()
    {
        foreach (var (address, isJudged) in _waiting)
        {
            if (isJudged || !_waiting.TryUpdate(address, true, false))
            {
                continue;
            }

            if (Interlocked.Increment(ref _judging) > JudgedAtOnce)
            {
                Interlocked.Decrement(ref _judging);
                _waiting[address] = false;
                return;
            }

            _ = JudgeAsync(address);
        }
    }

    private async Task JudgeAsync(DeviceAddress address)
    {
        await Task.Yield();
        var isJudged = false;
        try
        {
            // A revocation that comes from here on begins another judgement, behind this one.
            _waiting.TryRemove(address, out _);
            foreach (var session in sessions.SessionsOf(address))
            {
                await JudgeAsync(session);
            }

            foreach (var download in downloads.Of(address).ToList())
            {
                await JudgeAsync(download);
            }

            foreach (var connection in connections.Of(address))
            {
                await JudgeAsync(address, connection);
            }

            await JudgeBehindAsync(address);
            isJudged = true;
        }
        catch (Exception fault) when (fault is not OutOfMemoryException)
        {
            // Asked again with the next tick, until it is answered or the watch is so old that all ends.
            LogUnjudged(logger, fault, address.Device.Value);
            _waiting.TryAdd(address, false);
        }
        finally
        {
            Interlocked.Decrement(ref _judging);
        }

        if (isJudged)
        {
            // Those for whom there was no place; after a fault they wait for the next tick.
            JudgeWaiting();
        }
    }

    private async Task JudgeAsync(MqttSession session)
    {
        var reply = await grains.GetDeviceAccess(session.Address.Tenant, session.Address.Device).CheckAsync(session.Identity);
        if (reply.Error is { } error)
        {
            session.Close(MqttDisconnectReasonCode.NotAuthorized, error);
            return;
        }

        session.AcceptedUntil = reply.AcceptedUntil;
    }

    private async Task JudgeAsync(OpenDownload download)
    {
        var (tenant, device) = download.Address;
        var error = await grains.GetDevice(tenant, device)
            .AuthorizeDownloadAsync(new AuthorizeDownload(download.Identity, download.Image.Value))
            ?? await images.CheckAsync(tenant, download.Image, download.ImagePartition);

        // What the age of the watch means for a download is Tick's to say.
        if (error is { Kind: not ErrorKind.Unavailable })
        {
            LogAborted(logger, device.Value, error.Reason);
            download.Abort();
        }
    }

    /// <summary>What it still would be answered is a refusal; its downloads were judged by what they send.</summary>
    private async Task JudgeAsync(DeviceAddress address, OpenConnection connection)
    {
        var reply = await grains.GetDeviceAccess(address.Tenant, address.Device).CheckAsync(connection.Identity);
        if (reply.Error is { } error)
        {
            LogClosed(logger, address.Device.Value, error.Reason);
            connection.Abort();
        }
    }

    private async Task JudgeBehindAsync(DeviceAddress address)
    {
        foreach (var identity in behind.Select(one => one.Find(address)).OfType<DeviceIdentity>())
        {
            var reply = await grains.GetDeviceAccess(address.Tenant, address.Device).CheckAsync(identity);
            if (reply.Error is { } error)
            {
                EndBehind(address, error);
            }
        }
    }

    private void EndBehind(DeviceAddress address, FleetError reason)
    {
        foreach (var _ in behind.Where(one => one.End(address)))
        {
            LogEnded(logger, address.Device.Value, reason.Reason);
        }
    }

    private void EndImage(TenantId tenant, ImageDigest image)
    {
        images.Forget(tenant, image);
        var ended = 0;
        foreach (var download in downloads.Of(tenant, image))
        {
            download.Abort();
            ended++;
        }

        if (ended > 0)
        {
            LogImageRevoked(logger, ended, image.Value);
        }
    }

    private void End(DeviceAddress address, FleetError reason)
    {
        foreach (var session in sessions.FindToClose(new CloseSession(address.Tenant, address.Device, long.MaxValue, All: true, reason)))
        {
            session.Close(
                ReasonCodes.IsNotNow(reason) ? MqttDisconnectReasonCode.ServerBusy : MqttDisconnectReasonCode.AdministrativeAction, reason);
        }

        foreach (var download in downloads.Of(address))
        {
            LogAborted(logger, address.Device.Value, reason.Reason);
            download.Abort();
        }
    }

    private static TaskCompletionSource NewProof() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    [LoggerMessage(
        Level = LogLevel.Warning, Message = "The connections of device {DeviceId} could not be judged; its grain is asked again")]
    private static partial void LogUnjudged(ILogger logger, Exception fault, string deviceId);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Count} downloads of image {Digest} are broken off: it was revoked")]
    private static partial void LogImageRevoked(ILogger logger, int count, string digest);

    [LoggerMessage(Level = LogLevel.Information, Message = "An HTTPS connection of device {DeviceId} is closed: {Reason}")]
    private static partial void LogClosed(ILogger logger, string deviceId, string reason);

    [LoggerMessage(Level = LogLevel.Information, Message = "The session of device {DeviceId} behind a broker is over: {Reason}")]
    private static partial void LogEnded(ILogger logger, string deviceId, string reason);

    [LoggerMessage(Level = LogLevel.Information, Message = "A download by device {DeviceId} is broken off: {Reason}")]
    private static partial void LogAborted(ILogger logger, string deviceId, string reason);
}
