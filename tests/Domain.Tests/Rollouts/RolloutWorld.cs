using System.Collections.Immutable;
using Muster.Domain.Devices;
using Muster.Domain.Rollouts;
using static Muster.Domain.Tests.Rollouts.RolloutBuilder;

namespace Muster.Domain.Tests.Rollouts;

/// <summary>
/// A rollout with devices, shares and a coordinator that crashes, loses, repeats and delays messages. It knows the truth and
/// throws when a step breaks an invariant.
/// </summary>
internal sealed class RolloutWorld
{
    private readonly Random _random;
    private readonly RolloutSpec _spec;
    private readonly bool _regressions;
    private readonly List<WorldShare> _shares = [];
    private readonly List<Message> _messages = [];
    private readonly Dictionary<int, ShareReport> _known = [];
    private readonly List<DateTimeOffset> _offerTimes = [];
    private RolloutPlan _committed = RolloutPlan.Draft;
    private RolloutPlan _memory;
    private long _fence;
    private DateTimeOffset _now = Start;

    public RolloutWorld(int seed, RolloutSpec spec, int partitions, int members, bool regressions)
    {
        _random = new Random(seed);
        _spec = spec;
        _regressions = regressions;
        ImmutableArray<(int Partition, MemberPoint Point)> points =
            [.. Enumerable.Range(0, members).Select(i => (i % partitions, MemberPoint.Of(Device(i), seed, _random.Next(4) > 0)))];
        var all = points.Select(point => point.Point).ToImmutableArray();
        var buckets = Enumerable.Range(0, MemberHistogram.Buckets)
            .ToDictionary(bucket => bucket, bucket => all.Where(point => point.Bucket == bucket).ToImmutableArray());
        var cuts = WaveCutter.Cut(spec.Waves, MemberHistogram.Of(all), buckets).Cuts;
        for (var partition = 0; partition < Math.Min(partitions, members); partition++)
        {
            var mine = points.Where(point => point.Partition == partition).Select(point => point.Point);
            _shares.Add(new WorldShare(partition, cuts.Length, [.. mine.Select(point => WaveCut.WaveOf(cuts, point))]));
        }

        var frozen = new FrozenMembers(cuts, [.. _shares.Select(share => share.Partition)]);
        Commit(RolloutLifecycle.Start(_committed, spec, frozen, RolloutBuilder.Order(_now)).Next);
        _memory = _committed;
    }

    public RolloutPlan Plan => _committed;

    public void Step()
    {
        _now += TimeSpan.FromSeconds(_random.Next(12));
        switch (_random.Next(20))
        {
            case < 8:
                PlanAndSend(loss: 3);
                break;
            case < 11 when _messages.Count > 0:
                Deliver(_messages[^_random.Next(1, Math.Min(_messages.Count, 12) + 1)]); // late, again, or of a dead coordinator
                break;
            case < 13:
                Hear(_shares[_random.Next(_shares.Count)].OldReports.LastOrDefault());
                break;
            case < 17:
                MoveDevices();
                break;
            case 17:
                // Crash: what was not committed is gone.
                _memory = _committed;
                _known.Clear();
                Obey(RolloutLifecycle.TakeOver(_memory, Id));
                break;
            default:
                Operate();
                break;
        }
    }

    /// <summary>Everything works from here on, and an operator resumes whatever stopped.</summary>
    public void RunToTheEnd()
    {
        for (var i = 0; i < 2_000 && !_committed.IsTerminal; i++)
        {
            _now += TimeSpan.FromSeconds(20);
            foreach (var member in _shares.SelectMany(share => share.Members))
            {
                member.Online = true;
                member.End(member.State == MemberState.InProgress ? MemberState.Succeeded : member.State);
            }

            foreach (var share in _shares)
            {
                Hear(share.Report());
            }

            if (_memory.State is RolloutState.Paused or RolloutState.Suspended)
            {
                Obey(RolloutLifecycle.Resume(_memory, _spec, accept: true, RolloutBuilder.Order(_now, "go on")));
            }

            PlanAndSend(loss: 0);
        }
    }

    private void PlanAndSend(int loss)
    {
        var input = new RolloutPlanInput(Id, _spec, _memory, [.. _known.Values], _now);
        var (next, report) = RolloutPlanner.Plan(input);
        Demand(PlanChecks.CheckStep(_memory, next).IsEmpty, string.Join(' ', PlanChecks.CheckStep(_memory, next)));
        CheckPassed(report);
        _memory = next;
        if (!report.Facts.IsEmpty)
        {
            Commit(next);
        }

        foreach (var share in _shares)
        {
            var plan = _committed.Shares.Single(one => one.Partition == share.Partition);
            long[] granted = [.. plan.Waves.Select(grant => grant.Granted)];
            var message = new Message(share.Partition, _committed.Epoch, _committed.State == RolloutState.Running, granted);
            _messages.Add(message);
            if (_random.Next(10) >= loss)
            {
                var answer = Deliver(message);
                if (_random.Next(10) >= loss)
                {
                    Hear(answer);
                }
            }
        }
    }

