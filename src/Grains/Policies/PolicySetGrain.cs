using Microsoft.Extensions.Logging;
using Muster.Contracts;
using Muster.Contracts.Commit;
using Muster.Contracts.Policies;
using Muster.Domain;
using Muster.Domain.Policies;

namespace Muster.Grains.Policies;

/// <summary>
/// A tenant's policies; the rules are <see cref="PolicyRules"/>. Each due call is one bounded step of the sweep that a change left
/// to do; its progress is committed after it, so a crash repeats at most that step, and every evaluation is idempotent.
/// </summary>
[GrainType(GrainTypes.PolicySet)]
internal sealed partial class PolicySetGrain : Grain, IPolicySetGrain, IDueGrain
{
    private static readonly Actor Rule = Actor.Rule("policies");

    private readonly IPersistentState<PolicySetRecord> _record;
    private readonly StateWriter<PolicySetRecord> _writer;
    private readonly PartitionMap _partitions;
    private readonly TimeProvider _clock;
    private readonly ILogger<PolicySetGrain> _logger;
    private PolicySet _committed = PolicySet.Empty;

    public PolicySetGrain(
        [PersistentState("policy-set", StorageNames.Muster)] IPersistentState<PolicySetRecord> record,
        PartitionMap partitions,
        TimeProvider clock,
        ILogger<PolicySetGrain> logger)
    {
        _record = record;
        _writer = new StateWriter<PolicySetRecord>(record, this);
        _partitions = partitions;
        _clock = clock;
        _logger = logger;
    }

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _committed = _record.State.Policies.Set;
        return Task.CompletedTask;
    }

    public Task<PolicyReply> CreateAsync(CreatePolicy command)
    {
        ArgumentNullException.ThrowIfNull(command);
        var now = _clock.GetUtcNow();
        return ApplyAsync(
            PolicyRules.Create(_record.State.Policies, command.Spec, command.RequestId, _partitions.Count, now),
            command.Spec.Id,
            command.Actor,
            now);
    }

    public Task<PolicyReply> UpdateAsync(UpdatePolicy command)
    {
        ArgumentNullException.ThrowIfNull(command);
        var now = _clock.GetUtcNow();
        return ApplyAsync(
            PolicyRules.Update(_record.State.Policies, command.Spec, _partitions.Count, now), command.Spec.Id, command.Actor, now);
    }

    // Interleaves with a write: what is answered is what was committed last, never what is on its way.
    public Task<PolicySet> GetAsync() => Task.FromResult(_committed);

    public async Task OnDueAsync(CancellationToken cancellationToken)
    {
        if (_record.State.Policies.Sweep is not { } sweep || _clock.GetUtcNow() < sweep.NextAt)
        {
            return;
        }

        if (!TenantId.TryParse(this.GetPrimaryKeyString(), out var tenant))
        {
            throw new FormatException($"'{this.GetPrimaryKeyString()}' is not a tenant.");
        }

        var step = await new PolicySweepStep(GrainFactory, tenant, sweep, _logger).RunAsync();
        var now = _clock.GetUtcNow();
        await CommitAsync(PolicyRules.Advance(_record.State.Policies, sweep.Revision, step, now), Rule, now);
        LogSwept(sweep.Revision, step.Counted, step.Done.Members, step.Done.Count);
    }

    private async Task<PolicyReply> ApplyAsync(Decision<TenantPolicies> decision, ResourceId policy, Actor actor, DateTimeOffset now)
    {
        await CommitAsync(decision, actor, now);
        if (decision.Error is { } error)
        {
            LogRefused(policy.Value, error.Reason, actor);
            return new PolicyReply(null, error);
        }

        return new PolicyReply(PolicyRules.Find(decision.Next.Set, policy), null);
    }

    private async Task CommitAsync(Decision<TenantPolicies> decision, Actor actor, DateTimeOffset now)
    {
        if (decision.Events.IsEmpty)
        {
            return;
        }

        await _writer.CommitAsync(
            _record.State with { Policies = decision.Next },
            new CommitAttachments { Facts = decision.Events, Actor = actor, At = now });
        _committed = decision.Next.Set;
        LogChanged(decision.Events[0].GetType().Name, _committed.Revision, actor);
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Policies: {Fact}, revision {Revision}, by {Actor}")]
    private partial void LogChanged(string fact, long revision, Actor actor);

    [LoggerMessage(Level = LogLevel.Information, Message = "Policy {PolicyId}: refused, {Reason}, by {Actor}")]
    private partial void LogRefused(string policyId, string reason, Actor actor);

    [LoggerMessage(Level = LogLevel.Debug, Message = "Policies {Revision}: {Devices} devices, {Done} of {Partitions} partitions done")]
    private partial void LogSwept(long revision, long devices, int done, int partitions);
}
