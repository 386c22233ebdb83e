using Muster.Domain.Devices;

namespace Muster.Domain.Rollouts;

/// <summary>One run: the planner, one share that is only counts, and the events of devices in order of time.</summary>
internal sealed partial class SimulatedCoordinator
{
    /// <summary>Grants go out one after the other at about this distance in a fleet of many partitions.</summary>
    private static readonly TimeSpan Round = TimeSpan.FromMilliseconds(50);

    /// <summary>What happens within this time is planned for together; a long rollout is looked at more seldom.</summary>
    private static readonly TimeSpan StepMin = TimeSpan.FromSeconds(1);

    /// <summary>A sixth of the rate's window: the pace stays true.</summary>
    private static readonly TimeSpan StepMax = TimeSpan.FromSeconds(10);

    private const int StepsBeforeSeldom = 256;

    private static readonly ResourceId Id = ResourceId.TryParse("simulation", out var id) ? id : throw new UnreachableException();

    private readonly RolloutSpec _spec;
    private readonly SimulatedWaves _waves;
    private readonly SimulatedDevices _devices;
    private readonly DateTimeOffset _start;
    private readonly ShareTotals[] _totals;
    private readonly bool[] _isOpen;
    private readonly Queue<SimulatedAttempt>[] _retries;

    /// <summary>Waiting members that have taken a step: they stand before those that were not offered anything yet.</summary>
    private readonly Queue<SimulatedAttempt>[] _stepped;

    /// <summary>By wave: what steps are before those that were not offered anything yet; null where there are none.</summary>
    private readonly StepPool?[] _steps;
    private readonly PriorityQueue<DeviceEvent, DateTimeOffset> _events = new();
    private RolloutPlan _plan;
    private DateTimeOffset _now;
    private long _version;
    private int _touched;

    public SimulatedCoordinator(RolloutSpec spec, SimulatedWaves waves, SimulatedDevices devices)
    {
        (_spec, _waves, _devices) = (spec, waves, devices);
        _now = _start = DateTimeOffset.UnixEpoch;
        _totals = [.. waves.Cuts.Select((cut, i) => new ShareTotals
        {
            Members = cut.Members,
            Waiting = cut.Members,
            WaitingOffline = waves.Away[i],
        })];
        _isOpen = new bool[_totals.Length];
        _retries = [.. _totals.Select(_ => new Queue<SimulatedAttempt>())];
        _stepped = [.. _totals.Select(_ => new Queue<SimulatedAttempt>())];
        var steps = StepPool.Of(waves.Steps); // of all waves: any member may have them
        _steps = [.. _totals.Select(_ => steps)];
        var order = new RolloutOrder(Id, Actor.Rule("simulation"), "", _now);
        var started = RolloutLifecycle.Start(RolloutPlan.Draft, spec, new FrozenMembers(waves.Cuts, [0]), order).Next;

        // Nobody looks at the course of a run.
        _plan = started with { BurnUp = null };
    }

    public SimulatedRollout Run()
    {
        for (; _now - _start < RolloutSimulation.TimeMax && Steps < _stepsMax; Steps++)
        {
            var report = Plan();
            if (_plan.State != RolloutState.Running && !(_wasCancelled && _plan.State == RolloutState.Cancelling))
            {
                return End(_plan.State == RolloutState.Succeeded ? SimulationEnd.Succeeded : SimulationEnd.Halted);
            }

            OpenWaves();
            var hasOffered = Offer();
            if (NextLookAt(report.NextLookAt, hasOffered || LateJoiners.IsEnding(_plan), Steps) is not { } next)
            {
                break;
            }

            _now = next;
            Happen();
        }

        return End(SimulationEnd.Unfinished);
    }

    private RolloutReport Plan()
    {
        // Of a rollout that is under way: who has joined is in its totals, and nobody else does.
        var share = new ShareReport(0, ++_version, [.. _totals]) { JoiningHasEnded = true };
        (_plan, var report) = RolloutPlanner.Plan(new RolloutPlanInput(Id, _spec, _plan, [share], _now));
        return report;
    }

    /// <summary>A member that is away has its turn when its wave opens, and from then on so long to come back.</summary>
    private void OpenWaves()
    {
        for (var wave = 0; wave < _isOpen.Length; wave++)
        {
            if (_isOpen[wave] || !_plan.Waves[wave].IsOpen)
            {
                continue;
            }

            _isOpen[wave] = true;
            AwaitReturns(wave, _now);
        }
    }

    private void AwaitReturns(int wave, DateTimeOffset openedAt)
    {
        var until = _spec.UndeliveredPolicy == TimeoutPolicy.Wait ? DateTimeOffset.MaxValue : openedAt + _spec.UndeliveredTimeout;
        for (var i = 0; i < _waves.Away[wave]; i++)
        {
            var returns = _start + _devices.Return();
            _events.Enqueue(
                new DeviceEvent(wave, returns < until ? What.Returns : What.IsGivenUp, default, default),
                returns < until ? returns : until);
        }
    }

    /// <summary>
    /// Uses the permits for those that are there: first for those between two steps, each of which is an offer of its own, then for those
    /// that were not offered anything yet; the others lapse.
    /// </summary>
    private bool Offer()
    {
        var offered = 0L;
        for (var wave = 0; wave < _totals.Length; wave++)
        {
            var totals = _totals[wave];
            var granted = _plan.Shares[0].Waves[wave].Granted;
            var count = (int)Math.Min(granted - totals.GrantSeen, totals.Ready);
            var first = Math.Min(count, totals.WaitingOnline);
            var stepped = Math.Min(first, _stepped[wave].Count);
            for (var i = 0; i < count; i++)
            {
                Try(wave, i < stepped ? _stepped[wave].Dequeue() : i < first ? FirstOf(wave) : _retries[wave].Dequeue());
            }

            offered += count;
            _touched += first - stepped;
            _totals[wave] = totals with
            {
                GrantSeen = granted,
                Offered = totals.Offered + count,
                Waiting = totals.Waiting - first,
                Retrying = totals.Retrying - (count - first),
                RetryingOnline = totals.RetryingOnline - (count - first),
            };
        }

        return offered > 0;
    }

