using System.Diagnostics;
using System.Xml.Linq;

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
        await UntilAsync(site, "every device is in service", async () => await site.CountAsync("state=IN_SERVICE", Cancel) == Devices);
        Assert.True(site.Mqtt.CountOf(site.MqttPorts[0]) > 0, "No device is at the gateway that is killed.");

        site.Gateways[0].Kill();
        await UntilAsync(site, "the other gateway has them all", () => Task.FromResult(site.Mqtt.CountOf(site.MqttPorts[1]) == Devices));
        var digest = await site.ImportImageAsync(Cancel);
        await site.InsistAsync(
            Cancel, "rollouts", "create", "after", "--image", digest, "--filter", $"model={ClusterSite.Model}", "--wave", "100%");
        await site.InsistAsync(Cancel, "rollouts", "start", "after");
        await UntilAsync(
            site, "every device runs the image", async () => await site.CountAsync($"image_digest={digest}", Cancel) == Devices);

        // A gateway tells its presence every two seconds, and the last device has just booted.
        await UntilAsync(site, "every device is connected", async () => await site.CountAsync("connected=true", Cancel) == Devices);
        var installs = File.ReadLines(site.FleetLog).Count(line => line.Contains("\"event\":\"installed\"", StringComparison.Ordinal));
        Assert.Equal(Devices, installs);
        await UntilAsync(site, "the burn-up has them all", () => IsDrawnAsync(site));
    }

    /// <summary>The picture of the rollout says that every device has succeeded.</summary>
    private static async Task<bool> IsDrawnAsync(ClusterSite site)
    {
        var file = Path.Combine(site.Folder, "after.svg");
        await site.InsistAsync(Cancel, "rollouts", "burn-up", "after", "--svg", file);
        var drawn = XDocument.Load(file).Root!;
        return drawn.Elements().Single(element => element.Attribute("id")?.Value == "desc").Value
            .StartsWith($"{Devices} of {Devices} devices have succeeded, 0 failed, 0 are in progress.", StringComparison.Ordinal);
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

    private static async Task UntilAsync(ClusterSite site, string what, Func<Task<bool>> isSo)
    {
        for (var started = Stopwatch.StartNew(); !await isSo();)
        {
            Assert.True(started.Elapsed < Patience, $"Waited in vain until {what}.{Environment.NewLine}{site.Tails()}");
            await Task.Delay(TimeSpan.FromMilliseconds(200), Cancel);
        }
    }
}
