using System.CommandLine;
using Grpc.Core;
using Muster.Cli.Rollouts;
using Muster.Cli.Session;
using V1 = Muster.Protocol.V1;

namespace Muster.Cli.Tests;

/// <summary>The waves of a retry.</summary>
public sealed class RetryRestTests
{
    private const string Spring = "tenants/default/rollouts/spring";

    private readonly PlayedRollouts _rollouts = new();

    [Fact]
    public async Task ReadWavesAsync_WithAFilterAndNoWaves_LeavesItToTheServerToPutItBesideTheWavesOwn()
    {
        var request = await ReadAsync([], "--wave-filter", "0:labels.ring = early");

        Assert.Equal([Spring], _rollouts.Asked);
        Assert.Empty(request.Waves);
        Assert.Equal([new V1.WaveFilter { Wave = 0, Filter = "labels.ring = early" }], request.WaveFilters);
    }

    [Fact]
    public async Task ReadWavesAsync_WithStrataAndNoWaves_AddsFieldsToTheWavesThatTheRolloutHad()
    {
        var request = await ReadAsync([], "--wave-filter", "1:site = Lund", "--stratify", "0:model, site", "--stratify", "1:track");

        Assert.Equal([(3, "connected = true", "site,model"), (0, "site = Lund", "track")], Shown(request));
        Assert.Empty(request.WaveFilters);
    }

    /// <summary>Every server knows what to do with it.</summary>
    [Fact]
    public async Task ReadWavesAsync_WithAFilterOfAWaveThatHasNone_PutsItOnTheWave()
    {
        var request = await ReadAsync([], "--wave-filter", "1:site = Lund", "--wave-filter", "0:labels.ring = early");

        Assert.Equal([(3, "connected = true", "site"), (0, "site = Lund", "")], Shown(request));
        Assert.Equal([new V1.WaveFilter { Wave = 0, Filter = "labels.ring = early" }], request.WaveFilters);
    }

    [Fact]
    public void CheckNarrowed_OfAServerThatLeftTheFilterOut_SaysSo()
    {
        var request = Request();
        request.WaveFilters.Add(new V1.WaveFilter { Wave = 0, Filter = "labels.ring = early" });
        var wave = new V1.WaveSpec { Filter = "(connected = true) AND (labels.ring = early)" };
        var made = new V1.Rollout { Name = "rest", Waves = { wave } };

        RetryRest.CheckNarrowed(request, made);
        made.Waves[0].Filter = "connected = true";

        var refused = Assert.Throws<UsageException>(() => RetryRest.CheckNarrowed(request, made));
        Assert.Contains("left 'labels.ring = early' of --wave-filter out of rest", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ReadWavesAsync_WithWaves_PutsTheFilterOnThem()
    {
        var request = await ReadAsync([new V1.WaveSpec { Count = 7 }], "--wave-filter", "0:site = Lund");

        Assert.Empty(_rollouts.Asked);
        Assert.Empty(request.WaveFilters);
        Assert.Equal([(7, "site = Lund", "")], Shown(request));
    }

    [Fact]
    public async Task ReadWavesAsync_WithNothing_LeavesThemToTheServer()
    {
        Assert.Equal(Request(), await ReadAsync([]));
        Assert.Empty(_rollouts.Asked);
    }

    [Theory]
    [InlineData("2:site = Lund", "there is no wave 2; the 2 waves count from 0")]
    [InlineData("site = Lund", "is not N:FILTER")]
    public async Task ReadWavesAsync_OfAWaveThatTheRolloutHadNot_IsUsage(string filter, string text) => Assert.Contains(
        text,
        (await Assert.ThrowsAsync<UsageException>(async () => await ReadAsync([], "--wave-filter", filter))).Message,
        StringComparison.Ordinal);

    private static V1.RetryRolloutRequest Request() => new() { Name = Spring, RolloutId = "spring-rest" };

    private async Task<V1.RetryRolloutRequest> ReadAsync(V1.WaveSpec[] waves, params string[] arguments)
    {
        var request = Request();
        request.Waves.AddRange(waves);
        var parsed = new Command("retry-rest") { WaveOptions.Filters, WaveOptions.Strata }.Parse(arguments);
        await RetryRest.ReadWavesAsync(_rollouts, parsed, request, TestContext.Current.CancellationToken);
        return request;
    }

    private static (int Count, string Filter, string Strata)[] Shown(V1.RetryRolloutRequest request) =>
        [.. request.Waves.Select(wave => (wave.Count, wave.Filter, string.Join(',', wave.StratifyBy)))];

    /// <summary>A server with one rollout of two waves.</summary>
    private sealed class PlayedRollouts : V1.Rollouts.RolloutsClient
    {
        public List<string> Asked { get; } = [];

        public override AsyncUnaryCall<V1.Rollout> GetRolloutAsync(
            V1.GetRolloutRequest request, Metadata? headers, DateTime? deadline, CancellationToken cancellationToken)
        {
            Asked.Add(request.Name);
            var first = new V1.WaveSpec { Count = 3, Filter = "connected = true", StratifyBy = { "site" } };
            var waves = new[] { first, new V1.WaveSpec { Percent = 100 } };
            return new AsyncUnaryCall<V1.Rollout>(
                Task.FromResult(new V1.Rollout { Name = request.Name, Waves = { waves } }),
                Task.FromResult(new Metadata()),
                () => Status.DefaultSuccess,
                () => [],
                () => { });
        }
    }
}
