using System.Collections.Immutable;
using System.Diagnostics;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Muster.Contracts.Rollouts;
using Muster.Domain;
using Muster.Domain.Operators;
using Muster.Domain.Rollouts;
using Muster.Gateway.Rollouts;
using Muster.Gateway.Tests.Edge;
using V1 = Muster.Protocol.V1;

namespace Muster.Gateway.Tests.Grpc;

/// <summary>Who waits for an estimate, and who does not.</summary>
public sealed class RolloutEstimatesTests
{
    private const string Spring = "tenants/default/rollouts/spring";

    private readonly ShiftedClock _clock = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    /// <summary>
    /// A million devices at one a minute take more than a second to give up, and four times that is the pause: all that time nobody else
    /// waits.
    /// </summary>
    [Fact]
    public async Task OfAsync_BesideOneOfAMillionDevices_AnswersOthersAtOnce()
    {
        var estimates = new RolloutEstimates(_clock, NullLogger<RolloutEstimates>.Instance);
        var older = RolloutOf("older", 10);
        var before = await estimates.OfAsync(older, Stop);
        _clock.ShiftTimestamps(RolloutEstimates.Lifetime + TimeSpan.FromSeconds(1));

        var large = estimates.OfAsync(RolloutOf("large", 1_000_000, perMinute: 1), Stop);
        AssertAnswersOthersAtOnce();
        await large;
        AssertAnswersOthersAtOnce();

        // When the pause is over it is another's turn.
        _clock.ShiftTimestamps(TimeSpan.FromMinutes(10));
        await Eventually.GetAsync(
            () => Now(estimates.OfAsync(RolloutOf("new", 10), Stop)) is { Stop: EstimateStop.Unspecified } known ? known : null,
            "the new one is calculated");

        void AssertAnswersOthersAtOnce()
        {
            Assert.Equal(before, Now(estimates.OfAsync(older, Stop)));
            Assert.Equal(EstimateStop.Busy, Now(estimates.OfAsync(RolloutOf("new", 10), Stop))?.Stop);
            Assert.Equal("it has ended", Now(estimates.OfAsync(RolloutOf("ended", 10, RolloutState.Succeeded), Stop))?.Text);
            Assert.Equal(EstimateStop.Start, Now(estimates.OfAsync(RolloutOf("draft", 10, RolloutState.Draft), Stop))?.Stop);
            Assert.Equal(EstimateStop.Resume, Now(estimates.OfAsync(RolloutOf("paused", 10, RolloutState.Paused), Stop))?.Stop);
            Assert.Equal(EstimateStop.Resume, Now(estimates.OfAsync(RolloutOf("halted", 10, RolloutState.Suspended), Stop))?.Stop);
            Assert.Equal(EstimateStop.TooFar, Now(estimates.OfAsync(RolloutOf("back", 10, RolloutState.RollingBack), Stop))?.Stop);
        }
    }

