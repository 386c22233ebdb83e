using Google.Protobuf.WellKnownTypes;
using Muster.Cli.Session;
using V1 = Muster.Protocol.V1;

namespace Muster.Cli.Tests;

public sealed class YamlMessageTests
{
    [Fact]
    public void Parse_OfASpecification_IsTheMessage()
    {
        var request = YamlMessage.Parse<V1.SimulateRolloutRequest>(
            """
            rollout:
              waves:
                - count: 10        # canaries
                  soak: 1h
                  connected_only: true
                - percent: 100
                  success_percent: 95
              failure_gate: {failure_percent: 5, min_finished: 10}
              devices_per_minute: 50
            fleet: {members: 5000}
            assumptions:
              failure_percent: 0.5
              takes_median: 8m
            """,
            "spec.yaml");

        Assert.Equal(
            new V1.SimulateRolloutRequest
            {
                Rollout = new V1.Rollout
                {
                    Waves =
                    {
                        new V1.WaveSpec { Count = 10, Soak = new Duration { Seconds = 3_600 }, ConnectedOnly = true },
                        new V1.WaveSpec { Percent = 100, SuccessPercent = 95 },
                    },
                    FailureGate = new V1.FailureGate { FailurePercent = 5, MinFinished = 10 },
                    DevicesPerMinute = 50,
                },
                Fleet = new V1.SimulatedFleet { Members = 5_000 },
                Assumptions = new V1.SimulationAssumptions { FailurePercent = 0.5, TakesMedian = new Duration { Seconds = 480 } },
            },
            request);
    }

    [Theory]
    [InlineData(
        "fleet:\n  member: 5", "spec.yaml, line 2: there is no 'member' here. Possible are: members, connected, groups, below_steps.")]
    [InlineData("fleet: 5", "spec.yaml, line 1: 'fleet' is names and values.")]
    [InlineData("fleet: {members: many}", "spec.yaml, line 1: 'members' is a number.")]
    [InlineData("fleet: {members: [5]}", "spec.yaml, line 1: 'members' is one value.")]
    [InlineData("rollout: {waves: {count: 5}}", "spec.yaml, line 1: 'waves' is a list.")]
    [InlineData("rollout:\n  allow_track_change: perhaps", "spec.yaml, line 2: 'allow_track_change' is true or false.")]
    [InlineData("rollout: {in_progress_timeout: soon}", "'soon' is not a duration such as 30s, 5m, 1h or 7d.")]
    [InlineData("- 5", "spec.yaml is not one YAML document of names and values.")]
    [InlineData("", "spec.yaml is not one YAML document of names and values.")]
    public void Parse_OfWhatTheMessageDoesNotHave_SaysWhereAndWhat(string yaml, string message) => Assert.Equal(
        message, Assert.Throws<UsageException>(() => YamlMessage.Parse<V1.SimulateRolloutRequest>(yaml, "spec.yaml")).Message);

    [Theory]
    [InlineData("fleet: {members: 5")]
    [InlineData("fleet: {members: 1.5}")]
    [InlineData("fleet: {members: 5}\nfleet: {members: 6}")]
    public void Parse_OfNoYamlOrNoNumber_NamesTheFile(string yaml) => Assert.StartsWith(
        "spec.yaml",
        Assert.Throws<UsageException>(() => YamlMessage.Parse<V1.SimulateRolloutRequest>(yaml, "spec.yaml")).Message,
        StringComparison.Ordinal);
}
