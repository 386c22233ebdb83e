using System.Collections.Immutable;
using Muster.Domain.Rollouts;
using static Muster.Domain.Tests.Rollouts.RolloutBuilder;

namespace Muster.Domain.Tests.Rollouts;

/// <summary>
/// A rollout with devices, shares and a coordinator that crashes, loses, repeats and delays messages. It knows the truth and
/// throws when a step breaks an invariant.
/// </summary>
internal sealed partial class RolloutWorld
{
    private readonly Random _random;
    private readonly RolloutSpec _spec;
    private readonly bool _regressions;
    private readonly int _frozen;
    private readonly List<WorldShare> _shares = [];
    private readonly List<Message> _messages = [];
    private readonly Dictionary<int, ShareReport> _known = [];
    private readonly List<DateTimeOffset> _offerTimes = [];
    private readonly Dictionary<int, (string Etag, int Failed, long Epoch)> _seen = [];
    private readonly HashSet<int> _approved = [];
    private readonly ImmutableArray<Rival> _rivals;
    private readonly int[] _reached = new int[Enum.GetValues<Reached>().Length];
    private RolloutPlan _committed = RolloutPlan.Draft;
    private RolloutReplay _replay = new();
    private RolloutPlan _memory;
    private long _fence;
    private DateTimeOffset _now = Start;

    public RolloutWorld(int seed, RolloutSpec spec, int partitions, int members, bool regressions)
    {
        _random = new Random(seed);
        _spec = spec;
        _regressions = regressions;
        _frozen = members;
        ImmutableArray<(int Partition, MemberPoint Point)> points =
            [.. Enumerable.Range(0, members).Select(i => (i % partitions, MemberPoint.Of(Device(i), seed, _random.Next(4) > 0)))];
        if (WaveSorting.Of(spec.Waves) is { } sorting)
        {
            points = [.. points.Select(point => point with { Point = point.Point with { Class = AnyClass(sorting) } })];
        }

        var cuts = WaveCutter.Cut(spec.Waves, [.. points.Select(point => point.Point)]);
        var waves = LateJoiners.AddWave(cuts, spec).Length;
        for (var partition = 0; partition < (spec.IncludeLateJoiners ? partitions : Math.Min(partitions, members)); partition++)
        {
            var mine = points.Where(point => point.Partition == partition).Select(point => point.Point);
            _shares.Add(new WorldShare(spec, partition, waves, [.. mine.Select(point => WaveCut.WaveOf(cuts, point))]));
        }

        DrawSteps();
        _rivals = DrawRivals();
        var frozen = new FrozenMembers(cuts, [.. _shares.Select(share => share.Partition)]);
        var started = RolloutLifecycle.Start(_committed, spec, frozen, RolloutBuilder.Order(_now));
        Commit(started.Next, started.Events);
        _memory = _committed;
    }

    public RolloutPlan Plan => _committed;

    /// <summary>How often it came to that.</summary>
    public int CountOf(Reached what) => what switch
    {
        Reached.GivenUpThere => _shares.Sum(share => share.GivenUpThere),
        Reached.Lost => _shares.Sum(share => share.Lost),
        _ => _reached[(int)what],
    };

