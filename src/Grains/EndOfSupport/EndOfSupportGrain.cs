using Microsoft.Extensions.Logging;
using Muster.Contracts;
using Muster.Contracts.Commit;
using Muster.Contracts.EndOfSupport;
using Muster.Domain;
using Muster.Domain.EndOfSupport;

namespace Muster.Grains.EndOfSupport;

/// <summary>
/// A product's campaign. Each due call is one bounded step of the sweep; its progress is committed after it, so a crash
/// repeats at most that step, and every proposal in it is idempotent.
/// </summary>
[GrainType(GrainTypes.EndOfSupport)]
internal sealed class EndOfSupportGrain : Grain, IEndOfSupportGrain, IDueGrain
{
    private readonly IPersistentState<EndOfSupportRecord> _record;
    private readonly StateWriter<EndOfSupportRecord> _writer;
    private readonly PartitionMap _partitions;
    private readonly TimeProvider _clock;
    private readonly ILogger<EndOfSupportGrain> _logger;

    public EndOfSupportGrain(
        [PersistentState("end-of-support", StorageNames.Muster)] IPersistentState<EndOfSupportRecord> record,
        PartitionMap partitions,
        TimeProvider clock,
        ILogger<EndOfSupportGrain> logger)
    {
        _record = record;
        _writer = new StateWriter<EndOfSupportRecord>(record, this);
        _partitions = partitions;
        _clock = clock;
        _logger = logger;
    }

    public Task OpenAsync(OpenCampaign command)
    {
        ArgumentNullException.ThrowIfNull(command);
        var now = _clock.GetUtcNow();
        var (tenant, product) = ProductKey.Parse(this.GetPrimaryKeyString());
        var opened = new SupportCampaign
        {
            Tenant = tenant,
            Product = product,
            Id = command.Campaign,
            EndsAt = command.EndsAt,
            OpenedAt = now,
            Done = PartitionSet.Empty(_partitions.Count),
            NextSweepAt = now,
        };
        return ApplyAsync(CampaignRules.Open(_record.State.Campaign, opened), command.Actor, now);
    }

    public Task CloseAsync(Actor actor)
    {
        var now = _clock.GetUtcNow();
        return ApplyAsync(CampaignRules.Close(_record.State.Campaign, now), actor, now);
    }

    public Task<SupportCampaign?> GetAsync() => Task.FromResult(_record.State.Campaign);

    public async Task OnDueAsync(CancellationToken cancellationToken)
    {
        if (_record.State.Campaign is not { ClosedAt: null } campaign || _clock.GetUtcNow() < campaign.NextSweepAt)
        {
            return;
        }

        var step = await new CampaignSweep(GrainFactory, campaign, _logger).RunAsync();
        var now = _clock.GetUtcNow();
        await ApplyAsync(CampaignRules.Advance(campaign, step, now), CampaignSweep.ActorOf(campaign), now);
    }

    private async Task ApplyAsync(Decision<SupportCampaign?> decision, Actor actor, DateTimeOffset now)
    {
        if (!decision.Events.IsEmpty)
        {
            await _writer.CommitAsync(
                _record.State with { Campaign = decision.Next },
                new CommitAttachments { Facts = decision.Events, Actor = actor, At = now });
            foreach (var fact in decision.Events)
            {
                _logger.CampaignChanged(decision.Next?.Id ?? "", fact.GetType().Name);
            }
        }
    }
}
