using System.Buffers;
using System.Text;
using Microsoft.Extensions.Options;
using MQTTnet.Packets;
using MQTTnet.Protocol;
using Muster.Contracts.Devices;
using Muster.Domain;
using Muster.Domain.Identity;
using Muster.Gateway.Devices;
using Muster.Gateway.Identity;
using Muster.Gateway.Revocations;

namespace Muster.Gateway.Mqtt;

/// <summary>A CONNECT's answer: a session, or why not.</summary>
internal readonly record struct Admission(MqttSession? Session, bool SessionPresent, MqttConnectReasonCode Code, FleetError? Error)
{
    /// <summary>The client id of a device that left it to us; null for one that named it.</summary>
    public string? AssignedClientId { get; init; }

    public static Admission Refused(FleetError error) => new(null, false, ReasonCodes.OfConnect(error), error);

    public static Admission Refused(MqttConnectReasonCode code, string text) =>
        new(null, false, code, FleetError.Of(ErrorKind.Invalid, "REQUEST_INVALID", text));
}

/// <summary>Decides about a CONNECT: identity, client id, limits, then the device's own grain.</summary>
internal sealed partial class SessionAdmission(
    IGrainFactory grains,
    GatewayReference reference,
    AdmissionGate gate,
    SessionRegistry registry,
    DeviceCalls calls,
    GatewayInstruments instruments,
    DownMessageWriter writer,
    IOptions<MqttOptions> options,
    TimeProvider clock,
    ILogger<SessionAdmission> logger)
{
    /// <summary>A suffix names a purpose on the device.</summary>
    private const int SuffixLengthMax = 64;

    /// <summary>Kept for every session: the default of AXIS OS is one word.</summary>
    private const int LastWillMax = 200;

    private static readonly SearchValues<char> SuffixCharacters =
        SearchValues.Create("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz._-");

    /// <summary>After a fault, connections are spread over this time, so that a fleet does not return at once.</summary>
    private static readonly TimeSpan JitterMax = TimeSpan.FromSeconds(2);

    /// <summary>How long after a fault admissions are spread.</summary>
    private static readonly TimeSpan JitterPeriod = TimeSpan.FromSeconds(10);

    private long _lastFault;

    /// <summary>A grain or the store did not answer: spread those who come back.</summary>
    public void NoteFault() => Volatile.Write(ref _lastFault, clock.GetTimestamp());

    public async Task<Admission> AdmitAsync(MqttChannel channel, DevicePeer? peer, MqttConnectPacket connect, bool hasRoom)
    {
        if (RefuseOffer(channel, connect) is { } notOffered)
        {
            return notOffered;
        }

        if (peer?.Result?.Identity is not { } identity)
        {
            return Admission.Refused(peer?.Result?.Error ?? CertificateErrors.Missing());
        }

        // Who leaves its name to us is who its certificate says (MQTT 5, 3.1.3.1; MQTT 3.1.1, 3.1.3.1, with Clean Session only).
        var isUnnamed = string.IsNullOrEmpty(connect.ClientId) && (channel.IsVersion5 || connect.CleanSession);
        var clientId = isUnnamed ? identity.Device.Value : connect.ClientId;
        if (!IsClientIdOf(identity, clientId))
        {
            return Admission.Refused(DeviceMessageErrors.ClientIdNotAllowed(identity.Device));
        }

        if (!hasRoom)
        {
            return Admission.Refused(DeviceMessageErrors.LimitReached("connections", options.Value.ConnectionsMax));
        }

        var session = new MqttSession(
            channel, new DeviceAddress(peer.Tenant, identity.Device), identity, clientId, LimitsOf(connect))
        {
            Peer = peer,
            LastWill = LastWillOf(connect),
            ExpiresAtOnce = connect.SessionExpiryInterval == 0,
        };
        if (registry.Reserve(session) is not { } device)
        {
            return Admission.Refused(DeviceMessageErrors.LimitReached("connections that only publish", DeviceSessions.PublishersMax));
        }

        session.Device = device;
        var admission = await AskAsync(session, connect.CleanSession || isUnnamed);
        return isUnnamed ? admission with { AssignedClientId = clientId } : admission;
    }

    /// <summary>What nobody is offered, whoever it is; CONNACK has a code for each.</summary>
    private static Admission? RefuseOffer(MqttChannel channel, MqttConnectPacket connect)
    {
        if (channel.IsVersion310)
        {
            return Admission.Refused(
                MqttConnectReasonCode.UnsupportedProtocolVersion, "MQTT 5 or 3.1.1 with a TLS client certificate only.");
        }

        if (!channel.IsVersion5)
        {
            return null;
        }

        // A will is never sent, but a device that asks for more than there is has to be told (MQTT 5, 3.2.2.3.4).
        return connect switch
        {
            { AuthenticationMethod.Length: > 0 } => Admission.Refused(
                MqttConnectReasonCode.BadAuthenticationMethod, "MQTT 5 or 3.1.1 with a TLS client certificate only."),
            { WillFlag: true, WillQoS: > MqttQualityOfServiceLevel.AtLeastOnce } => Admission.Refused(
                MqttConnectReasonCode.QoSNotSupported, "The highest QoS is 1, also of a will."),
            _ => null,
        };
    }

    private async Task<Admission> AskAsync(MqttSession session, bool isClean)
    {
        AdmitReply reply;
        try
        {
            await SpreadAsync();
            if (await gate.CheckAsync(session.Address) is { } unknown)
            {
                return Refuse(session, unknown);
            }

            session.Grain = grains.GetDevice(session.Address.Tenant, session.Address.Device);
            var gateway = session.Receives ? reference.Value : null;
            reply = await AdmitAsync(session.Grain, new AdmitSession(session.Identity, session.Receives, gateway, registry.GatewayId));
            session.Reference = new SessionRef(registry.GatewayId, session.Receives ? reply.Epoch : 0, gateway);
        }
        catch (Exception exception) when (exception is not OutOfMemoryException)
        {
            // Grain, silo or store do not answer: the device is told to come back, whatever the cause is.
            NoteFault();
            LogFault(logger, exception, session.Address.Device.Value);
            reply = new AdmitReply(0, false, DeviceMessageErrors.Unavailable());
        }

        if (reply.Error is { } error)
        {
            return Refuse(session, error);
        }

        session.AcceptedUntil = reply.AcceptedUntil;
        return new Admission(session, reply.SessionPresent && !isClean, MqttConnectReasonCode.Success, null);
    }

    private async Task<AdmitReply> AdmitAsync(IDeviceGrain device, AdmitSession command)
    {
        calls.Begin();
        try
        {
            return await device.AdmitAsync(command);
        }
        finally
        {
            calls.End();
        }
    }

    /// <summary>Nobody is sent a will here; its words tell operators how the device calls its end, whatever topic it named.</summary>
    private static string? LastWillOf(MqttConnectPacket connect)
    {
        if (!connect.WillFlag || connect.WillMessage is not { Length: > 0 } words)
        {
            return null;
        }

        return ShownText.OneLine(Encoding.UTF8.GetString(words.AsSpan(0, Math.Min(words.Length, LastWillMax))), LastWillMax);
    }

    private Admission Refuse(MqttSession session, FleetError error)
    {
        session.Device.Detach(session);
        registry.Forget(session.Device);
        return Admission.Refused(error);
    }

    private async Task SpreadAsync()
    {
        var last = Volatile.Read(ref _lastFault);
        if (last != 0 && clock.GetElapsedTime(last) < JitterPeriod)
        {
            await Task.Delay(JitterMax * Random.Shared.NextDouble(), clock);
        }
    }

    private SessionLimits LimitsOf(MqttConnectPacket connect)
    {
        var keepAlive = KeepAliveOf(connect);
        return new SessionLimits(
            options.Value.QueuedMessagesMax,
            connect.ReceiveMaximum == 0 ? ushort.MaxValue : connect.ReceiveMaximum,
            (long)(keepAlive.TotalSeconds * 1.5 * clock.TimestampFrequency),
            connect.RequestProblemInformation,
            writer,
            (session, ending) => LogClosing(logger, session.ClientId, ending.Code, ending.Reason.Reason),
            (session, message, why) =>
            {
                instruments.NotSent(message, why);
                LogNotSent(logger, session.ClientId, DownMessageWriter.KindOf(message), why);
            });
    }

    /// <summary>The client's period, or the longest that the server allows.</summary>
    public TimeSpan KeepAliveOf(MqttConnectPacket connect) =>
        connect.KeepAlivePeriod == 0 || connect.KeepAlivePeriod > options.Value.KeepAliveMax.TotalSeconds
            ? options.Value.KeepAliveMax
            : TimeSpan.FromSeconds(connect.KeepAlivePeriod);

    private static bool IsClientIdOf(DeviceIdentity identity, string? clientId)
    {
        var device = identity.Device.Value;
        if (clientId is null || !clientId.StartsWith(device, StringComparison.Ordinal))
        {
            return false;
        }

        var rest = clientId.AsSpan(device.Length);
        return rest.IsEmpty
            || (rest[0] == '/' && rest.Length is > 1 and <= SuffixLengthMax + 1 && !rest[1..].ContainsAnyExcept(SuffixCharacters));
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Device {DeviceId} could not be admitted: its grain or the store did not answer")]
    private static partial void LogFault(ILogger logger, Exception exception, string deviceId);

    [LoggerMessage(Level = LogLevel.Information, Message = "Session {ClientId} is closed with {Code}: {Reason}")]
    private static partial void LogClosing(ILogger logger, string clientId, MqttDisconnectReasonCode code, string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "A {Kind} for session {ClientId} is not sent: {Why}")]
    private static partial void LogNotSent(ILogger logger, string clientId, string kind, UnsentReason why);
}
