using Microsoft.Extensions.Logging;
using Muster.Contracts;
using Muster.Contracts.Commit;
using Muster.Contracts.Devices;
using Muster.Contracts.Images;
using Muster.Contracts.Rollouts;
using Muster.Contracts.Serials;
using Muster.Domain;
using Muster.Domain.Devices;
using Muster.Domain.Images;
using Muster.Domain.Policies;
using Muster.Grains.Serials;

namespace Muster.Grains.Devices;

/// <summary>
/// One device, the only writer of its record. The rules are <see cref="DeviceLifecycle"/>, <see cref="DeviceMessages"/>,
/// <see cref="DeviceChanges"/> and <see cref="DeviceAdmission"/>; here is what orders and operators call, in the other parts what the
/// device says and what it is told.
/// </summary>
[GrainType(GrainTypes.Device)]
internal sealed partial class DeviceGrain : Grain, IDeviceGrain
{
    /// <summary>
    /// Made and read here: a facet would hold as much again, in a lifecycle and lists, for each of a million devices.
    /// </summary>
    private readonly StoredDevice _record;
    private readonly DeviceServices _services;
    private readonly ILogger<DeviceGrain> _logger;
    private readonly TenantId _tenant;
    private readonly DeviceId _id;

    public DeviceGrain(DeviceServices services, ILogger<DeviceGrain> logger)
    {
        _record = new StoredDevice(services.Storage, GrainContext.GrainId);
        _services = services;
        _logger = logger;
        (var tenant, _id) = DeviceKey.Parse(this.GetPrimaryKeyString());
        _tenant = services.Pool.Share(tenant);
    }

    private Device? Current => _record.State.Device;

    public override async Task OnActivateAsync(CancellationToken cancellationToken)
    {
        await _record.ReadStateAsync();
        if (Current is { } read)
        {
            _record.State = _record.State with { Device = _services.Pool.Share(read with { Id = _id }, null) };
        }
    }

    public async Task<DeviceReply> ExpectAsync(ExpectDevice command)
    {
        ArgumentNullException.ThrowIfNull(command);
        var now = _services.Clock.GetUtcNow();
        var expected = new Device
        {
            Tenant = _tenant,
            Id = _id,
            State = DeviceState.Expected,
            StateChangedAt = now,
            Expected = command.Spec,
            RequestId = command.RequestId,
            CreatedAt = now,
            Track = command.Spec.Track,
            OsFloor = command.Spec.OsFloor,
            Labels = command.Labels,
            ExpectedCertificateSha256 = command.CertificateSha256,
        };
        return await ExpectAsync(DeviceLifecycle.Expect(Current, expected), command.Actor, now);
    }

    public Task<DeviceReply> GetAsync() => Task.FromResult(
        Current is { } device ? new DeviceReply(device, null) { Settings = [.. device.Settings] } : NotFound());

    public Task<DeviceReply> ApproveEnrollmentAsync(ApproveEnrollment command)
    {
        ArgumentNullException.ThrowIfNull(command);
        return DecideAsync(command.Actor, (device, now) => DeviceLifecycle.Approve(device, command.CertificateSha256, now));
    }

    public Task<DeviceReply> DenyEnrollmentAsync(DenyEnrollment command)
    {
        ArgumentNullException.ThrowIfNull(command);
        return DecideAsync(command.Actor, (device, now) => DeviceLifecycle.Deny(device, command.Cause, now));
    }

    public async Task<DeviceReply> WithdrawAsync(WithdrawDevice command)
    {
        ArgumentNullException.ThrowIfNull(command);
        var reply = await DecideAsync(command.Actor, (device, now) => DeviceLifecycle.Withdraw(device, command.Cause, now));
        if (reply.Error is null)
        {
            // After the commit: cut off between the two, the serial is claimed still, and the same call completes it.
            await GrainFactory.GetSerial(_id).WithdrawAsync(_tenant, command.Actor);
        }

        return reply;
    }

    public Task<DeviceReply> EditAsync(EditDevice command)
    {
        ArgumentNullException.ThrowIfNull(command);
        return DecideAsync(command.Actor, (device, _) => DeviceEdits.Edit(device, command.Edit));
    }

    public async Task<DeviceReply> QuarantineAsync(QuarantineDevice command)
    {
        ArgumentNullException.ThrowIfNull(command);
        var reply = await DecideAsync(
            command.Actor, (device, now) => DeviceLifecycle.Quarantine(device, command.Cause, now, command.Actor));
        await PushWaitingAsync();
        return reply;
    }

    public Task<DeviceReply> ReleaseAsync(ReleaseDevice command)
    {
        ArgumentNullException.ThrowIfNull(command);
        return DecideAsync(command.Actor, (device, now) => DeviceLifecycle.Release(device, command.Cause, now));
    }

    public async Task<DeviceReply> BeginDecommissionAsync(BeginDecommission command)
    {
        ArgumentNullException.ThrowIfNull(command);
        var reply = await DecideAsync(command.Actor, (device, now) => DeviceLifecycle.BeginDecommission(device, command.Command, now));
        await PushWaitingAsync();
        return reply;
    }

