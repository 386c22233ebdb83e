using Muster.Contracts.Devices;
using Muster.Contracts.Gateways;
using Muster.Domain;
using Muster.Domain.Devices;
using Muster.Domain.Identity;

namespace Muster.Grains.Devices;

/// <summary>What the device says: connections and up messages.</summary>
internal sealed partial class DeviceGrain
{
    /// <summary>The newest status: its sequence is kept in memory only.</summary>
    private MessageStamp _status;

    /// <summary>
    /// The identity of the last status that was found in order with the record as it is; a commit forgets it. A session hands the same
    /// object to every message, and on the way of every status comparing it anew was the dearest step.
    /// </summary>
    private DeviceIdentity? _inOrder;

    /// <summary>When the certificate of <see cref="_inOrder"/> stops being accepted, in UTC ticks; the maker's does not.</summary>
    private long _inOrderUntil;

    /// <summary>The record's epoch, beside <see cref="_inOrder"/>: a status need not touch the record.</summary>
    private long _recordEpoch;

    public async Task<AdmitReply> AdmitAsync(AdmitSession command)
    {
        ArgumentNullException.ThrowIfNull(command);
        if (MayApply(command.Identity))
        {
            return await AdmitUnknownAsync(command);
        }

        var refused = DeviceAdmission.Check(Current, _id, command.Identity, _services.Clock.GetUtcNow());
        if (refused is null && Current!.Identity is null)
        {
            refused = await CheckClaimsAsync(command.Identity);
        }

        if (refused is not null)
        {
            LogAdmissionRefused(_id.Value, refused.Reason, command.GatewayId);
            Tell(refused, command.Identity);
            return new AdmitReply(0, false, refused);
        }

        var device = Current!;
        var until = DeviceAdmission.ValidUntil(device, command.Identity);
        if (!command.Receives || command.Gateway is not { } gateway)
        {
            return new AdmitReply(0, device.Identity is not null, null) { AcceptedUntil = until };
        }

        if (command.Joins && await FindSessionAsync(device.Epoch))
        {
            return new AdmitReply(_sessionEpoch, true, null) { AcceptedUntil = until };
        }

        var epoch = await OpenSessionAsync(gateway, device.Epoch);
        LogAdmitted(_id.Value, epoch, command.GatewayId);
        ExpectAnswer(FirstPushDelay);
        return new AdmitReply(epoch, device.Identity is not null, null) { AcceptedUntil = until };
    }

    public Task DisconnectAsync(SessionRef session)
    {
        EndSession(session);
        return Task.CompletedTask;
    }

    public async Task<UpReply> HelloAsync(ReportHello command)
    {
        ArgumentNullException.ThrowIfNull(command);
        if (MayApply(command.Envelope.Identity))
        {
            return await ApplyAsync(command);
        }

        var hello = new ObservedHello(OriginOf(command.Envelope), command.Serial, command.Model, command.Os, command.Generation);
        if (Current is { State: DeviceState.Expected } expected
            && DeviceMessages.CheckHello(expected, _id, hello, _services.Clock.GetUtcNow()) is null
            && await ClaimAsync(command.Envelope.Identity) is { } claimed)
        {
            Tell(claimed, command.Envelope.Identity);
            return await RefuseAsync(UpKind.Hello, command.Envelope.Stamp, claimed);
        }

        var known = Current?.Boots ?? [];
        var trust = await _services.Trust.GetAsync(_tenant, command.Os.ImageDigest);
        var policies = await _services.Policies.GetAsync(_tenant, Current?.Compliance.PolicyRevision ?? 0);
        var reply = await TakeAsync(
            UpKind.Hello, command.Envelope, (device, now) => DeviceMessages.TakeHello(device, hello, policies, now, trust));
        if (reply.Error is { } refused)
        {
            Note(refused, command.Envelope.Identity);
            return reply;
        }

        await HearBootAsync(known, command.Envelope.Stamp.BootId);
        await TellAsync();
        return reply;
    }

