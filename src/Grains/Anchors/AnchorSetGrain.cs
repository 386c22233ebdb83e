using Microsoft.Extensions.Logging;
using Muster.Contracts;
using Muster.Contracts.Anchors;
using Muster.Contracts.Commit;
using Muster.Domain;
using Muster.Domain.Anchors;

namespace Muster.Grains.Anchors;

/// <summary>A tenant's trust anchors; the rules are <see cref="AnchorRules"/>, what is a certificate says the reader.</summary>
[GrainType(GrainTypes.Anchors)]
internal sealed partial class AnchorSetGrain : Grain, IAnchorSetGrain
{
    private readonly IPersistentState<AnchorSetRecord> _record;
    private readonly StateWriter<AnchorSetRecord> _writer;
    private readonly IAnchorCertificateReader _reader;
    private readonly TimeProvider _clock;
    private readonly ILogger<AnchorSetGrain> _logger;
    private AnchorSet _committed = AnchorSet.Empty;

    public AnchorSetGrain(
        [PersistentState("anchors", StorageNames.Muster)] IPersistentState<AnchorSetRecord> record,
        IAnchorCertificateReader reader,
        TimeProvider clock,
        ILogger<AnchorSetGrain> logger)
    {
        _record = record;
        _writer = new StateWriter<AnchorSetRecord>(record, this);
        (_reader, _clock, _logger) = (reader, clock, logger);
    }

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _committed = _record.State.Set;
        return Task.CompletedTask;
    }

    public async Task<AnchorReply> AddAsync(AddAnchor command)
    {
        ArgumentNullException.ThrowIfNull(command);
        var now = _clock.GetUtcNow();
        var (certificates, error) = _reader.Read(command.Pem, command.Spec.Profile, now);
        var decision = error is null
            ? AnchorRules.Add(_record.State.Set, command.Spec, certificates, _reader, now)
            : Decision.Refuse(_record.State.Set, error);
        return await ApplyAsync(decision, command.Spec.Id, command.Actor, now);
    }

    public Task<AnchorReply> RemoveAsync(RemoveAnchor command)
    {
        ArgumentNullException.ThrowIfNull(command);
        var now = _clock.GetUtcNow();
        return ApplyAsync(
            AnchorRules.Remove(_record.State.Set, command.Id, command.Certificate, _reader, now), command.Id, command.Actor, now);
    }

    // Both interleave with a write: what is answered is what was committed last, never what is on its way.
    public Task<AnchorSet> GetAsync() => Task.FromResult(_committed);

    public Task<AnchorSet?> GetChangedAsync(long revision, DateTimeOffset changedAt)
    {
        if (_committed.Revision == 0)
        {
            // An import writes the record beside its grain, which gateways keep active: without anchors it is read anew for the next.
            DeactivateOnIdle();
        }

        return Task.FromResult(_committed.Revision == revision && _committed.ChangedAt == changedAt ? null : _committed);
    }

    private async Task<AnchorReply> ApplyAsync(Decision<AnchorSet> decision, ResourceId anchor, Actor actor, DateTimeOffset now)
    {
        if (!decision.Events.IsEmpty)
        {
            await _writer.CommitAsync(
                _record.State with { Set = decision.Next },
                new CommitAttachments { Facts = decision.Events, Actor = actor, At = now });
            _committed = decision.Next;
            LogChanged(decision.Events[0].GetType().Name, anchor.Value, _committed.Revision, actor);
        }

        if (decision.Error is { } error)
        {
            LogRefused(anchor.Value, error.Reason, actor);
            return new AnchorReply(null, error);
        }

        return new AnchorReply(AnchorRules.Find(decision.Next, anchor), null);
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Anchor {AnchorId}: {Fact}, revision {Revision}, by {Actor}")]
    private partial void LogChanged(string fact, string anchorId, long revision, Actor actor);

    [LoggerMessage(Level = LogLevel.Information, Message = "Anchor {AnchorId}: refused, {Reason}, by {Actor}")]
    private partial void LogRefused(string anchorId, string reason, Actor actor);
}
