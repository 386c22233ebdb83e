using System.Security.Cryptography;
using System.Text.Json;
using static Muster.Scenarios.Tests.RolloutCommands;

namespace Muster.Scenarios.Tests;

/// <summary>
/// A rollout of an image that asks for two other versions first, over real MQTT: from what a dry run says to the last boot, with a kill -9
/// behind the first step.
/// </summary>
public sealed class StepsRolloutTests
{
    private const int Devices = 2;

    /// <summary>The fleet's first; all begin with 12.10.50.</summary>
    private const string Serial = "ACCC8E000000";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Rollout_ThatTakesSteps_BringsDevicesOverEachOfThemWithinOneAttempt()
    {
        await using var muster = new OneProcess();
        await SimulatorProgram.MakeVendorAsync(muster, Cancel);
        await muster.StartAsync(Cancel);
        for (var i = 0; i < Devices; i++)
        {
            await ReadAsync(
                muster, "devices", "create", $"ACCC8E{i:X6}", "--model", "P3265-V", "--warranty-start", "2026-01-01",
                "--warranty-months", "60");
        }

        var first = await ImportAsync(muster, "12.11.10");
        var second = await ImportAsync(muster, "12.11.40", "--min-from", "12.11.10");
        var image = await ImportAsync(muster, "12.12.1", "--step", "12.11.10", "--step", "12.11.40");
        await using var fleet = SimulatorProgram.StartFleet(muster, Devices);
        await FleetLog.SeenAsync(muster, "inventory_acked", Devices, Cancel);
        string[] create = ["rollouts", "create", "path", "--image", image, "--wave", "1:100:0s:all", "--wave", "100%:100:0s:all"];

        var without = await ReadAsync(muster, [.. create, "--validate-only"]);
        var with = await ReadAsync(muster, [.. create, "--take-steps", "--validate-only"]);
        await ReadAsync(muster, [.. create, "--take-steps"]);
        await ReadAsync(muster, "rollouts", "start", "path");
        await FleetLog.SeenAsync(muster, "installed", 1, Cancel);
        muster.Kill();
        await muster.StartAsync(Cancel);
        var ended = await UntilAsync(muster, "path", "SUCCEEDED");

        Assert.Equal(("STEP_REQUIRED", "2"), SkipOf(Assert.Single(without.GetProperty("expectedSkips").EnumerateArray())));
        Assert.False(with.TryGetProperty("expectedSkips", out var skips) && skips.GetArrayLength() > 0);
        Assert.Equal(
            [("12.11.10", first, "2"), ("12.11.40", second, "2")],
            with.GetProperty("steps").EnumerateArray().Where(step => step.GetProperty("taken").GetBoolean()).Select(StepOf));
        Assert.Equal(["1", "1"], ended.GetProperty("waveStatus").EnumerateArray().Select(wave => Text(wave, "succeeded")));

        // Each step once, over the kill as well.
        Assert.Equal(3 * Devices, (await FleetLog.EventsAsync(muster, "installed", Cancel)).Count);
        var device = await ReadAsync(muster, "devices", "get", Serial);
        Assert.Equal(("12.12.1", image), (Text(device, "osVersion"), Text(device, "imageDigest")));
        Assert.Equal(1, (await ReadAsync(muster, "rollouts", "explain", "path", "--device", Serial)).GetProperty("attempt").GetInt32());
    }

    /// <summary>A published image that the installation's vendor signed; its digest.</summary>
    private static async Task<string> ImportAsync(OneProcess muster, string version, params string[] conditions)
    {
        var file = Path.Combine(muster.Folder, version + ".bin");
        await SimulatorProgram.MakeImageAsync(muster, file, 300_000, Cancel, version);
        await ReadAsync(
            muster,
            [
                "images", "import", file, "--signature", file + ".cms", "--version", version, "--track", "active", "--model", "P3265-V",
                .. conditions,
            ]);
        return Convert.ToHexStringLower(SHA256.HashData(await File.ReadAllBytesAsync(file, Cancel)));
    }

    private static (string?, string?) SkipOf(JsonElement skip) => (Text(skip, "reason"), Text(skip, "devices"));

    private static (string?, string, string?) StepOf(JsonElement step) =>
        (Text(step, "version"), Assert.Single(step.GetProperty("images").EnumerateArray()).GetString()![^64..], Text(step, "devices"));

    private static string? Text(JsonElement message, string name) => message.GetProperty(name).GetString();
}
