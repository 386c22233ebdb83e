using System.Collections.Immutable;
using System.Diagnostics;
using Muster.Domain.Rollouts;

namespace Muster.Domain.Tests.Rollouts;

/// <summary>
/// A rollout as whoever reads its facts from the first on knows it (rollouts.md 25). What facts on purpose do not carry is not in it: what
/// the shares report (totals, permits seen and used, the offers of the last minute, the course), and which failures were accepted.
/// </summary>
internal sealed record RolloutReplay
{
    private ImmutableArray<Wave> _waves = [];
    private ImmutableArray<string> _revokedSteps = [];

    private RolloutState State { get; init; } = RolloutState.Draft;

    private long Epoch { get; init; }

    private bool IsAborting { get; init; }

    private (DateTimeOffset At, int? Wave)? RolledBack { get; init; }

    private DateTimeOffset? StartedAt { get; init; }

    private DateTimeOffset? JoiningEndedAt { get; init; }

    private DateTimeOffset? EndedAt { get; init; }

    private long Decisions { get; init; }

    private DateTimeOffset? DecidedAt { get; init; }

    /// <summary>What is committed, as far as facts tell it.</summary>
    public static RolloutReplay Of(RolloutPlan plan) => new()
    {
        State = plan.State,
        Epoch = plan.Epoch,
        IsAborting = plan.IsAborting,
        RolledBack = plan.RollBack is { } back ? (back.StartedAt, back.Wave) : null,
        StartedAt = plan.StartedAt,
        JoiningEndedAt = plan.JoiningEndedAt,
        EndedAt = plan.EndedAt,
        Decisions = plan.DecisionCount,
        DecidedAt = plan.Decisions[^1].At,
        _revokedSteps = plan.RevokedSteps,
        _waves =
        [
            .. plan.Waves.Select((wave, i) => new Wave(wave.Cut.Members, wave.State)
            {
                StartedAt = wave.StartedAt,
                SoakEndsAt = wave.SoakEndsAt,
                PassedAt = wave.PassedAt,
                AwaitingSince = wave.AwaitingSince,
                IsApproved = wave.Approval is not null,
                Granted = plan.Shares.Sum(share => share.Waves[i].Granted),
            }),
        ],
    };

    public RolloutReplay Apply(DomainEvent fact, DateTimeOffset at)
    {
        // Of these the log of decisions says nothing.
        var isDecision = fact is not (OffersGranted or LateJoinersCounted or RolloutTakenOver or AcceptedFailuresLapsed);
        var told = isDecision ? this with { Decisions = Decisions + 1, DecidedAt = at } : this;
        return fact switch
        {
            RolloutStarted started => told with
            {
                State = RolloutState.Running,
                Epoch = started.Epoch,
                StartedAt = at,
                _waves = [.. started.MembersPerWave.Select(members => new Wave(members, WaveState.Pending))],
            },
            RolloutTakenOver taken => told with { Epoch = taken.Epoch },
            RolloutPaused paused => told with { State = RolloutState.Paused, Epoch = paused.Epoch },
            RolloutResumed resumed => told.Resume(resumed),
            RolloutCancelling cancelling => told with { State = RolloutState.Cancelling, Epoch = cancelling.Epoch },
            RolloutAborting aborting => told.Stop(aborting.Wave) with
            {
                State = RolloutState.Cancelling,
                IsAborting = true,
                Epoch = aborting.Epoch,
            },
            RolloutSuspended suspended => told.Stop(suspended.Wave) with { State = RolloutState.Suspended, Epoch = Epoch + 1 },
            RolloutRollingBack back => told.Turn(back, at),
            RolloutSucceeded => told with { State = RolloutState.Succeeded, EndedAt = at },
            RolloutCancelled => told with { State = RolloutState.Cancelled, EndedAt = at },
            RolloutAborted => told with { State = RolloutState.Aborted, EndedAt = at },
            RolloutRolledBack => told with { State = RolloutState.RolledBack, EndedAt = at },
            RolloutJoiningEnded => told with { JoiningEndedAt = at },
            RolloutStepRevoked revoked => told with { _revokedSteps = _revokedSteps.Add(revoked.Digest) },
            AcceptedFailuresLapsed => told,
            _ => told.ApplyToWave(fact, at),
        };
    }

