using System.Collections.Immutable;
using Muster.Domain.Rollouts;
using static Muster.Domain.Tests.Rollouts.RolloutBuilder;

namespace Muster.Domain.Tests.Rollouts;

/// <summary>An activation of the grain that has the seats.</summary>
internal sealed class GroupKeeper(GroupWorld world)
{
    private readonly GroupSizes _sizes = new();
    private GroupBucket _known = world.Bucket.Value;
    private int _version = world.Bucket.Version;

    public ImmutableArray<SeatTaken> Take(int partition, SeatWant want)
    {
        var known = _sizes.Tell(want.Group, partition, want.MembersHere);
        var (next, taken) = GroupRules.Take(_known, partition, want, known, world.Now);
        Commit(next);
        if (taken.Length < want.Members.Length)
        {
            foreach (var share in _known.SeatsOf(want.Group).Where(seat => seat.TakenAt + GroupRules.DoubtAfter <= world.Now)
                .GroupBy(seat => seat.Partition))
            {
                world.Doubt(want.Group, [.. share]);
            }
        }

        return taken;
    }

    public void Return((int Partition, ImmutableArray<SeatReturn> Seats) returned) =>
        Commit(GroupRules.Return(_known, returned.Partition, returned.Seats));

    private void Commit(GroupBucket next)
    {
        if (next.Equals(_known))
        {
            return;
        }

        try
        {
            _version = world.Bucket.Write(next, _version);
            _known = next;
        }
        catch (LostException)
        {
            world.Die(this);
            throw;
        }
    }
}

/// <summary>An activation of a share, one step of it a run between two of its calls.</summary>
internal sealed class ShareActivation
{
    private static readonly ImmutableArray<byte> NoWaves = [];

    private readonly GroupWorld _world;
    private readonly ImmutableArray<byte> _waves;
    private readonly MemberReach[] _online;
    private readonly Random _order;
    private RolloutShare _share;
    private RolloutShare _committed;
    private int _version;
    private ShareSeats _seats;
    private IEnumerator<int>? _advance;

    public ShareActivation(GroupWorld world, int partition)
    {
        _world = world;
        Partition = partition;
        _share = _committed = world.Records[partition].Value;
        _version = world.Records[partition].Version;
        _seats = new ShareSeats(partition, world.GroupsOf(partition));
        _waves = NoWaves.AddRange(Enumerable.Repeat((byte)0, _share.Members.Length));
        _online = new MemberReach[_share.Members.Length];
        _order = new Random(partition);
    }

    public int Partition { get; }

    /// <summary>In the middle of a step: other calls wait.</summary>
    public bool IsBusy => _advance is not null;

    public void Run(int calls)
    {
        for (var i = 0; i < calls; i++)
        {
            _advance ??= Advance().GetEnumerator();
            if (!_advance.MoveNext())
            {
                _advance = null;
                return;
            }
        }
    }

    /// <summary>As after a crash.</summary>
    public void Restart()
    {
        _advance = null;
        _share = _committed = _world.Records[Partition].Value;
        _version = _world.Records[Partition].Version;
        _seats = new ShareSeats(Partition, _world.GroupsOf(Partition));
    }

    public ImmutableArray<int> ListUnseated(IEnumerable<int> members)
    {
        ImmutableArray<int> unseated = [.. members.Except(_share.Open.Select(offer => offer.Member))];
        if (!unseated.IsEmpty)
        {
            Commit(_share);
        }

        return unseated;
    }

    private IEnumerable<int> Advance()
    {
        ReadFeed();
        for (var budget = 0; budget < _seats.Budgets; budget++)
        {
            foreach (var want in Missing(_share.Open.Select(offer => offer.Member), budget, isClaim: true))
            {
                yield return Take(want);
            }
        }

        yield return Return();
        var seen = _share.Permits.IsEmpty ? 0 : _share.Permits[0].Seen;
        var grant = new PermitGrant([seen + 1 + _order.Next(4)], 1, true, _world.Now);
        for (var round = 0; round < 4; round++)
        {
            var chosen = ShareRules.TakePermits(_share, grant, _waves, _seats.Mask(_online, _world.Now)).Open.Skip(_share.Open.Length)
                .Select(offer => offer.Member).ToList();
            for (var budget = 0; budget < _seats.Budgets && !chosen.TrueForAll(_seats.IsSeated); budget++)
            {
                foreach (var want in Missing(chosen, budget, isClaim: false))
                {
                    yield return Take(want);
                }

                chosen.RemoveAll(member => !_seats.IsSeated(member, budget));
            }
        }

        Commit(ShareRules.TakePermits(_share, grant, _waves, _seats.Seated(_online)));
        yield return Return();
        foreach (var offer in _share.Open.Where(offer => !offer.IsConfirmed))
        {
            yield return Ask(offer);
        }

        ReadFeed();
        yield return Return();
    }

    private ImmutableArray<SeatWant> Missing(IEnumerable<int> members, int budget, bool isClaim) =>
        _seats.Missing(members, budget, _world.Budgets[budget].Limit, isClaim);

    private int Take(SeatWant want)
    {
        ImmutableArray<SeatTaken> taken = [];
        try
        {
            taken = _world.Take(Partition, want);
        }
        catch (LostException)
        {
            // Nobody knows.
        }

        _seats.Take(want, taken, _world.Now);
        return 0;
    }

    private int Return()
    {
        var open = _share.Open.Select(offer => offer.Member).ToHashSet();
        var spare = _seats.Leave(open);
        if (spare.IsEmpty)
        {
            return 0;
        }

        if (_committed.Open.Select(offer => offer.Member).Except(open).Intersect(spare.Select(seat => seat.Member)).Any())
        {
            Commit(_share);
        }

        try
        {
            _world.Return(Partition, spare);
            foreach (var seat in spare)
            {
                _seats.Return(seat);
            }
        }
        catch (LostException)
        {
            // With the next step.
        }

        return 0;
    }

    /// <summary>
    /// Who is not the newest activation offers nothing here: that a device takes an offer of which its share has said since that it was
    /// never made is the same with every budget, and none of groups.
    /// </summary>
    private int Ask(OpenOffer offer)
    {
        if (_version != _world.Records[Partition].Version || _world.Chance(6))
        {
            return 0;
        }

        if (!_world.Offer(Partition, offer.Member))
        {
            Commit(ShareRules.Release(_share, offer.Member)); // it has no session
        }

        return 0;
    }

    private void ReadFeed()
    {
        var feed = _world.Feeds[Partition];
        foreach (var (member, end) in feed.Skip((int)_share.Position))
        {
            _share = end is { } outcome
                ? ShareRules.Close(_share, member, 0, new MemberOutcome(outcome, 0, "", Start) { WasMade = true })
                : ShareRules.Confirm(_share, member, 0, new OpenOffer(member, 1, true, Start, null), 0);
        }

        _share = _share with { Position = feed.Count };
    }

    private void Commit(RolloutShare next)
    {
        _version = _world.Records[Partition].Write(next, _version);
        _share = _committed = next;
    }
}
