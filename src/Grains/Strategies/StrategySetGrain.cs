using Microsoft.Extensions.Logging;
using Muster.Contracts;
using Muster.Contracts.Commit;
using Muster.Contracts.Strategies;
using Muster.Domain;
using Muster.Domain.Strategies;

namespace Muster.Grains.Strategies;

/// <summary>A tenant's strategies and its site rules; the rules of both are <see cref="StrategyRules"/>.</summary>
[GrainType(GrainTypes.StrategySet)]
internal sealed partial class StrategySetGrain : Grain, IStrategySetGrain
{
    private readonly IPersistentState<StrategySetRecord> _record;
    private readonly StateWriter<StrategySetRecord> _writer;
    private readonly TimeProvider _clock;
    private readonly ILogger<StrategySetGrain> _logger;
    private StrategySet _committed = StrategySet.Empty;
    private Task _reading = Task.CompletedTask;
    private bool _isChanging;

    public StrategySetGrain(
        [PersistentState("strategy-set", StorageNames.Muster)] IPersistentState<StrategySetRecord> record,
        TimeProvider clock,
        ILogger<StrategySetGrain> logger)
    {
        _record = record;
        _writer = new StateWriter<StrategySetRecord>(record, this);
        (_clock, _logger) = (clock, logger);
    }

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _committed = _record.State.Set;
        return Task.CompletedTask;
    }

    public Task<StrategyReply> CreateAsync(CreateStrategy command)
    {
        ArgumentNullException.ThrowIfNull(command);
        return ChangeAsync(command.Strategy, command.Actor, order => StrategyRules.Create(
            _committed, command.Strategy, command.Spec, command.RequestId, order));
    }

    public Task<StrategyReply> UpdateAsync(UpdateStrategy command)
    {
        ArgumentNullException.ThrowIfNull(command);
        return ChangeAsync(command.Strategy, command.Actor, order => StrategyRules.Update(
            _committed, command.Strategy, command.Spec, command.Etag, order));
    }

    public Task<StrategyReply> DeleteAsync(DeleteStrategy command)
    {
        ArgumentNullException.ThrowIfNull(command);
        return ChangeAsync(
            command.Strategy, command.Actor, _ => StrategyRules.Delete(_committed, command.Strategy, command.Etag));
    }

    public async Task<SiteRulesReply> UpdateSiteRulesAsync(UpdateSiteRules command)
    {
        ArgumentNullException.ThrowIfNull(command);
        await EndReadingAsync();
        var order = new StrategyOrder(command.Actor, _clock.GetUtcNow());
        var decision = StrategyRules.UpdateSiteRules(_committed, command.Rules, command.Etag, order);
        await CommitAsync(decision, "site rules", order);
        return new SiteRulesReply(_committed.SiteRules, decision.Error);
    }

    // All of these interleave with a write: what is answered is what was committed last, never what is on its way.
    public async Task<StrategyReply> GetAsync(StrategyChoice choice)
    {
        var (version, error) = StrategyRules.FindVersion(await ReadAsync(), choice);
        return new StrategyReply(version, error);
    }

    public async Task<ImmutableArray<StrategyVersion>> ListAsync() =>
        [.. (await ReadAsync()).Strategies.Select(strategy => strategy.Newest)];

    public async Task<ImmutableArray<StrategyVersion>> ListVersionsAsync(ResourceId strategy) =>
        StrategyRules.Find(await ReadAsync(), strategy)?.Versions ?? [];

    public async Task<SiteRules> GetSiteRulesAsync() => (await ReadAsync()).SiteRules;

    /// <summary>
    /// An import writes the record beside its grain, which rollouts may have asked already: without strategies it is read anew, once for
    /// all who ask meanwhile, and not while it is being written. An activation that ended for that refused callers that came together.
    /// </summary>
    private async Task<StrategySet> ReadAsync()
    {
        if (_committed.Revision == 0 && !_isChanging)
        {
            await (_reading.IsCompleted ? _reading = ReadAnewAsync() : _reading);
        }

        return _committed;
    }

    /// <summary>What is read while a change is on its way would take its place.</summary>
    private async Task EndReadingAsync()
    {
        while (!_reading.IsCompleted)
        {
            await _reading;
        }
    }

    private async Task ReadAnewAsync()
    {
        await _record.ReadStateAsync();
        _committed = _record.State.Set;
    }

    private async Task<StrategyReply> ChangeAsync(
        ResourceId strategy, Actor actor, Func<StrategyOrder, Decision<StrategySet>> decide)
    {
        await EndReadingAsync();
        var order = new StrategyOrder(actor, _clock.GetUtcNow());
        var decision = decide(order);
        await CommitAsync(decision, strategy.Value, order);
        return new StrategyReply(decision.Error is null ? StrategyRules.Find(_committed, strategy)?.Newest : null, decision.Error);
    }

    private async Task CommitAsync(Decision<StrategySet> decision, string what, StrategyOrder order)
    {
        if (decision.Error is { } error)
        {
            LogRefused(what, error.Reason, order.Actor);
        }
        else if (!decision.Events.IsEmpty)
        {
            _isChanging = true;
            try
            {
                await _writer.CommitAsync(
                    _record.State with { Set = decision.Next },
                    new CommitAttachments { Facts = decision.Events, Actor = order.Actor, At = order.Now });
                _committed = decision.Next;
            }
            finally
            {
                _isChanging = false;
            }

            LogChanged(what, decision.Events[0].GetType().Name, _committed.Revision, order.Actor);
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Strategies, {What}: {Fact}, revision {Revision}, by {Actor}")]
    private partial void LogChanged(string what, string fact, long revision, Actor actor);

    [LoggerMessage(Level = LogLevel.Information, Message = "Strategies, {What}: refused, {Reason}, by {Actor}")]
    private partial void LogRefused(string what, string reason, Actor actor);
}
