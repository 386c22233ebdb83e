using System.Collections.Immutable;
using Muster.Domain.Devices;
using Muster.Domain.Images;
using Muster.Domain.Rollouts;

namespace Muster.Domain.Tests.Devices;

/// <summary>A device that runs 12.0.1 on its way to 13.0, which asks for 12.5 and 12.9 before.</summary>
public sealed partial class StepPathTests
{
    private static readonly string s_first = new('5', 64);
    private static readonly string s_second = new('9', 64);

    private static readonly ImmutableArray<StepImage> s_path =
    [
        new(s_first, "12.5", "active", [Units.Model], new ImageConditions { SecurityFloor = "12.4" }),
        new(s_second, "12.9", "active", [Units.Model], new ImageConditions { MinFromVersion = "12.5" }),
    ];

    private static readonly ChangeOffer s_offer = Units.Offer() with
    {
        Target = new OsTarget(Units.NewDigest, "13.0", 1000, [1]),
        Conditions = new ImageConditions { Steps = ["12.5", "12.9"] },
        Path = s_path,
    };

    private static readonly ChangeTimers s_timers = new(TimeSpan.FromHours(1), TimeSpan.FromDays(7));

    private int _sequence;

    [Fact]
    public void A_device_takes_each_step_as_a_change_of_its_own_within_one_attempt()
    {
        var device = Units.InState(DeviceState.InService);

        var first = Offer(device);
        var afterFirst = Boot(first.Next, "boot-2", s_first, "12.5");
        var second = Offer(afterFirst);
        var afterSecond = Boot(second.Next, "boot-3", s_second, "12.9");
        var last = Offer(afterSecond);
        var done = Boot(last.Next, "boot-4", Units.NewDigest, "13.0");

        Assert.Equal([s_first, s_second, Units.NewDigest], new[] { first, second, last }.Select(made => made.Next.Desired.Os!.Digest));
        Assert.Equal([1L, 2L, 3L], new[] { first, second, last }.Select(made => made.Next.Change!.Generation));
        ImmutableArray<ChangeInProgress> changes = [first.Next.Change!, second.Next.Change!, last.Next.Change!];
        Assert.Equal([(0, 2), (1, 1), (2, 0)], changes.Select(change => (change.StepsTaken, change.StepsLeft)));
        Assert.All(changes, change => Assert.Equal((0, Units.OldDigest), (change.Retry, change.PreviousDigest)));
        Assert.Equal([ChangeOutcome.StepTaken, ChangeOutcome.StepTaken, ChangeOutcome.Succeeded],
            new[] { afterFirst, afterSecond, done }.Select(ended => ended.LastChange!.Outcome));
        Assert.Equal("12.4", afterFirst.OsFloor); // an intermediate commit is one
        Assert.Null(afterFirst.Change);
        Assert.Equal(OfferVerdict.Closed, Offer(done).Verdict);
    }

    [Fact]
    public void A_device_begins_where_it_is()
    {
        var between = Units.InState(DeviceState.InService) with { Os = Units.Os("boot-1", version: "12.6") };
        var beyond = between with { Os = Units.Os("boot-1", version: "12.9") };

        Assert.Equal(s_second, Offer(between).Next.Change!.Target.Digest);
        Assert.Equal((0, 1), (Offer(between).Next.Change!.StepsTaken, Offer(between).Next.Change!.StepsLeft));
        Assert.Equal(Units.NewDigest, Offer(beyond).Next.Change!.Target.Digest);
    }

    /// <summary>Nobody is left half way: where one image is missing, no step is taken at all.</summary>
    [Fact]
    public void A_device_for_which_a_step_has_no_image_is_left_out()
    {
        var device = Units.InState(DeviceState.InService);

        AssertSkipped(Offer(device, s_offer with { Path = [] }), ImageConditions.StepRequired);
        AssertSkipped(Offer(device, s_offer with { Path = [s_path[0]] }), ImageConditions.StepRequired);
        AssertSkipped(
            Offer(device, s_offer with { Path = [s_path[0], s_path[1] with { Models = ["Q6225"] }] }), ImageConditions.StepRequired);
        AssertSkipped(
            Offer(device, s_offer with { Path = [s_path[0] with { Track = "lts" }, s_path[1]] }), ImageConditions.StepRequired);
    }

