using MQTTnet.Packets;
using MQTTnet.Protocol;
using Muster.Contracts.Devices;
using Muster.Contracts.Gateways;
using Muster.Domain;
using Muster.Domain.Devices;
using Muster.Domain.Identity;
using Muster.Gateway.Devices;
using Muster.Gateway.Identity;
using Muster.Protocol;

namespace Muster.Gateway.Mqtt;

/// <summary>One admitted connection of a device: who it is, what waits for it, how it ends.</summary>
internal sealed class MqttSession(
    MqttChannel channel, DeviceAddress address, DeviceIdentity identity, string clientId, SessionLimits limits)
{
    /// <summary>Messages of the grain between its answer and CONNACK: a desired document, a command, an acknowledgement.</summary>
    private const int EarlyMax = 8;

    /// <summary>A commit takes milliseconds; a grain that does not answer is not waited for.</summary>
    private static readonly TimeSpan FinishTimeout = TimeSpan.FromSeconds(2);

    private static readonly TimeSpan FinishPoll = TimeSpan.FromMilliseconds(10);

    private readonly Lock _lock = new();
    private readonly Outbox _outbox = new(limits.QueuedMessagesMax);
    private readonly PacketWindow _window = new(limits.ReceiveMax);
    private readonly string?[] _topics = new string?[4];
    private TopicAliases? _aliases;
    private List<(long Epoch, DownMessage Message)>? _early;
    private long _acceptedUntil;
    private bool _isSending;
    private Ending? _ending;
    private bool _isOver;
    private Task _ended = Task.CompletedTask;

    public MqttChannel Channel { get; } = channel;

    public DeviceAddress Address { get; } = address;

    public DeviceIdentity Identity { get; } = identity;

    public string ClientId { get; } = clientId;

    /// <summary>What the handshake said, and whether it still holds.</summary>
    public DevicePeer? Peer { get; init; }

    /// <summary>True for the one session that gets down messages: its client id is the device's.</summary>
    public bool Receives { get; } = clientId == address.Device.Value;

    public SessionLimits Limits { get; } = limits;

    public UpTopic Topic { get; } = new(address.Device);

    /// <summary>What the device calls its topics; most never do.</summary>
    public TopicAliases Aliases => _aliases ??= new TopicAliases();

    /// <summary>
    /// True for a Session Expiry Interval of 0: a device that said so may not ask for more with its goodbye (MQTT 5, 3.14.2.2.2).
    /// </summary>
    public bool ExpiresAtOnce { get; init; }

    /// <summary>What the gateway shares between the device's sessions; set when the place is held.</summary>
    public DeviceSessions Device { get; set; } = null!;

    public IDeviceGrain Grain { get; set; } = null!;

    public long Epoch => Reference.Epoch;

    /// <summary>What every up message carries; set at admission.</summary>
    public SessionRef Reference { get; set; } = null!;

    /// <summary>When its certificate stops opening doors: another one took its place. Null for the certificate's own end.</summary>
    public DateTimeOffset? AcceptedUntil
    {
        get => Volatile.Read(ref _acceptedUntil) is var ticks and > 0 ? new DateTimeOffset(ticks, TimeSpan.Zero) : null;
        set => Volatile.Write(ref _acceptedUntil, value?.UtcTicks ?? 0);
    }

    /// <summary>Counts the device's connections to this gateway, in the order they asked.</summary>
    public long Order { get; set; }

    /// <summary>The boot that its last accepted message named; empty before.</summary>
    public string Boot { get; set; } = "";

    /// <summary>True once it was told that this connection lives on beside a newer one of another boot: once is enough.</summary>
    public bool IsReportedAlive { get; set; }

    /// <summary>Timestamp of the last packet.</summary>
    public long LastReceived { get; set; }

    /// <summary>True while a message is with its grain: the peer cannot be heard then, and must not be timed out for it.</summary>
    public bool IsBusy { get; set; }

    /// <summary>True while somebody reads what the peer sends.</summary>
    public bool IsReading { get; set; }

    /// <summary>True once the device said that it goes.</summary>
    public bool HasSaidGoodbye { get; set; }

    /// <summary>
    /// True after a disconnect message of AXIS OS: the end of the connection that follows is no loss, also without a DISCONNECT packet. The
    /// connection itself stays open until it ends.
    /// </summary>
    public bool SaysItGoes { get; set; }

    /// <summary>The words of the device's last will; null for none, and once the device took it back with its goodbye.</summary>
    public string? LastWill
    {
        get => SaysItGoes ? null : field;
        set;
    }

    /// <summary>Why the session is over, or would be if it were now.</summary>
    public DisconnectReason Reason => Volatile.Read(ref _ending) is { } ending
        ? ReasonCodes.OfDisconnect(ending.Code)
        : HasSaidGoodbye || SaysItGoes ? DisconnectReason.ClosedByDevice : DisconnectReason.ConnectionLost;

    /// <summary>True once the gateway has decided to end the session.</summary>
    public bool IsEnding => Volatile.Read(ref _ending) is not null;

    /// <summary>True once the peer is being told: nothing more is read.</summary>
    public bool IsOver => Volatile.Read(ref _isOver);

    /// <summary>Completes when the peer was told.</summary>
    public Task Ended => _ended;

    /// <summary>Keeps a message that came before CONNACK, if the session receives any. Called under the device's lock only.</summary>
    public bool HoldEarly(long epoch, DownMessage message)
    {
        if (!Receives)
        {
            return false;
        }

        _early ??= [];
        if (_early.Count >= EarlyMax)
        {
            _early.RemoveAt(0);
        }

        _early.Add((epoch, message));
        return true;
    }

    /// <summary>After CONNACK: hands on what came before it for this epoch.</summary>
    public void ReleaseEarly()
    {
        foreach (var (epoch, message) in _early ?? [])
        {
            if (epoch == Epoch)
            {
                Deliver(message);
            }
        }

        _early = null;
    }

    public void Deliver(DownMessage message)
    {
        lock (_lock)
        {
            _outbox.Put(message);
            StartSending();
        }
    }

    /// <summary>
    /// PUBACK with reason 0 (none for packet identifier 0, QoS 0), and in the same write the <c>ack</c> that goes with it, unless
    /// other messages wait before it.
    /// </summary>
    public ValueTask AcknowledgeAsync(ushort packetId, AckMessage? ack)
    {
        if (ack is not null)
        {
            if (TryTakeTurn(out var ackId))
            {
                return SendWithAsync(packetId, ack, ackId);
            }

            Deliver(ack);
        }

        return packetId == 0 ? ValueTask.CompletedTask : Channel.AcknowledgeAsync(packetId);
    }

    /// <summary>Whether a message of ours waits for this acknowledgement.</summary>
    public bool IsAwaited(ushort packetId)
    {
        lock (_lock)
        {
            return _window.IsOpen(packetId);
        }
    }

    /// <summary>The device acknowledged a message of ours.</summary>
    public void Acknowledged(ushort packetId)
    {
        lock (_lock)
        {
            if (_window.Close(packetId))
            {
                StartSending();
            }
        }
    }

    /// <summary>Ends the session from our side, once: MQTT 5 is told why, 3.1.1 is closed.</summary>
    public void Close(MqttDisconnectReasonCode code, FleetError reason)
    {
        var ending = new Ending(code, reason);
        if (Interlocked.CompareExchange(ref _ending, ending, null) is null)
        {
            Limits.Closing(this, ending);
            _ended = Task.Run(() => EndAsync(ending));
        }
    }

    private async Task EndAsync(Ending ending)
    {
        await FinishAsync();
        try
        {
            if (Channel.IsVersion5)
            {
                await SayAsync(new MqttDisconnectPacket { ReasonCode = ending.Code, ReasonString = ReasonCodes.TextOf(ending.Reason) });
            }
        }
        catch (Exception exception) when (exception is IOException or InvalidOperationException or OperationCanceledException)
        {
            // The peer is gone already: there is nobody left to tell.
        }

        Channel.Input.CancelPendingRead();
    }

    /// <summary>Words that do not fit the client's packets are left out (MQTT 5, 3.14.2.2.3); the code alone does.</summary>
    private async Task SayAsync(MqttDisconnectPacket packet)
    {
        if (!await Channel.SendAsync(packet))
        {
            packet.ReasonString = null;
            await Channel.SendAsync(packet);
        }
    }

    /// <summary>
    /// The message in hand gets its PUBACK first, and what waits is sent and acknowledged: a device that erased itself hears that it
    /// was believed.
    /// </summary>
    private async Task FinishAsync()
    {
        for (var waited = TimeSpan.Zero; waited < FinishTimeout && IsUnfinished(); waited += FinishPoll)
        {
            await Task.Delay(FinishPoll);
        }

        lock (_lock)
        {
            _isOver = true;
        }
    }

    private bool IsUnfinished()
    {
        lock (_lock)
        {
            return _isSending || (IsReading && (IsBusy || !_window.IsEmpty));
        }
    }

    /// <summary>Under the lock.</summary>
    private void StartSending()
    {
        if (!_isSending && !_window.IsFull && !_outbox.IsEmpty)
        {
            _isSending = true;
            _ = Task.Run(SendWaitingAsync);
        }
    }

    private async Task SendWaitingAsync()
    {
        try
        {
            while (TryTakeNext(out var message, out var packetId))
            {
                await SendAsync(message, packetId);
            }
        }
        catch (Exception exception) when (exception is IOException or InvalidOperationException or OperationCanceledException)
        {
            // The connection ended in between; the record repeats to the next session. The receive loop notices by itself.
        }
    }

    private bool TryTakeNext(out DownMessage message, out ushort packetId)
    {
        lock (_lock)
        {
            packetId = 0;
            message = null!;
            if (_isOver || _window.IsFull || !_outbox.TryTake(out message))
            {
                _isSending = false;
                return false;
            }

            packetId = _window.Open();
            return true;
        }
    }

    private async Task SendAsync(DownMessage message, ushort packetId)
    {
        var isExpired = message is CommandMessage { Command.ExpiresAt: var expiresAt } && expiresAt <= Channel.Now;
        if (isExpired || !await Channel.SendAsync(PacketOf(message, packetId)))
        {
            Limits.NotSent(this, message, isExpired ? UnsentReason.Expired : UnsentReason.TooLarge);
            Acknowledged(packetId);
        }
    }

    /// <summary>A packet identifier, when nothing waits and nobody sends: then a message may go at once and keeps its order.</summary>
    private bool TryTakeTurn(out ushort packetId)
    {
        lock (_lock)
        {
            var isFree = !_isOver && !_isSending && _outbox.IsEmpty && !_window.IsFull;
            packetId = isFree ? _window.Open() : (ushort)0;
            return isFree;
        }
    }

    private async ValueTask SendWithAsync(ushort acknowledged, AckMessage ack, ushort ackId)
    {
        if (!await Channel.SendAsync(PacketOf(ack, ackId), acknowledged))
        {
            Limits.NotSent(this, ack, UnsentReason.TooLarge);
            Acknowledged(ackId);
        }
    }

    private MqttPublishPacket PacketOf(DownMessage message, ushort packetId) => new()
    {
        Topic = TopicOf(message),
        PacketIdentifier = packetId,
        QualityOfServiceLevel = MqttQualityOfServiceLevel.AtLeastOnce,
        PayloadSegment = Limits.Writer.Write(message, Address, Device.Form),
        MessageExpiryInterval = ExpiryOf(message),
    };

    /// <summary>
    /// The seconds that are left of a command when it is sent, however long it waited here; at least one, because 0 means for ever. Nothing
    /// else expires: of desired documents the newest is true until a newer one comes.
    /// </summary>
    private uint ExpiryOf(DownMessage message) => message is CommandMessage { Command.ExpiresAt: var expiresAt }
        ? (uint)Math.Clamp((expiresAt - Channel.Now).TotalSeconds, 1, uint.MaxValue)
        : 0;

    private string TopicOf(DownMessage message)
    {
        var index = message switch { DesiredMessage => 0, CommandMessage => 1, AckMessage => 2, _ => 3 };
        return _topics[index] ??= Topics.Down(Address.Device.Value, DownMessageWriter.KindOf(message));
    }
}

