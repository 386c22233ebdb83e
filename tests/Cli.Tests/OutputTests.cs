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
    [InlineData("5:90:1s:all:5")]
    public void Parse_OfNoWave_IsUsage(string text) => Assert.Throws<UsageException>(() => WaveText.Parse(text));

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
    public void Of_EndingWithin12Months_IsTheProtosName() =>
        Assert.Equal("ENDING_WITHIN_12_MONTHS", EnumNames.Of(V1.SupportStatus.EndingWithin12Months));
}
