using Muster.Cli.Output;
using Muster.Cli.Rollouts;
using Muster.Cli.Session;
using V1 = Muster.Protocol.V1;

namespace Muster.Cli.Tests;

public sealed class OutputTests
{
    private static readonly V1.Device Device = new()
    {
        Name = "tenants/default/devices/A1",
        State = V1.DeviceState.InService,
        Model = "P3265-V",
        Presence = new V1.Presence { Connected = true },
        Compliance = new V1.Compliance { Verdicts = { new V1.Verdict { Rule = "ssh-off", State = V1.ComplianceState.NonCompliant } } },
    };

    [Fact]
    public async Task ShowAsync_AsJson_IsOneLineOfProtobufJson()
    {
        var text = new StringWriter();

        await new OutputWriter(text, isJson: true).ShowAsync(Device);

        Assert.Equal(Device, V1.Device.Parser.ParseJson(Assert.Single(text.ToString().Trim().Split('\n'))));
    }

    [Fact]
    public void Lines_OfAMap_AreNamedAndInOrder()
    {
        var device = new V1.Device { Name = "A", Labels = { ["site"] = "Lund", ["floor"] = "3" } };

        Assert.Equal([("name", "A"), ("labels.floor", "3"), ("labels.site", "Lund")], Details.Lines("", device));
    }