    /// <summary>Also where the images are there, and do not follow one another: that would show behind the first step only.</summary>
    [Fact]
    public void A_device_that_a_later_step_would_not_take_on_is_left_out()
    {
        var device = Units.InState(DeviceState.InService);
        ImageConditions[] second =
        [
            new() { MinFromVersion = "12.6" },
            new() { Steps = ["12.7"] },
        ];

        Assert.All(second, conditions => AssertSkipped(
            Offer(device, s_offer with { Path = s_path.SetItem(1, s_path[1] with { Conditions = conditions }) }),
            ImageConditions.StepRequired));
        AssertSkipped(
            Offer(device, s_offer with { Path = s_path.SetItem(0, s_path[0] with { Conditions = new() { SecurityFloor = "12.9.1" } }) }),
            ImageConditions.StepRequired);
        AssertSkipped(
            Offer(device, s_offer with { Path = s_path.SetItem(1, s_path[1] with { Conditions = new() { SecurityFloor = "13.1" } }) }),
            ImageConditions.StepRequired);
    }

    [Fact]
    public void Of_two_images_of_a_step_the_one_that_can_be_installed_is_taken()
    {
        var narrow = s_path[1] with { Digest = new string('8', 64), Conditions = new ImageConditions { MinFromVersion = "12.8" } };
        var path = s_path.Insert(1, narrow);
        var between = Units.InState(DeviceState.InService) with { Os = Units.Os("boot-1", version: "12.6") };

        Assert.Equal(s_first, Offer(Units.InState(DeviceState.InService), s_offer with { Path = path }).Next.Change!.Target.Digest);
        Assert.Equal(s_second, Offer(between, s_offer with { Path = path }).Next.Change!.Target.Digest);
    }

    [Fact]
    public void A_step_of_another_track_is_taken_where_tracks_may_change()
    {
        var path = s_path.SetItem(0, s_path[0] with { Track = "lts" });

        var made = Offer(Units.InState(DeviceState.InService), s_offer with { Path = path, AllowTrackChange = true }, track: "lts");

        Assert.Equal((s_first, "lts"), (made.Next.Change!.Target.Digest, made.Next.Change.Track));
    }

    /// <summary>The catalogue has it no more, or another activation of the device found another step.</summary>
    [Fact]
    public void A_step_that_is_not_the_devices_next_or_not_published_is_not_offered()
    {
        var device = Units.InState(DeviceState.InService);
        var wrong = new StepOffer(new OsTarget(s_second, "12.9", 900, [1]), "active", ImageConditions.None);

        AssertSkipped(DeviceChanges.Offer(device, s_offer, hasSession: true, Units.Start), ImageConditions.StepRequired);
        AssertSkipped(
            DeviceChanges.Offer(device, s_offer with { Step = wrong }, hasSession: true, Units.Start), ImageConditions.StepRequired);
    }

    [Fact]
    public void A_step_that_fails_is_the_failure_of_the_attempt_and_the_next_begins_where_the_device_is()
    {
        var second = Offer(Boot(Offer(Units.InState(DeviceState.InService)).Next, "boot-2", s_first, "12.5")).Next;
        var failed = Units.Take(
            second, Units.Report(second.Change!.Generation, ChangeStep.Unspecified, 9, "boot-2", ChangeOutcome.Failed));

        var repeated = Offer(failed);
        var again = Offer(failed, s_offer with { Retry = 1 });

        Assert.Equal((OfferVerdict.Closed, ChangeOutcome.Failed), (repeated.Verdict, repeated.Outcome));
        Assert.Equal(s_second, again.Next.Change!.Target.Digest);
        Assert.Equal((0, 1), (again.Next.Change.StepsTaken, again.Next.Change.StepsLeft));
        Assert.Equal(Units.OldDigest, again.Next.Change.PreviousDigest);
    }

