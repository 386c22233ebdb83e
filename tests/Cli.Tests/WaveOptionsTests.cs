using System.CommandLine;
using Muster.Cli.Rollouts;
using Muster.Cli.Session;
using V1 = Muster.Protocol.V1;

namespace Muster.Cli.Tests;

public sealed class WaveOptionsTests
{
    [Fact]
    public void Read_OfFiltersAndStrata_GivesThemToTheirWaves()
    {
        var rollout = Read(
            "--wave-filter", "0:labels.ring = early AND site : \"a:b\"", "--stratify", "0:model, site", "--stratify", "1:track");

        Assert.Equal(["labels.ring = early AND site : \"a:b\"", ""], rollout.Waves.Select(wave => wave.Filter));
        Assert.Equal(["model", "site"], rollout.Waves[0].StratifyBy);
        Assert.Equal(["track"], rollout.Waves[1].StratifyBy);
    }

    [Theory]
    [InlineData("--wave-filter", "site = Lund", "is not N:FILTER")]
    [InlineData("--wave-filter", "0:", "is not N:FILTER")]
    [InlineData("--stratify", "model", "is not N:FIELD")]
    [InlineData("--stratify", "-1:model", "is not N:FIELD")]
    [InlineData("--stratify", "2:model", "there is no wave 2")]
    public void Read_OfNoWave_IsUsage(string option, string value, string text) => Assert.Contains(
        text, Assert.Throws<UsageException>(() => Read(option, value)).Message, StringComparison.Ordinal);

    [Fact]
    public void Read_OfTwoFiltersForAWave_IsUsage() => Assert.Contains(
        "has one already",
        Assert.Throws<UsageException>(() => Read("--wave-filter", "1:site = Lund", "--wave-filter", "1:site = Oslo")).Message,
        StringComparison.Ordinal);

    [Fact]
    public void ToFleet_OfWavesThatLookAtFields_CountsTheDevicesThatAreAlike()
    {
        var count = new FleetCount(Read("--wave-filter", "0:labels.ring = early AND connected = true", "--stratify", "1:site"));
        count.Add(Device("Lund", "early", connected: true));
        count.Add(Device("Lund", "early", connected: false));
        count.Add(Device("Oslo", "", connected: true));
        count.Add(new V1.Device { State = V1.DeviceState.Quarantined, Site = "Oslo" });

        var groups = count.ToFleet().Groups;

        Assert.Equal(
            [" / Oslo: 1 of 1", "early / Lund: 1 of 2"],
            groups.Select(group => $"{group.Fields["labels.ring"]} / {group.Fields["site"]}: {group.Connected} of {group.Members}"));
    }

    [Fact]
    public void ToFleet_OfPlainWaves_IsTwoNumbers()
    {
        var count = new FleetCount(Read());
        count.Add(Device("Lund", "early", connected: true));
        count.Add(Device("Lund", "early", connected: false));

        Assert.Equal(new V1.SimulatedFleet { Members = 2, Connected = 1 }, count.ToFleet());
    }

    [Fact]
    public void Of_ThePlanOfADryRun_HasALineForEachWaveAndStratum()
    {
        var wave = new V1.Wave { Members = 6, Strata = { new V1.Stratum { Values = { "P3265-V", "" }, Members = 5, Available = 20 } } };
        var table = StrataTable.Of(
            new V1.Rollout { Waves = { new V1.WaveSpec() } }, [wave, new V1.Wave { Index = 1, Members = 34 }], isPlan: true);
        var text = new StringWriter();

        new Output.OutputWriter(text, isJson: false).Console.Write(table);

        Assert.Matches(@"0 +.* 6", text.ToString());
        Assert.Matches(@"0 +.*P3265-V, \(none\).* 5 .*20", text.ToString());
        Assert.Matches(@"1 +.*\(what is left\).* 34", text.ToString());
    }

    [Fact]
    public void Of_ADryRunWithMembersBelowSteps_SaysWhatTheyHaveToRunFirst()
    {
        var rollout = new V1.Rollout
        {
            ExpectedSkips =
            {
                new V1.SkipCount { Reason = "STEP_REQUIRED", Devices = 12 }, new V1.SkipCount { Reason = "TRACK_MISMATCH", Devices = 3 },
            },
            Steps =
            {
                new V1.RequiredStep { Version = "10.12.0", Devices = 5 },
                new V1.RequiredStep { Version = "11.11.73", Devices = 12, Images = { "tenants/default/images/abc" } },
            },
        };
        var text = new StringWriter();

        new Output.OutputWriter(text, isJson: false).Console.Write(FitTable.Of(rollout)!);

        Assert.Matches("STEP_REQUIRED .* 12 ", text.ToString());
        Assert.Matches(@" 5 +.* 10\.12\.0 \(no image of it is published\)", text.ToString());
        Assert.Matches(@" 12 +.* 11\.11\.73 abc", text.ToString());
        Assert.Matches("TRACK_MISMATCH .* 3 ", text.ToString());
        Assert.Null(FitTable.Of(new V1.Rollout { Members = 4 }));
    }

    [Fact]
    public void Of_ADryRunThatTakesItsSteps_SaysSo()
    {
        var rollout = new V1.Rollout
        {
            Steps = { new V1.RequiredStep { Version = "11.11.73", Devices = 12, Images = { "tenants/default/images/abc" }, Taken = true } },
        };
        var text = new StringWriter();

        new Output.OutputWriter(text, isJson: false).Console.Write(FitTable.Of(rollout)!);

        Assert.Matches(@"taken over.* 12 +.* 11\.11\.73 abc", text.ToString());
    }

    [Fact]
    public void Parse_OfGroupsInASpecification_IsTheMessage()
    {
        var request = YamlMessage.Parse<V1.SimulateRolloutRequest>(
            """
            fleet:
              groups:
                - {members: 5, connected: 4, fields: {model: Q1656, labels.floor: "2"}}
            """,
            "spec.yaml");

        var group = Assert.Single(request.Fleet.Groups);
        Assert.Equal((5, 4, "Q1656", "2"), (group.Members, group.Connected, group.Fields["model"], group.Fields["labels.floor"]));
        Assert.Throws<UsageException>(() => YamlMessage.Parse<V1.SimulateRolloutRequest>("fleet: {groups: [{fields: [5]}]}", "spec.yaml"));
    }

    private static V1.Device Device(string site, string ring, bool connected)
    {
        var device = new V1.Device { State = V1.DeviceState.InService, Site = site, Presence = new V1.Presence { Connected = connected } };
        device.Labels.Add("ring", ring);
        return device;
    }

    private static V1.Rollout Read(params string[] arguments)
    {
        var rollout = new V1.Rollout { Waves = { new V1.WaveSpec { Count = 5 }, new V1.WaveSpec { Percent = 100 } } };
        var command = new Command("create") { WaveOptions.Filters, WaveOptions.Strata };
        WaveOptions.Read(command.Parse(arguments), rollout.Waves);
        return rollout;
    }
}
