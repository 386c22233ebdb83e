using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Muster.Contracts;
using Muster.Contracts.Commit;
using Muster.Contracts.Rollouts;
using Muster.Contracts.Strategies;
using Muster.Domain;
using Muster.Domain.Rollouts;
using Muster.Domain.Strategies;

namespace Muster.Grains.Rollouts;

/// <summary>
/// Coordinates a rollout: <see cref="RolloutLifecycle"/> decides commands, <see cref="RolloutPlanner"/> everything else. A
/// plan is checked and committed before anybody executes it, and a new epoch is raised in all partitions that hold members
/// before anything else happens.
/// </summary>
[GrainType(GrainTypes.Rollout)]
internal sealed partial class RolloutGrain : Grain, IRolloutGrain, IDueGrain
{
    private readonly IPersistentState<RolloutRecord> _record;
    private readonly StateWriter<RolloutRecord> _writer;
    private readonly IFenceWriter _fences;
    private readonly IDurableReaders _readers;
    private readonly RolloutOptions _options;
    private readonly PartitionMap _partitions;
    private readonly TimeProvider _clock;
    private readonly ILogger<RolloutGrain> _logger;
    private readonly TenantId _tenant;
    private readonly ResourceId _id;

    public RolloutGrain(
        [PersistentState("rollout", StorageNames.Muster)] IPersistentState<RolloutRecord> record,
        IFenceWriter fences,
        IDurableReaders readers,
        IOptions<RolloutOptions> options,
        PartitionMap partitions,
        TimeProvider clock,
        ILogger<RolloutGrain> logger)
    {
        _record = record;
        _writer = new StateWriter<RolloutRecord>(record, this);
        _fences = fences;
        _readers = readers;
        _options = options.Value;
        _partitions = partitions;
        _clock = clock;
        _logger = logger;
        (_tenant, _id) = RolloutKey.Parse(this.GetPrimaryKeyString());
        _revokedSteps = new RevokedImages(GrainFactory, _tenant, _id, logger);
    }

    public async Task<RolloutReply> CreateAsync(CreateRollout command)
    {
        ArgumentNullException.ThrowIfNull(command);
        if (_record.State.Rollout is { } existing && !command.ValidateOnly)
        {
            return AnswerRepetition(existing, command);
        }

        if (Plan is { IsDraft: false })
        {
            // A dry run looks at the whole fleet, and would keep orders to a rollout that runs waiting.
            return RolloutReply.Refused(RolloutErrors.Exists(_id.Value));
        }

        var now = _clock.GetUtcNow();
        var (spec, error) = await CompleteAsync(command.Spec, command.Strategy);
        if (error is not null)
        {
            return RolloutReply.Refused(error);
        }

        var draft = new Rollout
        {
            Tenant = _tenant,
            Id = _id,
            Spec = spec,
            Plan = RolloutPlan.Draft,
            CreatedBy = command.Actor,
            CreatedAt = now,
            RequestId = command.RequestId,
        };
        if (command.ValidateOnly)
        {
            return await ValidateAsync(draft);
        }

        if (await CheckSitesAsync(draft) is { } ruledOut)
        {
            return RolloutReply.Refused(ruledOut);
        }

        var rollout = Settle(draft with { Downgrades = await CountDowngradesAsync(draft) });
        await CommitAsync(rollout, [new RolloutCreated(_id, spec)], command.Actor, now);
        return Reply();
    }

    public Task<RolloutReply> GetAsync() => Task.FromResult(_beforeCommit ?? Reply());

    public async Task<RolloutReply> StartAsync(OrderRollout command)
    {
        ArgumentNullException.ThrowIfNull(command);
        if (Committed is not { Plan.IsDraft: true } draft)
        {
            return await DecideAsync(command.Actor, command.Reason, (rollout, order) =>
                RolloutLifecycle.Start(rollout.Plan, rollout.Spec, new FrozenMembers([], []), order));
        }

        if (RolloutApprovals.CheckStart(draft, _options.Approvals.ToStart) is { } unapproved)
        {
            return RolloutReply.Refused(unapproved);
        }

        var (image, error) = await FindChangeAsync(draft.Spec);
        error ??= await CheckPathAsync(draft.Spec);
        var (retried, unretried) = await FindRetriedAsync(draft.Spec);
        if ((error ?? unretried ?? await CheckRestAsync(draft, retried)) is { } refusal)
        {
            return RolloutReply.Refused(refusal);
        }

        RolloutReply? reply = null;
        try
        {
            return reply = await StartAsync(command, draft, image, retried);
        }
        finally
        {
            if (reply is not { Error: null } && (_beforeCommit ?? Reply()).Rollout is { Plan.IsDraft: true })
            {
                await LeaveAllFeedsAsync();
            }
        }
    }

    public Task<RolloutReply> PauseAsync(OrderRollout command)
    {
        ArgumentNullException.ThrowIfNull(command);
        return DecideAsync(command.Actor, command.Reason, (rollout, order) => RolloutLifecycle.Pause(rollout.Plan, order));
    }

    public async Task<RolloutReply> ResumeAsync(ResumeRollout command)
    {
        ArgumentNullException.ThrowIfNull(command);
        if (_record.State.Rollout is { Plan.RollBack: null } known && await CheckChangeAsync(known) is { } refusal)
        {
            return RolloutReply.Refused(refusal);
        }

        return await DecideAsync(command.Actor, command.Reason, (rollout, order) =>
            RolloutApprovals.Resume(rollout, command.Override, command.Roles, order));
    }

