namespace Muster.Domain.Rollouts;

/// <summary>A run that goes on from where a real rollout is.</summary>
internal sealed partial class SimulatedCoordinator
{
    private readonly int _stepsMax = int.MaxValue;
    private readonly bool _wasCancelled;

    /// <param name="spec">What was ordered.</param>
    /// <param name="plan">Where it is, with the totals of its waves. All partitions become one share.</param>
    /// <param name="now">The time of that.</param>
    /// <param name="devices">What becomes of those that have no outcome.</param>
    /// <param name="stepsMax">Looks of the planner before the run ends unfinished.</param>
    public SimulatedCoordinator(RolloutSpec spec, RolloutPlan plan, DateTimeOffset now, SimulatedDevices devices, int stepsMax)
    {
        (_spec, _devices, _stepsMax, _start, _now) = (spec, devices, stepsMax, now, now);
        _wasCancelled = plan.State == RolloutState.Cancelling;
        var grants = plan.Waves.Select((_, wave) => Sum(plan.Shares, wave)).ToImmutableArray();
        _plan = plan with { Shares = [new SharePlan(0, 0, grants)], BurnUp = null };
        _totals = [.. plan.Waves.Select((wave, i) => Reachable(wave.Totals, grants[i]))];
        _waves = new SimulatedWaves([.. plan.Waves.Select(wave => wave.Cut)], [.. _totals.Select(totals => totals.WaitingOffline)]);
        _isOpen = [.. plan.Waves.Select(wave => wave.IsOpen)];
        _steps = [.. _totals.Select(totals => totals.Steps is { } steps ? StepPool.Of(steps.Counts) : null)];
        _stepped = [.. _totals.Select(_ => new Queue<SimulatedAttempt>())];
        _retries = [.. _totals.Select((totals, wave) => new Queue<SimulatedAttempt>(
            Enumerable.Range(0, totals.RetryingOnline).Select(_ => SimulatedAttempt.Of(1, DrawSteps(wave)))))];
        for (var wave = 0; wave < _totals.Length; wave++)
        {
            GoOn(wave, plan.Waves[wave].Totals.Installing, plan.Waves[wave].StartedAt ?? now);
        }
    }

    /// <summary>Looks of the planner so far.</summary>
    public int Steps { get; private set; }

    /// <summary>The plan of the last look.</summary>
    public RolloutPlan Reached => _plan;

    private static WaveGrant Sum(ImmutableArray<SharePlan> shares, int wave) => shares.Aggregate(default(WaveGrant), (sum, share) => new(
        sum.Granted + share.Waves[wave].Granted,
        sum.Seen + share.Waves[wave].Seen,
        sum.Offered + share.Waves[wave].Offered));

    /// <summary>Budgets per value are not simulated: who waits for one could be offered the change now.</summary>
    private static ShareTotals Reachable(ShareTotals totals, WaveGrant grant) => totals with
    {
        GrantSeen = grant.Seen,
        Offered = grant.Offered,
        RetryingOnline = totals.RetryingOnline + totals.RetryingGroupFull,
        WaitingGroupFull = 0,
        RetryingGroupFull = 0,
        Installing = 0,
        AwaitingInstall = 0,
    };

    /// <summary>
    /// What devices of the wave are in the middle of: those whose time runs since then, and the others begin anew, with install windows
    /// when they may; who is asked to give the change up waits for no window.
    /// </summary>
    private void GoOn(int wave, int installing, DateTimeOffset openedAt)
    {
        var totals = _totals[wave];
        var since = totals.Since?.Times(_spec.Timers).ToArray() ?? [];
        var steps = totals.StepsInProgress is { } known ? StepPool.Of(known.Counts) : null;
        for (var i = 0; i < totals.InProgress; i++)
        {
            var attempt = SimulatedAttempt.Of(0, steps?.Draw(_devices) ?? 0);
            Try(wave, attempt, hasBegun: _wasCancelled || i < installing, i < since.Length ? since[i] : null);
        }

        for (var i = totals.RetryingOnline; i < totals.Retrying; i++)
        {
            var next = new DeviceEvent(wave, What.MayRetry, default, SimulatedAttempt.Of(1, DrawSteps(wave)));
            _events.Enqueue(next, _now + (_spec.Retries?.Backoff ?? TimeSpan.Zero));
        }

        for (var i = 0; i < totals.WaitingBusy; i++)
        {
            _events.Enqueue(new DeviceEvent(wave, What.ComesFree, default, default), _now + _devices.Leave());
        }

        if (_isOpen[wave])
        {
            AwaitReturns(wave, openedAt);
        }
    }
}