    [Fact]
    public async Task OfAsync_OfTheSameRolloutAtTheSameTime_IsCalculatedOnce()
    {
        var estimates = new RolloutEstimates(_clock, NullLogger<RolloutEstimates>.Instance);
        var rollout = RolloutOf("spring", 1_000);

        var all = await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => estimates.OfAsync(rollout, Stop).AsTask()));

        Assert.All(all, one => Assert.Same(all[0], one));
        Assert.NotNull(all[0].EndsAt);
    }

    /// <summary>Its spec has lost the waves that its plan has: what the planner then does is a fault, and no answer is.</summary>
    [Fact]
    public async Task GetRollout_WhoseEndCannotBeCalculated_IsShownWithoutIt()
    {
        await using var edge = await OperatorsEdge.StartAsync();
        Answer(edge, _ => Broken());

        var shown = await Client(edge).GetRolloutAsync(new V1.GetRolloutRequest { Name = Spring }, cancellationToken: Stop);

        Assert.Equal(("BUSY", null), (shown.Estimate.Unknown, shown.Estimate.EndsAt));
        Assert.StartsWith("unknown: it could not be calculated", shown.Estimate.Text, StringComparison.Ordinal);
        Assert.Equal(V1.RolloutState.Running, shown.State);
    }

    [Fact]
    public async Task OfAsync_AfterAFault_LogsItOnceAndGoesOnWithOthers()
    {
        using var log = new CountingLog();
        var estimates = new RolloutEstimates(_clock, new Logger<RolloutEstimates>(log));

        await estimates.OfAsync(Broken(), Stop);
        await estimates.OfAsync(Broken(), Stop);
        _clock.ShiftTimestamps(TimeSpan.FromSeconds(5));

        Assert.Equal(1, log.Errors);
        Assert.NotNull((await estimates.OfAsync(RolloutOf("other", 10), Stop)).EndsAt);
    }

    /// <summary>The device in progress takes longer and longer, which the sentence says; the end is that of the soak.</summary>
    [Fact]
    public async Task WatchRollout_WhileOnlyTheSentenceOfTheEstimateChanges_SendsNothing()
    {
        await using var edge = await OperatorsEdge.StartAsync(_clock);
        var (asked, plan) = (0, Soaking());
        Answer(edge, key =>
        {
            Interlocked.Increment(ref asked);
            return RolloutOf(key, Volatile.Read(ref plan));
        });
        using var call = Client(edge).WatchRollout(new V1.WatchRolloutRequest { Name = Spring }, cancellationToken: Stop);
        Assert.True(await call.ResponseStream.MoveNext(Stop));
        var first = call.ResponseStream.Current;

        _clock.Shift(TimeSpan.FromMinutes(30));
        _clock.ShiftTimestamps(TimeSpan.FromSeconds(11));
        var later = await AnotherSentenceAsync(edge, first.Estimate.Text);
        var since = Volatile.Read(ref asked);
        await Eventually.TrueAsync(() => Volatile.Read(ref asked) > since + 2, "the watch looks again");
        Volatile.Write(ref plan, plan with { State = RolloutState.Cancelled });

        Assert.NotNull(first.Estimate.EndsAt);
        Assert.Equal(first.Estimate.EndsAt, later.EndsAt);
        Assert.True(await call.ResponseStream.MoveNext(Stop));
        Assert.Equal(V1.RolloutState.Cancelled, call.ResponseStream.Current.State);
        Assert.False(await call.ResponseStream.MoveNext(Stop));
    }

    private static async Task<V1.RolloutEstimate> AnotherSentenceAsync(OperatorsEdge edge, string text)
    {
        for (var began = Stopwatch.StartNew(); began.Elapsed < TimeSpan.FromSeconds(20); await Task.Delay(20, Stop))
        {
            var shown = await Client(edge).GetRolloutAsync(new V1.GetRolloutRequest { Name = Spring }, cancellationToken: Stop);
            if (shown.Estimate.Text != text)
            {
                return shown.Estimate;
            }
        }

        throw new TimeoutException($"It is still said: {text}");
    }

    /// <summary>Null for who would have to wait.</summary>
    private static RolloutEstimate? Now(ValueTask<RolloutEstimate> answer) => answer.IsCompletedSuccessfully ? answer.Result : null;

    private static V1.Rollouts.RolloutsClient Client(OperatorsEdge edge) => new(edge.Connect("anna", OperatorRole.Viewer));

    private static void Answer(OperatorsEdge edge, Func<string, Rollout> find) => edge.Fleet.On<IRolloutGrain, RolloutReply>(
        nameof(IRolloutGrain.GetAsync),
        (key, _) => new RolloutReply(find(RolloutKey.Parse(key).Rollout.Value), ImmutableArray<WaveReport>.Empty, 0, null));

    private static Rollout Broken()
    {
        var rollout = RolloutOf("spring", 10);
        return rollout with { Spec = rollout.Spec with { Waves = [] } };
    }

    /// <summary>All ten have succeeded, and soak for two hours more; the course, of the last commit, has one in progress.</summary>
    private static RolloutPlan Soaking()
    {
        var now = TimeProvider.System.GetUtcNow();
        var plan = RolloutOf("spring", 10).Plan;
        return plan with
        {
            Waves =
            [
                plan.Waves[0] with
                {
                    State = WaveState.Soaking,
                    SoakEndsAt = now.AddHours(2),
                    Totals = new ShareTotals { Members = 10, Offered = 10, Succeeded = 10 },
                },
            ],
            Shares = [new SharePlan(3, 1, [new WaveGrant(10, 10, 10)])],
            BurnUp = BurnUp.Empty with { Points = [new BurnUpPoint(now.AddMinutes(-50), 10, 9, 0)] },
        };
    }

    private static Rollout RolloutOf(string id, int members, RolloutState state = RolloutState.Running, int perMinute = 0)
    {
        var now = TimeProvider.System.GetUtcNow();
        var plan = RolloutPlan.Draft with
        {
            State = state,
            Epoch = 1,
            Members = members,
            StartedAt = now.AddHours(-1),
            RollBack = state == RolloutState.RollingBack ? new RollBackPlan(now, null, 0) : null,
            Waves =
            [
                new WavePlan
                {
                    Cut = new WaveCut(ulong.MaxValue, "\uffff", false, members, 0, 0),
                    State = WaveState.Running,
                    StartedAt = now.AddHours(-1),
                    Totals = new ShareTotals { Members = members, Waiting = members },
                },
            ],
            Shares = [new SharePlan(3, 1, [new WaveGrant(0, 0, 0)])],
        };
        var rollout = RolloutOf(id, plan);
        return rollout with { Spec = rollout.Spec with { DevicesPerMinute = perMinute } };
    }

    private static Rollout RolloutOf(string id, RolloutPlan plan) => new()
    {
        Tenant = TenantId.Default,
        Id = ResourceId.TryParse(id, out var parsed) ? parsed : throw new FormatException(id),
        Spec = new RolloutSpec
        {
            ImageDigest = new string('a', 64),
            TargetVersion = "12.1.0",
            Waves = [new WaveSpec(Amount.Percent(100), 50, 1, TimeSpan.FromHours(2), false)],
        },
        Plan = plan,
        CreatedBy = Actor.Operator("anna"),
        CreatedAt = Samples.At,
        RequestId = "r1",
    };

    private sealed class CountingLog : ILoggerFactory, ILogger
    {
        private int _errors;

        public int Errors => Volatile.Read(ref _errors);

        public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException();

        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (logLevel == LogLevel.Error && exception is not null)
            {
                Interlocked.Increment(ref _errors);
            }
        }

        public void Dispose()
        {
        }
    }
}