    private SimulatedAttempt FirstOf(int wave) => SimulatedAttempt.Of(0, DrawSteps(wave));

    private int DrawSteps(int wave) => _steps[wave]?.Draw(_devices) ?? 0;

    private void Try(int wave, SimulatedAttempt attempt, bool hasBegun = false, DateTimeOffset? since = null)
    {
        if (_devices.Try(_now, attempt, hasBegun, since) is { } end)
        {
            _events.Enqueue(new DeviceEvent(wave, What.Ends, end.Outcome, attempt), _now + end.After);
        }
    }

    private DateTimeOffset? NextLookAt(DateTimeOffset? planned, bool moves, int steps)
    {
        if (moves)
        {
            return _now + Round;
        }

        var next = _events.TryPeek(out _, out var at) && !(planned < at) ? at : planned;
        var step = steps < StepsBeforeSeldom ? StepMin : StepMax;
        return next is null || next > _now + step ? next : _now + step;
    }

    private void Happen()
    {
        while (_events.TryPeek(out var what, out var at) && at <= _now)
        {
            _events.Dequeue();
            var totals = _totals[what.Wave];
            _totals[what.Wave] = what.What switch
            {
                What.Returns => totals with { WaitingOffline = totals.WaitingOffline - 1 },
                What.IsGivenUp => GiveUp(totals, what.Wave),
                What.ComesFree => totals with { WaitingBusy = totals.WaitingBusy - 1 },
                What.Ends when what.Outcome == ChangeOutcome.StepTaken => TakeStep(totals, what),
                What.Ends when what.Outcome != ChangeOutcome.Succeeded && RetryAt(what, at) is { } next => WaitForRetry(totals, what, next),
                What.Ends => Close(totals, what.Outcome, _spec.InProgressPolicy),
                What.MayRetry => TakeRetry(totals, what),
                _ => throw new UnreachableException($"A simulated device {what.What}."),
            };
        }
    }

    private ShareTotals GiveUp(ShareTotals totals, int wave)
    {
        DrawSteps(wave); // whatever they are: nobody takes them
        return Close(
            totals with { Waiting = totals.Waiting - 1, WaitingOffline = totals.WaitingOffline - 1 },
            ChangeOutcome.TimedOut,
            _spec.UndeliveredPolicy);
    }

    /// <summary>It waits for the next offer of its attempt, which needs a permit as every offer does.</summary>
    private ShareTotals TakeStep(ShareTotals totals, DeviceEvent step)
    {
        _stepped[step.Wave].Enqueue(step.Attempt.TakeStep());
        return totals with { Waiting = totals.Waiting + 1 };
    }

    private DateTimeOffset? RetryAt(DeviceEvent end, DateTimeOffset at) =>
        end.Outcome == ChangeOutcome.TimedOut && _spec.InProgressPolicy == TimeoutPolicy.LeaveOut
            ? null
            : _spec.Retries?.NextAfter(new MemberOutcome(end.Outcome, end.Attempt.Retry, "", at), _devices.Place());

    private ShareTotals WaitForRetry(ShareTotals totals, DeviceEvent end, DateTimeOffset next)
    {
        _events.Enqueue(end with { What = What.MayRetry, Attempt = end.Attempt.Next() }, next);
        return totals with { Retrying = totals.Retrying + 1 };
    }

    private ShareTotals TakeRetry(ShareTotals totals, DeviceEvent retry)
    {
        _retries[retry.Wave].Enqueue(retry.Attempt);
        return totals with { RetryingOnline = totals.RetryingOnline + 1 };
    }

    private static ShareTotals Close(ShareTotals totals, ChangeOutcome outcome, TimeoutPolicy policy) => outcome switch
    {
        ChangeOutcome.Succeeded => totals with { Succeeded = totals.Succeeded + 1 },
        ChangeOutcome.Failed => totals with { Failed = totals.Failed + 1 },
        ChangeOutcome.TimedOut when policy == TimeoutPolicy.LeaveOut => totals with { Skipped = totals.Skipped + 1 },
        ChangeOutcome.TimedOut => totals with { TimedOut = totals.TimedOut + 1 },
        _ => throw new UnreachableException($"A simulated device ended with {outcome}."),
    };

    private SimulatedRollout End(SimulationEnd end)
    {
        var wave = Array.FindLastIndex(_isOpen, isOpen => isOpen);
        return new SimulatedRollout(end, _now - _start, _touched, Math.Max(0, wave));
    }

    private enum What : byte
    {
        /// <summary>It was away and is back.</summary>
        Returns,

        /// <summary>It was away for too long.</summary>
        IsGivenUp,

        /// <summary>Another rollout had it, and has ended there.</summary>
        ComesFree,

        /// <summary>Its attempt has an outcome.</summary>
        Ends,

        /// <summary>Its back-off is over.</summary>
        MayRetry,
    }

    /// <param name="Wave">Of the device.</param>
    /// <param name="What">What happens.</param>
    /// <param name="Outcome">Of an attempt that ends.</param>
    /// <param name="Attempt">The attempt that ends, or may begin.</param>
    private readonly record struct DeviceEvent(int Wave, What What, ChangeOutcome Outcome, SimulatedAttempt Attempt);
}
