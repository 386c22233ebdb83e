using System.IO.Hashing;
using System.Text;

namespace Muster.Domain.Rollouts;

/// <summary>Which groups the members of one partition are in; fixed by the freeze.</summary>
/// <param name="Groups">Each once.</param>
/// <param name="Budgets">How many budgets there are: so many entries each member has.</param>
/// <param name="OfMembers">By member and budget: the index of the group, or -1 for none.</param>
public sealed record MemberGroups(ImmutableArray<GroupName> Groups, int Budgets, ImmutableArray<int> OfMembers)
{
    public const int None = -1;

    /// <summary>The index of the member's group in the budget, or <see cref="None"/>.</summary>
    public int Of(int member, int budget) => OfMembers[(member * Budgets) + budget];

    /// <summary>Of the groups by member and budget, as they are read at the freeze.</summary>
    public static MemberGroups Of(int budgets, IEnumerable<ImmutableArray<GroupName?>> members)
    {
        ArgumentNullException.ThrowIfNull(members);
        var known = new Dictionary<GroupName, int>();
        var of = ImmutableArray.CreateBuilder<int>();
        foreach (var group in members.SelectMany(groups => groups))
        {
            of.Add(group is not { } name ? None : known.TryGetValue(name, out var at) ? at : known[name] = known.Count);
        }

        return new([.. known.OrderBy(entry => entry.Value).Select(entry => entry.Key)], budgets, of.ToImmutable());
    }
}

/// <summary>
/// What a share remembers of its members' seats, and which groups it does not ask for a while. In memory only: seats of members in progress
/// are claimed anew, and others are taken back by the group when it needs them.
/// </summary>
public sealed class ShareSeats
{
    /// <summary>A device takes minutes, so that a seat that is free and not asked for so long is no loss to speak of.</summary>
    public static readonly TimeSpan RetryMin = TimeSpan.FromSeconds(5);

    /// <summary>
    /// The wait doubles up to this, and a step of <see cref="RetryMin"/>: in a fleet of many full groups each partition asks each of them
    /// once a minute, and a seat waits as long at most.
    /// </summary>
    public static readonly TimeSpan RetryMax = TimeSpan.FromSeconds(60);

    private readonly int _partition;
    private readonly MemberGroups _groups;
    private readonly Dictionary<GroupName, int> _indexes = [];
    private readonly int[] _sizes;
    private readonly Dictionary<(int Member, int Group), long> _seats = [];

    /// <summary>
    /// Seats that are being given back, by their numbers. Nobody sits on them any more: the group may hear of it at any time. Who needs a
    /// seat asks for another.
    /// </summary>
    private readonly Dictionary<(int Member, int Group), long> _leaving = [];
    private readonly Dictionary<int, (int Refusals, DateTimeOffset Until)> _refused = [];

    public ShareSeats(int partition, MemberGroups groups)
    {
        ArgumentNullException.ThrowIfNull(groups);
        (_partition, _groups) = (partition, groups);
        _sizes = new int[groups.Groups.Length];
        for (var i = 0; i < groups.Groups.Length; i++)
        {
            _indexes.Add(groups.Groups[i], i);
        }

        foreach (var group in groups.OfMembers.Where(group => group != MemberGroups.None))
        {
            _sizes[group]++;
        }
    }

    /// <summary>How many budgets there are.</summary>
    public int Budgets => _groups.Budgets;

    /// <summary>Some seats could not be given back yet.</summary>
    public bool IsReturning => _leaving.Count > 0;

    /// <summary>When the first of the groups that had no seat is asked again; null when none is waited for.</summary>
    public DateTimeOffset? NextAt(DateTimeOffset now) =>
        _refused.Values.Where(refused => refused.Until > now).Select(refused => (DateTimeOffset?)refused.Until).Min();

    /// <summary>The group that keeps the member waiting; null when none does, as far as is known.</summary>
    public GroupName? WaitsFor(int member, DateTimeOffset now)
    {
        for (var budget = 0; budget < _groups.Budgets; budget++)
        {
            var group = _groups.Of(member, budget);
            if (group != MemberGroups.None && _refused.TryGetValue(group, out var refused) && now < refused.Until
                && !_seats.ContainsKey((member, group)))
            {
                return _groups.Groups[group];
            }
        }

        return null;
    }

