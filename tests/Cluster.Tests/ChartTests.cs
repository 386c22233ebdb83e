using System.Globalization;
using System.Net.Sockets;
using System.Text.RegularExpressions;
using k8s;
using k8s.Models;
using Muster.Repository.Tests.Chart;

namespace Muster.Cluster.Tests;

/// <summary>
/// The chart's environment is what the programs read: they start with it, and with nothing else, and open the ports that it names.
/// </summary>
[Collection(ClusterSite.Collection)]
public sealed partial class ChartTests(HelmTool helm) : IClassFixture<HelmTool>
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Environment_OfTheRenderedChart_StartsASiloAndAGateway()
    {
        await using var site = await ClusterSite.PrepareAsync(Cancel);
        var ports = Ports.Free(7);
        var deployments = await RenderAsync(site, ports);

        var silo = EnvironmentOf(deployments["fleet-silo"], site, "silo");
        await site.StartReadyAsync("Silo", silo, ports[0], Cancel);
        var gateway = EnvironmentOf(deployments["fleet-gateway"], site, "gateway");
        gateway["Muster__Health__Port"] = ports[6].ToString(CultureInfo.InvariantCulture);
        await site.StartReadyAsync("Gateway", gateway, ports[6], Cancel);

        foreach (var port in ports)
        {
            using var client = new TcpClient();
            await client.ConnectAsync("127.0.0.1", port, Cancel);
        }

        var profile = await File.ReadAllTextAsync(Path.Combine(site.Profile, "profile.json"), Cancel);
        Assert.Contains($"https://localhost:{ports[5]}", profile, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Environment_WithOperatorsApart_OpensEachDoorOnceAndNoOther()
    {
        await using var site = await ClusterSite.PrepareAsync(Cancel);
        var ports = Ports.Free(8);
        var deployments = await RenderAsync(site, ports, "gateway.operators.replicas=1");
        await site.StartReadyAsync("Silo", EnvironmentOf(deployments["fleet-silo"], site, "silo"), ports[0], Cancel);

        await StartGatewayAsync("fleet-gateway", ports[6]);
        Assert.Equal((true, true, false), await TryDoorsAsync());

        await StartGatewayAsync("fleet-operators", ports[7]);
        Assert.Equal((true, true, true), await TryDoorsAsync());

        async Task StartGatewayAsync(string name, int health)
        {
            var settings = EnvironmentOf(deployments[name], site, "gateway");
            settings["Muster__Health__Port"] = health.ToString(CultureInfo.InvariantCulture);
            await site.StartReadyAsync("Gateway", settings, health, Cancel);
        }

        async Task<(bool Mqtt, bool DeviceHttps, bool Grpc)> TryDoorsAsync() =>
            (await IsOpenAsync(ports[3]), await IsOpenAsync(ports[4]), await IsOpenAsync(ports[5]));
    }

    private static async Task<bool> IsOpenAsync(int port)
    {
        using var client = new TcpClient();
        try
        {
            await client.ConnectAsync("127.0.0.1", port, Cancel);
            return true;
        }
        catch (SocketException refused) when (refused.SocketErrorCode == SocketError.ConnectionRefused)
        {
            return false;
        }
    }

    private async Task<Dictionary<string, V1Deployment>> RenderAsync(ClusterSite site, int[] ports, params string[] more)
    {
        string[] values =
        [
            $"health.port={ports[0]}", $"cluster.siloPort={ports[1]}", $"cluster.gatewayPort={ports[2]}", $"gateway.mqttPort={ports[3]}",
            $"gateway.deviceHttpsPort={ports[4]}", $"gateway.grpcPort={ports[5]}", $"data.directory={site.DataFolder}",
            "gateway.publicName=localhost", .. more,
        ];
        var run = await helm.TemplateAsync(["--values", HelmTool.ValuesFile("default"), "--set", string.Join(',', values)]);
        Assert.True(run.ExitCode == 0, run.Error);
        return KubernetesYaml.LoadAllFromString(run.Output, null, strict: true).OfType<V1Deployment>().ToDictionary(made => made.Name());
    }

    /// <summary>What a kubelet makes of it: fields of the pod, keys of secrets, and then the references between variables.</summary>
    private static Dictionary<string, string> EnvironmentOf(V1Deployment deployment, ClusterSite site, string pki)
    {
        var store = site.ConnectionString.Split(",password=");
        var settings = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var variable in deployment.Spec.Template.Spec.Containers[0].Env)
        {
            var value = variable.ValueFrom switch
            {
                { FieldRef.FieldPath: "metadata.name" } => "pod",
                { FieldRef.FieldPath: "status.podIP" } => "127.0.0.1",
                { SecretKeyRef.Key: "endpoints" } => store[0],
                { SecretKeyRef.Key: "password" } => store[1],
                null => variable.Value,
                _ => throw new InvalidOperationException($"{variable.Name} comes from somewhere else."),
            };
            settings[variable.Name] = Reference().Replace(value, found => settings[found.Groups[1].Value]);
        }

        // Both pods mount their own secret at the same place.
        settings["Muster__Pki__Directory"] = Path.Combine(site.Folder, "pki", pki);
        return settings;
    }

    [GeneratedRegex(@"\$\((\w+)\)")]
    private static partial Regex Reference();
}
