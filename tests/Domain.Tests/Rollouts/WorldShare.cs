using System.Collections.Immutable;
using Muster.Domain.Devices;
using Muster.Domain.Rollouts;

namespace Muster.Domain.Tests.Rollouts;

/// <summary>A share as its grain drives it: what is not committed is gone after a crash, and the feed is read to its head.</summary>
internal sealed class WorldShare
{
    /// <summary>Whatever goes back, or is taken, does so later than its own offer is read.</summary>
    private static readonly TimeSpan TailLatenessMax = OfferHandover.WaitMax / 2;

    private readonly RolloutSpec _spec;
    private readonly int _waveCount;
    private ImmutableArray<byte> _waves;
    private MemberReach[] _reach;
    private readonly Dictionary<int, DateTimeOffset> _busyUntil = [];
    private readonly Dictionary<int, DateTimeOffset> _turnsAsked = [];
    private readonly List<WorldEntry> _feed = [];
    private RolloutShare _committed;

    public WorldShare(RolloutSpec spec, int partition, int waveCount, ImmutableArray<int> waves)
    {
        _spec = spec;
        Partition = partition;
        _waveCount = waveCount;
        _waves = [.. waves.Select(wave => (byte)wave)];
        _reach = new MemberReach[waves.Length];
        Members = [.. waves.Select((wave, i) => new WorldMember(i, wave, _feed))];
        _committed = State = ShareRules.Freeze(Guid.Empty, 0, waves.Length);
    }

    public int Partition { get; }

    public ImmutableArray<WorldMember> Members { get; private set; }

    /// <summary>Devices that match since the freeze and are no members, and since when.</summary>
    public List<(DeviceId Device, DateTimeOffset At)> Outside { get; } = [];

    public RolloutShare State { get; private set; }

    public List<ShareReport> OldReports { get; } = [];

    /// <summary>How many were given up although they were there.</summary>
    public int GivenUpThere { get; private set; }

    /// <summary>How many permits were given up because nobody knew what became of them.</summary>
    public int Lost { get; private set; }

    /// <summary>
    /// The tail of its partition's feed is late, by less than an offer looks for a connection: what devices have answered is ahead of what
    /// can be read.
    /// </summary>
    public bool IsBehind { get; set; }

    public void Crash()
    {
        State = _committed;
        _busyUntil.Clear();
        _turnsAsked.Clear();
    }

    /// <summary>Presence, which may be what was known before, and the feed as far as its tail knows.</summary>
    public void Look(bool fresh, DateTimeOffset now)
    {
        for (var i = 0; fresh && i < _reach.Length; i++)
        {
            _reach[i] = !Members[i].Online ? MemberReach.Offline
                : Members[i].Turns.Holder is not null || (_busyUntil.TryGetValue(i, out var until) && now < until) ? MemberReach.Busy
                : Members[i].IsGroupFull ? MemberReach.GroupFull
                : MemberReach.Online;
        }

        ReadFeed(now);
    }

    /// <summary>Whom other rollouts have hears now and then that this one waits; never while it may offer nothing.</summary>
    public void AwaitTurns(ImmutableArray<DateTimeOffset?> openedAt, ChangeRank? rank, DateTimeOffset now)
    {
        for (var i = 0; i < Members.Length && rank is not null; i++)
        {
            if (openedAt[_waves[i]] is null || ShareRules.WaitOf(State, i, _reach[i], now) != MemberWait.Busy)
            {
                _turnsAsked.Remove(i);
            }
            else if (!_turnsAsked.TryGetValue(i, out var at) || at + ChangeTurns.AskInterval <= now)
            {
                _turnsAsked[i] = now;
                if (Members[i].Turns.Holder is not null)
                {
                    Members[i].Turns.Await(RolloutBuilder.Id, rank.Value, now);
                }
            }
        }
    }

    /// <summary>Members that were not reached in their time.</summary>
    public void GiveUp(ImmutableArray<DateTimeOffset?> openedAt, DateTimeOffset now)
    {
        for (var i = 0; i < Members.Length; i++)
        {
            if (MemberTurns.IsOver(State, i, _reach[i], openedAt[_waves[i]], _spec.Timers, now))
            {
                GivenUpThere += ShareRules.WaitOf(State, i, _reach[i], now) == MemberWait.Offline ? 0 : 1;
                _feed.Add(new WorldEntry(-1, null, now));
                _committed = State = ShareRules.GiveUp(State, i, _spec.UndeliveredPolicy, now);
                Members[i].IsGivenUp = true;
            }
        }
    }

