using Muster.Contracts;
using Muster.Contracts.Commit;
using Muster.Contracts.Decommissioning;
using Muster.Contracts.Devices;
using Muster.Contracts.Warranty;
using Muster.Domain;
using Muster.Domain.Decommissioning;
using Muster.Domain.Devices;
using Muster.Domain.Warranty;

namespace Muster.Grains.Warranty;

/// <summary>A device's warranty: the rules are <see cref="WarrantyRules"/> and <see cref="WarrantyClock"/>.</summary>
[GrainType(GrainTypes.Warranty)]
internal sealed class WarrantyGrain : Grain, IWarrantyGrain, IDueGrain
{
    private static readonly Actor Clock = Actor.Rule("warranty");

    private readonly IPersistentState<WarrantyRecord> _record;
    private readonly StateWriter<WarrantyRecord> _writer;
    private readonly TimeProvider _clock;

    public WarrantyGrain([PersistentState("warranty", StorageNames.Muster)] IPersistentState<WarrantyRecord> record, TimeProvider clock)
    {
        _record = record;
        _writer = new StateWriter<WarrantyRecord>(record, this);
        _clock = clock;
    }

    public async Task<WarrantyReply> ExpectAsync(ExpectWarranty command)
    {
        ArgumentNullException.ThrowIfNull(command);
        var device = await GetDeviceAsync();
        var now = _clock.GetUtcNow();
        return await ApplyAsync(
            WarrantyRules.Expect(Cover(), command.Term, command.RequestId, CreatorOf(device.Device), now), command.Actor, now);
    }

    public async Task<WarrantyReply> SetAsync(SetWarranty command)
    {
        ArgumentNullException.ThrowIfNull(command);
        var device = await GetDeviceAsync();
        if (device.Error is { } error)
        {
            return Refuse(error);
        }

        var now = _clock.GetUtcNow();
        return await ApplyAsync(WarrantyRules.Set(Cover(), command.Term, now), command.Actor, now);
    }

    public async Task<WarrantyReply> GetAsync(DateOnly? day)
    {
        // Only a device can say that it exists: most have no warranty record of their own.
        if (_record.State.Cover is null && (await GetDeviceAsync()).Error is { } error)
        {
            return Refuse(error);
        }

        return Reply(Cover(), day ?? WarrantyClock.DayOf(_clock.GetUtcNow()));
    }

    public async Task<WarrantyReply> CloseReviewAsync(CloseWarrantyReview command)
    {
        ArgumentNullException.ThrowIfNull(command);
        if (_record.State.Cover is null && (await GetDeviceAsync()).Error is { } error)
        {
            return Refuse(error);
        }

        var now = _clock.GetUtcNow();
        return await ApplyAsync(WarrantyRules.CloseReview(Cover(), command.ProposeDecommission, now), command.Actor, now);
    }

    public async Task OnDueAsync(CancellationToken cancellationToken)
    {
        if (_record.State.Cover is not { } cover)
        {
            return;
        }

        if (cover.ProposalPending)
        {
            // Before the commit and repeated until it: the decommission takes one proposal per review.
            var proposed = await GrainFactory.GetDecommission(cover.Tenant, cover.Device)
                .ProposeAsync(new ProposeDecommission(Clock, new Proposal(DecommissionCause.WarrantyReview, cover.Campaign)));
            await ApplyAsync(WarrantyRules.HandOn(cover, proposed.Error), Clock, _clock.GetUtcNow());
            return;
        }

        var device = await GetDeviceAsync();
        var now = _clock.GetUtcNow();
        await ApplyAsync(
            device.Device is { } known ? WarrantyRules.Look(cover, known.State, now) : WarrantyRules.Withdraw(cover, now), Clock, now);
    }

    private WarrantyCover Cover()
    {
        if (_record.State.Cover is { } cover)
        {
            return cover;
        }

        var (tenant, device) = DeviceKey.Parse(this.GetPrimaryKeyString());
        return WarrantyCover.Empty(tenant, device);
    }

    /// <summary>The creation that the device came from; one that was withdrawn gives way to the next.</summary>
    private static string? CreatorOf(Device? device) => device is { State: not DeviceState.Withdrawn } ? device.RequestId : null;

    private Task<DeviceReply> GetDeviceAsync()
    {
        var (tenant, device) = DeviceKey.Parse(this.GetPrimaryKeyString());
        return GrainFactory.GetDevice(tenant, device).GetAsync();
    }

    private async Task<WarrantyReply> ApplyAsync(Decision<WarrantyCover> decision, Actor actor, DateTimeOffset now)
    {
        if (!decision.Events.IsEmpty)
        {
            await _writer.CommitAsync(
                _record.State with { Cover = decision.Next },
                new CommitAttachments { Facts = decision.Events, Actor = actor, At = now });
        }

        return decision.Error is { } error ? Refuse(error) : Reply(decision.Next, WarrantyClock.DayOf(now));
    }

    private static WarrantyReply Reply(WarrantyCover cover, DateOnly day) =>
        new(cover, WarrantyClock.StatusOn(cover.Term, day), WarrantyClock.LastDay(cover.Term), null);

    private static WarrantyReply Refuse(FleetError error) => new(null, WarrantyStatus.Unspecified, null, error);
}
