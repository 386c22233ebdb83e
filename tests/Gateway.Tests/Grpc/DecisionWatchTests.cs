using System.Collections.Concurrent;
using Grpc.Core;
using Muster.Contracts;
using Muster.Contracts.Commit;
using Muster.Contracts.Inventory;
using Muster.Contracts.Rollouts;
using Muster.Domain;
using Muster.Domain.Operators;
using Muster.Domain.Rollouts;
using Muster.Gateway.Tests.Edge;
using V1 = Muster.Protocol.V1;

namespace Muster.Gateway.Tests.Grpc;

/// <summary>The stream of decisions, of one rollout and of all.</summary>
public sealed class DecisionWatchTests
{
    private const string Parent = "tenants/default";
    private const string Spring = Parent + "/rollouts/spring";

    private readonly ConcurrentDictionary<string, RolloutPlan> _plans = new();

    /// <summary>What answers the next question for a rollout, in place of its plan.</summary>
    private readonly ConcurrentDictionary<string, RolloutPlan> _outdated = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task WatchRolloutDecisions_OfOneRollout_TellsEachOnceUntilItHasEnded()
    {
        await using var edge = await StartAsync();
        await DecideAsync(edge, "spring", 2);
        using var call = Watch(edge, Spring);
        var first = await ReadToMarkerAsync(call);

        await DecideAsync(edge, "spring", 3);
        var told = new List<V1.WatchRolloutDecisionsResponse> { await NextAsync(call), await NextAsync(call), await NextAsync(call) };
        await DecideAsync(edge, "spring", 1, RolloutState.Cancelled);
        told.Add(await NextAsync(call));

        Assert.False(await call.ResponseStream.MoveNext(Stop));
        Assert.Equal(
            [(1, Spring), (2, Spring), (0, "")], first.Select(message => (message.Decision?.Number ?? 0, message.Rollout)));
        Assert.Equal([3, 4, 5, 6], told.Select(message => message.Decision.Number));
        Assert.All(told.Append(first[0]), message => Assert.Equal(0, message.Forgotten));
    }

    [Fact]
    public async Task WatchRolloutDecisions_WithTheTokenOfAnotherGateway_GoesOnWithoutAGapOrARepetition()
    {
        await using var edge = await StartAsync();
        await using var other = await StartAsync();
        await DecideAsync(edge, "spring", 2);
        await DecideAsync(edge, "autumn", 3);
        await DecideAsync(edge, "brief", 2, RolloutState.Cancelled);
        string ofOne;
        string ofAll;
        using (var one = Watch(edge, Spring))
        using (var all = Watch(edge, Parent))
        {
            Assert.Equal(3, (await ReadToMarkerAsync(one)).Count);
            Assert.Equal(8, (await ReadToMarkerAsync(all)).Count);
            await DecideAsync(edge, "spring", 1);
            ofOne = (await NextAsync(one)).ResumeToken;
            ofAll = (await NextAsync(all)).ResumeToken;
        }

        // One that goes on, one that begins, and one that begins and ends meanwhile.
        await DecideAsync(edge, "spring", 2);
        await DecideAsync(edge, "summer", 1);
        await DecideAsync(edge, "winter", 2, RolloutState.Cancelled);
        await CopyRowsAsync(edge, other);
        using var oneAgain = Watch(other, Spring, ofOne);
        using var allAgain = Watch(other, Parent, ofAll);
        var toldOfOne = await ReadToMarkerAsync(oneAgain);
        var toldOfAll = await ReadToMarkerAsync(allAgain);

        Assert.Equal([4, 5, 0], toldOfOne.Select(message => message.Decision?.Number ?? 0));
        Assert.Equal(
            ["spring 4", "spring 5", "summer 1", "winter 1", "winter 2"],
            toldOfAll.SkipLast(1).Select(message => $"{message.Rollout[(Parent.Length + 10)..]} {message.Decision.Number}").Order());
    }

    [Fact]
    public async Task WatchRolloutDecisions_OfATenant_TellsWhatHasNotEndedAndThenWhatComes()
    {
        await using var edge = await StartAsync();
        await DecideAsync(edge, "old", 3, RolloutState.Succeeded, Samples.At);
        await DecideAsync(edge, "spring", 1, createdAt: Samples.At);
        using var call = Watch(edge, Parent);
        var first = await ReadToMarkerAsync(call);

        await TellAsync(edge, "old", Samples.At);
        await TellAsync(edge, "spring", Samples.At);
        await DecideAsync(edge, "spring", 1, RolloutState.Cancelled, Samples.At);
        var ended = await NextAsync(call);
        await TellAsync(edge, "spring", Samples.At);
        await DecideAsync(edge, "summer", 1);
        var begun = await NextAsync(call);

        Assert.Equal(["spring", ""], first.Select(message => message.Rollout.Split('/')[^1]));
        Assert.Equal(("spring", 2L), (ended.Rollout.Split('/')[^1], ended.Decision.Number));
        Assert.Equal(("summer", 1L), (begun.Rollout.Split('/')[^1], begun.Decision.Number));
        Assert.NotEqual("", ended.ResumeToken);
    }

