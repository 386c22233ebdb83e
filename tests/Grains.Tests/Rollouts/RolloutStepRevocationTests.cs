using Muster.Contracts;
using Muster.Contracts.Commit;
using Muster.Domain.Devices;
using Muster.Domain.Images;
using Muster.Domain.Rollouts;

namespace Muster.Grains.Tests.Rollouts;

/// <summary>The image of a step is revoked while members are on their way to it.</summary>
public sealed class RolloutStepRevocationTests(RolloutSilo silo) : IClassFixture<RolloutSilo>
{
    [Theory]
    [InlineData("nothing")]
    [InlineData("shares")] // they ask the devices what they were offered
    [InlineData("coordinator")]
    public async Task Revocation_OfAStepsImage_TakesBackItsOffersThatWereNotDeliveredAndNothingElse(string crashes)
    {
        var site = $"step-{crashes}";
        var step = silo.Fleet.AddImage(0, StepVersionOf(crashes), "P3265-V");
        silo.Fleet.Conditions = new ImageConditions { Steps = [StepVersionOf(crashes)] };
        var devices = silo.Fleet.Add(site, 3);
        var late = silo.Fleet.Add(site, 1, online: false)[0];
        foreach (var key in new[] { devices[0], devices[1], late })
        {
            silo.Fleet.StepsLeft[key] = 1; // the third needs no step
        }

        var rollout = await silo.CreateAsync(site, spec => spec with
        {
            TakeSteps = true,
            Waves = [new WaveSpec(Amount.Percent(100), 100, 1, TimeSpan.Zero, ConnectedOnly: false)],
        });
        Assert.Null((await rollout.StartAsync(RolloutSilo.Order)).Error);
        await silo.UntilAsync(site, now => now.Plan.Waves[0].Totals.InProgress == 3);
        silo.Fleet.Deliver(devices[1]);

        await silo.Fleet.RevokeAsync(step);
        await CrashAsync(site, crashes);
        var left = await silo.UntilAsync(
            site,
            now => now.Plan.Waves[0].Totals is { InProgress: 2, Skipped: 1 },
            () => silo.Clock.Advance(TimeSpan.FromSeconds(2)));
        await silo.SettleAsync(site);

        Assert.Equal(RolloutState.Running, left.Plan.State);
        Assert.Equal(step, Assert.Single(left.Plan.RevokedSteps));
        Assert.Single(left.Plan.Decisions, decision => decision.Reason == PlanReasons.StepRevoked);
        Assert.Equal((ChangeOutcome.Skipped, DeviceChanges.StepRevoked), EndOf(devices[0]));
        Assert.All(devices, key => Assert.Equal(1, silo.Fleet.OffersOf(key)));

        // Who comes later is not taken there, and the others go on: one is at the step already, the other needs none.
        silo.Fleet.SetOnline(late, true);
        var ended = await silo.UntilAsync(site, now => now.Plan.IsTerminal, () =>
        {
            silo.Clock.Advance(TimeSpan.FromSeconds(2));
            silo.Fleet.End(site, ChangeOutcome.Succeeded);
        });
        Assert.Equal((RolloutState.Succeeded, 2), (ended.Plan.State, ended.Plan.Waves[0].Totals.Succeeded));
        var skips = ended.Plan.Waves[0].Totals.Skips!;
        Assert.Equal((1, 1), (skips.Of(MemberReason.StepRevoked), skips.Of(MemberReason.StepRequired)));
        Assert.Equal(0, silo.Fleet.OffersOf(late));
    }

    private static string StepVersionOf(string crashes) => crashes switch
    {
        "nothing" => "11.1",
        "shares" => "11.2",
        _ => "11.3",
    };

    private async Task CrashAsync(string site, string crashes)
    {
        RecordKey[] records = crashes switch
        {
            "coordinator" => [RolloutSilo.RecordOf(site)],
            "shares" => [.. silo.Fleet.PartitionsOf(site).Select(
                partition => new RecordKey(GrainTypes.RolloutPartition, $"default/{site}/{partition}"))],
            _ => [],
        };
        foreach (var record in records)
        {
            await silo.CrashAsync(record);
        }
    }

    private (ChangeOutcome Outcome, string Reason) EndOf(string key)
    {
        var closed = Assert.IsType<ChangeClosed>(silo.Store.FactsOf(new RecordKey(GrainTypes.Device, key)).Last());
        return (closed.Outcome, closed.Reason);
    }
}
