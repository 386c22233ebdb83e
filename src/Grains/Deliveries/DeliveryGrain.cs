using Muster.Contracts;
using Muster.Contracts.Commit;
using Muster.Contracts.Deliveries;
using Muster.Domain;
using Muster.Domain.Deliveries;

namespace Muster.Grains.Deliveries;

/// <summary>One delivery: the rules are <see cref="DeliveryRules"/>. Its devices are written by whoever imports.</summary>
[GrainType(GrainTypes.Delivery)]
internal sealed class DeliveryGrain : Grain, IDeliveryGrain
{
    private readonly IPersistentState<DeliveryRecord> _record;
    private readonly StateWriter<DeliveryRecord> _writer;
    private readonly TimeProvider _clock;

    public DeliveryGrain([PersistentState("delivery", StorageNames.Muster)] IPersistentState<DeliveryRecord> record, TimeProvider clock)
    {
        _record = record;
        _writer = new StateWriter<DeliveryRecord>(record, this);
        _clock = clock;
    }

    public Task<DeliveryReply> BeginAsync(Actor actor)
    {
        var now = _clock.GetUtcNow();
        var (tenant, delivery) = DeliveryKey.Parse(this.GetPrimaryKeyString());
        return ApplyAsync(DeliveryRules.Begin(_record.State.Delivery, tenant, delivery, now), actor, now);
    }

    public Task<DeliveryReply> CompleteAsync(CompleteDelivery command)
    {
        ArgumentNullException.ThrowIfNull(command);
        var now = _clock.GetUtcNow();
        var (_, delivery) = DeliveryKey.Parse(this.GetPrimaryKeyString());
        var decision = DeliveryRules.Complete(_record.State.Delivery, delivery, command.Run, command.Counts, command.Errors, now);
        return ApplyAsync(decision, command.Actor, now);
    }

    public Task<DeliveryReply> GetAsync() => Task.FromResult(
        _record.State.Delivery is { } delivery
            ? new DeliveryReply(delivery, null)
            : new DeliveryReply(null, DeliveryErrors.NotFound(DeliveryKey.Parse(this.GetPrimaryKeyString()).Delivery)));

    private async Task<DeliveryReply> ApplyAsync(Decision<Delivery?> decision, Actor actor, DateTimeOffset now)
    {
        if (!decision.Events.IsEmpty)
        {
            await _writer.CommitAsync(
                _record.State with { Delivery = decision.Next },
                new CommitAttachments { Facts = decision.Events, Actor = actor, At = now });
        }

        return decision.Error is { } error ? new(null, error) : new(decision.Next, null);
    }
}