    /// <summary>The rollout is rolled back.</summary>
    public void Turn(ImmutableArray<long> granted, DateTimeOffset now)
    {
        if (RollBackRules.HasBegun(State))
        {
            return;
        }

        _feed.Add(new WorldEntry(-1, null, now));
        _committed = State = RollBackRules.Begin(State, granted, now);
        foreach (var (member, status) in Members.Zip(State.Members))
        {
            member.IsGivenUp &= status is not (MemberStatus.Waiting or MemberStatus.Offered);
        }
    }

    /// <summary>
    /// Looks at who matches, the last time at all of them; what the store refuses changes nothing. True when something was committed.
    /// </summary>
    public bool LetIn(Joining joining, bool looks, long epoch, long fence, DateTimeOffset now)
    {
        var isLast = joining is Joining.Ending or Joining.Ended && LateJoiners.IsOpen(State);
        ImmutableArray<DeviceId> devices = joining is Joining.Ending || (joining is Joining.Open && looks)
            ? [.. Outside.Take(LateJoiners.RoomOf(State)).Select(device => device.Device)]
            : [];
        var next = LateJoiners.Join(State, devices);
        next = isLast ? LateJoiners.End(next) : next;
        if (next == State || epoch != fence)
        {
            return false;
        }

        var joined = next.Members.Length - State.Members.Length;
        if (joined > 0)
        {
            _feed.Add(new WorldEntry(-1, null, now));
        }

        _committed = State = next;
        var wave = _waveCount - 1;
        Members = Members.AddRange(Enumerable.Range(Members.Length, joined).Select(i => new WorldMember(i, wave, _feed)));
        _waves = _waves.AddRange(Enumerable.Repeat((byte)wave, joined));
        _reach = [.. _reach, .. Enumerable.Repeat(MemberReach.Offline, joined)];
        Outside.RemoveRange(0, joined);
        return true;
    }

    public bool TakePermits(PermitGrant grant, long fence)
    {
        var next = ShareRules.TakePermits(State, grant, _waves, _reach);
        if (next.Permits.SequenceEqual(State.Permits))
        {
            return true;
        }

        if (grant.Epoch != fence)
        {
            return false;
        }

        _feed.Add(new WorldEntry(-1, null, grant.Now));
        _committed = State = next;
        return true;
    }

    public void Take(OpenOffer offer, WorldAnswer? answer, DateTimeOffset now)
    {
        var wave = _waves[offer.Member];
        State = MemberSteps.Hear(State, offer.Member, answer is { HasEverStepped: true }, now);
        Correct(offer.Member, answer);
        switch (answer)
        {
            case null when !offer.IsConfirmed && RollBackRules.MayLose(State, offer, _spec.Timers, now):
                if (Members[offer.Member].State == MemberState.InProgress)
                {
                    throw new InvalidOperationException("a permit is given up whose device acts on it");
                }

                _committed = State = ShareRules.Lose(State, offer.Member, _spec.UndeliveredPolicy, now);
                Members[offer.Member].IsGivenUp = true;
                Lost++;
                break;
            case null:
                break;
            case { State: MemberState.Waiting, IsOver: true, EndedAt: { } at, Retry: var taken } known
                when taken == ShareRules.RetryOf(State, offer.Member):
                var how = known.HasStepped ? ChangeOutcome.StepTaken : ChangeOutcome.Withdrawn;
                var withdrawn = new MemberOutcome(how, taken, known.Reason, at) { WasMade = true, Generation = known.Generation };
                var free = OfferGenerations.Adopt(State, offer.Member, known.Generation);
                Settle(ShareRules.Close(free, offer.Member, wave, OfferGenerations.Judge(State, offer.Member, withdrawn)), known);
                break;
            case { State: MemberState.Waiting } without:
                Settle(ShareRules.Release(State, offer.Member), without);
                break;
            case { State: MemberState.InProgress, Retry: var retry } made:
                var told = offer with { TakenAt = now, Generation = made.Generation, InstallsSince = made.InstallsSince } with
                {
                    FirstOfferedAt = made.FirstOfferedAt,
                };
                State = OfferAnswers.ConfirmAll(State, [new OfferAnswer(told, retry)], _waves);
                break;
            case { } ended:
                var attempt = ended.EndedAt is null ? ShareRules.RetryOf(State, offer.Member) : ended.Retry;
                var outcome = WorldMember.OutcomeOf(ended.State);
                var end = EndOf(offer.Member, new MemberOutcome(outcome, attempt, ended.Reason, ended.EndedAt ?? now)
                {
                    WasMade = ended.EndedAt is not null,
                    Generation = ended.EndedAt is null ? 0 : ended.Generation,
                });
                var adopted = OfferGenerations.Adopt(ShareRules.Adopt(State, offer.Member, attempt), offer.Member, ended.Generation);
                Settle(ShareRules.Close(adopted, offer.Member, wave, OfferGenerations.Judge(State, offer.Member, end)), ended);
                break;
        }

        void Settle(RolloutShare next, WorldAnswer said) =>
            _committed = State = OfferGenerations.Pass(next, offer.Member, said.Generation);
    }

