using Muster.Contracts.Rollouts;
using Muster.Domain;
using Muster.Domain.Devices;
using Muster.Domain.Rollouts;

namespace Muster.Grains.Tests.Rollouts;

/// <summary>Questions about one device, through coordinator and share.</summary>
public sealed class RolloutExplanationTests(RolloutSilo silo) : IClassFixture<RolloutSilo>
{
    private static readonly RetryPolicy Twice = new(2, TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(1));

    [Fact]
    public async Task ExplainDeviceAsync_FromTheDraftToTheEnd_SaysWhereTheDeviceIs()
    {
        var device = Assert.Single(silo.Fleet.Add("why", 1));
        var rollout = await silo.CreateAsync("why", spec => spec with { Retries = Twice });

        Assert.Equal(NotMember.NotStarted, (await ExplainAsync(rollout, device)).NotMember);
        await rollout.StartAsync(RolloutSilo.Order);
        await silo.UntilAsync("why", _ => silo.Fleet.OffersOf(device) == 1);
        var offered = await ExplainAsync(rollout, device);
        silo.Fleet.Deliver(device);
        var delivered = await ExplainAsync(rollout, device);
        silo.Fleet.End("why", ChangeOutcome.Failed, reason: "flash");
        await silo.UntilAsync("why", now => now.Plan.Waves[0].Totals.Retrying == 1);
        var retrying = await ExplainAsync(rollout, device);
        silo.Clock.Advance(TimeSpan.FromMinutes(1));
        await silo.UntilAsync("why", _ => silo.Fleet.OffersOf(device) == 2);
        silo.Fleet.End("why", ChangeOutcome.Failed, reason: "flash");
        await silo.UntilAsync("why", now => now.Plan.State == RolloutState.Suspended);
        var failed = await ExplainAsync(rollout, device);

        Assert.Equal((MemberStatus.Offered, 1, 2), (offered.Status, offered.Attempt, offered.MaxAttempts));
        Assert.Equal([WaitingOn.Delivery], offered.WaitingOn);
        Assert.Equal(offered.OfferedAt + RolloutSpec.UndeliveredTimeoutDefault, offered.Until);
        Assert.Equal((ChangeStep.Downloading, WaitingOn.Outcomes), (delivered.Step, Assert.Single(delivered.WaitingOn)));
        Assert.Equal(delivered.DeliveredAt + RolloutSpec.InProgressTimeoutDefault, delivered.Until);
        Assert.Equal((MemberStatus.Retrying, 2, WaitingOn.Retry), (retrying.Status, retrying.Attempt, Assert.Single(retrying.WaitingOn)));
        Assert.NotNull(retrying.Until);
        Assert.Equal((MemberStatus.Failed, 2, "flash"), (failed.Status, failed.Attempt, failed.Reason));
        Assert.NotNull(failed.EndedAt);
        Assert.Empty(failed.WaitingOn);
    }

    [Fact]
    public async Task ExplainDeviceAsync_OfMembersThatWait_SaysForWhat()
    {
        var first = silo.Fleet.Add("waiting", 4);
        var away = Assert.Single(silo.Fleet.Add("waiting", 1, online: false));
        var rollout = await silo.CreateAsync("waiting", spec => spec with { MaxUnavailable = Amount.Count(1) });
        await rollout.StartAsync(RolloutSilo.Order);
        await silo.UntilAsync("waiting", now => now.Plan.Waves[0].Totals.InProgress == 1);
        await silo.SettleAsync("waiting");

        var away1 = await ExplainAsync(rollout, away);
        var next = await ExplainAsync(rollout, first.First(key => silo.Fleet.OffersOf(key) == 0));
        await rollout.PauseAsync(RolloutSilo.Order);
        await silo.SettleAsync("waiting");
        var paused = await ExplainAsync(rollout, first.First(key => silo.Fleet.OffersOf(key) == 0));

        Assert.Equal(1, away1.Wave);
        Assert.Equal([WaitingOn.EarlierWave, WaitingOn.Offline], away1.WaitingOn);
        Assert.Equal(0, next.Wave);
        Assert.Equal([WaitingOn.Budget], next.WaitingOn);
        Assert.Equal([WaitingOn.Resume], paused.WaitingOn);
    }

    [Fact]
    public async Task ExplainDeviceAsync_OfAMemberThatIsLeftOut_SaysWhyAndWhen()
    {
        var devices = silo.Fleet.Add("left-out", 2);
        silo.Fleet.Unfit[devices[0]] = "STEP_REQUIRED";
        var rollout = await silo.CreateAsync("left-out");
        await rollout.StartAsync(RolloutSilo.Order);
        await silo.UntilAsync("left-out", now => now.Plan.Waves[0].Totals.Skipped == 1);

        var skipped = await ExplainAsync(rollout, devices[0]);

        Assert.Equal((MemberStatus.Skipped, "STEP_REQUIRED"), (skipped.Status, skipped.Reason));
        Assert.NotNull(skipped.EndedAt);
    }

    [Fact]
    public async Task ExplainDeviceAsync_OfNoMember_SaysWhy()
    {
        silo.Fleet.Add("frozen", 1);
        var elsewhere = Assert.Single(silo.Fleet.Add("frozen-elsewhere", 1));
        var rollout = await silo.CreateAsync("frozen");
        await rollout.StartAsync(RolloutSilo.Order);
        var later = silo.Fleet.Add("frozen", 2);
        silo.Fleet.Quarantine(later[1]);

        Assert.Equal(NotMember.JoinedLater, (await ExplainAsync(rollout, later[0])).NotMember);
        Assert.Equal(NotMember.NotInService, (await ExplainAsync(rollout, later[1])).NotMember);
        Assert.Equal(NotMember.FilterDoesNotMatch, (await ExplainAsync(rollout, elsewhere)).NotMember);
        Assert.Equal(NotMember.UnknownDevice, (await ExplainAsync(rollout, "default/B8A44FFFFFFF")).NotMember);
        var unborn = silo.Grains.GetRollout(TenantId.Default, RolloutSilo.IdOf("never-made"));
        Assert.Equal(RolloutErrors.NotFoundReason, (await unborn.ExplainDeviceAsync(IdOf(elsewhere))).Error?.Reason);
    }

    private static async Task<DeviceExplanation> ExplainAsync(IRolloutGrain rollout, string key)
    {
        var reply = await rollout.ExplainDeviceAsync(IdOf(key));
        Assert.Null(reply.Error);
        Assert.NotEmpty(reply.Explanation!.Text);
        return reply.Explanation;
    }

    private static DeviceId IdOf(string key) =>
        DeviceId.TryParse(key[(key.IndexOf('/', StringComparison.Ordinal) + 1)..], out var id) ? id : throw new FormatException(key);
}
