using System.Collections.Immutable;
using System.Xml.Linq;
using Muster.Cli.Session;
using Muster.Contracts.Rollouts;
using Muster.Domain;
using Muster.Domain.Operators;
using Muster.Domain.Rollouts;
using V1 = Muster.Protocol.V1;

namespace Muster.Gateway.Tests.Grpc;

/// <summary>The course of a rollout from the grain's answer to what people see: its end, its burn-up, its decisions.</summary>
public sealed class RolloutCourseTests
{
    private const string Spring = "tenants/default/rollouts/spring";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task GetRollout_UnderWay_SaysWhenItEndsAndHowItWent()
    {
        await using var edge = await StartAsync(RolloutState.Running);

        var shown = await new V1.Rollouts.RolloutsClient(edge.Connect("anna", OperatorRole.Viewer))
            .GetRolloutAsync(new V1.GetRolloutRequest { Name = Spring }, cancellationToken: Stop);

        Assert.Equal("", shown.Estimate.Unknown);
        Assert.True(shown.Estimate.EndsAt.ToDateTimeOffset() > TimeProvider.System.GetUtcNow());
        Assert.Equal(
            [(10L, 0L, 0L), (10L, 6L, 1L)], shown.BurnUp.Points.Select(point => (point.Offered, point.Succeeded, point.Failed)));
        Assert.Equal([1, 2], shown.Decisions.Select(decision => decision.Number));
    }

    [Fact]
    public async Task GetRollout_OfAPausedOne_SaysThatItsEndIsUnknown()
    {
        await using var edge = await StartAsync(RolloutState.Paused);

        var shown = await new V1.Rollouts.RolloutsClient(edge.Connect("anna", OperatorRole.Viewer))
            .GetRolloutAsync(new V1.GetRolloutRequest { Name = Spring }, cancellationToken: Stop);

        Assert.Equal(("RESUME", null), (shown.Estimate.Unknown, shown.Estimate.EndsAt));
    }

    [Fact]
    public async Task BurnUp_OfTheCommandLine_DrawsBothPictures()
    {
        await using var edge = await StartAsync(RolloutState.Running);
        var profile = await CommandLineTests.MakeProfileAsync(edge, "anna", OperatorRole.Viewer);
        var file = Path.Combine(edge.Folder, "spring.svg");

        var drawn = await CommandLineTests.RunAsync("rollouts", "burn-up", "spring", "--profile", profile);
        var written = await CommandLineTests.RunAsync("rollouts", "burn-up", "spring", "--svg", file, "--profile", profile);

        Assert.True(drawn.Code == ExitCodes.Done, drawn.Error);
        Assert.True(written.Code == ExitCodes.Done, written.Error);
        Assert.All(drawn.Output.Split('\n'), line => Assert.InRange(line.TrimEnd('\r').Length, 0, 80));
        Assert.Contains("6 of 10 devices have succeeded, 1 failed, 3 are in progress.", drawn.Output, StringComparison.Ordinal);
        Assert.Contains("ends about ", drawn.Output, StringComparison.Ordinal);
        Assert.Equal("svg", XDocument.Load(file).Root!.Name.LocalName);
    }

    [Fact]
    public async Task BurnUp_OfADraft_SaysThatThereIsNone()
    {
        await using var edge = await StartAsync(RolloutState.Draft);
        var profile = await CommandLineTests.MakeProfileAsync(edge, "anna", OperatorRole.Viewer);

        var (code, _, error) = await CommandLineTests.RunAsync("rollouts", "burn-up", "spring", "--profile", profile);

        Assert.Equal((ExitCodes.Usage, "Rollout 'spring' was not started: it has no course yet."), (code, error.Trim()));
    }

    [Fact]
    public async Task Decisions_OfTheCommandLine_AreThoseThatAreKeptAndWithATokenThoseSince()
    {
        await using var edge = await StartAsync(RolloutState.Running);
        var profile = await CommandLineTests.MakeProfileAsync(edge, "anna", OperatorRole.Viewer);

        var (_, lines, error) = await CommandLineTests.RunAsync("rollouts", "decisions", "spring", "--profile", profile);
        var (_, json, _) = await CommandLineTests.RunAsync("rollouts", "decisions", "spring", "-o", "json", "--profile", profile);
        var token = json.Trim().Split('\n').Select(line => V1.WatchRolloutDecisionsResponse.Parser.ParseJson(line)).Last().ResumeToken;
        var (code, since, _) = await CommandLineTests.RunAsync(
            "rollouts", "decisions", "spring", "--resume", token, "--profile", profile);

        Assert.True(lines.Length > 0, error);
        Assert.Equal(
            [
                "   1  2026-09-01 12:00:00Z  STARTED  Started. (operator/anna)",
                "   2  2026-09-01 12:00:00Z  PAUSED  Why not. (operator/anna)",
            ],
            lines.TrimEnd().Split(Environment.NewLine));
        Assert.Equal((ExitCodes.Done, ""), (code, since));
    }

    /// <summary>Ten devices since five minutes; six have succeeded a minute ago.</summary>
    private static async Task<OperatorsEdge> StartAsync(RolloutState state)
    {
        var edge = await OperatorsEdge.StartAsync();
        var now = TimeProvider.System.GetUtcNow();
        var anna = Actor.Operator("anna");
        var totals = new ShareTotals { Members = 10, Offered = 10, Succeeded = 6, Failed = 1 };
        var plan = RolloutPlan.Draft with { State = state };
        if (state != RolloutState.Draft)
        {
            plan = plan with
            {
                Epoch = 1,
                Members = 10,
                StartedAt = now.AddMinutes(-5),
                Waves =
                [
                    new WavePlan
                    {
                        Cut = new WaveCut(ulong.MaxValue, "\uffff", false, 10, 0, 0),
                        State = WaveState.Running,
                        StartedAt = now.AddMinutes(-5),
                        Totals = totals,
                    },
                ],
                Shares = [new SharePlan(3, 1, [new WaveGrant(10, 10, 10)])],
                BurnUp = BurnUp.Empty with
                {
                    Points = [new BurnUpPoint(now.AddMinutes(-5), 10, 0, 0), new BurnUpPoint(now.AddMinutes(-1), 10, 6, 1)],
                },
            };
        }

        plan = DecisionLog.With(plan, new PlanDecision(Samples.At, anna, PlanReasons.Started, null, "Started."));
        plan = DecisionLog.With(plan, new PlanDecision(Samples.At, anna, PlanReasons.Paused, null, "Why not."));
        edge.Fleet.On<IRolloutGrain, RolloutReply>(
            nameof(IRolloutGrain.GetAsync), (key, _) => new RolloutReply(RolloutOf(key, plan), ImmutableArray<WaveReport>.Empty, 0, null));
        edge.Fleet.On<IRolloutGrain, DecisionReply>(nameof(IRolloutGrain.GetDecisionsAsync), (_, args) =>
            new DecisionReply(DecisionLog.ReadAfter(plan, (DecisionMark)args[0]!), null));
        return edge;
    }

    private static Rollout RolloutOf(string key, RolloutPlan plan)
    {
        var (tenant, id) = RolloutKey.Parse(key);
        return new Rollout
        {
            Tenant = tenant,
            Id = id,
            Spec = new RolloutSpec
            {
                ImageDigest = new string('a', 64),
                TargetVersion = "12.1.0",
                Waves = [new WaveSpec(Amount.Percent(100), 50, 1, TimeSpan.Zero, false)],
            },
            Plan = plan,
            CreatedBy = Actor.Operator("anna"),
            CreatedAt = Samples.At,
            RequestId = "r1",
        };
    }
}