    [Fact]
    public async Task WatchRolloutDecisions_OfATenant_FindsWhatWasLostOnTheWay()
    {
        await using var edge = await StartAsync(("Muster:Grpc:WatchRenewInterval", "00:00:00.100"));
        using var call = Watch(edge, Parent);
        await ReadToMarkerAsync(call);
        foreach (var partition in Enumerable.Range(0, PartitionMap.CountMin))
        {
            (edge.Fleet.InventoryOf(partition).IsDeaf, edge.Fleet.InventoryOf(partition).IsTrimmed) = (true, partition % 2 == 0);
        }

        await DecideAsync(edge, "spring", 1);
        await DecideAsync(edge, "autumn", 1);
        var told = new[] { await NextAsync(call), await NextAsync(call) };

        Assert.Equal(["autumn", "spring"], told.Select(message => message.Rollout.Split('/')[^1]).Order());
    }

    [Fact]
    public async Task WatchRolloutDecisions_AfterMoreThanAreKept_SaysHowManyAreForgotten()
    {
        await using var edge = await StartAsync();
        await DecideAsync(edge, "spring", 2);
        string token;
        using (var call = Watch(edge, Spring))
        {
            token = (await ReadToMarkerAsync(call))[^1].ResumeToken;
        }

        await DecideAsync(edge, "spring", RolloutLimits.DecisionsMax + 5);
        using var resumed = Watch(edge, Spring, token);
        var told = await ReadToMarkerAsync(resumed);

        Assert.Equal((8, 5), (told[0].Decision.Number, told[0].Forgotten));
        Assert.Equal(RolloutLimits.DecisionsMax + 1, told.Count);
        Assert.All(told.Skip(1), message => Assert.Equal(0, message.Forgotten));
    }

    [Fact]
    public async Task WatchRolloutDecisions_OfAStoreThatWentBack_IsToldSo()
    {
        await using var edge = await StartAsync();
        await DecideAsync(edge, "spring", 5);
        string one;
        string all;
        using (var call = Watch(edge, Spring))
        using (var calls = Watch(edge, Parent))
        {
            (one, all) = ((await ReadToMarkerAsync(call))[^1].ResumeToken, (await ReadToMarkerAsync(calls))[^1].ResumeToken);
        }

        _plans.Clear();
        await DecideAsync(edge, "spring", 3);

        Assert.Equal((StatusCode.FailedPrecondition, "RESUME_TOKEN_EXPIRED"), await RefusalAsync(edge, Spring, one));
        Assert.Equal((StatusCode.FailedPrecondition, "RESUME_TOKEN_EXPIRED"), await RefusalAsync(edge, Parent, all));
    }

    /// <summary>For a moment a rollout may have two activations, of which the older has not read the newest commits.</summary>
    [Fact]
    public async Task WatchRolloutDecisions_OfAnActivationThatIsBehindForAMoment_GoesOn()
    {
        await using var edge = await StartAsync();
        await DecideAsync(edge, "spring", 2);
        var before = _plans["spring"];
        await DecideAsync(edge, "spring", 3);
        using var all = Watch(edge, Parent);
        await ReadToMarkerAsync(all);
        _outdated["spring"] = before;
        await DecideAsync(edge, "spring", 1);
        Assert.Equal(6, (await NextAsync(all)).Decision.Number);
        Assert.Empty(_outdated);

        using var one = Watch(edge, Spring);
        await ReadToMarkerAsync(one);
        _outdated["spring"] = before;
        await Eventually.TrueAsync(() => _outdated.IsEmpty, "the watch of one rollout asks");
        await DecideAsync(edge, "spring", 1);
        Assert.Equal(7, (await NextAsync(one)).Decision.Number);
        Assert.Equal(7, (await NextAsync(all)).Decision.Number);
    }

    [Fact]
    public async Task WatchRolloutDecisions_OfNothingThatIs_IsRefused()
    {
        await using var edge = await StartAsync();
        await DecideAsync(edge, "spring", 1);
        string token;
        using (var call = Watch(edge, Spring))
        {
            token = (await ReadToMarkerAsync(call))[^1].ResumeToken;
        }

        Assert.Equal((StatusCode.NotFound, "NOT_FOUND"), await RefusalAsync(edge, Parent + "/rollouts/none", ""));
        Assert.Equal((StatusCode.InvalidArgument, "REQUEST_INVALID"), await RefusalAsync(edge, Parent + "/rollouts", ""));
        Assert.Equal((StatusCode.InvalidArgument, "REQUEST_INVALID"), await RefusalAsync(edge, Parent + "/devices/A1", ""));
        Assert.Equal((StatusCode.PermissionDenied, "PERMISSION_DENIED"), await RefusalAsync(edge, "tenants/other/rollouts/spring", ""));
        Assert.Equal((StatusCode.InvalidArgument, "RESUME_TOKEN_INVALID"), await RefusalAsync(edge, Parent, token));
        Assert.Equal((StatusCode.InvalidArgument, "RESUME_TOKEN_INVALID"), await RefusalAsync(edge, Spring, token[..^3]));
        Assert.Equal((StatusCode.InvalidArgument, "RESUME_TOKEN_INVALID"), await RefusalAsync(edge, Spring, "a b"));
    }

