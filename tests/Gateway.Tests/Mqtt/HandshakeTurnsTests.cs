using System.Net;
using Microsoft.Extensions.Time.Testing;
using Muster.Gateway.Identity;

namespace Muster.Gateway.Tests.Mqtt;

/// <summary>Whose handshake is next, and whose place for waiting is taken when all of them are.</summary>
public sealed class HandshakeTurnsTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    private readonly FakeTimeProvider _clock = new();
    private readonly Dictionary<HandshakeTurn, HandshakeSource> _sources = [];

    /// <summary>Twenty-four networks with everything that they may have waiting: a device of another one is behind one of each.</summary>
    [Fact]
    public void TryGiveTurn_WithManyOfEachNetworkWaiting_GivesEachNetworkOneInTurn()
    {
        const int Networks = 24;
        var turns = Create(handshakes: 2, ofOne: 2, waiting: 10_000);
        var silent = Enumerable.Range(1, Networks).SelectMany(host => Enter(turns, Network(host), 256)).ToList();
        var device = turns.Enter(Network(100), mayBegin: true);
        Assert.Equal(2, turns.Running);

        var before = 0;
        while (!device.Outcome.IsCompleted)
        {
            // The oldest of the two, whose time is over.
            silent.First(turn => turn.IsRunning).Dispose();
            Assert.True(turns.TryGiveTurn());
            before++;
        }

        // Its own is the last: the first network had its turn before, two at once.
        Assert.Equal(Networks, before);
        Assert.Equal(TurnOutcome.Begun, Outcome(device));
    }

    /// <summary>As many hosts as a /48 has room for are one network still.</summary>
    [Fact]
    public void TryGiveTurn_OfOneLargeNetworkOfIPv6_GivesItOneTurnAndItsHostsTheirsInTurn()
    {
        var turns = Create(handshakes: 1, ofOne: 1, waiting: 10_000);
        using var first = turns.Enter(Network(2), mayBegin: true);
        var hosts = Enumerable.Range(1, 500).Select(host => Enter(turns, Host(host), 3).ToArray()).ToList();
        var device = turns.Enter(Network(1), mayBegin: true);

        first.Dispose();
        Assert.True(turns.TryGiveTurn());
        Assert.Equal(TurnOutcome.Begun, Outcome(hosts[0][0]));
        hosts[0][0].Dispose();
        Assert.True(turns.TryGiveTurn());
        Assert.Equal(TurnOutcome.Begun, Outcome(device));
        device.Dispose();

        // The second socket of the first host is behind the first one of the last.
        foreach (var host in hosts.Skip(1))
        {
            Assert.True(turns.TryGiveTurn());
            Assert.Equal(TurnOutcome.Begun, Outcome(host[0]));
            host[0].Dispose();
        }

        Assert.True(turns.TryGiveTurn());
        Assert.Equal(TurnOutcome.Begun, Outcome(hosts[0][1]));
    }

    [Fact]
    public void TryGiveTurn_OfANetworkWithItsShareUsedUp_IsTheNextOnes()
    {
        var turns = Create(handshakes: 3, ofOne: 2, waiting: 10);
        var site = Enter(turns, Network(1), 3).ToArray();
        Assert.Equal([true, true, false], site.Select(turn => turn.Outcome.IsCompleted));
        Assert.False(turns.HasNext);
        Assert.False(turns.TryGiveTurn());

        // Nobody else's turn: it begins at once, and holds up the site no longer than it lasts.
        var device = turns.Enter(Network(2), mayBegin: true);
        Assert.Equal(TurnOutcome.Begun, Outcome(device));
        site[0].Dispose();
        Assert.True(turns.HasNext);
        Assert.True(turns.TryGiveTurn());
        Assert.Equal(TurnOutcome.Begun, Outcome(site[2]));
    }

    /// <summary>While the gateway has enough to do, or somebody waits, nobody goes past.</summary>
    [Fact]
    public void Enter_WhileSomebodyWaitsOrItMayNotBegin_Waits()
    {
        var turns = Create(handshakes: 4, ofOne: 4, waiting: 10);
        var first = turns.Enter(Network(1), mayBegin: false);
        var second = turns.Enter(Network(2), mayBegin: true);

        Assert.Equal((2, 0), (turns.Waiting, turns.Running));
        Assert.True(turns.TryGiveTurn());
        Assert.Equal((true, false), (first.Outcome.IsCompleted, second.Outcome.IsCompleted));
        Assert.True(turns.TryGiveTurn());
        Assert.False(turns.TryGiveTurn());
        Assert.Equal((0, 2), (turns.Waiting, turns.Running));
    }

    [Fact]
    public void GiveBack_OfTheLast_ForgetsTheNetwork_AndOnceMoreChangesNothing()
    {
        var turns = Create(handshakes: 1, ofOne: 1, waiting: 1);
        var running = turns.Enter(Network(1), mayBegin: true);
        var waiting = turns.Enter(Network(2), mayBegin: true);
        var refused = turns.Enter(Network(3), mayBegin: true);
        Assert.Equal(TurnOutcome.NoPlace, Outcome(refused));
        Assert.Equal(2, turns.Networks);

        running.Dispose();
        running.Dispose();
        Assert.Equal(0, turns.Running);
        using var again = turns.Enter(Network(3), mayBegin: false);
        Assert.Equal(TurnOutcome.NoPlace, Outcome(again));
        waiting.Dispose();
        Assert.Equal(0, turns.Networks);
        var later = turns.Enter(Network(3), mayBegin: true);

        // One who had no place when his network had nobody here takes nothing from it now.
        refused.Dispose();
        Assert.Equal(1, turns.Networks);
        later.Dispose();
        Assert.Equal((0, 0, 0), (turns.Networks, turns.Running, turns.Waiting));
    }

    [Fact]
    public void Outcome_AfterTheTimeThatOneMayWait_AndWithThePeer()
    {
        var turns = Create(handshakes: 1, ofOne: 1, waiting: 5);
        var running = turns.Enter(Network(1), mayBegin: true);
        var patient = turns.Enter(Network(2), mayBegin: true);
        var gone = turns.Enter(Network(3), mayBegin: true);

        gone.StopWaiting();
        running.StopWaiting();
        Assert.Equal(TurnOutcome.Closed, Outcome(gone));
        _clock.Advance(Patience - TimeSpan.FromTicks(1));
        Assert.False(patient.Outcome.IsCompleted);
        _clock.Advance(TimeSpan.FromTicks(1));

        Assert.Equal(TurnOutcome.WaitedTooLong, Outcome(patient));
        Assert.Equal((1, 0), (turns.Running, turns.Waiting));
        running.Dispose();
        Assert.False(turns.HasNext);
    }

    /// <summary>Of those who have their turn nobody is ended for having waited.</summary>
    [Fact]
    public void Patience_OfWhoBegan_IsOver()
    {
        var turns = Create(handshakes: 1, ofOne: 1, waiting: 5);
        var turn = turns.Enter(Network(1), mayBegin: false);
        Assert.True(turns.TryGiveTurn());

        _clock.Advance(Patience * 2);

        Assert.Equal((TurnOutcome.Begun, 1), (Outcome(turn), turns.Running));
    }

    [Fact]
    public void Enter_OfAnotherNetwork_TakesTheYoungestOfTheLargestUntilBothHaveTheSame()
    {
        const int Max = 6;
        var turns = Create(handshakes: 1, ofOne: 1, waiting: Max);
        using var running = turns.Enter(Network(9), mayBegin: true);
        var all = Enter(turns, Network(1), Max).ToList();
        Assert.DoesNotContain(all, turn => turn.Outcome.IsCompleted);

        for (var i = 1; i <= Max / 2; i++)
        {
            Assert.False(turns.Enter(Network(2), mayBegin: true).Outcome.IsCompleted);
            Assert.Equal(
                [.. Enumerable.Repeat(false, Max - i), .. Enumerable.Repeat(true, i)], all.Select(turn => turn.Outcome.IsCompleted));
        }

        Assert.Equal(TurnOutcome.Displaced, Outcome(all[^1]));
        Assert.Equal(TurnOutcome.NoPlace, Outcome(turns.Enter(Network(2), mayBegin: true)));
        Assert.Equal(TurnOutcome.NoPlace, Outcome(turns.Enter(Network(1), mayBegin: true)));

        // The displaced gives nothing back.
        all[^1].Dispose();
        Assert.Equal(Max, turns.Waiting);
    }

    /// <summary>A neighbour in the same /48 is not kept out by a host of it, and a /48 full of hosts keeps nobody else out.</summary>
    [Fact]
    public void Enter_OfANeighbour_TakesThePlaceOfTheHostThatHasTheMost()
    {
        var turns = Create(handshakes: 1, ofOne: 1, waiting: 4);
        using var running = turns.Enter(Network(9), mayBegin: true);
        var single = turns.Enter(Host(1), mayBegin: true);
        var large = Enter(turns, Host(2), 3).ToList();

        var neighbour = turns.Enter(Host(3), mayBegin: true);
        Assert.Equal((false, TurnOutcome.Displaced), (neighbour.Outcome.IsCompleted, Outcome(large[2])));
        Assert.Equal(TurnOutcome.Displaced, OutcomeAfter(() => turns.Enter(Network(1), mayBegin: true), large[1]));
        Assert.False(single.Outcome.IsCompleted || large[0].Outcome.IsCompleted);

        // All hosts have one: another one of them is no reason, another network is.
        Assert.Equal(TurnOutcome.NoPlace, Outcome(turns.Enter(Host(4), mayBegin: true)));
        Assert.False(turns.Enter(Network(2), mayBegin: true).Outcome.IsCompleted);
    }

    /// <summary>Whatever comes and goes: counts agree, and nobody is sent away while another network has two more than his own.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Enter_InAnyOrder_RefusesNobodyForTheSakeOfALargerNetwork(int seed)
    {
        var random = new Random(seed);
        var turns = Create(handshakes: 3, ofOne: 2, waiting: 8);
        HandshakeSource[] sources = [Network(1), Network(2), Host(1), Host(2), HandshakeSource.Of(IPAddress.Parse("2001:db8:7::1"))];
        List<HandshakeTurn> open = [];
        for (var step = 0; step < 3_000; step++)
        {
            switch (random.Next(4))
            {
                case 0 when open.Count > 0:
                    open[random.Next(open.Count)].Dispose();
                    break;
                case 1:
                    turns.TryGiveTurn();
                    break;
                default:
                    var source = sources[random.Next(sources.Length)];
                    var turn = turns.Enter(source, mayBegin: random.Next(2) == 0);
                    _sources[turn] = source;
                    open.Add(turn);
                    AssertFair(turn, open);
                    break;
            }

            open.RemoveAll(turn => !turn.IsRunning && turn.Node is null);
            Assert.Equal(open.Count(turn => turn.IsRunning), turns.Running);
            Assert.Equal(open.Count(turn => turn.Node is not null), turns.Waiting);
            Assert.Equal(open.Select(turn => _sources[turn].Network).Distinct().Count(), turns.Networks);
            Assert.InRange(turns.Running, 0, 3);
            Assert.InRange(turns.Waiting, 0, 8);
            Assert.All(sources, source => Assert.InRange(
                open.Count(turn => turn.IsRunning && _sources[turn].Network.Equals(source.Network)), 0, 2));
        }

        // Nobody is left behind: all of them get their turns.
        foreach (var turn in open.ToList())
        {
            turn.Dispose();
        }

        Assert.Equal((0, 0, 0), (turns.Networks, turns.Running, turns.Waiting));
    }

    /// <summary>With places free, whoever waits has his turn: none is forgotten in the round.</summary>
    [Theory]
    [InlineData(4)]
    [InlineData(5)]
    public void TryGiveTurn_UntilNobodyWaits_GivesEverybodyOne(int seed)
    {
        var random = new Random(seed);
        var turns = Create(handshakes: 3, ofOne: 2, waiting: 1_000);
        var all = Enumerable.Range(0, 500)
            .Select(_ => turns.Enter(random.Next(2) == 0 ? Network(random.Next(5)) : Host(random.Next(5)), mayBegin: true))
            .ToList();
        for (var step = 0; step < 500; step++)
        {
            all.First(turn => turn.IsRunning).Dispose();
            turns.TryGiveTurn();
        }

        Assert.Equal((0, 0), (turns.Waiting, turns.Running));
        Assert.All(all, turn => Assert.Equal(TurnOutcome.Begun, Outcome(turn)));
    }

    private void AssertFair(HandshakeTurn turn, List<HandshakeTurn> open)
    {
        if (turn.Outcome.IsCompleted && Outcome(turn) == TurnOutcome.NoPlace)
        {
            var waiting = open.Where(other => other.Node is not null).ToList();
            var own = waiting.Count(other => _sources[other].Network.Equals(_sources[turn].Network));
            Assert.All(
                waiting.GroupBy(other => _sources[other].Network), network => Assert.InRange(network.Count(), 1, own + 1));
        }
    }

    private HandshakeTurns Create(int handshakes, int ofOne, int waiting) =>
        new(new HandshakeBounds(handshakes, ofOne, waiting, Patience), _clock);

    private static List<HandshakeTurn> Enter(HandshakeTurns turns, HandshakeSource source, int count) =>
        [.. Enumerable.Range(0, count).Select(_ => turns.Enter(source, mayBegin: true))];

    private static TurnOutcome OutcomeAfter(Func<HandshakeTurn> enter, HandshakeTurn other)
    {
        Assert.False(enter().Outcome.IsCompleted);
        return Outcome(other);
    }

    private static TurnOutcome Outcome(HandshakeTurn turn)
    {
        Assert.True(turn.Outcome.IsCompletedSuccessfully);
        return turn.Outcome.GetAwaiter().GetResult();
    }

    private static HandshakeSource Network(int host) => HandshakeSource.Of(new IPAddress([192, 0, 2, (byte)host]));

    private static HandshakeSource Host(int host) => HandshakeSource.Of(IPAddress.Parse($"2001:db8:0:{host:x}::1"));
}