    /// <summary>Null when the share crashed before it could answer.</summary>
    private ShareReport? Deliver(Message message)
    {
        var share = _shares.Single(one => one.Partition == message.Share);
        share.OldReports.Add(share.Report());
        share.Look(_random.Next(2) == 0);
        var grant = new PermitGrant([.. message.Granted], message.Epoch, message.IsOffering, _now);
        if (!share.TakePermits(grant, _fence))
        {
            return null; // the store refused the commit
        }

        foreach (var offer in share.State.Open.Where(offer => !offer.IsConfirmed))
        {
            if (_random.Next(40) == 0)
            {
                share.Crash();
                return null;
            }

            share.Take(offer, Ask(share.Members[offer.Member], offer), _now);
        }

        return share.Report();
    }

    /// <summary>What the device answers; null when the answer is lost, with or without an effect.</summary>
    private MemberState? Ask(WorldMember member, OpenOffer offer)
    {
        var lost = _random.Next(8);
        if (lost == 0)
        {
            return null;
        }

        if (member is { State: MemberState.Waiting, Online: true } && offer.Epoch == _fence)
        {
            if (_random.Next(20) == 0)
            {
                member.State = MemberState.Skipped;
            }
            else
            {
                Offer(member, offer.Epoch);
            }
        }

        return lost == 1 ? null : member.State;
    }

    private void Offer(WorldMember member, long epoch)
    {
        member.State = MemberState.InProgress;
        member.Tell(new ChangeOffered(Id, epoch, 1, ""));
        _offerTimes.Add(_now);
        Demand(_committed.State == RolloutState.Running, $"I12: offered while {_committed.State}");
        Demand(_committed.Waves[member.Wave].IsOpen, "offered in a wave that is not open");
        var inProgress = _shares.Sum(one => one.Members.Count(other => other.State == MemberState.InProgress));
        Demand(inProgress <= OfferPermits.UnavailableMax(_spec.MaxUnavailable, _committed.Members), "I3: budget");
        if (_spec.DevicesPerMinute > 0)
        {
            var recent = _offerTimes.Count(at => at > _now - RolloutLimits.RateWindow);
            Demand(recent <= _spec.DevicesPerMinute, "I3: rate");
        }
    }

    private void MoveDevices()
    {
        foreach (var share in _shares)
        {
            share.OldReports.Add(share.Report());
            foreach (var member in share.Members.Where(_ => _random.Next(3) == 0))
            {
                member.Online = _random.Next(5) > 0;
                switch (member.State)
                {
                    case MemberState.InProgress:
                        member.End(Outcome());
                        break;
                    case MemberState.Waiting when _random.Next(30) == 0:
                        member.State = MemberState.Removed;
                        member.Tell(null);
                        break;
                    case MemberState.Succeeded when _regressions && _random.Next(30) == 0:
                        member.End(MemberState.Failed);
                        break;
                    default:
                        break;
                }
            }
        }
    }

    private MemberState Outcome() => _random.Next(24) switch
    {
        0 => MemberState.Failed,
        1 => MemberState.TimedOut,
        2 => MemberState.Rejected,
        3 => MemberState.Removed,
        4 => MemberState.Waiting, // no message was handed over: the permit is free again
        < 9 => MemberState.InProgress,
        _ => MemberState.Succeeded,
    };

    private void Operate()
    {
        var order = RolloutBuilder.Order(_now, "because");
        Obey(_random.Next(12) switch
        {
            < 4 => RolloutLifecycle.Pause(_memory, order),
            < 11 => RolloutLifecycle.Resume(_memory, _spec, accept: _random.Next(3) == 0, order),
            _ => _random.Next(4) == 0 ? RolloutLifecycle.Cancel(_memory, order) : Decision.Unchanged(_memory),
        });
    }

    private void Obey(Decision<RolloutPlan> decision)
    {
        if (decision.Events.IsEmpty)
        {
            return;
        }

        Demand(PlanChecks.CheckStep(_memory, decision.Next).IsEmpty, "a command broke the plan");
        _memory = decision.Next;
        Commit(decision.Next);
    }

    private void Commit(RolloutPlan plan)
    {
        var wrong = PlanChecks.Check(_spec, plan).AddRange(PlanChecks.CheckStep(_committed, plan));
        Demand(wrong.IsEmpty, string.Join(' ', wrong));
        var over = plan.State == RolloutState.Succeeded;
        Demand(!over || _shares.All(share => share.Members.All(member => member.State > MemberState.InProgress)), "succeeded too early");
        _committed = plan;
        _fence = Math.Max(_fence, plan.Epoch); // raised in all partitions before the acknowledgement
    }

    private void CheckPassed(RolloutReport report)
    {
        foreach (var passed in report.Facts.OfType<WavePassed>().Where(fact => fact.Reason == PlanReasons.WavePassed))
        {
            var gate = _spec.Waves[_memory.Waves[passed.Wave].Cut.Spec];
            var counted = passed.Totals.Members - passed.Totals.Removed - passed.Totals.Skipped;
            var truth = _shares.SelectMany(share => share.Members)
                .Count(member => member.Wave == passed.Wave && member.State == MemberState.Succeeded);
            Demand(passed.Totals.Succeeded * 100 >= gate.SuccessPercent * counted, "advanced below its threshold");
            Demand(_regressions || passed.Totals.Succeeded <= truth, "counted a success that is none");
        }
    }

    private void Hear(ShareReport? report)
    {
        if (report is not null)
        {
            _known[report.Partition] = report; // also an older one: the planner must not care
        }
    }

    private static void Demand(bool condition, string what)
    {
        if (!condition)
        {
            throw new InvalidOperationException(what);
        }
    }

    private sealed record Message(int Share, long Epoch, bool IsOffering, long[] Granted);
}
