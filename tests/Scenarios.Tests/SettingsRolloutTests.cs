using System.Text.Json;
using static Muster.Scenarios.Tests.RolloutCommands;

namespace Muster.Scenarios.Tests;

/// <summary>
/// A rollout of settings over real MQTT: devices that set them, one that has them already, one that only says that it has set them, and a
/// kill -9 while they are on their way.
/// </summary>
public sealed class SettingsRolloutTests
{
    private const int Devices = 5;

    /// <summary>The fleet's first.</summary>
    private const string Liar = "ACCC8E000000";

    private const string Early = "ACCC8E000001";

    private const string Honest = "ACCC8E000002";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Rollout_OfSettings_EndsWithWhatDevicesReport()
    {
        await using var muster = new OneProcess();
        await SimulatorProgram.MakeVendorAsync(muster, Cancel);
        await muster.StartAsync(Cancel);
        for (var i = 0; i < Devices; i++)
        {
            await ExpectAsync(muster, $"ACCC8E{i:X6}");
        }

        await using var fleet = SimulatorProgram.StartFleet(muster, Devices, "LyingSettings");
        await FleetLog.SeenAsync(muster, "inventory_acked", Devices, Cancel);

        await OrderAsync(muster, "early", "--set", "Network.SSH.Enabled=yes", "--filter", $"name = {Early}", "--wave", "100%:100:0s:all");
        await UntilAsync(muster, "early", "SUCCEEDED");
        var applied = await FleetLog.EventsAsync(muster, "settings_applied", Cancel);

        await OrderAsync(muster, "ssh", "--set", "Network.SSH.Enabled=yes", "--wave", "100%:75:0s:all");
        muster.Kill();
        await muster.StartAsync(Cancel);
        var ended = await UntilAsync(muster, "ssh", "SUCCEEDED");

        Assert.Equal([Early], applied);
        var wave = Assert.Single(ended.GetProperty("waveStatus").EnumerateArray());
        Assert.Equal(("3", "1", "1"), (Number(wave, "succeeded"), Number(wave, "failed"), Number(wave, "skipped")));
        Assert.Equal("ALREADY_HAS_SETTINGS", Assert.Single(wave.GetProperty("skips").EnumerateArray()).GetProperty("reason").GetString());
        Assert.Equal("SETTINGS_DIFFER", (await ExplainAsync(muster, "ssh", Liar)).GetProperty("reason").GetString());

        var device = await ReadAsync(muster, "devices", "get", Honest);
        Assert.Equal("SUCCEEDED", device.GetProperty("lastChange").GetProperty("outcome").GetString());
        Assert.Contains(device.GetProperty("settings").EnumerateArray(), setting =>
            setting.GetProperty("name").GetString() == "Network.SSH.Enabled" && setting.GetProperty("value").GetString() == "yes");

        // Once each, over the kill as well.
        var all = await FleetLog.EventsAsync(muster, "settings_applied", Cancel);
        Assert.Equal(["ACCC8E000001", "ACCC8E000002", "ACCC8E000003", "ACCC8E000004"], all.Order());
    }

    /// <summary>A device is moved to the site while a gate has the rollout stopped; another comes when all is over.</summary>
    [Fact]
    public async Task Rollout_WithLateJoiners_BringsWhoIsMovedThereTheChangeInItsLastWave()
    {
        await using var muster = new OneProcess();
        await SimulatorProgram.MakeVendorAsync(muster, Cancel);
        await muster.StartAsync(Cancel);
        foreach (var serial in new[] { Liar, Early, Honest })
        {
            await ExpectAsync(muster, serial);
        }

        await using var fleet = SimulatorProgram.StartFleet(muster, 3, "LyingSettings");
        await FleetLog.SeenAsync(muster, "inventory_acked", 3, Cancel);
        await MoveAsync(muster, Liar, "Lund");

        await OrderAsync(
            muster, "late", "--set", "Network.SSH.Enabled=yes", "--filter", "site = Lund", "--wave", "100%:100:0s:all",
            "--include-late-joiners");
        await UntilAsync(muster, "late", "SUSPENDED");
        await MoveAsync(muster, Honest, "Lund");
        await DoneAsync(muster, "rollouts", "resume", "late", "--override", "--reason", "one of one");
        var ended = await UntilAsync(muster, "late", "SUCCEEDED");
        await MoveAsync(muster, Early, "Lund");
        var later = await ExplainAsync(muster, "late", Early);

        var wave = ended.GetProperty("waveStatus").EnumerateArray().Last();
        Assert.True(wave.GetProperty("lateJoiners").GetBoolean());
        Assert.Equal(("2", "1", "1"), (Number(ended, "members"), Number(ended, "lateJoiners"), Number(wave, "succeeded")));
        Assert.Equal(1, (await ExplainAsync(muster, "late", Honest)).GetProperty("wave").GetInt32());
        Assert.Equal("JOINED_LATER", later.GetProperty("notMember").GetString());
    }

