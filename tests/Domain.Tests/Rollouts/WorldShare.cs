using System.Collections.Immutable;
using Muster.Domain.Devices;
using Muster.Domain.Rollouts;
using static Muster.Domain.Tests.Rollouts.RolloutBuilder;

namespace Muster.Domain.Tests.Rollouts;

/// <summary>What is true of a device.</summary>
internal enum MemberState
{
    Waiting,
    InProgress,
    Succeeded,
    Failed,
    TimedOut,
    Rejected,
    Skipped,
    Removed,
}

/// <summary>What a device answers: where it is in which attempt, and how that ended.</summary>
internal readonly record struct WorldAnswer(MemberState State, int Retry, string Reason, DateTimeOffset? EndedAt);

/// <summary>What a device tells the feed; no fact when it left service.</summary>
internal readonly record struct WorldEntry(int Member, DomainEvent? Fact, DateTimeOffset At);

/// <summary>A device, and what it tells the feed.</summary>
internal sealed class WorldMember(int index, int wave, List<WorldEntry> feed)
{
    private string _reason = "";

    public int Wave => wave;

    public MemberState State { get; private set; }

    public bool Online { get; set; } = true;

    /// <summary>A budget per value keeps it waiting.</summary>
    public bool IsGroupFull { get; set; }

    /// <summary>The attempt that it is in, or was in last.</summary>
    public int Retry { get; private set; }

    /// <summary>When that attempt ended.</summary>
    public DateTimeOffset? EndedAt { get; private set; }

    /// <summary>Its share does not wait for it any longer.</summary>
    public bool IsGivenUp { get; set; }

    /// <summary>How often it came to succeed.</summary>
    public int Successes { get; private set; }

    /// <summary>How often it was offered something.</summary>
    public int Offers { get; private set; }

    /// <summary>It was offered the change at least once.</summary>
    public bool WasTouched { get; private set; }

    /// <summary>It runs what the rollout brought.</summary>
    public bool RunsTarget { get; private set; }

    /// <summary>When it began to install what it is offered; null before.</summary>
    public DateTimeOffset? InstallsSince { get; private set; }

    /// <summary>It is asked to give its offer up.</summary>
    public bool IsRecalled { get; private set; }

    /// <summary>Another attempt may be made, as far as the device is concerned.</summary>
    public bool MayRetry => State is MemberState.Failed or MemberState.TimedOut or MemberState.Rejected
        && FinalReasons.MayRetry(OutcomeOf(State), _reason);

    public bool Takes(int retry) => Online && IsNew(retry);

    /// <summary>An attempt that it is not in and that did not end: it may be made now.</summary>
    private bool IsNew(int retry) => State switch
    {
        MemberState.InProgress or MemberState.Removed => false,
        MemberState.Waiting => true,
        _ when WayBack.Is(retry) != WayBack.Is(Retry) => retry > Retry,
        _ => MayRetry && retry > Retry,
    };

    public WorldAnswer Answer(int retry) => State != MemberState.Waiting && IsNew(retry)
        ? new WorldAnswer(MemberState.Waiting, retry, "", null)
        : new WorldAnswer(State, Retry, _reason, EndedAt);

    public void Offer(long epoch, int retry, DateTimeOffset now)
    {
        (State, Retry, EndedAt, _reason) = (MemberState.InProgress, retry, null, "");
        (IsRecalled, InstallsSince) = (false, null);
        WasTouched = true;
        Offers++;
        feed.Add(new WorldEntry(index, new ChangeOffered(Id, epoch, 1, "") { Retry = retry }, now));
    }

    /// <summary>It reports that it installs, in a window or not; again it says nothing of the kind.</summary>
    public void Install(bool isOpen, DateTimeOffset now)
    {
        var start = InstallsSince is not null ? InstallStart.None : isOpen ? InstallStart.InWindow : InstallStart.OutsideWindow;
        InstallsSince ??= now;
        feed.Add(new WorldEntry(index, new ChangeProgressed(Id, 1, ChangeStep.Installing) { Retry = Retry, Install = start }, now));
    }

    /// <summary>It says so only to who asks.</summary>
    public void Skip() => (State, EndedAt, _reason) = (MemberState.Skipped, null, "TRACK_MISMATCH");

    /// <summary>Its rollout is cancelled, and it may have its offer. True when it was not asked about this attempt before.</summary>
    public bool Recall(int retry, DateTimeOffset now)
    {
        if (State != MemberState.InProgress || IsRecalled || Retry != retry)
        {
            return false;
        }

        IsRecalled = true;
        feed.Add(new WorldEntry(index, new ChangeRecalled(Id, 1, 2) { Retry = Retry }, now));
        return true;
    }

    /// <summary>It names the newer generation.</summary>
    public void GiveUp(DateTimeOffset now) => End(MemberState.Waiting, now, OfferHandover.CancelledReason);

    /// <summary>It left service.</summary>
    public void Leave(DateTimeOffset now)
    {
        State = MemberState.Removed;
        feed.Add(new WorldEntry(index, null, now));
    }

    public void End(MemberState state, DateTimeOffset now, string reason = "")
    {
        if (state != State)
        {
            (State, EndedAt, _reason) = (state, now, reason);
            Successes += state == MemberState.Succeeded ? 1 : 0;
            RunsTarget = state switch
            {
                MemberState.Succeeded => !WayBack.Is(Retry),
                MemberState.Failed => WayBack.Is(Retry), // by its own word, or because it runs the other one after all
                MemberState.TimedOut => index % 2 == 0 || RunsTarget, // some get there after their time
                _ => RunsTarget,
            };
            feed.Add(new WorldEntry(index, new ChangeClosed(Id, 1, OutcomeOf(state), reason) { Retry = Retry }, now));
        }
    }

