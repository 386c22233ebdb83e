using System.Security.Cryptography;
using Microsoft.Extensions.Logging;
using Muster.Contracts;
using Muster.Contracts.Commit;
using Muster.Contracts.Decommissioning;
using Muster.Contracts.Devices;
using Muster.Domain;
using Muster.Domain.Decommissioning;
using Muster.Domain.Devices;

namespace Muster.Grains.Decommissioning;

/// <summary>
/// The end of one device: the rules are <see cref="DecommissionRules"/>, <see cref="DecommissionGate"/> and
/// <see cref="ErasureRules"/>. The device is told after the approval's commit, by the due date that this commit names: a
/// crash between them only makes the due list call again.
/// </summary>
[GrainType(GrainTypes.Decommission)]
internal sealed class DecommissionGrain : Grain, IDecommissionGrain, IDueGrain
{
    /// <summary>128 bits as hex digits: nobody guesses a command's nonce.</summary>
    private const int NonceHexDigits = 32;

    private static readonly Actor Rule = Actor.Rule("decommissioning");

    private readonly IPersistentState<DecommissionRecord> _record;
    private readonly StateWriter<DecommissionRecord> _writer;
    private readonly TimeProvider _clock;
    private readonly ILogger<DecommissionGrain> _logger;

    public DecommissionGrain(
        [PersistentState("decommission", StorageNames.Muster)] IPersistentState<DecommissionRecord> record,
        TimeProvider clock,
        ILogger<DecommissionGrain> logger)
    {
        _record = record;
        _writer = new StateWriter<DecommissionRecord>(record, this);
        _clock = clock;
        _logger = logger;
    }

    public async Task<DecommissionReply> ProposeAsync(ProposeDecommission command)
    {
        ArgumentNullException.ThrowIfNull(command);
        var (device, error) = await Device.GetAsync();
        if (device is null)
        {
            return new(null, error);
        }

        var now = _clock.GetUtcNow();
        return await ApplyAsync(
            DecommissionRules.Propose(_record.State.Decommission, device, command.Proposal, now), command.Actor, now);
    }

    public async Task<DecommissionReply> RequestAsync(RequestDecommission command)
    {
        ArgumentNullException.ThrowIfNull(command);
        var (device, error) = await Device.GetAsync();
        if (device is null)
        {
            return new(null, error);
        }

        var now = _clock.GetUtcNow();
        return await ApplyAsync(
            DecommissionRules.Request(_record.State.Decommission, device, command.Actor, now), command.Actor, now);
    }

    public Task<DecommissionReply> ApproveAsync(ApproveDecommission command)
    {
        ArgumentNullException.ThrowIfNull(command);
        return DecideAsync(
            command.Actor,
            (current, now) => DecommissionGate.Approve(current, command.Actor, command.Roles, NewCommand(now), now));
    }

    public Task<DecommissionReply> CancelAsync(CancelDecommission command)
    {
        ArgumentNullException.ThrowIfNull(command);
        return DecideAsync(command.Actor, DecommissionRules.Cancel);
    }

    public Task<DecommissionReply> GetAsync() => Task.FromResult(
        _record.State.Decommission is { } decommission ? new DecommissionReply(decommission, null) : NotFound());

    public async Task OnDueAsync(CancellationToken cancellationToken)
    {
        if (_record.State.Decommission is not { State: DecommissionState.Erasing, Erasure: { } erasure, Approver: { } approver })
        {
            return;
        }

        if (!erasure.HandedOver)
        {
            // Idempotent by the nonce: a crash before the next commit repeats it.
            var taken = await Device.BeginDecommissionAsync(new BeginDecommission(approver, erasure.Command));
            await DecideAsync(Rule, (current, now) => ErasureRules.HandOver(current, taken.Device, taken.Error, now));
            return;
        }

        var found = await Device.GetAsync();
        await DecideAsync(Rule, (current, now) => ErasureRules.Look(current, found.Device, NewCommand(now), now));
    }

    private IDeviceGrain Device
    {
        get
        {
            var (tenant, device) = DeviceKey.Parse(this.GetPrimaryKeyString());
            return GrainFactory.GetDevice(tenant, device);
        }
    }

    private async Task<DecommissionReply> DecideAsync(Actor actor, Func<Decommission, DateTimeOffset, Decision<Decommission>> decide)
    {
        var now = _clock.GetUtcNow();
        return _record.State.Decommission is { } current ? await ApplyAsync(decide(current, now)!, actor, now) : NotFound();
    }

    private async Task<DecommissionReply> ApplyAsync(Decision<Decommission?> decision, Actor actor, DateTimeOffset now)
    {
        if (!decision.Events.IsEmpty)
        {
            await _writer.CommitAsync(
                _record.State with { Decommission = decision.Next },
                new CommitAttachments { Facts = decision.Events, Actor = actor, At = now });
            foreach (var fact in decision.Events.Where(fact => fact is not ErasureAwaited))
            {
                _logger.DecommissionChanged(this.GetPrimaryKeyString(), fact.GetType().Name, actor.ToString());
            }
        }

        if (decision.Error is not { } error)
        {
            return new(decision.Next, null);
        }

        _logger.DecommissionRefused(this.GetPrimaryKeyString(), error.Reason, actor.ToString());
        return new(null, error);
    }

    private DecommissionReply NotFound() =>
        new(null, DecommissionErrors.NotFound(DeviceKey.Parse(this.GetPrimaryKeyString()).Device));

    private static DeviceCommand NewCommand(DateTimeOffset now) =>
        ErasureRules.NewCommand(RandomNumberGenerator.GetHexString(NonceHexDigits, lowercase: true), now);
}
