using System.CommandLine;
using Grpc.Core;
using Muster.Cli.Rollouts;
using V1 = Muster.Protocol.V1;

namespace Muster.Cli.Tests;

/// <summary>The waves of a retry.</summary>
public sealed class RetryRestTests
{
    private const string Spring = "tenants/default/rollouts/spring";

    private readonly PlayedRollouts _rollouts = new();

    [Fact]
    public async Task ReadWavesAsync_WithAFilterAndNoWaves_PutsItOnTheWavesThatTheRolloutHad()
    {
        var waves = await ReadAsync(new V1.Rollout(), "--wave-filter", "0:labels.ring = early", "--stratify", "1:model");

        Assert.Equal([Spring], _rollouts.Asked);
        Assert.Equal([(3, "labels.ring = early", ""), (0, "", "model")], waves);
    }

    [Fact]
    public async Task ReadWavesAsync_WithWaves_PutsTheFilterOnThem()
    {
        var waves = await ReadAsync(new V1.Rollout { Waves = { new V1.WaveSpec { Count = 7 } } }, "--wave-filter", "0:site = Lund");

        Assert.Empty(_rollouts.Asked);
        Assert.Equal([(7, "site = Lund", "")], waves);
    }

    [Fact]
    public async Task ReadWavesAsync_WithNothing_LeavesThemToTheServer()
    {
        Assert.Empty(await ReadAsync(new V1.Rollout()));
        Assert.Empty(_rollouts.Asked);
    }

    private async Task<(int Count, string Filter, string Strata)[]> ReadAsync(V1.Rollout given, params string[] arguments)
    {
        var parsed = new Command("retry-rest") { WaveOptions.Filters, WaveOptions.Strata }.Parse(arguments);
        await RetryRest.ReadWavesAsync(_rollouts, parsed, given, Spring, TestContext.Current.CancellationToken);
        return [.. given.Waves.Select(wave => (wave.Count, wave.Filter, string.Join(',', wave.StratifyBy)))];
    }

    /// <summary>A server with one rollout of two waves.</summary>
    private sealed class PlayedRollouts : V1.Rollouts.RolloutsClient
    {
        public List<string> Asked { get; } = [];

        public override AsyncUnaryCall<V1.Rollout> GetRolloutAsync(
            V1.GetRolloutRequest request, Metadata? headers, DateTime? deadline, CancellationToken cancellationToken)
        {
            Asked.Add(request.Name);
            var waves = new[] { new V1.WaveSpec { Count = 3 }, new V1.WaveSpec { Percent = 100 } };
            return new AsyncUnaryCall<V1.Rollout>(
                Task.FromResult(new V1.Rollout { Name = request.Name, Waves = { waves } }),
                Task.FromResult(new Metadata()),
                () => Status.DefaultSuccess,
                () => [],
                () => { });
        }
    }
}