    private async Task<OperatorsEdge> StartAsync(params (string Key, string Value)[] settings)
    {
        var edge = await OperatorsEdge.StartAsync([("Muster:Grpc:RolloutWatchInterval", "00:00:00.020"), .. settings]);
        edge.Fleet.On<IRolloutGrain, DecisionReply>(nameof(IRolloutGrain.GetDecisionsAsync), (key, args) =>
        {
            var rollout = RolloutKey.Parse(key).Rollout.Value;
            return _outdated.TryRemove(rollout, out var plan) || _plans.TryGetValue(rollout, out plan)
                ? new DecisionReply(DecisionLog.ReadAfter(plan, (DecisionMark)args[0]!), null)
                : new DecisionReply(null, RolloutErrors.NotFound(key));
        });
        return edge;
    }

    /// <summary>So many decisions more, and the row that the commit brings.</summary>
    private async Task DecideAsync(
        OperatorsEdge edge, string rollout, int decisions, RolloutState state = RolloutState.Running, DateTimeOffset? createdAt = null)
    {
        var plan = _plans.GetOrAdd(rollout, RolloutPlan.Draft);
        for (var i = 0; i < decisions; i++)
        {
            var text = $"{rollout} {plan.DecisionCount + 1}";
            plan = DecisionLog.With(plan, new PlanDecision(Samples.At, Actor.Operator("anna"), PlanReasons.Paused, null, text));
        }

        _plans[rollout] = plan with { State = state };
        await TellAsync(edge, rollout, createdAt ?? TimeProvider.System.GetUtcNow());
    }

    private async Task TellAsync(OperatorsEdge edge, string rollout, DateTimeOffset createdAt)
    {
        var plan = _plans[rollout];
        var row = new RolloutRow
        {
            Tenant = TenantId.Default,
            Name = rollout,
            State = plan.State,
            ImageDigest = "",
            TargetVersion = "",
            Members = 0,
            Succeeded = 0,
            Failed = 0,
            CreatedAt = createdAt,
            Decisions = plan.DecisionCount,
        };
        var partition = rollout.Length % PartitionMap.CountMin;
        await edge.Fleet.InventoryOf(partition).PutAsync(
            new ListedRow(new RecordKey(GrainTypes.Rollout, $"default/{rollout}"), plan.DecisionCount, row, null));
    }

    /// <summary>Both gateways see the same inventory.</summary>
    private async Task CopyRowsAsync(OperatorsEdge from, OperatorsEdge to)
    {
        Assert.NotEqual(from.Address, to.Address);
        foreach (var rollout in _plans.Keys)
        {
            await TellAsync(to, rollout, TimeProvider.System.GetUtcNow());
        }
    }

    private static AsyncServerStreamingCall<V1.WatchRolloutDecisionsResponse> Watch(OperatorsEdge edge, string parent, string token = "") =>
        new V1.Rollouts.RolloutsClient(edge.Connect("anna", OperatorRole.Viewer)).WatchRolloutDecisions(
            new V1.WatchRolloutDecisionsRequest { Parent = parent, ResumeToken = token }, cancellationToken: Stop);

    private static async Task<V1.WatchRolloutDecisionsResponse> NextAsync(AsyncServerStreamingCall<V1.WatchRolloutDecisionsResponse> call)
    {
        Assert.True(await call.ResponseStream.MoveNext(Stop));
        return call.ResponseStream.Current;
    }

    private static async Task<List<V1.WatchRolloutDecisionsResponse>> ReadToMarkerAsync(
        AsyncServerStreamingCall<V1.WatchRolloutDecisionsResponse> call)
    {
        var told = new List<V1.WatchRolloutDecisionsResponse>();
        do
        {
            told.Add(await NextAsync(call));
        }
        while (!told[^1].CaughtUp);
        Assert.NotEqual("", told[^1].ResumeToken);
        return told;
    }

    private static async Task<(StatusCode Code, string Reason)> RefusalAsync(OperatorsEdge edge, string parent, string token)
    {
        using var call = Watch(edge, parent, token);
        var (code, reason, _) = await Samples.RefusedAsync(() => call.ResponseStream.MoveNext(Stop));
        return (code, reason);
    }
}
