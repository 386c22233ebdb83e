using Microsoft.Extensions.Logging;
using Muster.Contracts.Commit;
using Muster.Contracts.Images;
using Muster.Contracts.Rollouts;
using Muster.Domain;
using Muster.Domain.Devices;
using Muster.Domain.Images;
using Muster.Domain.Rollouts;

namespace Muster.Grains.Rollouts;

/// <summary>The rounds: ask the shares, plan, commit, raise the fence, ask those that were granted something.</summary>
internal sealed partial class RolloutGrain
{
    /// <summary>Grants that lapse and are given again at once end here until the next tick.</summary>
    private const int GrantsPerTickMax = 3;

    /// <summary>
    /// Then the round ends, and orders such as a pause have their turn; the shares that were not asked are the first of the next, and what
    /// others answer meanwhile is planned with then.
    /// </summary>
    private static readonly TimeSpan RoundMax = TimeSpan.FromMilliseconds(80);

    /// <summary>From one round to the next at least, while something moves: a device takes seconds, so nobody waits for us.</summary>
    private static readonly TimeSpan TickInterval = TimeSpan.FromMilliseconds(250);

    /// <summary>
    /// While nobody tells of anything the plan is looked at so often, and shares only when they have something to do: what the clock alone
    /// changes is known here, and costs microseconds.
    /// </summary>
    private static readonly TimeSpan QuietTickInterval = TimeSpan.FromSeconds(1);

    /// <summary>
    /// As often as rounds are made while nothing moves. Rounds that follow one another do not hear of a revocation any sooner than that:
    /// the store refuses offers of the image from when it is acknowledged.
    /// </summary>
    private static readonly TimeSpan RevocationInterval = QuietTickInterval;

    /// <summary>A start that failed is answered so much later at most; a store that is well needs milliseconds.</summary>
    private static readonly TimeSpan LeaveMax = TimeSpan.FromSeconds(2);

    private IGrainTimer? _timer;

    /// <summary>A round is being made, or is as near as it may be: news that come need not bring it nearer.</summary>
    private bool _isHurried;
    private long _roundEndedAt;
    private ShareRound? _round;
    private RolloutPlan? _plan;
    private ImmutableArray<WaveReport> _waits = [];
    private bool _isLeading;
    private long? _imageCheckedAt;
    private long _fencedEpoch;
    private RolloutReply? _beforeCommit;

    /// <summary>The committed plan, with what the reports since then say; of a draft there are none.</summary>
    private RolloutPlan Plan => _plan is { IsDraft: false } known ? known : Committed?.Plan ?? RolloutPlan.Draft;

    public Task HearAsync(int partition, bool isUrgent)
    {
        // Who knows of no share yet asks all of them.
        _round?.Hear(partition, isUrgent);
        EnsurePacing();
        if (isUrgent && !_isHurried)
        {
            // Once, or the round would be put off for as long as news come.
            _isHurried = true;
            var left = TickInterval - _clock.GetElapsedTime(_roundEndedAt);
            _timer?.Change(left > TimeSpan.Zero ? left : TimeSpan.Zero, TickInterval);
        }

        return Task.CompletedTask;
    }

    private void EnsurePacing()
    {
        if (Plan.IsLive)
        {
            _timer ??= this.RegisterGrainTimer(TickAsync, new GrainTimerCreationOptions(TimeSpan.Zero, TickInterval));
        }
    }

    private async Task TickAsync(CancellationToken cancellationToken)
    {
        _isHurried = true;
        try
        {
            var moved = await RunRoundAsync();
            _isHurried = moved || _round?.HasNews(_clock.GetUtcNow()) == true;
            var interval = _isHurried ? TickInterval : QuietTickInterval;

            // The rest has its turn at once while something moves. Rounds that bring nothing have their pause, or a large rollout whose
            // devices take their time would be asked about without an end.
            _timer?.Change(moved && _round is { IsCutShort: true } ? TimeSpan.Zero : interval, interval);
        }
        catch (Exception fault)
        {
            LogRoundFailed(fault, _id.Value);
            _timer?.Change(QuietTickInterval, QuietTickInterval);
            _isHurried = false;
        }

        _roundEndedAt = _clock.GetTimestamp();
        if (!Plan.IsLive)
        {
            _timer?.Dispose();
            _timer = null;
        }
    }

