using Muster.Domain.Rollouts;
using static Muster.Domain.Tests.Rollouts.RolloutBuilder;

namespace Muster.Domain.Tests.Rollouts;

/// <summary>Devices that come to match after the freeze.</summary>
internal sealed partial class RolloutWorld
{
    /// <summary>More than any rollout of the histories has members.</summary>
    private const int FirstLateDevice = 1_000;

    private int _late;

    /// <summary>Some device comes to match now and then, whatever the spec says of it, as long as the rollout is under way.</summary>
    private void Arrive(WorldShare share)
    {
        if (_random.Next(12) == 0)
        {
            share.Outside.Add((Device(FirstLateDevice + _late++), _now));
        }
    }

    /// <summary>Who joined is offered nothing before he is counted, before his wave has its turn, and without a permit.</summary>
    private void CheckJoiner(WorldMember member)
    {
        if (_committed.JoinersWave is not { } wave || member.Wave != wave)
        {
            return;
        }

        Demand(_committed.JoiningEndedAt is not null, "offered to a late joiner while others can join");
        Demand(
            _committed.Waves[wave].Cut.Members == _shares.Sum(share => share.State.Joiners.Length),
            "offered to a late joiner who is not counted");
        Demand(
            _committed.Waves.SkipLast(1).All(one => (one.PassedAt ?? one.Forward?.PassedAt) is not null),
            "offered to a late joiner before an earlier wave has passed");
        var mine = _shares.Single(share => share.Members.Contains(member));
        var granted = _committed.Shares.Single(share => share.Partition == mine.Partition).Waves[wave].Granted;
        var offered = mine.Members.Where(one => one.Wave == wave).Sum(one => (long)one.Offers);
        Demand(offered < granted, "offered to a late joiner without a permit");
    }

    /// <summary>Who matched before joining had ended is a member, once; nobody is where nobody can join.</summary>
    private void CheckJoined(RolloutPlan plan)
    {
        var joiners = _shares.SelectMany(share => share.State.Joiners).ToList();
        Demand(_spec.IncludeLateJoiners || joiners.Count == 0, "somebody joined a rollout that nobody can join");
        Demand(joiners.Distinct().Count() == joiners.Count, "somebody joined twice");
        Demand(plan.Members == _frozen + joiners.Count, "the members are not all counted");
        Demand(
            !_spec.IncludeLateJoiners || _shares.SelectMany(share => share.Outside).All(device => device.At >= plan.JoiningEndedAt),
            "somebody who came in time is no member");
    }
}