    /// <summary>One opens in some ten days; the other one is open always.</summary>
    [Fact]
    public async Task Rollout_WithInstallWindows_WaitsForThemAndIsGivenUpWhenItIsCancelled()
    {
        await using var muster = new OneProcess();
        await SimulatorProgram.MakeVendorAsync(muster, Cancel);
        await muster.StartAsync(Cancel);
        await ExpectAsync(muster, Liar);
        await using var fleet = SimulatorProgram.StartFleet(muster, 1);
        await FleetLog.SeenAsync(muster, "inventory_acked", 1, Cancel);

        var day = Math.Min(28, TimeProvider.System.GetUtcNow().AddDays(14).Day);
        await OrderAsync(
            muster, "later", "--set", "Network.SSH.Enabled=yes", "--wave", "100%:100:0s:all",
            "--install-window", $"0 0 {day} * * for 1h in UTC");
        await FleetLog.SeenAsync(muster, "waits_for_window", 1, Cancel);
        var waits = await ExplainAsync(muster, "later", Liar);
        await DoneAsync(muster, "rollouts", "cancel", "later");
        await UntilAsync(muster, "later", "CANCELLED");
        var before = await FleetLog.EventsAsync(muster, "settings_applied", Cancel);

        await OrderAsync(
            muster, "now", "--set", "Network.SSH.Enabled=yes", "--wave", "100%:100:0s:all",
            "--install-window", "0 * * * * for 1h in UTC");
        await UntilAsync(muster, "now", "SUCCEEDED");

        Assert.Equal("INSTALL_WINDOW", Assert.Single(waits.GetProperty("waitsFor").EnumerateArray()).GetString());
        Assert.Contains($"-{day:00}T00:00:00Z", waits.GetProperty("until").GetString(), StringComparison.Ordinal);
        Assert.Empty(before);
        Assert.Equal([Liar], await FleetLog.EventsAsync(muster, "settings_applied", Cancel));
    }

    [Fact]
    public async Task Rollout_OfASettingThatNoDeviceHas_EndsWithTheirRefusal()
    {
        await using var muster = new OneProcess();
        await SimulatorProgram.MakeVendorAsync(muster, Cancel);
        await muster.StartAsync(Cancel);
        await ExpectAsync(muster, Liar);
        await using var fleet = SimulatorProgram.StartFleet(muster, 1);
        await FleetLog.SeenAsync(muster, "inventory_acked", 1, Cancel);
        var neither = await muster.MusterAsync("rollouts", "create", "neither", "--wave", "100%");
        var both = await muster.MusterAsync(
            "rollouts", "create", "both", "--image", new string('a', 64), "--set", "a=b", "--wave", "100%");
        var twice = await muster.MusterAsync("rollouts", "create", "twice", "--set", "a=b", "--set", "a=c", "--wave", "100%");
        var checkedOnly = await ReadAsync(
            muster, "rollouts", "create", "unknown", "--set", "root.Unknown=yes", "--wave", "100%:0:0s:all", "--validate-only");
        var planned = await ReadAsync(
            muster, "rollouts", "create", "planned", "--set", "root.Unknown=yes", "--wave", "1:100:0s:all", "--wave", "100%:0:0s:all",
            "--wave-filter", "0:model = P3265-V", "--stratify", "0:model,site", "--validate-only");

        await OrderAsync(
            muster, "unknown", "--set", "root.Unknown=yes", "--wave", "100%:0:0s:all", "--max-attempts", "3", "--retry-backoff", "1s");
        await UntilAsync(muster, "unknown", "SUSPENDED");
        var refused = await ExplainAsync(muster, "unknown", Liar);

        Assert.Equal("1", Number(checkedOnly, "members"));
        var stratum = Assert.Single(planned.GetProperty("waveStatus")[0].GetProperty("strata").EnumerateArray());
        Assert.Equal(["P3265-V", ""], stratum.GetProperty("values").EnumerateArray().Select(value => value.GetString()));
        Assert.Equal(("1", "1"), (Number(stratum, "members"), Number(stratum, "available")));
        Assert.Equal("MEMBER_STATE_REJECTED", refused.GetProperty("state").GetString());
        Assert.Equal(("SETTING_REFUSED", 1), (refused.GetProperty("reason").GetString(), refused.GetProperty("attempt").GetInt32()));
        Assert.Contains("Either --image or --set.", neither.Error, StringComparison.Ordinal);
        Assert.Contains("Either --image or --set.", both.Error, StringComparison.Ordinal);
        Assert.Contains("rollout.settings[1].name: occurs twice", twice.Error, StringComparison.Ordinal);
    }

    private static Task ExpectAsync(OneProcess muster, string serial) => DoneAsync(
        muster, "devices", "create", serial, "--model", "P3265-V", "--warranty-start", "2026-01-01", "--warranty-months", "60");

    private static Task MoveAsync(OneProcess muster, string serial, string site) =>
        DoneAsync(muster, "devices", "edit", "--filter", $"name = {serial}", "--site", site);

    private static async Task OrderAsync(OneProcess muster, string id, params string[] options)
    {
        await DoneAsync(muster, ["rollouts", "create", id, .. options]);
        await DoneAsync(muster, "rollouts", "start", id);
    }

    private static async Task DoneAsync(OneProcess muster, params string[] arguments)
    {
        var (code, _, error) = await muster.MusterAsync(arguments);
        Assert.True(code == 0, $"{string.Join(' ', arguments)}: {error}");
    }

    private static Task<JsonElement> ExplainAsync(OneProcess muster, string rollout, string device) =>
        ReadAsync(muster, "rollouts", "explain", rollout, "--device", device);

    private static string? Number(JsonElement message, string name) => message.GetProperty(name).GetString();
}
