using System.Diagnostics;

namespace Muster.Cluster.Tests;

/// <summary>Gateways come and go; the devices' work goes on at the others.</summary>
[Collection(ClusterSite.Collection)]
public sealed class GatewayTests
{
    private const int Devices = 24;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Gateway_KilledUnderAFleet_LosesItsDevicesToTheOther()
    {
        await using var site = await ClusterSite.StartAsync(silos: 2, gateways: 2, Cancel);
        await CheckProbesAsync(site);
        await ExpectDevicesAsync(site);
        site.StartFleet(Devices);
        await UntilAsync(site, "every device is in service", async () => await CountAsync(site, "state=IN_SERVICE") == Devices);
        Assert.True(site.Mqtt.CountOf(site.MqttPorts[0]) > 0, "No device is at the gateway that is killed.");

        site.Gateways[0].Kill();
        await UntilAsync(site, "the other gateway has them all", () => Task.FromResult(site.Mqtt.CountOf(site.MqttPorts[1]) == Devices));
        var digest = await ImportAsync(site);
        await site.InsistAsync(
            Cancel, "rollouts", "create", "after", "--image", digest, "--filter", $"model={ClusterSite.Model}", "--wave", "100%");
        await site.InsistAsync(Cancel, "rollouts", "start", "after");
        await UntilAsync(site, "every device runs the image", async () => await CountAsync(site, $"image_digest={digest}") == Devices);

        // A gateway tells its presence every two seconds, and the last device has just booted.
        await UntilAsync(site, "every device is connected", async () => await CountAsync(site, "connected=true") == Devices);
        var installs = File.ReadLines(site.FleetLog).Count(line => line.Contains("\"event\":\"installed\"", StringComparison.Ordinal));
        Assert.Equal(Devices, installs);
    }

    private static async Task CheckProbesAsync(ClusterSite site)
    {
        foreach (var host in site.Silos.Concat(site.Gateways))
        {
            Assert.Equal((200, "ok"), await site.ProbeAsync(host, "/health/live", Cancel));
            Assert.Equal(404, (await site.ProbeAsync(host, "/", Cancel)).Status);
            Assert.Equal(404, (await site.ProbeAsync(host, $"/v1/images/{new string('0', 64)}", Cancel)).Status);
            Assert.Equal(404, (await site.ProbeAsync(host, "/muster.v1.Devices/ListDevices", Cancel)).Status);
        }
    }

    private static async Task ExpectDevicesAsync(ClusterSite site)
    {
        for (var index = 0; index < Devices; index++)
        {
            await site.InsistAsync(
                Cancel, "devices", "create", $"ACCC8E{index:X6}", "--model", ClusterSite.Model, "--track", "active", "--warranty-start",
                "2026-01-01", "--warranty-months", "60", "--os-floor", "12.0", "--request-id", $"expect-{index}");
        }
    }

    private static async Task<string> ImportAsync(ClusterSite site)
    {
        var file = Path.Combine(site.Folder, "image.bin");
        var made = site.Start(
            "image", "Simulator", new Dictionary<string, string>(), "image", "--pki", site.VendorFolder, "--out", file, "--version",
            "12.11.77");
        Assert.Equal(0, await made.WaitForExitAsync(Patience, Cancel));
        await site.InsistAsync(
            Cancel, "images", "import", file, "--signature", file + ".cms", "--version", "12.11.77", "--track", "active", "--model",
            ClusterSite.Model);
        return Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(await File.ReadAllBytesAsync(file, Cancel)));
    }

    private static async Task<int> CountAsync(ClusterSite site, string filter)
    {
        var output = await site.InsistAsync(Cancel, "devices", "count", "--filter", filter);
        using var answer = System.Text.Json.JsonDocument.Parse(output);
        return answer.RootElement.TryGetProperty("total", out var total) ? int.Parse(total.ToString(), provider: null) : 0;
    }

    private static async Task UntilAsync(ClusterSite site, string what, Func<Task<bool>> isSo)
    {
        for (var started = Stopwatch.StartNew(); !await isSo();)
        {
            Assert.True(started.Elapsed < Patience, $"Waited in vain until {what}.{Environment.NewLine}{site.Tails()}");
            await Task.Delay(TimeSpan.FromMilliseconds(200), Cancel);
        }
    }
}