/// <summary>How a session ends.</summary>
internal sealed record Ending(MqttDisconnectReasonCode Code, FleetError Reason);

/// <summary>What bounds a session, and where it reports to.</summary>
/// <param name="QueuedMessagesMax">Messages that wait for it.</param>
/// <param name="ReceiveMax">The client's Receive Maximum.</param>
/// <param name="SilenceTicksMax">One and a half keep-alive periods, in timestamp ticks.</param>
/// <param name="WantsReasons">False when the client asked for no reason strings.</param>
/// <param name="Writer">Makes what the device is told.</param>
/// <param name="Closing">Called once when the gateway ends the session.</param>
/// <param name="NotSent">Called for a message that waited and is not sent.</param>
internal sealed record SessionLimits(
    int QueuedMessagesMax,
    int ReceiveMax,
    long SilenceTicksMax,
    bool WantsReasons,
    DownMessageWriter Writer,
    Action<MqttSession, Ending> Closing,
    Action<MqttSession, DownMessage, UnsentReason> NotSent);

/// <summary>Why a message that waited for its session is not sent.</summary>
internal enum UnsentReason
{
    /// <summary>It is larger than the client's Maximum Packet Size.</summary>
    TooLarge,

    /// <summary>Its time was over before its turn came.</summary>
    Expired,
}