    public static ChangeOutcome OutcomeOf(MemberState state) => state switch
    {
        MemberState.Waiting => ChangeOutcome.Withdrawn,
        MemberState.Succeeded => ChangeOutcome.Succeeded,
        MemberState.Failed => ChangeOutcome.Failed,
        MemberState.TimedOut => ChangeOutcome.TimedOut,
        MemberState.Rejected => ChangeOutcome.Rejected,
        MemberState.Skipped => ChangeOutcome.Skipped,
        MemberState.Removed => ChangeOutcome.Removed,
        MemberState.InProgress => throw new InvalidOperationException("In progress is no outcome."),
        _ => throw new ArgumentOutOfRangeException(nameof(state)),
    };
}

/// <summary>A share as its grain drives it: what is not committed is gone after a crash, and the feed is read to its head.</summary>
internal sealed class WorldShare
{
    private readonly RolloutSpec _spec;
    private readonly int _waveCount;
    private ImmutableArray<byte> _waves;
    private MemberReach[] _reach;
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

    public void Crash() => State = _committed;

    /// <summary>Presence, and the feed as far as its tail knows: that may be what was known before.</summary>
    public void Look(bool fresh, bool reads)
    {
        for (var i = 0; fresh && i < _reach.Length; i++)
        {
            _reach[i] = !Members[i].Online ? MemberReach.Offline : Members[i].IsGroupFull ? MemberReach.GroupFull : MemberReach.Online;
        }

        // The tail is a second late at most, and an offer is withdrawn after a minute at the earliest: that is never unknown, but of one
        // that its device gave up.
        if (reads || _feed.Skip((int)State.Position).Any(entry => entry.Fact is ChangeClosed
            {
                Outcome: ChangeOutcome.Withdrawn, Reason: not OfferHandover.CancelledReason,
            }))
        {
            ReadFeed();
        }
    }

    /// <summary>Members that were not reached in their time.</summary>
    public void GiveUp(ImmutableArray<DateTimeOffset?> openedAt, DateTimeOffset now)
    {
        for (var i = 0; i < Members.Length; i++)
        {
            if (ShareRules.WaitOf(State, i, _reach[i], now) == MemberWait.Offline
                && ShareRules.TurnOf(State, i, openedAt[_waves[i]], now) is { } turn
                && _spec.Timers.DeadlineOf(turn, null) <= now)
            {
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
        switch (answer)
        {
            case null when !offer.IsConfirmed && _spec.Timers.DeadlineOf(offer.TakenAt, null) <= now:
                _committed = State = ShareRules.Lose(State, offer.Member, _spec.UndeliveredPolicy, now);
                Members[offer.Member].IsGivenUp = Members[offer.Member].State != MemberState.InProgress;
                break;
            case null:
                break;
            case { State: MemberState.Waiting, EndedAt: { } at, Retry: var taken } when RollBackRules.IsOnTheWayThere(State, offer.Member)
                && taken == ShareRules.RetryOf(State, offer.Member):
                var withdrawn = new MemberOutcome(ChangeOutcome.Withdrawn, taken, "", at) { WasMade = true };
                _committed = State = ShareRules.Close(State, offer.Member, wave, withdrawn);
                break;
            case { State: MemberState.Waiting }:
                _committed = State = ShareRules.Release(State, offer.Member);
                break;
            case { State: MemberState.InProgress, Retry: var retry }:
                State = ShareRules.Confirm(
                    ShareRules.Adopt(State, offer.Member, retry), offer.Member, wave, offer with { TakenAt = now }, retry);
                break;
            case { } ended:
                var attempt = ended.EndedAt is null ? ShareRules.RetryOf(State, offer.Member) : ended.Retry;
                var outcome = WorldMember.OutcomeOf(ended.State);
                var end = EndOf(offer.Member, new MemberOutcome(outcome, attempt, ended.Reason, ended.EndedAt ?? now)
                {
                    WasMade = ended.EndedAt is not null,
                });
                _committed = State = ShareRules.Close(ShareRules.Adopt(State, offer.Member, attempt), offer.Member, wave, end);
                break;
        }
    }

    public ShareReport Report(DateTimeOffset now)
    {
        ReadFeed();
        foreach (var offer in State.Open.Where(offer => offer.IsConfirmed))
        {
            var member = Members[offer.Member];
            if (member.State == MemberState.InProgress && member.Retry == ShareRules.RetryOf(State, offer.Member)
                && offer.InstallsSince != member.InstallsSince)
            {
                throw new InvalidOperationException("another time of the installation than the device's");
            }
        }

        return LastReport(now);
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

    private void ReadFeed()
    {
        foreach (var (member, fact, at) in _feed.Skip((int)State.Position))
        {
            State = fact switch
            {
                ChangeOffered offered => ShareRules.Confirm(
                    State, member, _waves[member], new OpenOffer(member, 0, true, at, null), offered.Retry),
                ChangeClosed closed => ShareRules.Close(State, member, _waves[member], EndOf(
                    member, new MemberOutcome(closed.Outcome, closed.Retry, closed.Reason, at) { WasMade = true })),
                ChangeProgressed installing => ShareInstalls.Begin(
                    State, member, installing.Retry, ShareInstalls.SinceOf(installing.Install, at)),
                ChangeRecalled => State,
                _ => member < 0 ? State : ShareRules.Leave(State, member),
            };
        }

        State = State with { Position = _feed.Count };
    }
}
