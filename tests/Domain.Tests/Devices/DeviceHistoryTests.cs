using CsCheck;
using Muster.Domain.Devices;
using Muster.Domain.Policies;
using Muster.Domain.Rollouts;
using Muster.Domain.Tests.Rollouts;

namespace Muster.Domain.Tests.Devices;

/// <summary>Random lives: whatever arrives in whatever order, what must hold holds.</summary>
public sealed class DeviceHistoryTests
{
    private static readonly OfferWindow Nights = new("0 22 * * *", TimeSpan.FromHours(4), "UTC");

    private static readonly Gen<Step> Steps = Gen.Frequency(
        (6, from boot in Gen.Int[1, 5]
            from sequence in Gen.Long[1, 4]
            from isNew in Gen.Bool
            from generation in Gen.Long[0, 6]
            select new Step(
                $"hello of boot {boot}, message {sequence}, {(isNew ? "the new" : "the old")} image, generation {generation}",
                device => DeviceMessages.TakeHello(
                    device,
                    Units.Hello($"boot-{boot}", sequence, isNew ? Units.NewDigest : Units.OldDigest, generation),
                    PolicySet.Empty,
                    Units.Start))),
        (6, from boot in Gen.Int[1, 5]
            from sequence in Gen.Long[1, 6]
            from generation in Gen.Long[0, 6]
            from step in Gen.Enum<ChangeStep>()
            from outcome in Choose(ChangeOutcome.Unspecified, ChangeOutcome.Failed, ChangeOutcome.Rejected)
            select new Step(
                $"report of boot {boot}, message {sequence}, generation {generation}: {step} {outcome}",
                device => DeviceMessages.TakeReport(
                    device, Units.Report(generation, step, sequence, $"boot-{boot}", outcome), Units.Start))),
        (3, from rollout in Choose("spring", "summer", "autumn")
            from hasSession in Gen.Bool
            from retry in Gen.Int[0, 2]
            from waits in Gen.Bool
            select new Step(
                $"offer of {rollout}, retry {retry}, connected {hasSession}, waits for nights {waits}",
                device => Of(DeviceChanges.Offer(
                    device,
                    Units.Offer(rollout) with { Retry = retry, InstallWindows = waits ? [Nights] : [] },
                    hasSession,
                    Units.Start)))),
        (2, from rollout in Choose("spring", "summer", "autumn")
            from hasSession in Gen.Bool
            from retry in Gen.Int[0, 2]
            select new Step(
                $"offer of {rollout} by its rank, retry {retry}, connected {hasSession}",
                device => Of(DeviceChanges.Offer(
                    device,
                    Units.Offer(rollout) with { Retry = retry, Rank = RankOf(rollout) },
                    OfferHandover.Of(device) is { } handover ? handover with { Rank = RankOf(device.Change!.Rollout.Value) } : null,
                    hasSession,
                    Units.Start)))),
        (3, from rollout in Choose("ssh", "ftp")
            from value in Choose("yes", "no")
            from retry in Gen.Int[0, 2]
            select new Step(
                $"offer of {rollout}={value}, retry {retry}",
                device => Of(DeviceChanges.Offer(
                    device,
                    new ChangeOffer(Units.Rollout(rollout), 1, OsTarget.None, "", [])
                    {
                        Settings = [new DeviceSetting(rollout, value)],
                        Retry = retry,
                    },
                    hasSession: true,
                    Units.Start)))),
        (4, from boot in Gen.Int[1, 5]
            from sequence in Gen.Long[1, 6]
            from generation in Gen.Long[0, 6]
            from ssh in Choose("yes", "no")
            from ftp in Choose("yes", "no")
            select new Step(
                $"inventory of boot {boot}, message {sequence}, generation {generation}: ssh={ssh} ftp={ftp}",
                device => DeviceMessages.TakeInventory(
                    device,
                    new ObservedInventory(
                        Units.From($"boot-{boot}", sequence), [new DeviceSetting("ssh", ssh), new DeviceSetting("ftp", ftp)])
                    {
                        Generation = generation,
                    },
                    PolicySet.Empty,
                    Units.Start))),
        (1, from rollout in Choose("spring", "summer", "autumn", "ssh", "ftp")
            from policy in Gen.Enum<TimeoutPolicy>()
            select new Step(
                $"the time of {rollout} is over: {policy}",
                device => Of(
                    DeviceChanges.Expire(device, Units.Rollout(rollout), 0, Over(policy), Units.Start)))),
        (2, from rollout in Choose("spring", "summer", "autumn", "ssh", "ftp")
            from retry in Gen.Int[0, 1]
            select new Step(
                $"recall of {rollout}, retry {retry}",
                device => Of(
                    DeviceChanges.Recall(device, Units.Rollout(rollout), retry, NotOver, Units.Start)))),
        (1, from rollout in Choose("spring", "summer", "autumn", "ssh", "ftp")
            select new Step(
                $"{rollout} is taken back",
                device => Of(
                    DeviceChanges.TakeBack(device, Units.Rollout(rollout), 0, OfferHandover.Reason, Units.Start)))),
        (2, from rollout in Choose("spring", "summer")
            from hasSession in Gen.Bool
            select new Step(
                $"way back of {rollout}, connected {hasSession}",
                device => Of(DeviceChanges.OfferWayBack(
                    device,
                    Units.Offer(rollout) with { Retry = WayBack.FirstRetry, SettlesWithin = TimeSpan.FromHours(1) },
                    Units.Offer(rollout, Units.OldDigest) with { Target = new OsTarget(Units.OldDigest, "12.0.1", 900, [1]) },
                    hasSession,
                    Units.Start)))),
        (1, from rollout in Choose("spring", "summer", "autumn")
            select new Step(
                $"way back of {rollout} is taken back",
                device => Of(
                    DeviceChanges.TakeBack(device, Units.Rollout(rollout), WayBack.FirstRetry, WayBack.NoWayBack, Units.Start)))),
        (1, Choose(
            new Step("quarantine", device => DeviceLifecycle.Quarantine(device, "noisy", Units.Start)),
            new Step("release", device => DeviceLifecycle.Release(device, "quiet", Units.Start)),
            new Step("decommissioning", device => DeviceLifecycle.BeginDecommission(device, Units.Command, Units.Start)))),
        (1, from sequence in Gen.Long[1, 3]
            from proof in Gen.Byte[8, 9]
            select new Step(
                $"proof of erasure {proof}, message {sequence}",
                device => DeviceMessages.TakeResult(
                    device,
                    new ObservedResult(Units.From("boot-1", sequence), Units.Command.Nonce, true, "", [proof]),
                    new NineVerifier(),
                    Units.Start))));

