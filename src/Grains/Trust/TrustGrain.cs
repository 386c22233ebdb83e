using Microsoft.Extensions.Logging;
using Muster.Contracts;
using Muster.Contracts.Commit;
using Muster.Contracts.Trust;
using Muster.Domain;
using Muster.Domain.Devices;
using Muster.Domain.Inventory;
using Muster.Domain.Trust;

namespace Muster.Grains.Trust;

/// <summary>A tenant's rules of continuous trust and the permits that were taken by them; decided by the domain.</summary>
[GrainType(GrainTypes.Trust)]
internal sealed partial class TrustGrain : Grain, ITrustGrain
{
    private static readonly Actor Rule = Actor.Rule("trust");

    private readonly IPersistentState<TrustRecord> _record;
    private readonly StateWriter<TrustRecord> _writer;
    private readonly TimeProvider _clock;
    private readonly ILogger<TrustGrain> _logger;
    private TrustRules _committed = TrustRules.Default;

    public TrustGrain(
        [PersistentState("trust", StorageNames.Muster)] IPersistentState<TrustRecord> record,
        TimeProvider clock,
        ILogger<TrustGrain> logger)
    {
        _record = record;
        _writer = new StateWriter<TrustRecord>(record, this);
        _clock = clock;
        _logger = logger;
    }

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _committed = _record.State.Rules;
        return Task.CompletedTask;
    }

    // Interleaves with a write: what is answered is what was committed last, never what is on its way.
    public Task<TrustRules> GetRulesAsync() => Task.FromResult(_committed);

    public async Task<TrustRulesReply> SetRulesAsync(SetTrustRules command)
    {
        ArgumentNullException.ThrowIfNull(command);
        var decision = TrustRules.Set(_record.State.Rules, command.Rules);
        if (decision.Error is { } error)
        {
            return new TrustRulesReply(null, error);
        }

        if (!decision.Events.IsEmpty)
        {
            await _writer.CommitAsync(
                _record.State with { Rules = decision.Next },
                new CommitAttachments { Facts = decision.Events, Actor = command.Actor, At = _clock.GetUtcNow() });
            _committed = decision.Next;
            LogChanged(decision.Next.Revision, command.Actor);
        }

        return new TrustRulesReply(decision.Next, null);
    }

    public async Task<bool> TakeQuarantineAsync(DeviceId device)
    {
        var now = _clock.GetUtcNow();
        var (next, isPermitted) = QuarantineBudget.Take(_record.State.Permits, device, now);
        if (!isPermitted)
        {
            LogExhausted(device.Value);
        }
        else
        {
            // Before the answer, so that a crash can only lose permits that nobody used. The quarantine that follows is the fact.
            await _writer.CommitAsync(_record.State with { Permits = next }, new CommitAttachments { Actor = Rule, At = now });
        }

        return isPermitted;
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Trust rules: revision {Revision} by {Actor}")]
    private partial void LogChanged(long revision, Actor actor);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Device {DeviceId}: the hour's quarantines are used up, a human is asked")]
    private partial void LogExhausted(string deviceId);
}

/// <summary>A tenant's trust as stored.</summary>
[GenerateSerializer, Immutable, Alias("muster.trust-record")]
internal sealed record TrustRecord : IGrainRecord<TrustRecord>
{
    [Id(0)] public TrustRules Rules { get; init; } = TrustRules.Default;

    /// <summary>Oldest first; at most <see cref="QuarantineBudget.DevicesMax"/>.</summary>
    [Id(1)] public ImmutableArray<QuarantinePermit> Permits { get; init; } = [];

    public object? Cold => null;

    public CommitAttachments Attachments { get; private init; } = CommitAttachments.None;

    public ICommitRecord WithCold(object? cold) => this;

    public TrustRecord Attach(CommitAttachments attachments) => this with { Attachments = attachments };

    /// <summary>One for each tenant: it is read by its name.</summary>
    public InventoryRow? ToRow(bool withCold) => null;

    public DateTimeOffset? NextDueAt() => null;
}