    private RolloutReplay ApplyToWave(DomainEvent fact, DateTimeOffset at) => fact switch
    {
        OffersGranted granted => In(granted.Wave, wave => wave with { Granted = granted.Granted }),
        LateJoinersCounted joined => In(joined.Wave, wave => wave with { Members = joined.Members }),
        WaveStarted started => In(started.Wave, wave => wave with { State = WaveState.Running, StartedAt = at }),
        WaveRollingBack started => In(started.Wave, wave => wave with { State = WaveState.Running, StartedAt = at }),
        WaveSoaking soaking => In(soaking.Wave, wave => wave with { State = WaveState.Soaking, SoakEndsAt = soaking.SoakEndsAt }),
        WaveSoakBroken broken => In(broken.Wave, wave => wave with { State = WaveState.Running, SoakEndsAt = null }),
        WaveAwaitingApproval awaiting => In(
            awaiting.Wave, wave => wave with { State = WaveState.AwaitingApproval, SoakEndsAt = null, AwaitingSince = at }),
        WaveApprovalWaitBroken broken => In(
            broken.Wave, wave => wave with { State = WaveState.Running, AwaitingSince = null, IsApproved = false }),
        WaveApproved approved => In(approved.Wave, wave => wave with { IsApproved = true }),
        WaveRolledBack passed => In(passed.Wave, wave => wave with { State = WaveState.Passed, PassedAt = at }),

        // One that nobody is in is not said to start.
        WavePassed passed => In(passed.Wave, wave => wave with
        {
            State = WaveState.Passed,
            StartedAt = wave.StartedAt ?? at,
            SoakEndsAt = null,
            PassedAt = at,
        }),
        _ => throw new UnreachableException($"A rollout told of {fact}."),
    };

    private RolloutReplay Resume(RolloutResumed fact) => this with
    {
        State = RolledBack is null ? RolloutState.Running : RolloutState.RollingBack,
        Epoch = fact.Epoch,
        _waves = !fact.Override ? _waves : [.. _waves.Select(wave => wave.State != WaveState.Suspended
            ? wave
            : wave with { State = wave.PassedAt is null ? WaveState.Running : WaveState.Passed })],
    };

    /// <summary>The waves begin anew, in reverse; permits go on to be counted.</summary>
    private RolloutReplay Turn(RolloutRollingBack fact, DateTimeOffset at) => this with
    {
        State = RolloutState.RollingBack,
        Epoch = fact.Epoch,
        IsAborting = false,
        RolledBack = (at, fact.Wave),
        _waves = [.. _waves.Select(wave => new Wave(
            wave.Members, wave is { StartedAt: not null, Members: > 0 } ? WaveState.Pending : WaveState.Skipped)
        {
            Granted = wave.Granted,
        })],
    };

    private RolloutReplay Stop(int index) => In(index, wave => wave with
    {
        State = WaveState.Suspended,
        SoakEndsAt = null,
        AwaitingSince = wave.PassedAt is null ? null : wave.AwaitingSince,
        IsApproved = wave.PassedAt is not null && wave.IsApproved,
    });

    private RolloutReplay In(int wave, Func<Wave, Wave> change) => this with { _waves = _waves.SetItem(wave, change(_waves[wave])) };

    public bool Equals(RolloutReplay? other) => other is not null
        && (State, Epoch, IsAborting, RolledBack) == (other.State, other.Epoch, other.IsAborting, other.RolledBack)
        && (StartedAt, JoiningEndedAt, EndedAt) == (other.StartedAt, other.JoiningEndedAt, other.EndedAt)
        && (Decisions, DecidedAt) == (other.Decisions, other.DecidedAt)
        && _revokedSteps.SequenceEqual(other._revokedSteps)
        && _waves.SequenceEqual(other._waves);

    public override int GetHashCode() => HashCode.Combine(State, Epoch, Decisions);

    public override string ToString() =>
        $"{State} {Epoch} {IsAborting} {RolledBack} {StartedAt:O} {JoiningEndedAt:O} {EndedAt:O} {Decisions} {DecidedAt:O} "
        + string.Join(' ', [.. _revokedSteps, .. _waves.Select(wave => wave.ToString())]);

    private readonly record struct Wave(int Members, WaveState State)
    {
        public DateTimeOffset? StartedAt { get; init; }

        public DateTimeOffset? SoakEndsAt { get; init; }

        public DateTimeOffset? PassedAt { get; init; }

        public DateTimeOffset? AwaitingSince { get; init; }

        public bool IsApproved { get; init; }

        public long Granted { get; init; }
    }
}
