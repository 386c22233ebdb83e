using System.Xml.Linq;
using Google.Protobuf.WellKnownTypes;
using Muster.Cli.Rollouts;
using V1 = Muster.Protocol.V1;

namespace Muster.Cli.Tests;

/// <summary>The two pictures of a rollout's course.</summary>
public sealed class BurnUpTests
{
    private static readonly DateTimeOffset Start = new(2026, 3, 1, 8, 0, 0, TimeSpan.Zero);
    private static readonly XNamespace Svg = "http://www.w3.org/2000/svg";

    [Fact]
    public void Text_OfARolloutThatWasStopped_ShowsItsCourseWithin80Columns()
    {
        var lines = BurnUpText.Of(CourseOf(Halted())).ToArray();

        Assert.All(lines, line => Assert.InRange(line.Length, 0, BurnUpText.Width));
        Assert.Equal("spring: 40 of 100 devices have succeeded, 10 failed, 10 are in progress.", lines[0]);
        Assert.StartsWith("      100 ┤", lines[1], StringComparison.Ordinal);

        // At the end: 6 of 15 rows have succeeded, two failed and one is in progress.
        var last = lines[1..16].Select(line => line.Length == BurnUpText.Width ? line[^1] : ' ').Reverse();
        Assert.Equal("██████▓▓░      ", string.Concat(last));
        Assert.Matches("^ {11}0 +1 +!$", lines[17]);
        Assert.Contains("! 08:59:00Z FAILURE_GATE: Wave 1: 10 of 50 finished devices failed.", lines);
        Assert.Equal("unknown: it is Suspended, and waits for an operator", lines[^1]);
    }

    [Fact]
    public void Svg_OfARolloutThatWasStopped_IsXmlThatSaysWhatItShows()
    {
        var rollout = Halted();
        rollout.Decisions.Add(new V1.RolloutDecision
        {
            At = At(50), Decision = "PAUSED", Reason = "</svg><script>alert('x')</script> & \uFFFE \"so\"",
        });

        var text = BurnUpSvg.Of(CourseOf(rollout));
        var root = XDocument.Parse(text).Root!;

        Assert.Equal((Svg + "svg", "img"), (root.Name, root.Attribute("role")!.Value));
        Assert.Equal(["title", "desc"], root.Attribute("aria-labelledby")!.Value.Split(' ').Select(id =>
            root.Elements().Single(element => element.Attribute("id")?.Value == id).Name.LocalName));
        Assert.Equal("Burn-up of rollout spring", root.Element(Svg + "title")!.Value);
        Assert.Contains("40 of 100 devices have succeeded", root.Element(Svg + "desc")!.Value, StringComparison.Ordinal);
        Assert.Contains("prefers-color-scheme:dark", root.Element(Svg + "style")!.Value, StringComparison.Ordinal);
        Assert.Equal(["succeeded", "offered", "failed"], root.Elements(Svg + "path").Select(path => path.Attribute("class")!.Value));
        Assert.Equal(
            ["wave 0", "wave 1", "FAILURE_GATE", "PAUSED"],
            root.Elements(Svg + "g").Select(mark => mark.Element(Svg + "text")!.Value));
        Assert.Empty(root.Descendants(Svg + "script"));
        Assert.EndsWith(
            "</svg><script>alert('x')</script> & \uFFFD \"so\"", root.Descendants(Svg + "title").Last().Value, StringComparison.Ordinal);
    }

    /// <summary>A step for each point, inside the picture, and never back in time.</summary>
    [Fact]
    public void Svg_Curves_AreStepsFromTheStartToTheEnd()
    {
        var rollout = Halted();
        rollout.BurnUp.Points.Add(new V1.BurnUpPoint { At = At(90), Offered = 200, Succeeded = 200 });

        var path = XDocument.Parse(BurnUpSvg.Of(CourseOf(rollout))).Root!.Elements(Svg + "path").First().Attribute("d")!.Value;

        Assert.StartsWith("M80 420", path, StringComparison.Ordinal);
        Assert.EndsWith("V420Z", path, StringComparison.Ordinal);
        var (x, y) = (
            path.Split('H').Skip(1).Select(part => double.Parse(part.Split('V', 'Z')[0], null)).ToArray(),
            path.Split('V').Skip(1).Select(part => double.Parse(part.Split('H', 'Z')[0], null)).ToArray());
        Assert.Equal(x.Order(), x);
        Assert.All(x, one => Assert.InRange(one, 80, 940));
        Assert.All(y, one => Assert.InRange(one, 70, 420));
        Assert.Equal(4 + 1 + 1, x.Length);
    }

    [Fact]
    public void Of_ARolloutThatWasNotStarted_IsNull() => Assert.Null(RolloutCourse.Of(new V1.Rollout(), Start));

    [Fact]
    public void Of_ARolloutOfADayAgo_TellsTheDay() => Assert.Equal(
        "2026-03-01 08:00Z", RolloutCourse.Of(Halted(), Start.AddDays(3))!.Time(Start));

    [Fact]
    public void Text_OfARolloutWithoutAPoint_IsEmptyAndNotBroken()
    {
        var rollout = Halted();
        rollout.BurnUp = null;

        var lines = BurnUpText.Of(CourseOf(rollout)).ToArray();

        Assert.Equal("spring: 0 of 100 devices have succeeded, 0 failed, 0 are in progress.", lines[0]);
        Assert.DoesNotContain(lines[1..16], line => line.Contains('█', StringComparison.Ordinal));
        Assert.NotNull(XDocument.Parse(BurnUpSvg.Of(CourseOf(rollout))).Root);
    }

