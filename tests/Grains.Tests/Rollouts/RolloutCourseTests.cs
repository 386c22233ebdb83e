using Muster.Contracts.Rollouts;
using Muster.Domain.Devices;
using Muster.Domain.Rollouts;

namespace Muster.Grains.Tests.Rollouts;

/// <summary>Decisions by their numbers and the burn-up, through coordinators that die.</summary>
public sealed class RolloutCourseTests(RolloutSilo silo) : IClassFixture<RolloutSilo>
{
    [Fact]
    public async Task GetDecisionsAsync_OverACrashOfTheCoordinator_GoesOnBehindTheMark()
    {
        silo.Fleet.Add("told", 8);
        var rollout = await silo.CreateAsync("told");
        await rollout.StartAsync(RolloutSilo.Order);
        var first = (await rollout.GetDecisionsAsync(DecisionMark.Start)).Page!;
        var mark = first.Next(DecisionMark.Start);

        await silo.CrashAsync(RolloutSilo.RecordOf("told"));
        await rollout.PauseAsync(RolloutSilo.Order);
        var paused = (await rollout.GetDecisionsAsync(mark)).Page!;
        await rollout.CancelAsync(RolloutSilo.Order);
        await silo.UntilAsync("told", now => now.Plan.IsTerminal, () => silo.Fleet.End("told", ChangeOutcome.Succeeded));
        var ended = (await rollout.GetDecisionsAsync(paused.Next(mark))).Page!;

        Assert.Equal((1L, PlanReasons.Started), (first.First, first.Decisions[0].Reason));
        Assert.Equal(mark.Number + 1, paused.First);
        Assert.Equal([PlanReasons.Paused], paused.Decisions.Select(decision => decision.Reason));
        Assert.Equal((mark.Number + 2, true), (ended.First, ended.IsEnded));
        Assert.Equal([PlanReasons.Cancelling, PlanReasons.Cancelled], ended.Decisions.Select(decision => decision.Reason));
    }

    [Fact]
    public async Task GetDecisionsAsync_OfNoRollout_IsRefused()
    {
        var reply = await silo.Grains.GetRollout(Domain.TenantId.Default, RolloutSilo.IdOf("nobody")).GetDecisionsAsync(DecisionMark.Start);

        Assert.Equal("NOT_FOUND", reply.Error?.Reason);
    }

    /// <summary>It is in the record, and so with the next coordinator, although nothing is ever committed for its sake.</summary>
    [Fact]
    public async Task BurnUp_OfARolloutThatEnded_IsStoredWithItsCommits()
    {
        silo.Fleet.Add("drawn", 12);
        var rollout = await silo.CreateAsync("drawn");
        await rollout.StartAsync(RolloutSilo.Order);
        await silo.UntilAsync("drawn", now => now.Plan.Waves[0].Totals.InProgress > 0);
        await silo.UntilAsync(
            "drawn",
            now => now.Plan.IsTerminal,
            () =>
            {
                silo.Clock.Advance(TimeSpan.FromSeconds(6));
                silo.Fleet.End("drawn", ChangeOutcome.Succeeded);
            });
        await silo.CrashAsync(RolloutSilo.RecordOf("drawn"));
        var plan = (await rollout.GetAsync()).Rollout!.Plan;

        var last = plan.BurnUp!.Points[^1];
        Assert.Equal((12, 12, 0), (last.Offered, last.Succeeded, last.Failed));
        Assert.True(plan.BurnUp.Points.Length > 1);
        Assert.Empty(PlanChecks.Check(plan));
        Assert.All(plan.BurnUp.Points, point => Assert.InRange(point.At, plan.StartedAt!.Value, plan.EndedAt!.Value));
    }
}
