using System.Collections.Immutable;
using Muster.Domain.Devices;
using Muster.Domain.Operators;
using Muster.Domain.Rollouts;

namespace Muster.Domain.Tests.Rollouts;

/// <summary>Specs, plans and reports for tests.</summary>
internal static class RolloutBuilder
{
    public static readonly DateTimeOffset Start = new(2026, 3, 1, 8, 0, 0, TimeSpan.Zero);

    public static ChangeTimers Timers { get; } = new(TimeSpan.FromHours(1), TimeSpan.FromDays(7));

    public static ResourceId Id { get; } = ResourceId.TryParse("spring", out var id) ? id : throw new InvalidOperationException();

    public static Actor Anna { get; } = Actor.Operator("anna");

    /// <summary>Approves what Anna created.</summary>
    public static Actor Bert { get; } = Actor.Operator("bert");

    public static WaveSpec Wave(
        Amount size, int successPercent = 100, int minSucceeded = 1, int soakSeconds = 0, bool connectedOnly = false) =>
        new(size, successPercent, minSucceeded, TimeSpan.FromSeconds(soakSeconds), connectedOnly);

    public static RolloutSpec Spec(params ImmutableArray<WaveSpec> waves) => new()
    {
        ImageDigest = new string('a', 64),
        TargetVersion = "12.1.0",
        Waves = waves,
    };

    public static RolloutOrder Order(DateTimeOffset? now = null, string reason = "") => new(Id, Anna, reason, now ?? Start);

    public static DeviceId Device(int number) =>
        DeviceId.TryParse($"B8A44F{number:X6}", out var id) ? id : throw new InvalidOperationException();

    /// <summary>A started rollout of one partition with waves of these sizes.</summary>
    public static RolloutPlan Started(RolloutSpec spec, params ImmutableArray<int> sizes)
    {
        var cuts = sizes.Select((size, i) => new WaveCut(ulong.MaxValue, "\uffff", false, size, 0, Math.Min(i, spec.Waves.Length - 1)));
        var decision = RolloutLifecycle.Start(RolloutPlan.Draft, spec, new FrozenMembers([.. cuts], [0]), Order());
        Assert.Null(decision.Error);
        return decision.Next;
    }

    public static ShareTotals Totals(
        int members, int succeeded = 0, int failed = 0, int timedOut = 0, int rejected = 0,
        int skipped = 0, int removed = 0, int inProgress = 0) =>
        new()
        {
            Members = members,
            Waiting = members - succeeded - failed - timedOut - rejected - skipped - removed - inProgress,
            Offered = succeeded + failed + timedOut + rejected + inProgress,
            Succeeded = succeeded,
            Failed = failed,
            TimedOut = timedOut,
            Rejected = rejected,
            Skipped = skipped,
            Removed = removed,
        };

    /// <summary>Plans with a report of the one partition, which has used up all it was granted.</summary>
    public static (RolloutPlan Next, RolloutReport Report) Step(
        RolloutSpec spec, RolloutPlan plan, int seconds, params ImmutableArray<ShareTotals> waves)
    {
        var version = plan.Shares[0].ReportVersion + 1;
        ImmutableArray<ShareTotals> settled =
            [.. waves.Select((totals, i) => totals with { GrantSeen = plan.Shares[0].Waves[i].Granted })];
        var input = new RolloutPlanInput(Id, spec, plan, [new ShareReport(0, version, settled)], Start.AddSeconds(seconds));
        return RolloutPlanner.Plan(input);
    }

    /// <summary>Anna's rollout with this plan.</summary>
    public static Rollout RolloutOf(RolloutSpec spec, RolloutPlan plan) => new()
    {
        Tenant = TenantId.Default,
        Id = Id,
        Spec = spec,
        Plan = plan,
        CreatedBy = Anna,
        CreatedAt = Start,
        RequestId = "",
    };

    /// <summary>An approval of what is named, by somebody with the role.</summary>
    public static ApprovalOrder Approval(string etag, Actor? approver = null, DateTimeOffset? now = null) =>
        new(approver ?? Bert, [OperatorRole.Approver], etag, now ?? Start);

    /// <summary>Lets a test plan see more offers than it granted itself.</summary>
    public static RolloutPlan Granted(RolloutPlan plan, params ImmutableArray<long> granted) => plan with
    {
        Shares = [plan.Shares[0] with { Waves = [.. granted.Select(count => new WaveGrant(count, count, count))] }],
    };
}
