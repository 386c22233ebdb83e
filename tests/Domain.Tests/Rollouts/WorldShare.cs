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

/// <summary>A device, and what it tells the feed.</summary>
internal sealed class WorldMember(int index, int wave, List<(int Member, DomainEvent? Fact)> feed)
{
    public int Wave => wave;

    public MemberState State { get; set; }

    public bool Online { get; set; } = true;

    /// <summary>A fact of the device; null when it left service.</summary>
    public void Tell(DomainEvent? fact) => feed.Add((index, fact));

    public void End(MemberState state)
    {
        if (state != State)
        {
            State = state;
            Tell(new ChangeClosed(Id, 1, OutcomeOf(state), ""));
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
    private readonly int _waveCount;
    private readonly ImmutableArray<byte> _waves;
    private readonly MemberReach[] _reach;
    private readonly List<(int Member, DomainEvent? Fact)> _feed = [];
    private RolloutShare _committed;

    public WorldShare(int partition, int waveCount, ImmutableArray<int> waves)
    {
        Partition = partition;
        _waveCount = waveCount;
        _waves = [.. waves.Select(wave => (byte)wave)];
        _reach = new MemberReach[waves.Length];
        Members = [.. waves.Select((wave, i) => new WorldMember(i, wave, _feed))];
        _committed = State = ShareRules.Freeze(Guid.Empty, 0, waves.Length);
    }

    public int Partition { get; }

    public ImmutableArray<WorldMember> Members { get; }

    public RolloutShare State { get; private set; }

    public List<ShareReport> OldReports { get; } = [];

    public void Crash() => State = _committed;

    public void Look(bool fresh)
    {
        for (var i = 0; fresh && i < _reach.Length; i++)
        {
            _reach[i] = Members[i].Online ? MemberReach.Online : MemberReach.Offline;
        }

        ReadFeed();
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

        _feed.Add((-1, null));
        _committed = State = next;
        return true;
    }

    public void Take(OpenOffer offer, MemberState? answer, DateTimeOffset now)
    {
        var wave = _waves[offer.Member];
        State = answer switch
        {
            null => State,
            MemberState.Waiting => ShareRules.Release(State, offer.Member),
            MemberState.InProgress => ShareRules.Confirm(State, offer.Member, wave, offer with { TakenAt = now }),
            { } ended => ShareRules.Close(State, offer.Member, wave, WorldMember.OutcomeOf(ended)),
        };
        _committed = answer is null or MemberState.InProgress ? _committed : State;
    }

    public ShareReport Report()
    {
        ReadFeed();
        return new ShareReport(Partition, State.Position, ShareRules.Totals(State, _waveCount, _waves, _reach));
    }

    private void ReadFeed()
    {
        foreach (var (member, fact) in _feed.Skip((int)State.Position))
        {
            State = fact switch
            {
                ChangeOffered => ShareRules.Confirm(State, member, _waves[member], new OpenOffer(member, 0, true, Start, null)),
                ChangeClosed closed => ShareRules.Close(State, member, _waves[member], closed.Outcome),
                _ => member < 0 ? State : ShareRules.Leave(State, member),
            };
        }

        State = State with { Position = _feed.Count };
    }
}
