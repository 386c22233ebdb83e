using System.Collections.Immutable;
using Muster.Domain.Devices;
using Muster.Domain.Rollouts;
using static Muster.Domain.Tests.Rollouts.RolloutBuilder;

namespace Muster.Domain.Tests.Rollouts;

/// <summary>No answer: it was lost, with or without an effect, or an activation found that it is not the newest.</summary>
internal sealed class LostException : Exception;

/// <summary>A record with its version: who writes has read the one before.</summary>
internal sealed class Versioned<T>(T value)
{
    public T Value { get; private set; } = value;

    public int Version { get; private set; }

    public int Write(T next, int expected)
    {
        if (expected != Version)
        {
            throw new LostException();
        }

        Value = next;
        return ++Version;
    }
}

/// <summary>
/// Shares and groups of a rollout with budgets per value, as their grains drive the rules: each step may be the last of an activation, two
/// activations may live beside one another, and messages are lost, with or without their effect, or come late. It knows the truth and
/// throws when more of a group are in progress than may be.
/// </summary>
internal sealed class GroupWorld
{
    private readonly Random _random;
    /// <summary>By partition and member.</summary>
    private readonly ImmutableArray<GroupName?>[][] _values;
    private readonly List<ShareActivation> _shares = [];
    private readonly List<GroupKeeper> _keepers = [];
    private readonly List<(int Partition, ImmutableArray<SeatReturn> Seats)> _returns = [];
    private readonly Queue<(GroupName Group, ImmutableArray<Seat> Seats)> _doubts = [];

    public GroupWorld(int seed, ImmutableArray<ValueBudget> budgets, int partitions, int members, int values)
    {
        _random = new Random(seed);
        Budgets = budgets;
        _values = [.. Enumerable.Range(0, partitions).Select(_ => Enumerable.Range(0, members).Select(_ => ValuesOf(values)).ToArray())];
        Records = [.. _values.Select(mine => new Versioned<RolloutShare>(ShareRules.Freeze(Guid.Empty, 0, mine.Length)))];
        Feeds = [.. _values.Select(_ => new List<(int, ChangeOutcome?)>())];
        States = [.. _values.Select(mine => new MemberState[mine.Length])];
        _shares.AddRange(Enumerable.Range(0, partitions).Select(partition => new ShareActivation(this, partition)));
        _keepers.Add(new GroupKeeper(this));
    }

    public ImmutableArray<ValueBudget> Budgets { get; }

    public DateTimeOffset Now { get; private set; } = Start;

    public Versioned<GroupBucket> Bucket { get; } = new(new GroupBucket());

    public ImmutableArray<Versioned<RolloutShare>> Records { get; }

    /// <summary>What devices tell: null that they were offered the change, else how it ended.</summary>
    public ImmutableArray<List<(int Member, ChangeOutcome? End)>> Feeds { get; }

    public ImmutableArray<MemberState[]> States { get; }

    /// <summary>Nothing fails any more.</summary>
    public bool IsCalm { get; private set; }

    public int InProgressMax { get; private set; }

    public bool HasEnded => States.All(states => Array.TrueForAll(states, state => state == MemberState.Succeeded));

    public MemberGroups GroupsOf(int partition) => MemberGroups.Of(Budgets.Length, _values[partition]);

    public bool Chance(int oneIn) => !IsCalm && _random.Next(oneIn) == 0;

    public int Pick(int below) => _random.Next(below);

    public void Step()
    {
        Now += TimeSpan.FromSeconds(_random.Next(3));
        var partition = _random.Next(Records.Length);
        switch (_random.Next(24))
        {
            case < 15:
                Run(_shares[_random.Next(_shares.Count)]);
                break;
            case 15:
                // The one before lives on for a while.
                _shares.Add(new ShareActivation(this, partition));
                break;
            case 16 when _shares.Count(share => share.Partition == partition) > 1:
                _shares.RemoveAt(_shares.FindIndex(share => share.Partition == partition));
                break;
            case 17:
                _keepers.Add(new GroupKeeper(this));
                break;
            case 18 when _keepers.Count > 1:
                _keepers.RemoveAt(_random.Next(_keepers.Count));
                break;
            case 19 when _returns.Count > 0:
                Try(() => _keepers[^1].Return(_returns[_random.Next(_returns.Count)])); // late, or again
                break;
            case 20:
                AskShare();
                break;
            default:
                EndSome(partition);
                break;
        }
    }