    /// <summary>What keeps it from an offer the device itself knows better than the list of the connected.</summary>
    private void Correct(int member, WorldAnswer? answer)
    {
        if (answer is { AskAgainAt: { } until })
        {
            _busyUntil[member] = until;
        }

        _reach[member] = answer?.Reach ?? _reach[member];
    }

    /// <summary>
    /// Where the tail is late, the answers of devices are ahead of what was read, and the version is what it was. A coordinator hears
    /// replies in the order of its questions, so that none of the same version comes after this one.
    /// </summary>
    public ShareReport Report(DateTimeOffset now)
    {
        ReadFeed(now);
        OldReports.RemoveAll(report => IsBehind && report.Version >= State.Position);
        CheckInstalls();
        CheckWentBack();
        return LastReport(now);
    }

    /// <summary>Whoever has read all of the feed knows of each device in progress since when it installs.</summary>
    private void CheckInstalls()
    {
        foreach (var offer in State.Open.Where(offer => offer.IsConfirmed && !IsBehind))
        {
            var member = Members[offer.Member];
            if (member.State == MemberState.InProgress && member.Retry == ShareRules.RetryOf(State, offer.Member)
                && offer.InstallsSince != member.InstallsSince)
            {
                throw new InvalidOperationException("another time of the installation than the device's");
            }

            if (member.State == MemberState.InProgress && offer.FirstOfferedAt != member.FirstOfferedAt)
            {
                throw new InvalidOperationException("another time of the first offer than the device's");
            }
        }
    }

    /// <summary>
    /// Of the offers that it counts it knows which were taken back, once it has read all of the feed. An offer that was over before its
    /// share heard of it, and of the next, is in neither number; of who leaves service it may hear that before it hears of his last offer.
    /// </summary>
    private void CheckWentBack()
    {
        var (offered, wentBack) = (State.Permits.Sum(permits => permits.Offered), State.Permits.Sum(permits => permits.WentBack));
        var (made, takenBack) = (Members.Sum(member => (long)member.Offers), Members.Sum(member => (long)member.WentBack));
        var left = Members.Count(member => member is { State: MemberState.Removed, WentBack: > 0 });
        if (!IsBehind && (wentBack > takenBack || offered - wentBack > made - takenBack + left))
        {
            throw new InvalidOperationException("counts other offers that were taken back than the devices");
        }
    }

    /// <summary>What it would say without having read anything more.</summary>
    public ShareReport LastReport(DateTimeOffset now) =>
        new(Partition, State.Position, ShareCount.Totals(State, _waves, _reach, _waveCount, _spec.Timers, now))
        {
            IsRollingBack = RollBackRules.HasBegun(State),
            JoiningHasEnded = State.JoiningHasEnded,
            LeftOut = Outside.Count,
        };

    private MemberOutcome EndOf(int member, MemberOutcome end) =>
        end with { RetryAt = _spec.Retries?.NextAfter(end, (ulong)member) };

    private static OpenOffer OfferOf(int member, ChangeOffered fact, DateTimeOffset at) =>
        new(member, 0, IsConfirmed: true, at, DeliveredAt: null) { Generation = fact.Generation, FirstOfferedAt = fact.FirstOfferedAt };

    private void ReadFeed(DateTimeOffset now)
    {
        var known = IsBehind ? now - TailLatenessMax : now;
        foreach (var (member, fact, at) in _feed.Skip((int)State.Position).TakeWhile(entry => entry.At <= known).ToList())
        {
            State = fact switch
            {
                ChangeOffered offered => ShareRules.Confirm(
                    State, member, _waves[member], OfferOf(member, offered, at), offered.Retry),
                ChangeClosed closed => ShareRules.Close(State, member, _waves[member], EndOf(
                    member, new MemberOutcome(closed.Outcome, closed.Retry, closed.Reason, at)
                    {
                        WasMade = true,
                        Generation = closed.Generation,
                    })),
                ChangeProgressed installing => ShareInstalls.Begin(
                    State, member, installing.Retry, installing.Generation, ShareInstalls.SinceOf(installing.Install, at)),
                ChangeRecalled => State,
                _ => member < 0 ? State : ShareRules.Leave(State, member),
            };
            State = State with { Position = State.Position + 1 };
        }
    }
}