    /// <summary>Whatever the filters say and the fields are.</summary>
    private MemberClass AnyClass(WaveSorting sorting)
    {
        var matches = sorting.Filters.Select((filter, i) => filter.Length > 0 && _random.Next(2) == 0 ? 1u << i : 0);
        return new(matches.Aggregate(0u, (mask, bit) => mask | bit), [.. sorting.Fields.Select(_ => $"value-{_random.Next(3)}")]);
    }

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
                var isDark = OfferInTheDark();
                _memory = _committed;
                _known.Clear();
                Obey(RolloutLifecycle.TakeOver(_memory, Id));
                if (isDark)
                {
                    StopInTheDark();
                }

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
                (member.Online, member.IsGroupFull, member.IsUnread) = (true, false, false);
                EndAtLast(member);
                EndRival(member, isTakenBack: false);
            }

            foreach (var share in _shares)
            {
                share.IsBehind = false;
                Hear(share.Report(_now));
            }

            if (_memory.State is RolloutState.Paused or RolloutState.Suspended)
            {
                Obey(RolloutLifecycle.Resume(_memory, _spec, accept: true, RolloutBuilder.Order(_now, "go on")));
            }

            Approve(stale: false);

            PlanAndSend(loss: 0);
        }
    }

    private void PlanAndSend(int loss)
    {
        HearOfSteps();
        var input = new RolloutPlanInput(Id, _spec, _memory, [.. _known.Values], _now);
        var (next, report) = RolloutPlanner.Plan(input);
        Demand(PlanChecks.CheckStep(_spec, _memory, next).IsEmpty, string.Join(' ', PlanChecks.CheckStep(_spec, _memory, next)));
        CheckPassed(report);
        CheckApproved(report);
        CheckAborted(report);
        CheckRolledBack(report, next);
        _memory = next;
        if (!report.Facts.IsEmpty)
        {
            Commit(next, report.Facts);
        }

        foreach (var share in _shares)
        {
            var plan = _committed.Shares.Single(one => one.Partition == share.Partition);
            var message = new Message(share.Partition, _committed.Epoch, _committed.IsOffering)
            {
                Granted = [.. plan.Waves.Select(grant => grant.Granted)],
                OpenedAt = [.. _committed.Waves.Select(wave => wave.StartedAt)],
                IsRollingBack = _committed.RollBack is not null,
                Joining = LateJoiners.JoiningOf(_committed),
                IsCancelling = _committed.State == RolloutState.Cancelling,
                RevokedSteps = _committed.RevokedSteps,
            };
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
        var isOpen = OfferWindow.IsOpen(_spec.Windows, _now);
        share.OldReports.Add(share.LastReport(_now));
        share.Look(fresh: _random.Next(2) == 0, _now);
        if (message.IsRollingBack)
        {
            share.Turn(message.Granted, _now);
        }

        if (share.LetIn(message.Joining, looks: _random.Next(3) == 0, message.Epoch, _fence, _now) && _random.Next(4) == 0)
        {
            return null; // a crash between the commit and the report: it was all committed
        }

        if (message.IsRollingBack == RollBackRules.HasBegun(share.State))
        {
            share.GiveUp(message.OpenedAt, _now);
        }

        var grant = new PermitGrant(message.Granted, message.Epoch, message.IsOffering && isOpen, _now);
        if (!share.TakePermits(grant, _fence))
        {
            return null; // the store refused the commit
        }

        // An order of the way there that comes late asks nobody on his way back to give up.
        var isCancelling = message.IsCancelling && message.IsRollingBack == RollBackRules.HasBegun(share.State);
        foreach (var offer in share.State.Open.Where(offer => !offer.IsConfirmed
            || isCancelling
            || _random.Next(3) == 0 // its time may be over
            || RollBackRules.IsOnTheWayThere(share.State, offer.Member)
            || !message.RevokedSteps.IsEmpty))
        {
            if (_random.Next(40) == 0)
            {
                share.Crash();
                return null;
            }

            var (member, retry) = (share.Members[offer.Member], ShareRules.RetryOf(share.State, offer.Member));
            var answer = member.IsUnread ? null
                : RollBackRules.IsOnTheWayThere(share.State, offer.Member) ? TakeBack(member, retry)
                : isOpen && OfferAsks.MayOffer(offer, _spec.Timers, _now) ? Ask(member, offer, retry)
                : isCancelling ? Recall(member, offer, retry)
                : offer.IsConfirmed && IsGivenUp(message, member, retry) ? TakeBackStep(member, retry)
                : member.Answer(retry);
            CountUnconfirmed(share.State, offer, answer);
            share.Take(offer, answer, _now);
        }

        share.AwaitTurns(message.OpenedAt, message.IsOffering && isOpen ? Rank : null, _now);
        if (_random.Next(12) == 0)
        {
            share.Crash(); // what devices said of their offers is committed with the next change alone
            return null;
        }

        return share.Report(_now);
    }

    private void MoveDevices()
    {
        foreach (var share in _shares)
        {
            share.OldReports.Add(share.LastReport(_now));
            Arrive(share);
            share.IsBehind = _random.Next(2) == 0;
            foreach (var member in share.Members.Where(_ => _random.Next(3) == 0))
            {
                member.IsUnread = _random.Next(20) is var drawn && (member.IsUnread ? drawn > 0 : drawn == 0);
                if (member.IsUnread)
                {
                    continue;
                }

                member.Online = _random.Next(5) > 0;
                member.IsGroupFull = !_spec.MaxUnavailablePer.IsEmpty && _random.Next(3) == 0;
                MoveRivals(member);
                switch (member.State)
                {
                    case MemberState.InProgress when !_spec.InstallWindows.IsEmpty && _random.Next(3) == 0:
                        member.Install(OfferWindow.IsOpen(_spec.InstallWindows, _now), _now);
                        break;
                    case MemberState.InProgress when member.IsRecalled && _random.Next(3) == 0:
                        member.GiveUp(_now);
                        break;
                    case MemberState.InProgress:
                        EndSomehow(member);
                        break;
                    case not (MemberState.InProgress or MemberState.Removed) when _random.Next(40) == 0:
                        Count(member.State > MemberState.InProgress ? Reached.LeftBehindAnOutcome : Reached.LeftBefore);
                        member.Leave(_now);
                        break;
                    case MemberState.Succeeded when _regressions && member.RunsTarget && _random.Next(30) == 0:
                        member.End(MemberState.Failed, _now);
                        break;
                    default:
                        break;
                }
            }
        }
    }

    private void Operate()
    {
        var order = RolloutBuilder.Order(_now, "because");
        if (_random.Next(3) == 0)
        {
            Approve(stale: _random.Next(2) == 0);
            return;
        }

        RevokeStep();
        Obey(_random.Next(12) switch
        {
            < 4 => RolloutLifecycle.Pause(_memory, order),
            < 11 => RolloutLifecycle.Resume(_memory, _spec, accept: _random.Next(3) == 0, order),
            _ => _random.Next(4) switch
            {
                0 => RolloutLifecycle.Cancel(_memory, order),
                1 => RollBackOrders.RollBack(RolloutOf(_spec, _memory), 0, [], order),
                _ => Decision.Unchanged(_memory),
            },
        });
    }

    /// <summary>Approves the wave that waits, or what somebody saw of it some time ago; its creator tries too.</summary>
    private void Approve(bool stale)
    {
        for (var wave = 0; wave < _memory.Waves.Length; wave++)
        {
            var now = (Etag: _memory.ApprovalEtag(wave), _memory.Waves[wave].Totals.FailedNow, _memory.Epoch);
            var seen = stale ? _seen.GetValueOrDefault(wave, ("", 0, 0)) : now;
            _seen[wave] = now;
            var rollout = RolloutOf(_spec, _memory);
            Demand(RolloutApprovals.ApproveWave(rollout, wave, Approval(now.Etag, Anna, _now)).Error is not null, "the creator approved");
            var decision = RolloutApprovals.ApproveWave(rollout, wave, Approval(seen.Etag, Bert, _now));
            Demand(decision.Events.IsEmpty || seen == now, "approved what is not there any more");
            if (!decision.Events.IsEmpty)
            {
                _approved.Add(wave);
            }

            Obey(decision);
        }
    }

    private void Obey(Decision<RolloutPlan> decision)
    {
        if (decision.Events.IsEmpty)
        {
            return;
        }

        Demand(PlanChecks.CheckStep(_spec, _memory, decision.Next).IsEmpty, "a command broke the plan");
        _memory = decision.Next;
        Commit(decision.Next, decision.Events);
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

    private sealed record Message(int Share, long Epoch, bool IsOffering)
    {
        public required ImmutableArray<long> Granted { get; init; }

        public required ImmutableArray<DateTimeOffset?> OpenedAt { get; init; }

        public required bool IsRollingBack { get; init; }

        public required Joining Joining { get; init; }

        public required bool IsCancelling { get; init; }

        public required ImmutableArray<string> RevokedSteps { get; init; }
    }
}