    [Fact]
    public async Task ShowAsync_ForPeople_ShowsOnlyWhatIsSet()
    {
        var text = new StringWriter();

        await new OutputWriter(text, isJson: false).ShowAsync(Device);

        Assert.Contains("IN_SERVICE", text.ToString(), StringComparison.Ordinal);
        Assert.Contains("compliance.verdicts[0].state", text.ToString(), StringComparison.Ordinal);
        Assert.Contains("NON_COMPLIANT", text.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("boot_id", text.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("5", 5, 0, 100, 0)]
    [InlineData("10%", 0, 10, 100, 0)]
    [InlineData("100%:90:30s", 0, 100, 90, 30)]
    [InlineData("7:95%:1h", 7, 0, 95, 3600)]
    public void Parse_OfAWave_ReadsItsParts(string text, int count, int percent, int success, int soakSeconds)
    {
        var wave = WaveText.Parse(text);

        Assert.Equal((count, percent), (wave.Count, wave.Percent));
        Assert.Equal(success, wave.HasSuccessPercent ? wave.SuccessPercent : 100);
        Assert.Equal(soakSeconds, wave.Soak?.Seconds ?? 0);
    }

    [Theory]
    [InlineData("5:90:1s", null)]
    [InlineData("5:90:1s:connected", true)]
    [InlineData("100%:100:0s:all", false)]
    public void Parse_OfAWave_ReadsWhetherWhoIsNotConnectedIsPassedOver(string text, bool? connectedOnly)
    {
        var wave = WaveText.Parse(text);

        Assert.Equal(connectedOnly, wave.HasConnectedOnly ? wave.ConnectedOnly : null);
    }

    [Theory]
    [InlineData("")]
    [InlineData("ten")]
    [InlineData("5:x")]
    [InlineData("5:90:soon")]
    [InlineData("5:90:1s:2")]
    [InlineData("5:90:1s:all:five")]
    [InlineData("5:90:1s:all:5:1")]
    [InlineData("approve")]
    [InlineData("5:approve:90")]
    public void Parse_OfNoWave_IsUsage(string text) => Assert.Throws<UsageException>(() => WaveText.Parse(text));

    [Fact]
    public void Picture_OfAWaveThatWaitsForAnApprover_SaysSo()
    {
        var rollout = new V1.Rollout
        {
            Name = "tenants/default/rollouts/spring",
            State = V1.RolloutState.Running,
            Waves = { new V1.WaveSpec { Count = 20, NeedsApproval = true }, new V1.WaveSpec { Percent = 100 } },
            WaveStatus =
            {
                new V1.Wave { State = V1.WaveState.AwaitingApproval, Members = 20, AwaitingSince = new() { Seconds = 3600 } },
                new V1.Wave { Index = 1, State = V1.WaveState.Pending, Members = 80 },
            },
        };
        var text = new StringWriter();

        new OutputWriter(text, isJson: false).Console.Write(RolloutPicture.Of(rollout));

        Assert.Contains("AWAITING_APPROVAL", text.ToString(), StringComparison.Ordinal);
        Assert.Contains("waits for an approver since 01:00:00", text.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Story_OfAWave_SaysWhyWhatItWaitsForAndTheGatesNumbers()
    {
        var explanation = new V1.WaveExplanation
        {
            Name = "tenants/default/rollouts/spring",
            RolloutState = V1.RolloutState.Running,
            Wave = new V1.Wave { Index = 1, State = V1.WaveState.Running, Skipped = 2 },
            LogCut = true,
            Why = { new V1.RolloutDecision { Decision = "WAVE_STARTED", Reason = "Wave 1 starts.", Actor = "rule/rollouts.spring" } },
            Waits = { new V1.WaveWait { On = "RATE", Text = "50 offers in the last 60 s", Until = new() { Seconds = 3600 } } },
            SuccessGate = new V1.SuccessReading { Verdict = "OPEN", Succeeded = 4, Counted = 5, Percent = 80, Least = 1, Undecided = 0 },
            FailureGate = new V1.FailureReading { Failed = 1, Finished = 5, Gate = new V1.FailureGate { FailureCount = 3 } },
        };

        var lines = WaveStory.Of(explanation).ToArray();

        Assert.Equal("spring is RUNNING; wave 1 is RUNNING.", lines[0]);
        Assert.Contains(lines, line => line.EndsWith("WAVE_STARTED  Wave 1 starts. (rule/rollouts.spring)", StringComparison.Ordinal));
        Assert.Contains("  RATE: 50 offers in the last 60 s, until 1970-01-01 01:00:00Z", lines);
        Assert.Contains(
            "Success gate: OPEN. 4 of 5 succeeded; 80 % and at least 1 are needed, 0 have no outcome;"
                + " 2 skipped and 0 removed do not count.",
            lines);
        Assert.Contains("Failure gate: quiet. 1 of 5 ended failed; it fires at 3 failed.", lines);
    }

    [Theory]
    [InlineData("5:approve", true, 5)]
    [InlineData("5:90:1s:all:5:approve", true, 5)]
    [InlineData("5:90", false, 5)]
    public void Parse_OfAWave_ReadsWhetherItWaitsForAnApprover(string text, bool approves, int count)
    {
        var wave = WaveText.Parse(text);

        Assert.Equal((approves, count), (wave.NeedsApproval, wave.Count));
    }

    [Fact]
    public void Parse_OfAWave_ReadsHowManyMustSucceed() => Assert.Equal(5, WaveText.Parse("10%:90:1s:all:5").MinSucceeded);

    [Theory]
    [InlineData("2:1000:offered", 2, 1000, 0, 0)]
    [InlineData("1.5:500:succeeded:400", 1.5, 0, 500, 400)]
    public void Parse_OfAGrowingRate_ReadsItsParts(string text, double factor, int offered, int succeeded, int most)
    {
        var growth = GrowthText.Parse(text);

        Assert.Equal((factor, offered, succeeded, most), (growth.Factor, growth.Offered, growth.Succeeded, growth.DevicesPerMinuteMax));
    }

    [Theory]
    [InlineData("")]
    [InlineData("2:1000")]
    [InlineData("two:1000:offered")]
    [InlineData("2:1000:tried")]
    [InlineData("2:many:offered")]
    [InlineData("2:1000:offered:400:5")]
    public void Parse_OfNoGrowingRate_IsUsage(string text) => Assert.Throws<UsageException>(() => GrowthText.Parse(text));

    [Fact]
    public void Picture_OfARollout_HasABarAndAGatePerWave()
    {
        var rollout = new V1.Rollout
        {
            Name = "tenants/default/rollouts/spring",
            State = V1.RolloutState.Running,
            Waves = { new V1.WaveSpec { Count = 20, SuccessPercent = 90 } },
            WaveStatus = { new V1.Wave { State = V1.WaveState.Running, Members = 20, Succeeded = 10, InProgress = 5, Failed = 1 } },
            Decisions = { new V1.RolloutDecision { Decision = "WAVE_STARTED", Reason = "Wave 0 starts." } },
        };
        var text = new StringWriter();

        new OutputWriter(text, isJson: false).Console.Write(RolloutPicture.Of(rollout));

        Assert.Contains("10/20 ok, 1 failed, 5 in progress", text.ToString(), StringComparison.Ordinal);
        Assert.Contains("gate: 50 % of 90 % succeeded", text.ToString(), StringComparison.Ordinal);
        Assert.Contains("WAVE_STARTED", text.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Parse_OfAWindow_ReadsItsParts()
    {
        var window = WindowText.Parse("0 22 * * MON-FRI  for 6h in Europe/Stockholm");

        Assert.Equal(("0 22 * * MON-FRI", 6 * 3_600L, "Europe/Stockholm"), (window.Recurrence, window.Duration.Seconds, window.TimeZone));
    }

    [Theory]
    [InlineData("")]
    [InlineData("0 22 * * *")]
    [InlineData("0 22 * * * for 6h")]
    [InlineData("0 22 * * * for ever in UTC")]
    [InlineData("0 22 * * * for 6h in New York")]
    public void Parse_OfNoWindow_IsUsage(string text) => Assert.Throws<UsageException>(() => WindowText.Parse(text));

    [Fact]
    public void Line_OfARollout_SaysWhoIsTriedAgainAndWhyWhoIsSkipped()
    {
        var wave = new V1.Wave { Members = 20, Succeeded = 10, Retrying = 2, Skipped = 4 };
        wave.Skips.Add(new V1.SkipCount { Reason = "TRACK_MISMATCH", Devices = 3 });
        wave.Skips.Add(new V1.SkipCount { Reason = "OTHER", Devices = 1 });

        var line = RolloutPicture.Line(new V1.Rollout { Name = "tenants/default/rollouts/spring", WaveStatus = { wave } });

        Assert.EndsWith("0 in progress, 2 to try again, skipped: 3 TRACK_MISMATCH, 1 OTHER", line, StringComparison.Ordinal);
    }

    [Fact]
    public void Of_EndingWithin12Months_IsTheProtosName() =>
        Assert.Equal("ENDING_WITHIN_12_MONTHS", EnumNames.Of(V1.SupportStatus.EndingWithin12Months));
}