    /// <summary>Who can be offered something, without those whose groups are full.</summary>
    public MemberReach[] Mask(IReadOnlyList<MemberReach> reach, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(reach);
        return [.. reach.Select((one, member) =>
            one == MemberReach.Online && WaitsFor(member, now) is not null ? MemberReach.GroupFull : one)];
    }

    /// <summary>Who can be offered something and has all the seats that it needs.</summary>
    public MemberReach[] Seated(IReadOnlyList<MemberReach> reach)
    {
        ArgumentNullException.ThrowIfNull(reach);
        return [.. reach.Select((one, member) => one == MemberReach.Online && !IsSeated(member) ? MemberReach.GroupFull : one)];
    }

    /// <summary>Whether the member has a seat in each of its groups.</summary>
    public bool IsSeated(int member)
    {
        for (var budget = 0; budget < _groups.Budgets; budget++)
        {
            if (!IsSeated(member, budget))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Whether the member has the seat that the budget asks for.</summary>
    public bool IsSeated(int member, int budget) =>
        _groups.Of(member, budget) is var group && (group == MemberGroups.None || _seats.ContainsKey((member, group)));

    /// <summary>What to ask for, so that the members have their seats of one budget.</summary>
    public ImmutableArray<SeatWant> Missing(IEnumerable<int> members, int budget, Amount limit, bool isClaim) =>
    [
        .. members.Where(member => !IsSeated(member, budget))
            .GroupBy(member => _groups.Of(member, budget))
            .Select(group => new SeatWant(_groups.Groups[group.Key], limit, _sizes[group.Key], [.. group], isClaim)),
    ];

    /// <summary>What the group answered. A group that has no seat for everybody is not asked again for a while.</summary>
    public void Take(SeatWant want, ImmutableArray<SeatTaken> taken, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(want);
        var group = _indexes[want.Group];
        foreach (var seat in taken)
        {
            _seats[(seat.Member, group)] = seat.Number;
            _leaving.Remove((seat.Member, group)); // the group has given this one in its place
        }

        if (taken.Length == want.Members.Length)
        {
            _refused.Remove(group);
        }
        else if (!want.IsClaim)
        {
            var refusals = _refused.GetValueOrDefault(group).Refusals;
            _refused[group] = (refusals + 1, RetryAt(want.Group, refusals, now));
        }
    }

    /// <summary>
    /// What to give back: the seats, as far as is known, of members that do not need them, and those that could not be given back before.
    /// From now on nobody has them.
    /// </summary>
    public ImmutableArray<SeatReturn> Leave(IReadOnlySet<int> needed)
    {
        ArgumentNullException.ThrowIfNull(needed);
        foreach (var (key, number) in _seats.Where(seat => !needed.Contains(seat.Key.Member)).ToList())
        {
            _seats.Remove(key);
            _leaving[key] = number;
        }

        return [.. _leaving.Select(seat => new SeatReturn(_groups.Groups[seat.Key.Group], seat.Key.Member, seat.Value))];
    }

    /// <summary>Whoever has denied that these members sit there has none of their seats any more.</summary>
    public void Forget(ImmutableArray<int> members)
    {
        foreach (var seat in _seats.Keys.Where(seat => members.Contains(seat.Member)).ToList())
        {
            _seats.Remove(seat);
        }
    }

    /// <summary>The group has it back: there is room for somebody else of this partition, if nobody was faster.</summary>
    public void Return(SeatReturn seat)
    {
        var group = _indexes[seat.Group];
        _leaving.Remove((seat.Member, group));
        _refused.Remove(group);
    }

    /// <summary>
    /// Up to a quarter is left out, by a hash: partitions that were refused together do not come back together. The groups of one partition
    /// do, in steps of the shortest wait: a refusal also costs the commits of the permits that were for it.
    /// </summary>
    private DateTimeOffset RetryAt(GroupName group, int refusals, DateTimeOffset now)
    {
        var after = Math.Min(RetryMin.Ticks << Math.Min(refusals, 8), RetryMax.Ticks);
        var early = HashOf($"{_partition}/{refusals}/{group}", after / 4);
        var past = (now.UtcTicks + after - early - HashOf($"{_partition}", RetryMin.Ticks)) % RetryMin.Ticks;
        return now + TimeSpan.FromTicks(after - early + (past == 0 ? 0 : RetryMin.Ticks - past));
    }

    private static long HashOf(string text, long below) => (long)(XxHash64.HashToUInt64(Encoding.UTF8.GetBytes(text)) % (ulong)below);
}