    /// <summary>The most frequent call of all: a value task, so that no task is made of its answer.</summary>
    public ValueTask<UpReply> StatusAsync(ReportStatus command)
    {
        ArgumentNullException.ThrowIfNull(command);
        var envelope = command.Envelope;
        if (!IsInOrder(envelope.Identity))
        {
            if (DeviceAdmission.CheckEnrolled(Current, _id, envelope.Identity, _services.Clock.GetUtcNow()) is { } refused)
            {
                return new ValueTask<UpReply>(RefuseAsync(UpKind.Status, envelope.Stamp, refused));
            }

            (_inOrder, _recordEpoch) = (envelope.Identity, Current!.Epoch);
            _inOrderUntil = DeviceAdmission.ValidUntil(Current, envelope.Identity)?.UtcTicks ?? long.MaxValue;
        }

        if (LearnSession(envelope.Session, _recordEpoch) is { } takenOver)
        {
            return ValueTask.FromResult(new UpReply(takenOver));
        }

        var isSameBoot = _status.BootId == envelope.Stamp.BootId;
        var isRepetition = isSameBoot && envelope.Stamp.Sequence <= _status.Sequence;
        if (!isRepetition)
        {
            // The boot's name as it was first read: the message's own copy need not outlive the message.
            var boot = isSameBoot ? _status.BootId
                : Current!.Os is { } os && os.BootId == envelope.Stamp.BootId ? os.BootId : envelope.Stamp.BootId;
            _status = new MessageStamp(boot, envelope.Stamp.Sequence);
        }

        _services.Instruments.Count(UpKind.Status, isRepetition ? MessageNovelty.Repetition : MessageNovelty.News);
        return ValueTask.FromResult(UpReply.Accepted);
    }

    public Task<UpReply> ReportAsync(ReportProgress command)
    {
        ArgumentNullException.ThrowIfNull(command);
        var report = new ObservedProgress(
            OriginOf(command.Envelope), command.Generation, command.Step, command.Outcome, command.Reason);
        return TakeAsync(UpKind.Report, command.Envelope, (device, now) => DeviceMessages.TakeReport(device, report, now));
    }

    public async Task<UpReply> InventoryAsync(ReportInventory command)
    {
        ArgumentNullException.ThrowIfNull(command);
        var inventory = new ObservedInventory(OriginOf(command.Envelope), command.Settings) { Generation = command.Generation };
        var policies = await _services.Policies.GetAsync(_tenant, Current?.Compliance.PolicyRevision ?? 0);
        return await TakeAsync(
            UpKind.Inventory, command.Envelope, (device, now) => DeviceMessages.TakeInventory(device, inventory, policies, now));
    }

    public async Task<UpReply> ResultAsync(ReportResult command)
    {
        ArgumentNullException.ThrowIfNull(command);
        var result = new ObservedResult(OriginOf(command.Envelope), command.Nonce, command.Succeeded, command.Reason, command.Proof);
        var reply = await TakeAsync(
            UpKind.Result, command.Envelope, (device, now) => DeviceMessages.TakeResult(device, result, _services.Verifier, now));
        if (reply.Error is null && Current is { State: DeviceState.Decommissioned })
        {
            await CloseAllAsync();
        }

        return reply;
    }

    /// <summary>
    /// One durable message: judged, committed when it is news, and acknowledged to the receiving session: by its gateway when it came
    /// over that session, else by a push.
    /// </summary>
    private async Task<UpReply> TakeAsync(UpKind kind, UpEnvelope envelope, Func<Device, DateTimeOffset, Decision<Device>> decide)
    {
        var now = _services.Clock.GetUtcNow();
        if (DeviceAdmission.Check(Current, _id, envelope.Identity, now) is { } refused)
        {
            return await RefuseAsync(kind, envelope.Stamp, refused);
        }

        var device = Current!;
        if (LearnSession(envelope.Session, device.Epoch) is { } takenOver)
        {
            return new UpReply(takenOver);
        }

        var decision = decide(device, now);
        if (decision.Error is { } error)
        {
            return await RefuseAsync(kind, envelope.Stamp, error);
        }

        _services.Instruments.Count(kind, MessageWindow.Judge(device.Boots, kind, envelope.Stamp));
        await CommitAsync(decision.Next, decision.Events, Actor.Device(_id.Value), now);
        if (envelope.Session.Epoch > 0)
        {
            return UpReply.AcceptedOwingAck;
        }

        await PushAsync(new AckMessage(kind, envelope.Stamp));
        return UpReply.Accepted;
    }

    /// <summary>Only the fleet CA's certificates end while their connections live: the clock is read for these alone.</summary>
    private bool IsInOrder(DeviceIdentity identity) => ReferenceEquals(_inOrder, identity)
        && (_inOrderUntil == long.MaxValue || _services.Clock.GetUtcNow().UtcTicks < _inOrderUntil);

    private async Task<UpReply> RefuseAsync(UpKind kind, MessageStamp stamp, FleetError error)
    {
        LogMessageRefused(_id.Value, kind, error.Reason);
        await PushAsync(new RejectionMessage(kind, stamp, error));
        return new UpReply(error);
    }

    private KeyOwner OwnerOf(string profile) => new(profile, _tenant, _id);

    private static MessageOrigin OriginOf(UpEnvelope envelope) => new(envelope.Identity, envelope.Stamp, envelope.Session.Epoch);
}