    /// <summary>Everything works from here on; whatever was lost before is still lost.</summary>
    public void RunToTheEnd()
    {
        IsCalm = true;
        _shares.RemoveAll(share => _shares.Last(other => other.Partition == share.Partition) != share);
        _keepers.RemoveRange(0, _keepers.Count - 1);
        for (var i = 0; i < 2_000 && !HasEnded; i++)
        {
            Now += TimeSpan.FromSeconds(5);
            foreach (var share in _shares.ToList())
            {
                Run(share);
            }

            while (_doubts.Count > 0)
            {
                AskShare();
            }

            for (var partition = 0; partition < Records.Length; partition++)
            {
                EndSome(partition);
            }
        }
    }

    /// <summary>The device takes the offer, or is gone; a truth that no store loses.</summary>
    public bool Offer(int partition, int member)
    {
        if (States[partition][member] == MemberState.Waiting && !Chance(6))
        {
            States[partition][member] = MemberState.InProgress;
            Feeds[partition].Add((member, null));
            Check();
        }

        return States[partition][member] != MemberState.Waiting;
    }

    public ImmutableArray<SeatTaken> Take(int partition, SeatWant want)
    {
        if (Chance(8))
        {
            throw new LostException();
        }

        var taken = _keepers[_random.Next(_keepers.Count)].Take(partition, want);
        return Chance(8) ? throw new LostException() : taken;
    }

    public void Return(int partition, ImmutableArray<SeatReturn> seats)
    {
        _returns.Add((partition, seats));
        if (Chance(4))
        {
            throw new LostException();
        }

        _keepers[_random.Next(_keepers.Count)].Return((partition, seats));
    }

    public void Doubt(GroupName group, ImmutableArray<Seat> seats) => _doubts.Enqueue((group, seats));

    public void Die(GroupKeeper keeper)
    {
        _keepers.Remove(keeper);
        if (_keepers.Count == 0)
        {
            _keepers.Add(new GroupKeeper(this));
        }
    }

    private void Run(ShareActivation share)
    {
        try
        {
            share.Run(IsCalm ? int.MaxValue : 1 + _random.Next(4));
        }
        catch (LostException)
        {
            _shares.Remove(share);
            if (!_shares.Exists(other => other.Partition == share.Partition))
            {
                _shares.Add(new ShareActivation(this, share.Partition));
            }
        }
    }

    /// <summary>A share is asked between its steps, whichever of its activations; its answer is late, lost or heard.</summary>
    private void AskShare()
    {
        if (!_doubts.TryDequeue(out var doubt))
        {
            return;
        }

        var mine = _shares.FindAll(share => share.Partition == doubt.Seats[0].Partition && !share.IsBusy);
        if (mine.Count > 0)
        {
            var asked = mine[_random.Next(mine.Count)];
            ImmutableArray<int> unseated = [];
            Try(() => unseated = asked.ListUnseated(doubt.Seats.Select(seat => seat.Member)), asked);
            Try(() => Return(doubt.Seats[0].Partition,
            [
                .. doubt.Seats.Where(seat => unseated.Contains(seat.Member))
                    .Select(seat => new SeatReturn(doubt.Group, seat.Member, seat.Number)),
            ]));
        }
    }

    private static void Try(Action call, ShareActivation? asked = null)
    {
        try
        {
            call();
        }
        catch (LostException)
        {
            asked?.Restart();
        }
    }

    private void EndSome(int partition)
    {
        for (var member = 0; member < States[partition].Length; member++)
        {
            if (States[partition][member] == MemberState.InProgress && (IsCalm || _random.Next(3) == 0))
            {
                var isTakenBack = Chance(5);
                States[partition][member] = isTakenBack ? MemberState.Waiting : MemberState.Succeeded;
                Feeds[partition].Add((member, isTakenBack ? ChangeOutcome.Withdrawn : ChangeOutcome.Succeeded));
            }
        }
    }

    private void Check()
    {
        var members = _values.SelectMany((mine, partition) => mine.Select((groups, member) => (groups, States[partition][member])));
        var groups = members.SelectMany(one => one.groups.OfType<GroupName>(), (one, group) => (Group: group, State: one.Item2))
            .GroupBy(one => one.Group, one => one.State);
        foreach (var group in groups)
        {
            var busy = group.Count(state => state == MemberState.InProgress);
            var most = ValueBudget.SeatsOf(Budgets.Single(budget => budget.Field == group.Key.Field).Limit, group.Count());
            InProgressMax = Math.Max(InProgressMax, busy);
            if (busy > most)
            {
                throw new InvalidOperationException($"{busy} of {group.Key} in progress, and {most} may be");
            }
        }
    }

    private ImmutableArray<GroupName?> ValuesOf(int values) =>
        [.. Budgets.Select(budget => _random.Next(8) == 0 ? (GroupName?)null : new GroupName(budget.Field, $"v{_random.Next(values)}"))];
}
