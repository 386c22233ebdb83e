using System.Diagnostics;
using System.Globalization;
using System.Text.Json;

namespace Muster.Cluster.Tests;

/// <summary>The demo's whole scenario on a cluster, with a silo that dies in the middle of a wave.</summary>
[Collection(ClusterSite.Collection)]
public sealed class ScenarioTests
{
    private const int Devices = 120;

    /// <summary>A step that a silo's death interrupts waits for its detection, some ten seconds, and for the devices' next try.</summary>
    private const int StepPatienceSeconds = 90;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(150);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Scenario_WithASiloKilledInMidWave_EndsWithoutAViolation()
    {
        await using var site = await ClusterSite.StartAsync(silos: 2, gateways: 2, Cancel);
        var scenario = site.Start(
            "scenario", "Simulator", new Dictionary<string, string>(), "scenario", "--api", site.Api, "--data", site.Folder, "--profile",
            site.Profile, "--devices", Text(Devices), "--patience", Text(StepPatienceSeconds), "--json");
        await UntilAsync(site, scenario, "the devices are expected", async () => await CountAsync(site, "devices", "count") >= Devices);
        site.StartFleet(Devices, "--misfits");

        var offered = (0, 0, 0);
        await UntilAsync(site, scenario, "the second wave is under way", async () => (offered = await SecondWaveAsync(site)).Item2 > 0);
        site.Silos[1].Kill();
        var code = await scenario.WaitForExitAsync(Patience, Cancel);

        var (members, inProgress, succeeded) = offered;
        Assert.True(succeeded < members && inProgress > 0, $"The wave was over when the silo died: {succeeded} of {members}.");
        Assert.True(code == 0, $"{scenario.Error()}{Environment.NewLine}{site.Tails()}");
        using var summary = JsonDocument.Parse(scenario.Output().Trim().Split('\n')[^1]);
        Assert.Equal(0, Number(summary.RootElement, "violations"));
        Assert.Equal(Devices, Number(summary.RootElement, "updated"));
        Assert.Equal(Devices, Number(summary.RootElement, "boot_confirmed"));
        Assert.Equal(Devices, Number(summary.RootElement, "configured"));
        Assert.False(site.Silos[0].HasExited);
        Assert.All(site.Gateways, gateway => Assert.False(gateway.HasExited));
        Assert.DoesNotContain(site.Gateways, gateway => gateway.Output().Contains("the caller has the id", StringComparison.Ordinal));
    }

    private static async Task<(int Members, int InProgress, int Succeeded)> SecondWaveAsync(ClusterSite site)
    {
        var (code, output, _) = await site.MusterAsync("rollouts", "get", "demo");
        if (code != 0)
        {
            return default;
        }

        using var rollout = JsonDocument.Parse(output);
        if (!rollout.RootElement.TryGetProperty("waveStatus", out var waves) || waves.GetArrayLength() < 2)
        {
            return default;
        }

        var second = waves[1];
        return (Number(second, "members"), Number(second, "inProgress"), Number(second, "succeeded"));
    }

    private static async Task<int> CountAsync(ClusterSite site, params string[] arguments)
    {
        var (code, output, _) = await site.MusterAsync(arguments);
        if (code != 0)
        {
            return 0;
        }

        using var answer = JsonDocument.Parse(output);
        return Number(answer.RootElement, "total");
    }

    /// <summary>Numbers of 64 bits are texts in the JSON of protobuf, and zeros are left out.</summary>
    private static int Number(JsonElement element, string name) =>
        element.TryGetProperty(name, out var value) ? int.Parse(value.ToString(), CultureInfo.InvariantCulture) : 0;

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    private static async Task UntilAsync(ClusterSite site, HostProcess scenario, string what, Func<Task<bool>> isSo)
    {
        for (var started = Stopwatch.StartNew(); !await isSo();)
        {
            if (scenario.HasExited || started.Elapsed > Patience)
            {
                Assert.Fail($"Waited in vain until {what}.{Environment.NewLine}{scenario.Error()}{Environment.NewLine}{site.Tails()}");
            }

            await Task.Delay(TimeSpan.FromMilliseconds(100), Cancel);
        }
    }
}