    public Task<RolloutReply> CancelAsync(OrderRollout command)
    {
        ArgumentNullException.ThrowIfNull(command);
        return DecideAsync(command.Actor, command.Reason, (rollout, order) => RolloutLifecycle.Cancel(rollout.Plan, order));
    }

    /// <summary>While the rollout is live the due list calls about every second: only so a coordinator comes back after a crash.</summary>
    public Task OnDueAsync(CancellationToken cancellationToken)
    {
        EnsurePacing();
        return Task.CompletedTask;
    }

    private async Task<RolloutReply> DecideAsync(
        Actor actor,
        string reason,
        Func<Rollout, RolloutOrder, Decision<RolloutPlan>> decide,
        Func<Rollout, Rollout>? complete = null)
    {
        if (Committed is not { } rollout)
        {
            return RolloutReply.Refused(RolloutErrors.NotFound(_id.Value));
        }

        var now = _clock.GetUtcNow();
        var decision = decide(rollout with { Plan = Plan }, new RolloutOrder(_id, actor, reason, now));
        if (decision.Error is { } error)
        {
            return RolloutReply.Refused(error);
        }

        if (!decision.Events.IsEmpty)
        {
            var next = rollout with { Plan = decision.Next };
            await CommitAsync(complete is null ? next : complete(next), decision.Events, actor, now);
        }

        // Also after a repeated command: the first may have failed between its commit and the fence.
        await EnsureFencedAsync();
        EnsurePacing();
        return Reply();
    }

    private async Task<RolloutReply> StartAsync(OrderRollout command, Rollout draft, RolloutImage? image, Rollout? retried)
    {
        var freeze = Guid.NewGuid();
        var rules = await GrainFactory.GetStrategySet(_tenant).GetSiteRulesAsync();
        var (frozen, error) = await FreezeOf(draft, retried).RunAsync(freeze, rules);
        error ??= SiteRuling.Check(_id, draft.Spec.Strategy, rules, frozen.Sites);
        error ??= await CheckDowngradesAsync(draft, frozen, command);
        return error is not null ? RolloutReply.Refused(error) : await DecideAsync(
            command.Actor,
            command.Reason,
            (rollout, order) => RolloutLifecycle.Start(Settle(Found(rollout)).Plan, rollout.Spec, frozen, order),
            rollout => Found(rollout) with { Image = image, Freeze = freeze });

        Rollout Found(Rollout rollout) => rollout with { Downgrades = frozen.Downgrades ?? 0 };
    }

    private RolloutReply AnswerRepetition(Rollout existing, CreateRollout command)
    {
        if (command.RequestId.Length == 0 || existing.RequestId != command.RequestId)
        {
            return RolloutReply.Refused(RolloutErrors.Exists(_id.Value));
        }

        // The version is the catalogue's word, whatever the caller wrote.
        var isSame = command.Strategy is { } choice
            ? StrategyCourse.IsOf(existing.Spec, choice, command.Spec)
            : existing.Spec == command.Spec with
            {
                TargetVersion = existing.Spec.TargetVersion,
                Strategy = existing.Spec.Strategy,
                Path = existing.Spec.Path,
            };
        return isSame
            ? Reply()
            : RolloutReply.Refused(RolloutErrors.RequestIdReused(_id.Value, command.RequestId));
    }

    private async Task<RolloutReply> ValidateAsync(Rollout rollout)
    {
        var (retried, error) = await FindRetriedAsync(rollout.Spec);
        if (error is not null)
        {
            return RolloutReply.Refused(error);
        }

        var freeze = FreezeOf(rollout, retried);
        var counted = await freeze.CountAsync();
        error = retried is null ? null : RefusalOf(rollout, retried, counted);
        if (error is not null)
        {
            return RolloutReply.Refused(error);
        }

        var rules = await GrainFactory.GetStrategySet(_tenant).GetSiteRulesAsync();
        var (image, _) = await FindChangeAsync(rollout.Spec);
        (var planned, error) = await freeze.PreviewAsync(Guid.NewGuid(), rules, NeedsOf(rollout.Spec, image));
        error ??= SiteRuling.Check(_id, rollout.Spec.Strategy, rules, planned.Sites);
        if (error is not null)
        {
            return RolloutReply.Refused(error);
        }

        var cuts = LateJoiners.AddWave(planned.Cuts, rollout.Spec);
        var (images, matching) = (counted!.Value, cuts.Sum(cut => cut.Members));
        var seen = Settle(rollout with { Downgrades = planned.Downgrades ?? 0 });
        return matching == 0 ? RolloutReply.Refused(RolloutErrors.NoDevices(_id.Value, rollout.Spec.Filter)) : Reply(seen) with
        {
            Matching = matching,
            Planned = cuts,
            WithoutWayBack = await CountWithoutWayBackAsync(rollout.Spec, images),
            ExpectedSkips = planned.Fit?.Skips,
            Steps = await FindStepsAsync(rollout.Spec, image, planned.Fit),
        };
    }

    private RolloutReply Reply() => Committed is { } rollout
        ? Reply(rollout with { Plan = Plan }) with { Waves = _waits }
        : RolloutReply.Refused(RolloutErrors.NotFound(_id.Value));

    private RolloutReply Reply(Rollout rollout) => new(rollout, [], 0, null)
    {
        ApprovalsNeeded = RolloutApprovals.Needed(rollout.Spec, _options.Approvals.Of(rollout)),
    };
}