    /// <summary>True when something moved.</summary>
    private async Task<bool> RunRoundAsync()
    {
        await EnsureLeadingAsync();
        await HaltIfRevokedAsync();
        await GiveUpRevokedStepsAsync();
        await EnsureFencedAsync();
        _round ??= new ShareRound(GrainFactory) { Approvals = _options.Approvals };
        CountElsewhere();
        var until = _clock.GetUtcNow() + RoundMax;
        var asked = _round.Select(_record.State.Rollout! with { Plan = Plan }, _clock.GetUtcNow());
        var moved = false;
        for (var i = 0; i <= GrantsPerTickMax; i++)
        {
            if (asked.Count > 0 || _round.IsAsking)
            {
                moved |= await _round.AskAsync(_record.State.Rollout!, asked, _clock, until);
            }

            if (_round.TakeLastFault() is { } fault)
            {
                LogShareSilent(fault, _id.Value);
            }

            moved |= await PlanAsync();
            asked = _round.SelectGranted(Plan);
            if ((asked.Count == 0 && !_round.IsAsking) || _clock.GetUtcNow() >= until)
            {
                break;
            }
        }

        return moved;
    }

    private async Task<bool> PlanAsync()
    {
        var rollout = _record.State.Rollout!;
        var now = _clock.GetUtcNow();
        var input = new RolloutPlanInput(_id, rollout.Spec, Plan, _round!.Reports, now)
        {
            MayRollBack = RollBackOrders.IsApproved(rollout, _options.Approvals.ToRollBack),
            LeftOutElsewhere = LeftOutElsewhere,
        };
        var (next, report) = RolloutPlanner.Plan(input);
        _waits = report.Waves;
        if (report.Facts.IsEmpty)
        {
            _plan = next;
            return false;
        }

        await CommitAsync(rollout with { Plan = next }, report.Facts, Actor.Rule($"rollouts.{_id}"), now);
        await EnsureFencedAsync();
        return true;
    }

    /// <summary>The first thing a new activation does: what the one before it sent and nobody used becomes void.</summary>
    private async Task EnsureLeadingAsync()
    {
        if (_isLeading || _record.State.Rollout is not { } rollout)
        {
            return;
        }

        var decision = RolloutLifecycle.TakeOver(rollout.Plan, _id);
        if (!decision.Events.IsEmpty)
        {
            await CommitAsync(rollout with { Plan = decision.Next }, decision.Events, Actor.Rule($"rollouts.{_id}"), _clock.GetUtcNow());
        }

        _isLeading = true;
    }

    /// <summary>
    /// The store refuses offers of a revoked image already; what is left is to say so and to take back what was not delivered.
    /// </summary>
    private async Task HaltIfRevokedAsync()
    {
        if (_record.State.Rollout is not { } rollout || Plan is { IsImageRevoked: true } or { RollBack: not null }
            || (_imageCheckedAt is { } checkedAt && _clock.GetElapsedTime(checkedAt) < RevocationInterval))
        {
            return;
        }

        _imageCheckedAt = _clock.GetTimestamp();
        if (await CheckChangeAsync(rollout) is not { Reason: ImageErrors.RevokedReason } refusal)
        {
            return;
        }

        var order = new RolloutOrder(_id, Actor.Rule("images"), "", _clock.GetUtcNow());
        var decision = RolloutLifecycle.HaltForRevocation(Plan, rollout.Spec.ImageDigest, refusal, order);
        if (!decision.Events.IsEmpty)
        {
            await CommitAsync(rollout with { Plan = decision.Next }, decision.Events, order.Actor, order.Now);
        }
    }

    private Task<FleetError?> CheckImageAsync(Rollout rollout) => ImageDigest.TryParse(rollout.Spec.ImageDigest, out var digest)
        ? GrainFactory.GetImage(_tenant, digest).CheckUseAsync()
        : Task.FromResult<FleetError?>(null);

    private async Task EnsureFencedAsync()
    {
        var plan = Plan;
        if (plan.Epoch > _fencedEpoch && !plan.Shares.IsEmpty)
        {
            await _fences.RaiseAsync(
                [.. plan.Shares.Select(share => share.Partition)], RolloutKey.FenceOf(_tenant, _id), plan.Epoch, CancellationToken.None);
            _fencedEpoch = plan.Epoch;
        }
    }

