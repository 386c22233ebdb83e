using System.Globalization;
using System.Text.Json;
using static Muster.Scenarios.Tests.RolloutCommands;

namespace Muster.Scenarios.Tests;

/// <summary>
/// An OS image with a window of its installation over real MQTT: the device has it at once, waits for the window, and installs then.
/// </summary>
public sealed class ImageInstallWindowTests
{
    /// <summary>The fleet's first.</summary>
    private const string Serial = "ACCC8E000000";

    private const string Rollout = "night";

    /// <summary>The device needs some seconds until it has verified the image, and what is looked at then needs some more.</summary>
    private static readonly TimeSpan Before = TimeSpan.FromSeconds(90);

    /// <summary>From the order to the end: the next full minute behind that, and some seconds; only a bug reaches it.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(6);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Rollout_OfAnImageWithAnInstallWindow_IsDownloadedAtOnceAndInstalledInTheWindow()
    {
        await using var muster = new OneProcess();
        await SimulatorProgram.MakeVendorAsync(muster, Cancel);
        var file = Path.Combine(muster.Folder, "image.bin");
        await SimulatorProgram.MakeImageAsync(muster, file, 700_000, Cancel);
        await muster.StartAsync(Cancel);
        await ReadAsync(
            muster, "devices", "create", Serial, "--model", "P3265-V", "--warranty-start", "2026-01-01", "--warranty-months", "60");
        await using var fleet = SimulatorProgram.StartFleet(muster, 1);
        await FleetLog.SeenAsync(muster, "inventory_acked", 1, Cancel);
        var image = await ReadAsync(
            muster, "images", "import", file, "--signature", file + ".cms", "--version", "12.11.78", "--track", "active",
            "--model", "P3265-V");

        var opensAt = NextMinute(TimeProvider.System.GetUtcNow() + Before);
        await ReadAsync(
            muster, "rollouts", "create", Rollout, "--image", image.GetProperty("name").GetString()![^64..], "--wave", "100%:100:0s:all",
            "--install-window", string.Create(CultureInfo.InvariantCulture, $"{opensAt.Minute} {opensAt.Hour} * * * for 1h in UTC"));
        await ReadAsync(muster, "rollouts", "start", Rollout);
        await FleetLog.SeenAsync(muster, "waits_for_window", 1, Cancel);
        var device = await UntilAsync(muster, ["explain", Rollout, "--device", Serial], now => Text(now, "step") == "VERIFYING");
        // The share knows of the report that the device made; the wave's waits are told to the coordinator after that.
        var wave = await UntilAsync(muster, ["explain", Rollout, "--wave", "0"], now => WaitsOn(now) == "INSTALL_WINDOW");
        var waiting = await ReadAsync(muster, "rollouts", "get", Rollout);
        var early = await FleetLog.EventsAsync(muster, "installed", Cancel);
        Assert.True(TimeProvider.System.GetUtcNow() < opensAt, "Too slow: the window opened while it was looked at.");
        var ended = await UntilAsync(muster, ["get", Rollout], now => Text(now, "state") == "ROLLOUT_STATE_SUCCEEDED");
        var done = await ReadAsync(muster, "rollouts", "explain", Rollout, "--device", Serial);

        var opens = opensAt.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
        Assert.Equal("INSTALL_WINDOW", Assert.Single(device.GetProperty("waitsFor").EnumerateArray()).GetString());
        Assert.Equal(opens, Text(device, "until"));
        var wait = Assert.Single(wave.GetProperty("waits").EnumerateArray());
        Assert.Equal(("INSTALL_WINDOW", "1", opens), (Text(wait, "on"), Text(wait, "count"), Text(wait, "until")));
        Assert.Contains($"opens at {opensAt:u}", Text(wait, "text"), StringComparison.Ordinal);
        Assert.Equal(
            string.Create(CultureInfo.InvariantCulture, $"wave 0: INSTALL_WINDOW until {opensAt:yyyy-MM-dd HH:mm'Z'}"),
            Text(waiting, "waitingOn"));
        Assert.Equal([Serial], await FleetLog.EventsAsync(muster, "verified", Cancel));
        Assert.Empty(early);
        Assert.Equal([Serial], await FleetLog.EventsAsync(muster, "installed", Cancel));
        Assert.True(await AtAsync(muster, "downloaded") < opensAt);
        Assert.True(await AtAsync(muster, "installed") >= opensAt);
        Assert.Equal("1", Text(Assert.Single(ended.GetProperty("waveStatus").EnumerateArray()), "succeeded"));
        Assert.Equal("MEMBER_STATE_SUCCEEDED", Text(done, "state"));
    }

    private static DateTimeOffset NextMinute(DateTimeOffset time) =>
        new((time.UtcTicks + TimeSpan.TicksPerMinute - 1) / TimeSpan.TicksPerMinute * TimeSpan.TicksPerMinute, TimeSpan.Zero);

    private static string? WaitsOn(JsonElement wave) =>
        wave.TryGetProperty("waits", out var waits) && waits.GetArrayLength() == 1 ? Text(waits[0], "on") : null;

    private static string? Text(JsonElement message, string name) =>
        message.TryGetProperty(name, out var value) ? value.GetString() : null;

    /// <summary>When the fleet's own log first tells of an event.</summary>
    private static async Task<DateTimeOffset> AtAsync(OneProcess muster, string name)
    {
        await using var stream = new FileStream(SimulatorProgram.FleetLog(muster), FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        using var reader = new StreamReader(stream);
        while (await reader.ReadLineAsync(Cancel) is { } line)
        {
            if (line.Contains($"\"event\":\"{name}\"", StringComparison.Ordinal) && line.EndsWith('}'))
            {
                using var told = JsonDocument.Parse(line);
                return told.RootElement.GetProperty("at").GetDateTimeOffset();
            }
        }

        throw new InvalidOperationException($"The fleet tells of no '{name}'.");
    }

    private static async Task<JsonElement> UntilAsync(OneProcess muster, string[] question, Func<JsonElement, bool> isSo)
    {
        var started = TimeProvider.System.GetTimestamp();
        while (true)
        {
            var now = await ReadAsync(muster, ["rollouts", .. question]);
            if (isSo(now))
            {
                return now;
            }

            Assert.True(TimeProvider.System.GetElapsedTime(started) < Patience, $"Not so yet: {now}");
            await Task.Delay(TimeSpan.FromMilliseconds(200), Cancel);
        }
    }
}