    public async Task<OfferReply> OfferAsync(OfferChange command)
    {
        ArgumentNullException.ThrowIfNull(command);
        var previous = await FindPreviousAsync(command);
        var offer = await WithStepAsync(command);
        if (Current is not { } device)
        {
            return Unknown();
        }

        var hasSession = await FindSessionAsync(device.Epoch);
        var now = _services.Clock.GetUtcNow();
        var decision = Decide(device, offer, previous, hasSession, now);
        if (FindTurnOfOthers(command, decision, now) is { } waits)
        {
            return WithMemory(waits, device, command.Rollout);
        }

        try
        {
            await CommitAsync(decision.Next, decision.Events, RuleOf(command.Rollout), now, FencesOf(command, decision));
        }
        catch (FenceRaisedException)
        {
            LogFenced(_id.Value, command.Rollout.Value, command.Epoch);
            return WithMemory(new OfferReply(OfferStatus.Fenced, ChangeOutcome.Unspecified, "", null), device, command.Rollout);
        }

        if (!decision.Events.IsEmpty)
        {
            _handover = OfferHandover.Of(decision.Next) is { } handover ? handover with { Rank = command.Rank } : null;
            TakeTurn(command.Rollout);
            await PushWaitingAsync();
        }

        return ReplyOf(decision, command.Rollout);
    }

    public async Task<OfferPreview?> PreviewOfferAsync(OfferChange command)
    {
        ArgumentNullException.ThrowIfNull(command);
        var previous = await FindPreviousAsync(command);
        var offer = await WithStepAsync(command);
        if (Current is not { } device)
        {
            return null;
        }

        var hasSession = await FindSessionAsync(device.Epoch);
        var now = _services.Clock.GetUtcNow();
        var decision = Decide(device, offer, previous, hasSession, now);
        return OfferPreview.Of(device, command.Rollout, decision).WithInstall(device, command.Rollout, now) with
        {
            KeptFor = KeptFor(command, decision, now),
            GoesBackAt = IsHere && device.Change!.Rollout == command.Rollout ? _handover!.DueAt : null,
        };
    }

    public async Task<OfferReply> ExpireChangeAsync(ExpireChange command)
    {
        ArgumentNullException.ThrowIfNull(command);
        if (Current is not { } device)
        {
            return Unknown();
        }

        var now = _services.Clock.GetUtcNow();
        var timers = new ChangeTimers(command.InProgressMax, command.UndeliveredMax)
        {
            InProgressPolicy = command.InProgressPolicy,
            UndeliveredPolicy = command.UndeliveredPolicy,
        };
        var decision = command switch
        {
            { IsCancelled: true } when IsHere =>
                DeviceChanges.TakeBack(device, command.Rollout, command.Retry, OfferHandover.CancelledReason, now),
            { IsCancelled: true } => DeviceChanges.Recall(device, command.Rollout, command.Retry, timers, now),
            _ => DeviceChanges.Expire(device, command.Rollout, command.Retry, timers, now),
        };
        await CommitAsync(decision.Next, decision.Events, RuleOf(command.Rollout), now);
        if (!decision.Events.IsEmpty)
        {
            // And again until a device that is asked to give its change up has answered.
            await PushWaitingAsync();
        }

        return ReplyOf(decision, command.Rollout);
    }

    public async Task<OfferReply> WithdrawChangeAsync(WithdrawChange command)
    {
        ArgumentNullException.ThrowIfNull(command);
        return Current is null
            ? Unknown()
            : ReplyOf(
                command.RevokedStep.Length > 0
                    ? await TakeBackAsync(command.Rollout, (device, now) =>
                        DeviceChanges.TakeBackStep(device, command.Rollout, command.Retry, command.RevokedStep, now))
                    : await TakeBackAsync(command.Rollout, command.Retry, command.Reason),
                command.Rollout);
    }

    public async Task EvaluatePoliciesAsync(EvaluatePolicies command)
    {
        ArgumentNullException.ThrowIfNull(command);
        if (Current is { } device)
        {
            var policies = await _services.Policies.GetAsync(_tenant, Math.Max(command.PolicyRevision, device.Compliance.PolicyRevision));
            await ApplyAsync(PolicyEvaluator.Sweep(device, policies)!, command.Actor, _services.Clock.GetUtcNow());
        }
    }

    private async Task<DeviceReply> DecideAsync(Actor actor, Func<Device, DateTimeOffset, Decision<Device>> decide)
    {
        var now = _services.Clock.GetUtcNow();
        return Current is { } device ? await ApplyAsync(decide(device, now)!, actor, now) : NotFound();
    }

    /// <summary>
    /// The serial is claimed before the commit: a crash between the two leaves a claim of this device's own, and the same creation is
    /// answered as if it was new.
    /// </summary>
    private async Task<DeviceReply> ExpectAsync(Decision<Device?> decision, Actor actor, DateTimeOffset now)
    {
        if (decision.Events.IsEmpty)
        {
            return await ApplyAsync(decision, actor, now);
        }

        var claimed = await TenantSerials.ExpectAsync(GrainFactory, _services.Tenants, _tenant, _id, actor);
        if (claimed.Error is not { } foreign)
        {
            return await ApplyAsync(decision, actor, now) with { SerialWaits = claimed.Waits };
        }

        LogRefused(_id.Value, foreign.Reason, actor);
        return new DeviceReply(null, foreign);
    }

