using static Muster.Scenarios.Tests.RolloutCommands;

namespace Muster.Scenarios.Tests;

/// <summary>
/// A strategy and a site that needs it, from the command line to devices over real MQTT, with a kill -9 between the rule and the rollouts
/// that it is about.
/// </summary>
public sealed class StrategyRolloutTests
{
    private const int Devices = 4;

    private static readonly string[] s_ssh = ["--set", "Network.SSH.Enabled=yes"];

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Rollout_ToASiteThatNeedsAStrategy_IsFromItOrLeavesTheSiteOut()
    {
        await using var muster = new OneProcess();
        await SimulatorProgram.MakeVendorAsync(muster, Cancel);
        await muster.StartAsync(Cancel);
        for (var i = 0; i < Devices; i++)
        {
            await ReadAsync(
                muster, "devices", "create", $"ACCC8E{i:X6}", "--model", "P3265-V", "--site", i == 0 ? "plant-1" : "lab",
                "--warranty-start", "2026-01-01", "--warranty-months", "60");
        }

        await using var fleet = SimulatorProgram.StartFleet(muster, Devices);
        await FleetLog.SeenAsync(muster, "inventory_acked", Devices, Cancel);
        var course = await FileAsync(muster, "course.yaml", "rollout: {waves: [{count: 1, connected_only: false}, {percent: 100}]}");
        var rules = await FileAsync(muster, "rules.yaml", "rules: [{site: plant-*, strategy: canary}]");
        await ReadAsync(muster, "strategies", "create", "canary", "-f", course);
        var draft = await ReadAsync(muster, ["rollouts", "create", "early", .. s_ssh, "--wave", "100%:100:0s:all"]);
        await ReadAsync(muster, "strategies", "rules", "edit", "-f", rules);
        muster.Kill();
        await muster.StartAsync(Cancel);

        var early = await muster.MusterAsync("rollouts", "start", "early");
        var late = await muster.MusterAsync(["rollouts", "create", "late", .. s_ssh, "--wave", "100%:100:0s:all", "--validate-only"]);
        var free = await ReadAsync(
            muster,
            ["rollouts", "create", "late", .. s_ssh, "--wave", "100%", "--filter", "NOT (site = \"plant-*\")", "--validate-only"]);
        await ReadAsync(muster, ["rollouts", "create", "late", .. s_ssh, "--strategy", "canary"]);
        await ReadAsync(muster, "rollouts", "start", "late");
        var ended = await UntilAsync(muster, "late", "SUCCEEDED");

        Assert.Equal("ROLLOUT_STATE_DRAFT", draft.GetProperty("state").GetString());
        Assert.Contains("STRATEGY_REQUIRED", early.Error, StringComparison.Ordinal);
        Assert.Contains(
            "`muster rollouts create late --strategy canary` (a draft that is there: `edit`), or leave them out: add to its filter AND NOT "
            + "(site = \"plant-*\")",
            late.Error,
            StringComparison.Ordinal);
        Assert.Equal("3", free.GetProperty("members").GetString());
        Assert.Equal("tenants/default/strategies/canary@1", ended.GetProperty("strategy").GetString());
        Assert.Equal(
            ["1", "3"],
            ended.GetProperty("waveStatus").EnumerateArray().Select(wave => wave.GetProperty("succeeded").GetString()));
    }

    private static async Task<string> FileAsync(OneProcess muster, string name, string text)
    {
        var file = Path.Combine(muster.Folder, name);
        await File.WriteAllTextAsync(file, text, Cancel);
        return file;
    }
}
