using System.Net;
using Microsoft.Extensions.Time.Testing;
using Muster.Gateway.Identity;

namespace Muster.Gateway.Tests.Mqtt;

/// <summary>Whose place is taken when all of them are.</summary>
public sealed class WaitingPlacesTests
{
    private const int Max = 6;

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    private readonly FakeTimeProvider _clock = new();
    private readonly WaitingPlaces _places;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public WaitingPlacesTests() => _places = new WaitingPlaces(Max, Patience, _clock);

    [Fact]
    public void TryEnter_OfOneNetworkAlone_HasAllPlaces()
    {
        var all = Fill(Network(1));

        Assert.DoesNotContain(all, place => place.Ended.IsCancellationRequested);
        Assert.Equal(Max, _places.Count);
    }

    [Fact]
    public void TryEnter_OfAnotherNetwork_TakesTheYoungestOfTheLargestUntilBothHaveTheSame()
    {
        var (large, small) = (Network(1), Network(2));
        var all = Fill(large);

        for (var i = 1; i <= Max / 2; i++)
        {
            Assert.NotNull(_places.TryEnter(small, Stop));
            Assert.Equal(
                [.. Enumerable.Repeat(false, Max - i), .. Enumerable.Repeat(true, i)],
                all.Select(place => place.Ended.IsCancellationRequested));
        }

        Assert.Null(_places.TryEnter(small, Stop));
        Assert.Null(_places.TryEnter(large, Stop));
        Assert.Equal(Max, _places.Count);
    }

    [Fact]
    public void Dispose_OfAPlaceThatIsAnothersAlready_GivesNothingBack()
    {
        var all = Fill(Network(1));
        Assert.NotNull(_places.TryEnter(Network(2), Stop));

        all[^1].Dispose();
        Assert.Equal(Max, _places.Count);
        all[0].Dispose();

        Assert.Equal(Max - 1, _places.Count);
    }

    [Fact]
    public void Ended_AfterTheTimeThatOneMayWait_AndWithTheConnection()
    {
        using var closed = new CancellationTokenSource();
        using var patient = _places.TryEnter(Network(1), Stop)!;
        using var gone = _places.TryEnter(Network(1), closed.Token)!;

        closed.Cancel();
        Assert.True(gone.Ended.IsCancellationRequested);
        _clock.Advance(Patience - TimeSpan.FromTicks(1));
        Assert.False(patient.Ended.IsCancellationRequested);
        _clock.Advance(TimeSpan.FromTicks(1));

        Assert.True(patient.Ended.IsCancellationRequested);
    }

    /// <summary>Whatever comes and goes: nobody is sent away while another network has two more than his own.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void TryEnter_InAnyOrder_RefusesNobodyForTheSakeOfALargerNetwork(int seed)
    {
        const int Networks = 4;
        var random = new Random(seed);
        var networks = Enumerable.Range(1, Networks).Select(Network).ToList();
        var waiting = networks.ToDictionary(network => network, _ => new List<WaitingPlaces.Place>());
        for (var step = 0; step < 2_000; step++)
        {
            var network = networks[random.Next(Networks)];
            if (waiting[network] is { Count: > 0 } own && random.Next(3) == 0)
            {
                own[random.Next(own.Count)].Dispose();
            }
            else if (_places.TryEnter(network, Stop) is { } place)
            {
                waiting[network].Add(place);
            }
            else
            {
                Assert.All(waiting.Values, others => Assert.True(others.Count <= waiting[network].Count + 1));
            }

            // Who is taken out stays in the test's list until here, as does who left.
            waiting.Values.ToList().ForEach(places => places.RemoveAll(gone => gone.Node is null));
            Assert.Equal(waiting.Values.Sum(places => places.Count), _places.Count);
            Assert.InRange(_places.Count, 0, Max);
        }
    }

    private List<WaitingPlaces.Place> Fill(SourceShare network) =>
        [.. Enumerable.Range(0, Max).Select(_ => _places.TryEnter(network, Stop)!)];

    private static SourceShare Network(int host) => new(new IPAddress([192, 0, 2, (byte)host]), 1);
}