    private async Task CommitAsync(Rollout next, ImmutableArray<DomainEvent> facts, Actor actor, DateTimeOffset now)
    {
        var wrong = PlanChecks.Check(next.Plan)
            .AddRange(PlanChecks.CheckStep(next.Spec, Plan, next.Plan))
            .AddRange(PlanChecks.CheckApprovals(next));
        if (!wrong.IsEmpty)
        {
            // Shares may speak of what another activation granted since: the next call is to one that has read the store.
            DeactivateOnIdle();
            throw new InvalidOperationException($"The plan of rollout '{_id}' is not committed: {string.Join(' ', wrong)}");
        }

        if (next.Plan.IsTerminal)
        {
            await SettleSharesAsync(next);
            next = next with { Plan = next.Plan with { EndsAreKept = true } };

            // Before the commit, because nobody looks after a rollout that is over. Should it fail, the shares register again.
            await LeaveFeedsAsync(next.Plan.Shares.Select(share => share.Partition), CancellationToken.None);
        }

        // Who asks meanwhile sees what is committed; after a commit that failed nothing else is known any more.
        _beforeCommit ??= Reply();
        await _writer.CommitAsync(
            _record.State with { Rollout = next },
            new CommitAttachments { Facts = facts, Actor = actor, At = now });
        _beforeCommit = null;
        _plan = next.Plan;

        // Whoever has committed coordinates: the first activation that starts it has nobody to take over from.
        _isLeading = true;
        LogCommitted(_id.Value, next.Plan.State, next.Plan.Epoch);
    }

    /// <summary>The feeds are trimmed without the shares from now on.</summary>
    private async Task LeaveFeedsAsync(IEnumerable<int> partitions, CancellationToken cancellationToken)
    {
        var reader = RolloutKey.ReaderOf(_tenant, _id);
        foreach (var chunk in partitions.Chunk(RolloutFreeze.FanOutMax))
        {
            await Task.WhenAll(chunk.Select(partition => _readers.LeaveAsync(partition, reader, cancellationToken)));
        }
    }

    /// <summary>
    /// After a start that came to nothing, as far as is known: which shares hold their feeds is not, so all are let go. Should the start
    /// have been committed after all, they register again with the next thousand entries. What cannot be let go now is let go by the next
    /// start, or when it is too much (<see cref="FeedHold.LagMax"/>).
    /// </summary>
    private async Task LeaveAllFeedsAsync()
    {
        using var enough = new CancellationTokenSource(LeaveMax);
        try
        {
            await LeaveFeedsAsync(Enumerable.Range(0, _partitions.Count), enough.Token);
        }
        catch (Exception fault)
        {
            // The caller is told why the start failed, not this.
            LogFeedsHeld(fault, _id.Value);
        }
    }

    private async Task<(RolloutImage? Image, FleetError? Error)> FindImageAsync(string digest)
    {
        if (!ImageDigest.TryParse(digest, out var parsed))
        {
            return (null, null);
        }

        var (image, error) = await GrainFactory.GetImage(_tenant, parsed).GetAsync();
        error ??= ImageLifecycle.CheckUse(image!);
        return error is not null || image is null
            ? (null, error)
            : (new RolloutImage(
                new OsTarget(digest, image.Manifest.Version, image.Manifest.SizeBytes, image.Signature),
                image.Manifest.Track.Value,
                image.Manifest.Models)
            {
                Conditions = image.Manifest.Release.Conditions,
            }, null);
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Rollout {RolloutId} is {State} at epoch {Epoch}")]
    private partial void LogCommitted(string rolloutId, RolloutState state, long epoch);

    [LoggerMessage(Level = LogLevel.Warning, Message = "A partition of rollout {RolloutId} does not answer and will be asked again")]
    private partial void LogShareSilent(Exception fault, string rolloutId);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Shares of rollout {RolloutId}, which did not start, hold their feeds still")]
    private partial void LogFeedsHeld(Exception fault, string rolloutId);

    [LoggerMessage(Level = LogLevel.Warning, Message = "A round of rollout {RolloutId} failed and will be repeated")]
    private partial void LogRoundFailed(Exception fault, string rolloutId);
}