    [Fact]
    public void A_step_that_no_connection_got_is_the_same_step_again()
    {
        var between = Boot(Offer(Units.InState(DeviceState.InService)).Next, "boot-2", s_first, "12.5");
        var back = DeviceChanges.TakeBack(Offer(between).Next, Units.Rollout(), 0, OfferHandover.Reason, Units.Start).Next;

        var again = Offer(back).Next.Change!;

        Assert.Equal((s_second, 1, 1), (again.Target.Digest, again.StepsTaken, again.StepsLeft));
        Assert.Equal((0, Units.OldDigest), (again.Retry, again.PreviousDigest));
    }

    [Fact]
    public void A_step_that_is_revoked_is_taken_back_from_those_that_have_not_named_it()
    {
        var offered = Offer(Units.InState(DeviceState.InService)).Next;
        var left = DeviceChanges.TakeBackStep(offered, Units.Rollout(), 0, s_first, Units.Start);

        AssertSkipped(left, ImageConditions.StepRequired);
        Assert.Null(left.Next.Desired.Os);
        AssertSkipped(Offer(left.Next), ImageConditions.StepRequired);

        var named = Units.Take(offered, Units.Report(offered.Change!.Generation, ChangeStep.Delivered, 9, "boot-1"));
        AssertInProgress(DeviceChanges.TakeBackStep(named, Units.Rollout(), 0, s_first, Units.Start), s_first);
        AssertInProgress(DeviceChanges.TakeBackStep(offered, Units.Rollout(), 0, s_second, Units.Start), s_first);
        AssertInProgress(DeviceChanges.TakeBackStep(offered, Units.Rollout(), 1, s_first, Units.Start), s_first);

        // An order that comes late: the device is beyond it.
        var second = Offer(Boot(offered, "boot-2", s_first, "12.5")).Next;
        AssertInProgress(DeviceChanges.TakeBackStep(second, Units.Rollout(), 0, s_first, Units.Start), s_second);
    }

    /// <summary>What the catalogue calls 12.5 says 12.0 of itself: it is not installed for ever.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void No_attempt_has_more_steps_than_the_image_asks_for(bool goesBack)
    {
        var twin = s_path[0] with { Digest = new string('6', 64) };
        var offer = s_offer with { Path = [s_path[0], twin, s_path[1]] };
        var (device, offers) = (Units.InState(DeviceState.InService), 0);
        var made = Offer(device, offer);
        while (made.Next.Change is { } change && offers < 10)
        {
            offers++;
            device = Boot(made.Next, $"boot-{offers + 1}", change.Target.Digest, "12.0");
            made = Offer(device, offer);
            if (goesBack && made.Next.Change is not null)
            {
                // No connection got it: what was counted stays counted.
                device = DeviceChanges.TakeBack(made.Next, Units.Rollout(), 0, OfferHandover.Reason, Units.Start).Next;
                made = Offer(device, offer);
            }
        }

        Assert.Equal(2, offers);
        AssertSkipped(made, ImageConditions.StepRequired);
    }

    [Fact]
    public void Between_two_steps_the_device_says_so_to_whoever_asks_what_became_of_it()
    {
        var between = Boot(Offer(Units.InState(DeviceState.InService)).Next, "boot-2", s_first, "12.5");

        var expired = DeviceChanges.Expire(between, Units.Rollout(), 0, s_timers, Units.Start);

        Assert.Equal((OfferVerdict.Closed, ChangeOutcome.StepTaken, 0), (expired.Verdict, expired.Outcome, expired.Retry));
        Assert.Equal((1L, true), DeviceChanges.MemoryOf(between, Units.Rollout()));
    }

