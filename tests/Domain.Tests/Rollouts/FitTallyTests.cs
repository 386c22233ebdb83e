using Muster.Domain.Devices;
using Muster.Domain.Images;
using Muster.Domain.Rollouts;

namespace Muster.Domain.Tests.Rollouts;

/// <summary>Whom of its members an image is for.</summary>
public sealed class FitTallyTests
{
    private const string Digest = "aa";

    private static readonly ImageConditions s_conditions = new() { MinFromVersion = "8.40", Steps = ["9.80", "10.12", "11.11.73"] };

    [Fact]
    public void Of_MembersBelowSteps_CountsThemBelowEachThatFollows()
    {
        var tally = FitTally.Of(Image(), [Runs("9.0"), Runs("9.80"), Runs("10.12.5"), Runs("11.11.73"), Runs("13.0")]);

        Assert.Equal(3, tally.Skips.Of(MemberReason.StepRequired));
        Assert.Equal([1, 2, 3], tally.BelowStep);
    }

    [Fact]
    public void Of_WhoIsLeftOutAnyway_NeedsNoStep()
    {
        var tally = FitTally.Of(
            Image(),
            [
                Runs("8.0"), Runs("snapshot"), Runs(""), Runs("9.0") with { Model = "B" }, Runs("9.0") with { Track = "10.12" },
                Runs("9.0") with { OsFloor = "13.0" }, Runs("9.0") with { ImageDigest = Digest },
            ]);

        Assert.Equal(
            (3, 1, 1, 1, 1, 0),
            (tally.Skips.Of(MemberReason.OsBelowMinimum), tally.Skips.Of(MemberReason.ModelNotCompatible),
                tally.Skips.Of(MemberReason.TrackMismatch), tally.Skips.Of(MemberReason.OsBelowFloor),
                tally.Skips.Of(MemberReason.AlreadyRunningTarget), tally.Skips.Of(MemberReason.StepRequired)));
        Assert.Equal([0, 0, 0], tally.BelowStep);
    }

    [Fact]
    public void Plus_OfParts_IsTheWhole()
    {
        ImageSituation[] members = [Runs("8.0"), Runs("9.0"), Runs("10.0"), Runs("11.0"), Runs("12.0")];

        for (var cut = 0; cut <= members.Length; cut++)
        {
            var parts = FitTally.Of(Image(), members[..cut]).Plus(FitTally.Of(Image(), members[cut..]));

            Assert.Equal(FitTally.Of(Image(), members), parts);
        }

        var other = FitTally.Of(Image() with { Conditions = ImageConditions.None }, members);
        Assert.Throws<ArgumentException>(() => other.Plus(FitTally.Of(Image(), members)));
    }

    /// <summary>An offer and a dry run have to say the same of a device.</summary>
    [Theory]
    [InlineData("9.0", "A", "", "STEP_REQUIRED")]
    [InlineData("8.0", "A", "", "OS_BELOW_MINIMUM")]
    [InlineData("9.0", "B", "", "MODEL_NOT_COMPATIBLE")]
    [InlineData("9.0", "A", "13.0", "OS_BELOW_FLOOR")]
    [InlineData("11.11.73", "A", "", null)]
    public void Of_EveryDevice_SaysWhatItsOfferIsAnsweredWith(string version, string model, string floor, string? reason)
    {
        var unit = Devices.Units.InState(DeviceState.InService);
        var device = unit with { Model = model, OsFloor = floor, Os = unit.Os! with { Version = version } };
        var image = Image() with { Track = device.Track };
        var offer = Devices.Units.Offer() with
        {
            Target = image.Target, Track = device.Track, Models = image.Models, Conditions = s_conditions,
        };

        var decision = DeviceChanges.Offer(device, offer, hasSession: true, Devices.Units.Start);
        var tally = FitTally.Of(image, [new(model, device.Track, floor, device.Os.ImageDigest, version)]);

        Assert.Equal(reason ?? "", decision.Reason);
        Assert.Equal(reason is null ? 0 : 1, tally.Skips.Counts.Sum());
        Assert.Equal(reason is null ? 0 : 1, reason is null ? 0 : tally.Skips.Of(MemberReasons.Parse(reason)));
    }

    private static ImageNeeds Image() => new(new OsTarget(Digest, "12.1.0", 1000, []), "active", ["A"], s_conditions);

    private static ImageSituation Runs(string version) => new("A", "active", "", "bb", version);
}
