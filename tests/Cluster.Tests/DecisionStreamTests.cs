using Grpc.Core;
using Muster.Protocol.V1;

namespace Muster.Cluster.Tests;

/// <summary>The stream of decisions when the gateway that it comes from dies.</summary>
[Collection(ClusterSite.Collection)]
public sealed class DecisionStreamTests
{
    private const string Parent = "tenants/default";
    private const int EditsPerPhase = 20;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>Two drafts are edited all the while; the reader goes on at the other gateway with the newest token that it has.</summary>
    [Fact]
    public async Task WatchRolloutDecisions_WhoseGatewayIsKilled_GoesOnAtTheOtherWithoutAGap()
    {
        await using var site = await ClusterSite.StartAsync(silos: 2, gateways: 2, Cancel);
        var image = $"{Parent}/images/{await site.ImportImageAsync(Cancel)}";
        using var second = new Editor(site, image);
        await second.CreateAsync("spring");
        await second.CreateAsync("autumn");
        var told = new List<(string Rollout, long Number)>();

        var token = await ReadUntilItBreaksAsync(site, told, async heard =>
        {
            await second.EditAsync(EditsPerPhase);
            await heard.WaitAsync(Patience, Cancel);
            site.Gateways[0].Kill();
        });
        var before = told.Count;
        await second.EditAsync(EditsPerPhase);
        await ReadOnAsync(site, told, token, () => second.EditAsync(EditsPerPhase));

        Assert.True(before > 0, "Nothing was told before the gateway died.");
        foreach (var rollout in new[] { "spring", "autumn" })
        {
            Assert.Equal(
                Enumerable.Range(1, 3 * EditsPerPhase).Select(number => (long)number),
                told.Where(one => one.Rollout == $"{Parent}/rollouts/{rollout}").Select(one => one.Number));
        }
    }

    /// <summary>
    /// A client keeps what came up to its newest token: what came behind it is told again. The gateway dies in the middle of the stream.
    /// </summary>
    private static async Task<string> ReadUntilItBreaksAsync(
        ClusterSite site, List<(string Rollout, long Number)> told, Func<Task, Task> meanwhile)
    {
        using var channel = GatewayChannel.Open(site, 0);
        using var call = new Rollouts.RolloutsClient(channel).WatchRolloutDecisions(
            new WatchRolloutDecisionsRequest { Parent = Parent }, cancellationToken: Cancel);
        var heard = new TaskCompletionSource();
        Task? killing = null;
        var token = "";
        var pending = new List<(string Rollout, long Number)>();
        try
        {
            await foreach (var message in call.ResponseStream.ReadAllAsync(Cancel))
            {
                if (message.Decision is { } decision)
                {
                    pending.Add((message.Rollout, decision.Number));
                }

                if (message.ResumeToken.Length > 0)
                {
                    token = message.ResumeToken;
                    told.AddRange(pending);
                    pending.Clear();
                    if (told.Count > 0)
                    {
                        heard.TrySetResult(); // what comes without a token behind it is not kept
                    }
                }

                killing ??= message.CaughtUp ? meanwhile(heard.Task) : null;
            }
        }
        catch (RpcException broken) when (broken.StatusCode is StatusCode.Unavailable or StatusCode.Internal)
        {
            // The gateway is dead.
        }

        await killing!;
        return token;
    }

    private static async Task ReadOnAsync(
        ClusterSite site, List<(string Rollout, long Number)> told, string token, Func<Task> meanwhile)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        patience.CancelAfter(Patience);
        using var channel = GatewayChannel.Open(site, 1);
        using var call = new Rollouts.RolloutsClient(channel).WatchRolloutDecisions(
            new WatchRolloutDecisionsRequest { Parent = Parent, ResumeToken = token }, cancellationToken: patience.Token);
        Task? editing = null;
        await foreach (var message in call.ResponseStream.ReadAllAsync(patience.Token))
        {
            if (message.Decision is { } decision)
            {
                Assert.Equal(0, message.Forgotten);
                told.Add((message.Rollout, decision.Number));
            }

            editing ??= message.CaughtUp ? meanwhile() : null;
            if (told.Count >= 2 * 3 * EditsPerPhase)
            {
                break;
            }
        }

        await editing!;
    }

    /// <summary>Edits both drafts by the gateway that lives on; each edit is a decision.</summary>
    private sealed class Editor(ClusterSite site, string image) : IDisposable
    {
        private readonly Grpc.Net.Client.GrpcChannel _channel = GatewayChannel.Open(site, 1);
        private int _budget = 1;

        public async Task CreateAsync(string rollout) => await Client.CreateRolloutAsync(
            new CreateRolloutRequest { Parent = Parent, RolloutId = rollout, RequestId = rollout, Rollout = Spec() },
            cancellationToken: Cancel);

        public async Task EditAsync(int times)
        {
            for (var i = 0; i < times; i++)
            {
                _budget++;
                foreach (var rollout in new[] { "spring", "autumn" })
                {
                    var spec = Spec();
                    spec.Name = $"{Parent}/rollouts/{rollout}";
                    await Client.UpdateRolloutAsync(new UpdateRolloutRequest { Rollout = spec }, cancellationToken: Cancel);
                }
            }
        }

        public void Dispose() => _channel.Dispose();

        private Rollouts.RolloutsClient Client => new(_channel);

        private Rollout Spec() => new() { Image = image, MaxUnavailable = _budget, Waves = { new WaveSpec { Percent = 100 } } };
    }
}