    [Fact]
    public void EveryStep_OfAnyHistory_KeepsTheInvariants() => Steps.List[1, 40].Sample(
        steps =>
        {
            var device = Units.InState(DeviceState.Expected);
            foreach (var step in steps)
            {
                var decision = step.Take(device);
                Check(device, decision);
                Assert.Empty(step.Take(decision.Next).Events);
                device = decision.Next;
            }
        },
        iter: RolloutHistoryTests.Histories * 3 / 2,
        print: steps => string.Join("; ", steps));

    private static void Check(Device before, Decision<Device> decision)
    {
        var after = decision.Next;
        Assert.Equal(decision.Events.IsEmpty, ReferenceEquals(before, after));
        Assert.True(decision.Error is null || decision.Events.IsEmpty);
        Assert.True(after.Desired.Generation >= before.Desired.Generation);
        Assert.True(after.GenerationReached >= before.GenerationReached);
        Assert.True(after.GenerationReached <= after.Desired.Generation);
        // Of every rollout at most one attempt is remembered, and an attempt is made once, unless nobody was told of it.
        Assert.Equal(after.EarlierChanges.Length, after.EarlierChanges.Select(change => change.Rollout).Distinct().Count());
        Assert.DoesNotContain(after.EarlierChanges, change => change.Rollout == after.LastChange!.Rollout);
        Assert.All(decision.Events.OfType<ChangeOffered>(), offered => Assert.DoesNotContain(
            before.EarlierChanges.Append(before.LastChange),
            closed => closed is not null && closed.Rollout == offered.Rollout
                && (closed.Reason == OfferHandover.Reason ? closed.Retry > offered.Retry : closed.Retry >= offered.Retry)));

        // At most one change: an open one is closed before another generation is issued (I2), or recalled by one that orders nothing.
        Assert.True(after.Change is null || after.Desired.Generation == (after.Change.RecalledBy > 0
            ? after.Change.RecalledBy
            : after.Change.Generation));
        Assert.Equal(after.Change is null or { RecalledBy: > 0 }, after.Desired.OrdersNothing || after.Change is null);
        // When it began to install is said once in a change, and by the fact that says so.
        var begins = decision.Events.Any(fact => fact is ChangeProgressed { Install: not InstallStart.None }
            or ChangeDelivered { Install: not InstallStart.None });
        Assert.Equal(begins, after.Change is { InstallsSince: not null } && before.Change?.InstallsSince is null);
        Assert.True(before.Change?.InstallsSince is null || after.Change is null or { InstallsSince: not null }
            || after.Change.Generation != before.Change.Generation);
        Assert.True(after.Change is not { InstallsSince: not null, InstallWindows.IsEmpty: true });
        // That the device has the change is said once, by the fact that its share reads; whoever refuses to give it up has it.
        var isDelivered = after.Change is { DeliveredAt: not null } delivered
            && !(before.Change is { DeliveredAt: not null } known && known.Generation == delivered.Generation);
        Assert.Equal(isDelivered, decision.Events.Any(fact => fact is ChangeDelivered));
        Assert.True(after.Change is null or { IsRecallRefused: false } or { DeliveredAt: not null, Step: > ChangeStep.Offered });
        foreach (var recalled in decision.Events.OfType<ChangeRecalled>())
        {
            Assert.Equal((0L, after.Desired.Generation), (before.Change!.RecalledBy, recalled.RecalledBy));
        }

        Assert.All(decision.Events.OfType<ChangeClosed>().Where(fact => fact.Reason == OfferHandover.CancelledReason), fact =>
            Assert.True(before.Change is { RecalledBy: > 0 } && before.Change.Generation == fact.Generation));
        Assert.True(before.Change is null || after.Change is null || before.Change.Rollout == after.Change.Rollout
            || (after.LastChange is { Outcome: ChangeOutcome.Skipped, Reason: DeviceChanges.Superseded }
                && after.LastChange.Rollout == before.Change.Rollout
                && RankOf(before.Change.Rollout.Value).StartedAt < RankOf(after.Change.Rollout.Value).StartedAt));
        Assert.True(before.State != DeviceState.Decommissioned || ReferenceEquals(before, after));
        Assert.Equal(after.State == DeviceState.Decommissioned, after.Erasure is not null);
        foreach (var success in decision.Events.OfType<ChangeClosed>().Where(fact => fact.Outcome == ChangeOutcome.Succeeded))
        {
            Assert.Equal(before.Change?.Generation, success.Generation);
            if (before.Change!.Settings is { } wanted)
            {
                Assert.True(after.Settings.ContainsAll(wanted));
                continue;
            }

            Assert.Equal(after.LastChange?.TargetDigest, after.Os?.ImageDigest);
            Assert.NotEqual(before.Change?.BootIdAtOffer, after.Os?.BootId);
        }
    }

    /// <summary>Spring is the oldest.</summary>
    private static ChangeRank RankOf(string rollout) =>
        new(0, Units.Start.AddHours(-rollout.Length).AddMinutes(rollout == "autumn" ? 1 : 0)) { SupersedesOlder = rollout != "spring" };

    private static ChangeTimers NotOver => new(TimeSpan.FromHours(1), TimeSpan.FromHours(1));

    private static ChangeTimers Over(TimeoutPolicy policy) =>
        new(TimeSpan.Zero, TimeSpan.Zero) { InProgressPolicy = policy, UndeliveredPolicy = policy };

    /// <summary>What happens to a device, and how it is printed in a history that fails.</summary>
    private sealed record Step(string Name, Func<Device, Decision<Device>> Take)
    {
        public override string ToString() => Name;
    }

    private static Gen<T> Choose<T>(params T[] values) => Gen.Int[0, values.Length - 1].Select(index => values[index]);

    private static Decision<Device> Of(OfferDecision decision) => new(decision.Next, decision.Events, null);
}