    private async Task<DeviceReply> ApplyAsync(Decision<Device?> decision, Actor actor, DateTimeOffset now)
    {
        await CommitAsync(decision.Next, decision.Events, actor, now);
        if (decision.Error is not { } error)
        {
            return new DeviceReply(decision.Next, null) { IsUnchanged = decision.Events.IsEmpty };
        }

        LogRefused(_id.Value, error.Reason, actor);
        return new DeviceReply(null, error);
    }

    private async Task CommitAsync(
        Device? next, ImmutableArray<DomainEvent> facts, Actor actor, DateTimeOffset now, params ImmutableArray<Fence> fences)
    {
        if (facts.IsEmpty || next is null)
        {
            return;
        }

        _inOrder = null;

        // Rules keep the very object when the settings did not change.
        var isCold = Current is { } before ? !ReferenceEquals(before.Settings, next.Settings) : !next.Settings.IsEmpty;
        await new StateWriter<DeviceRecord>(_record, this).CommitAsync(
            _record.State with { Device = _services.Pool.Share(next, Current) },
            new CommitAttachments { Facts = facts, Actor = actor, At = now, Fences = fences, ColdChanged = isCold });
        ForgetHandover();
        LogFacts(facts, actor);
    }

    private DeviceReply NotFound() => new(null, DeviceErrors.NotFound(_id));

    private static Actor RuleOf(ResourceId rollout) => Actor.Rule($"rollouts.{rollout}");

    private static ChangeOffer OfferOf(OfferChange command) =>
        new(command.Rollout, command.Epoch, command.Target, command.Track, command.Models)
        {
            AllowTrackChange = command.AllowTrackChange,
            Conditions = command.Conditions ?? ImageConditions.None,
            Settings = command.Settings,
            Path = command.Path.IsDefault ? [] : command.Path,
            Rank = command.Rank,
            Retry = command.Retry,
            FirstOfferedAt = command.FirstOfferedAt,
            SettlesWithin = command.SettlesWithin,
            KeepsNewer = command.KeepsNewer,
            InstallWindows = command.InstallWindows.IsDefault ? [] : command.InstallWindows,
        };

    /// <summary>
    /// The rollout's, and those of what their revocation fences: of the image that is offered and, on the steps to it, of the
    /// rollout's own.
    /// </summary>
    private ImmutableArray<Fence> FencesOf(OfferChange command, OfferDecision decision)
    {
        var ofRollout = new Fence(RolloutKey.FenceOf(_tenant, command.Rollout), command.Epoch);
        if (command.Settings is not null)
        {
            return [ofRollout];
        }

        var offered = decision.Next.Change is { } change && change.Rollout == command.Rollout
            ? change.Target.Digest
            : command.Target.Digest;
        var ofImage = new Fence(ImageKey.FenceOf(_tenant, offered), 0);
        return offered == command.Target.Digest || WayBack.Is(command.Retry)
            ? [ofRollout, ofImage]
            : [ofRollout, ofImage, new Fence(ImageKey.FenceOf(_tenant, command.Target.Digest), 0)];
    }

    private static OfferReply Unknown() => new(OfferStatus.Closed, ChangeOutcome.Removed, "NOT_FOUND", null);

    /// <summary>The answer, with what the device remembers of the rollout.</summary>
    private static OfferReply WithMemory(OfferReply reply, Device device, ResourceId rollout)
    {
        var (generation, hasStepped) = DeviceChanges.MemoryOf(device, rollout);
        return reply with
        {
            Generation = generation,
            HasStepped = hasStepped,
            ChosenDigest = device.Change is { } change && change.Rollout == rollout && (WayBack.Is(change.Retry) || change.StepsLeft > 0)
                ? change.Target.Digest
                : null,
        };
    }

    private static OfferReply ReplyOf(OfferDecision decision, ResourceId rollout) => WithMemory(new OfferReply(
        decision.Verdict switch
        {
            OfferVerdict.InProgress => OfferStatus.Offered,
            OfferVerdict.Offline => OfferStatus.WaitingOffline,
            OfferVerdict.Busy => OfferStatus.WaitingBusy,
            OfferVerdict.Closed => OfferStatus.Closed,
            OfferVerdict.Unspecified => throw new UnreachableException("An offer was decided without a verdict."),
            _ => throw new UnreachableException($"An offer was decided with {decision.Verdict}."),
        },
        decision.Outcome,
        decision.Reason,
        decision.DeliveredAt)
    {
        InstallsSince = decision.InstallsSince,
        FirstOfferedAt = decision.FirstOfferedAt,
        Retry = decision.Retry,
        EndedAt = decision.EndedAt,
        AskAgainAt = decision.AskAgainAt,
    }, decision.Next, rollout);
}