    /// <summary>The way there until it was turned round; nothing of the way back, and not what it was before as if it still were.</summary>
    [Fact]
    public void Text_OfARolloutThatIsRolledBack_IsTheWayThereAndSaysSo()
    {
        var lines = BurnUpText.Of(CourseOf(RolledBack())).ToArray();

        Assert.All(lines, line => Assert.InRange(line.Length, 0, BurnUpText.Width));
        Assert.Equal(
            "spring: rolled back since 08:30:00Z: 20 of 100 devices had succeeded before, 5 had failed, 15 were in progress.",
            string.Join(' ', lines[0], lines[1]));

        // Half of the hour: wave 0 starts, after 20 minutes wave 1, and the turn; its way back starts none.
        Assert.Matches("^ {11}0 {22}1 {10}!$", lines[18]);
        Assert.Contains("! 08:30:00Z ROLLING_BACK: Wave 1: 5 of 10 finished devices failed.", lines);
        Assert.All(lines[2..17], line => Assert.InRange(line.Length, 0, 11 + 35));
        Assert.Contains(lines[2..17], line => line.Length == 11 + 35);
    }

    [Fact]
    public void Svg_OfARolloutThatIsRolledBack_EndsItsCurvesAtTheTurn()
    {
        var root = XDocument.Parse(BurnUpSvg.Of(CourseOf(RolledBack()))).Root!;

        Assert.Contains("rolled back since 08:30:00Z", root.Element(Svg + "desc")!.Value, StringComparison.Ordinal);
        Assert.Contains("2026-03-01 08:20:00Z: Wave 1 started.", root.Element(Svg + "desc")!.Value, StringComparison.Ordinal);
        Assert.Equal(
            ["wave 0", "wave 1", "ROLLING_BACK"], root.Elements(Svg + "g").Select(mark => mark.Element(Svg + "text")!.Value));
        Assert.All(
            root.Elements(Svg + "path").Where(path => path.Attribute("class")!.Value != "succeeded"),
            path => Assert.EndsWith("H510", path.Attribute("d")!.Value, StringComparison.Ordinal));
    }

    [Fact]
    public void DrawnUntil_OfATurnThatAClockPutsBeforeTheLastPoint_LeavesOutNone()
    {
        var rollout = RolledBack();
        rollout.RollBack.StartedAt = At(20);

        Assert.Equal(Start.AddMinutes(29), CourseOf(rollout).DrawnUntil);
    }

    private static RolloutCourse CourseOf(V1.Rollout rollout) => RolloutCourse.Of(rollout, Start.AddHours(1))!;

    private static Timestamp At(int minutes) => Timestamp.FromDateTimeOffset(Start.AddMinutes(minutes));

    /// <summary>Turned round after half an hour; of the way back the last wave has passed and the first has started.</summary>
    private static V1.Rollout RolledBack() => new()
    {
        Name = "tenants/default/rollouts/spring",
        State = V1.RolloutState.RollingBack,
        Members = 100,
        StartedAt = At(0),
        RollBack = new V1.RollBack { StartedAt = At(30), Wave = 1 },
        WaveStatus =
        {
            new V1.Wave { Index = 0, StartedAt = At(45), WayThere = new V1.WayThere { StartedAt = At(0), PassedAt = At(20) } },
            new V1.Wave { Index = 1, StartedAt = At(30), PassedAt = At(45), WayThere = new V1.WayThere { StartedAt = At(20) } },
            new V1.Wave { Index = 2, WayThere = new V1.WayThere() },
        },
        Decisions =
        {
            new V1.RolloutDecision { At = At(30), Decision = "ROLLING_BACK", Reason = "Wave 1: 5 of 10 finished devices failed." },
            new V1.RolloutDecision { At = At(30), Decision = "WAVE_ROLLING_BACK", Reason = "Wave 1 is offered what it ran before." },
            new V1.RolloutDecision { At = At(45), Decision = "WAVE_ROLLED_BACK", Reason = "Wave 1 is back." },
        },
        BurnUp = new V1.BurnUp
        {
            Points =
            {
                new V1.BurnUpPoint { At = At(1), Offered = 15 },
                new V1.BurnUpPoint { At = At(19), Offered = 15, Succeeded = 15 },
                new V1.BurnUpPoint { At = At(29), Offered = 40, Succeeded = 20, Failed = 5 },
            },
        },
    };

    private static V1.Rollout Halted() => new()
    {
        Name = "tenants/default/rollouts/spring",
        State = V1.RolloutState.Suspended,
        Members = 100,
        StartedAt = At(0),
        WaveStatus =
        {
            new V1.Wave { Index = 0, StartedAt = At(0), PassedAt = At(20) },
            new V1.Wave { Index = 1, StartedAt = At(20) },
            new V1.Wave { Index = 2 },
        },
        Decisions =
        {
            new V1.RolloutDecision { At = At(20), Decision = "WAVE_STARTED", Reason = "Wave 1 starts." },
            new V1.RolloutDecision { At = At(59), Decision = "FAILURE_GATE", Reason = "Wave 1: 10 of 50 finished devices failed." },
        },
        Estimate = new V1.RolloutEstimate { Unknown = "RESUME", Text = "unknown: it is Suspended, and waits for an operator" },
        BurnUp = new V1.BurnUp
        {
            Points =
            {
                new V1.BurnUpPoint { At = At(1), Offered = 20 },
                new V1.BurnUpPoint { At = At(19), Offered = 20, Succeeded = 20 },
                new V1.BurnUpPoint { At = At(58), Offered = 60, Succeeded = 40, Failed = 10 },
            },
        },
    };
}