    /// <summary>It would have it again without a permit.</summary>
    [Fact]
    public void A_device_that_falls_back_from_a_step_is_not_told_of_it_any_longer()
    {
        var between = Boot(Offer(Units.InState(DeviceState.InService)).Next, "boot-2", s_first, "12.5");

        var fallen = Boot(between, "boot-3", Units.OldDigest, "12.0.1");
        var again = Offer(fallen);

        Assert.Equal(s_first, between.Desired.Os!.Digest);
        Assert.Equal((2L, null), (fallen.Desired.Generation, fallen.Desired.Os));
        Assert.Equal(ChangeOutcome.StepTaken, fallen.LastChange!.Outcome);
        Assert.Equal((s_first, 3L, 1), (again.Next.Desired.Os!.Digest, again.Next.Change!.Generation, again.Next.Change.StepsTaken));
    }

    /// <summary>The steps lead to the lowest version that the image can be installed over; who cannot be read is led nowhere.</summary>
    [Theory]
    [InlineData("12.0.1", true)]
    [InlineData("snapshot", false)]
    [InlineData("", false)]
    public void Steps_may_begin_below_the_lowest_version_of_the_image(string version, bool isTaken)
    {
        var offer = s_offer with
        {
            Conditions = s_offer.Conditions with { MinFromVersion = "12.9" },
            Path = s_path.SetItem(0, s_path[0] with { Conditions = ImageConditions.None }),
        };
        var device = Units.InState(DeviceState.InService) with { Os = Units.Os("boot-1", version: version), OsFloor = "" };

        var made = Offer(device, offer);

        Assert.Equal(isTaken ? s_first : null, made.Next.Change?.Target.Digest);
        Assert.Equal(isTaken ? "" : ImageConditions.BelowMinimum, made.Reason);
        AssertSkipped(
            Offer(Units.InState(DeviceState.InService), offer with { Conditions = offer.Conditions with { MinFromVersion = "12.9.5" } }),
            ImageConditions.BelowMinimum);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void The_way_back_leads_to_what_ran_before_the_first_step_from_wherever_the_device_is(int offers)
    {
        var device = Units.InState(DeviceState.InService) with { OsFloor = "" };
        var path = s_path.SetItem(0, s_path[0] with { Conditions = ImageConditions.None });
        foreach (var (digest, version, boot) in new[]
        {
            (s_first, "12.5", "boot-2"), (s_second, "12.9", "boot-3"), (Units.NewDigest, "13.0", "boot-4"),
        }.Take(offers))
        {
            device = Boot(Offer(device, s_offer with { Path = path }).Next, boot, digest, version);
        }

        var back = s_offer with { Path = path, Retry = WayBack.FirstRetry };
        var previous = Units.Offer(digest: Units.OldDigest) with { Target = new OsTarget(Units.OldDigest, "12.0.1", 900, [1]) };
        var made = DeviceChanges.OfferWayBack(device, back, previous, hasSession: true, Units.Start);

        Assert.Equal((Units.OldDigest, ""), WayBack.Find(device, Units.Rollout(), Units.NewDigest, path));
        Assert.Equal((Units.OldDigest, 0), (made.Next.Change!.Target.Digest, made.Next.Change.StepsLeft));
    }

    [Fact]
    public void A_device_that_ran_the_step_before_the_rollout_has_nothing_to_go_back_from()
    {
        var device = Units.InState(DeviceState.InService) with { Os = Units.Os("boot-1", s_first, "12.5") };
        var offered = Offer(device).Next;
        var failed = Units.Take(
            offered, Units.Report(offered.Change!.Generation, ChangeStep.Unspecified, 9, "boot-1", ChangeOutcome.Failed));

        Assert.Equal(s_first, failed.LastChange!.PreviousDigest);
        Assert.Equal(("", WayBack.NothingToRollBack), WayBack.Find(failed, Units.Rollout(), Units.NewDigest, s_path));
    }

    [Fact]
    public void Previews_say_which_step_it_is()
    {
        var device = Units.InState(DeviceState.InService);
        var between = Boot(Offer(device).Next, "boot-2", s_first, "12.5");

        var would = OfferPreview.Of(between, Units.Rollout(), Offer(between));
        var has = OfferPreview.Of(Offer(device).Next, Units.Rollout(), Offer(Offer(device).Next));

        Assert.Equal((true, 1, 1, "12.9"), (would.WouldOffer, would.StepsTaken, would.StepsLeft, would.StepVersion));
        Assert.Equal((false, 0, 2, "12.5"), (has.WouldOffer, has.StepsTaken, has.StepsLeft, has.StepVersion));
    }

    [Fact]
    public void Choose_TakesForEachStepTheImagesThatServeTheModelsOfTheOwnTrackFirst()
    {
        var image = new RolloutImage(s_offer.Target, "active", ["A", "B", "C"]) { Conditions = s_offer.Conditions };
        StepImage[] published =
        [
            Step('3', "12.5", "lts", "A", "B", "C"), Step('2', "12.5", "active", "A"), Step('1', "12.50.0", "active", "A"),
            Step('4', "12.5", "active", "B", "Z"), Step('6', "12.9.0", "active", "C", "B"), Step('5', "12.9", "active", "X"),
            Step('8', "12.7", "active", "A"),
        ];

        Assert.Equal(["2", "4", "6"], Names(RolloutPath.Choose(image, allowTrackChange: false, published)));
        Assert.Equal(["2", "4", "3", "6"], Names(RolloutPath.Choose(image, allowTrackChange: true, published)));
    }

    /// <summary>Of the same models, and for other devices all the same.</summary>
    [Fact]
    public void Choose_TakesImagesThatCanBeInstalledOverOtherVersions()
    {
        var image = new RolloutImage(s_offer.Target, "active", ["A"]) { Conditions = new ImageConditions { Steps = ["12.5"] } };
        StepImage[] published =
        [
            Step('1', "12.5", "active", "A") with { Conditions = new ImageConditions { MinFromVersion = "12.2" } },
            Step('2', "12.5", "active", "A") with { Conditions = new ImageConditions { MinFromVersion = "12.2", SecurityFloor = "12.1" } },
            Step('3', "12.5", "active", "A"),
            Step('4', "12.5", "active", "A") with { Conditions = new ImageConditions { Steps = ["12.3"] } },
        ];

        Assert.Equal(["1", "3", "4"], Names(RolloutPath.Choose(image, allowTrackChange: false, published)));
    }

    private static IEnumerable<string> Names(ImmutableArray<StepImage> path) => path.Select(step => step.Digest[..1]);

    private static StepImage Step(char digest, string version, string track, params ImmutableArray<string> models) =>
        new(new string(digest, 64), version, track, models, ImageConditions.None);

    private static void AssertInProgress(OfferDecision decision, string digest)
    {
        Assert.Equal(OfferVerdict.InProgress, decision.Verdict);
        Assert.Empty(decision.Events);
        Assert.Equal(digest, decision.Next.Change!.Target.Digest);
    }

    private static void AssertSkipped(OfferDecision decision, string reason) =>
        Assert.Equal((OfferVerdict.Closed, ChangeOutcome.Skipped, reason), (decision.Verdict, decision.Outcome, decision.Reason));

    /// <summary>As the device's grain does it: the catalogue has the image of the step that is next.</summary>
    private static OfferDecision Offer(Device device, ChangeOffer? offer = null, string track = "active")
    {
        offer ??= s_offer;
        return DeviceChanges.Offer(
            device,
            StepPath.Find(device, offer) is { } step
                ? offer with { Step = new StepOffer(new OsTarget(step.Digest, step.Version, 900, [1]), track, step.Conditions) }
                : offer,
            hasSession: true,
            Units.Start);
    }

    private Device Boot(Device device, string boot, string digest, string version) => Units.Take(device, new ObservedHello(
        Units.From(boot, ++_sequence), Units.Id.Value, Units.Model, Units.Os(boot, digest, version), device.Desired.Generation));
}
