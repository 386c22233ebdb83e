using k8s;
using k8s.Models;

namespace Muster.Repository.Tests.Chart;

/// <summary>The chart as helm renders it, parsed strictly into the API's own types. Nothing here starts a pod.</summary>
public sealed class ChartTests(HelmTool helm) : IClassFixture<HelmTool>
{
    /// <summary>The host's own time for leaving (SiloHostExtensions.ShutdownTimeout).</summary>
    private const int ShutdownSeconds = 60;

    private const string ComponentLabel = "app.kubernetes.io/component";

    public static TheoryData<string> Topologies =>
    [
        .. Directory.GetFiles(Path.Combine(HelmTool.ChartFolder, "ci"))
            .Select(file => Path.GetFileName(file).Replace("-values.yaml", "", StringComparison.Ordinal)),
    ];

    [Theory]
    [MemberData(nameof(Topologies))]
    public async Task Lint_OfATopology_FindsNothing(string topology)
    {
        var run = await helm.HelmAsync("lint", HelmTool.ChartFolder, "--strict", "--values", HelmTool.ValuesFile(topology));

        Assert.True(run.ExitCode == 0, run.Output + run.Error);
    }

    [Theory]
    [MemberData(nameof(Topologies))]
    public async Task Deployments_OfATopology_ReplacePodsWithoutAGap(string topology)
    {
        var deployments = (await RenderAsync(topology)).OfType<V1Deployment>().ToArray();

        Assert.Equal(["fleet-gateway", "fleet-silo"], deployments.Select(deployment => deployment.Name()).Order());
        Assert.All(deployments, deployment =>
        {
            var update = deployment.Spec.Strategy.RollingUpdate;
            Assert.Equal(("0", "1"), (update.MaxUnavailable.Value, update.MaxSurge.Value));
            Assert.True(deployment.Spec.Template.Spec.TerminationGracePeriodSeconds > ShutdownSeconds);
            var container = Assert.Single(deployment.Spec.Template.Spec.Containers);
            Assert.Equal("/health/ready", container.StartupProbe.HttpGet.Path);
            Assert.Equal("/health/ready", container.ReadinessProbe.HttpGet.Path);
            Assert.Equal("/health/live", container.LivenessProbe.HttpGet.Path);
            Assert.Equal(8081, Assert.Single(container.Ports, port => port.Name == "health").ContainerPort);
        });
    }

    [Theory]
    [MemberData(nameof(Topologies))]
    public async Task Pods_OfATopology_HaveNoTokenAndMountBothVolumes(string topology)
    {
        var rendered = await RenderAsync(topology);
        var accounts = rendered.OfType<V1ServiceAccount>().ToArray();

        Assert.All(accounts, account => Assert.False(account.AutomountServiceAccountToken));
        Assert.All(rendered.OfType<V1Deployment>(), deployment =>
        {
            var pod = deployment.Spec.Template.Spec;
            Assert.False(pod.AutomountServiceAccountToken);
            Assert.Contains(accounts, account => account.Name() == pod.ServiceAccountName);
            var mounts = pod.Containers[0].VolumeMounts.ToDictionary(mount => mount.Name);
            Assert.True(mounts["pki"].ReadOnlyProperty);
            Assert.Equal("muster-pki", pod.Volumes.Single(volume => volume.Name == "pki").Secret.SecretName);
            Assert.Equal(Setting(deployment, "Muster__Pki__Directory").Value, mounts["pki"].MountPath);
            Assert.Equal(Setting(deployment, "Muster__Data__Directory").Value, mounts["data"].MountPath);
        });
    }

    [Theory]
    [MemberData(nameof(Topologies))]
    public async Task Environment_OfATopology_AsksForAPasswordAndNamesThePod(string topology)
    {
        Assert.All((await RenderAsync(topology)).OfType<V1Deployment>(), deployment =>
        {
            var password = Setting(deployment, "MUSTER_STORE_PASSWORD").ValueFrom.SecretKeyRef;
            Assert.Equal(("muster-redis", "password"), (password.Name, password.Key));
            Assert.NotEqual(true, password.Optional);
            Assert.Equal(
                "$(MUSTER_STORE_ENDPOINTS),password=$(MUSTER_STORE_PASSWORD)",
                Setting(deployment, "Muster__Store__ConnectionString").Value);
            Assert.Equal("status.podIP", Setting(deployment, "POD_IP").ValueFrom.FieldRef.FieldPath);
            Assert.Equal("$(POD_IP)", Setting(deployment, "Muster__Cluster__AdvertisedAddress").Value);
            Assert.Equal("11111", Setting(deployment, "Muster__Cluster__SiloPort").Value);
            Assert.Equal("30000", Setting(deployment, "Muster__Cluster__GatewayPort").Value);
            Assert.Equal("8883", Setting(deployment, "Muster__Mqtt__Port").Value);
            Assert.Equal("8443", Setting(deployment, "Muster__DeviceHttps__Port").Value);
            Assert.Equal("7443", Setting(deployment, "Muster__Grpc__Port").Value);
            Assert.Equal("muster", Setting(deployment, "Muster__Cluster__ServiceId").Value);
        });
    }

    [Theory]
    [InlineData("silo", "11111", "silo")]
    [InlineData("silo", "30000", "gateway silo")]
    [InlineData("redis", "6379", "gateway silo")]
    public async Task NetworkPolicy_OfAClosedPort_LetsInOnlySilosAndGateways(string policy, string port, string expected)
    {
        var rendered = (await RenderAsync("default")).OfType<V1NetworkPolicy>().Single(found => found.Name() == $"fleet-{policy}");

        Assert.Equal(["Ingress"], rendered.Spec.PolicyTypes);
        var rule = Assert.Single(rendered.Spec.Ingress, ingress => ingress.Ports.Any(open => open.Port.Value == port));
        Assert.Single(rule.Ports);
        Assert.All(rule.FromProperty, peer =>
        {
            Assert.Null(peer.NamespaceSelector);
            Assert.Null(peer.IpBlock);
            Assert.Equal("fleet", peer.PodSelector.MatchLabels["app.kubernetes.io/instance"]);
        });
        Assert.Equal(expected, string.Join(' ', rule.FromProperty.Select(peer => peer.PodSelector.MatchLabels[ComponentLabel]).Order()));
        Assert.All(rendered.Spec.Ingress, ingress => Assert.NotEmpty(ingress.FromProperty));
    }

    [Theory]
    [MemberData(nameof(Topologies))]
    public async Task Selectors_OfATopology_MeetThePodsOfTheirComponent(string topology)
    {
        var rendered = await RenderAsync(topology);

        Assert.All(rendered.OfType<V1Deployment>(), deployment =>
        {
            var labels = deployment.Spec.Template.Metadata.Labels;
            Assert.Equal(labels, deployment.Spec.Selector.MatchLabels);
            Assert.Equal(labels, Named<V1Service>(rendered, deployment.Name()).Spec.Selector);
            var budget = Named<V1PodDisruptionBudget>(rendered, deployment.Name());
            Assert.Equal(labels, budget.Spec.Selector.MatchLabels);
            Assert.Equal("1", budget.Spec.MaxUnavailable.Value);
        });
    }

    [Theory]
    [InlineData("default", "fleet-data", 1)]
    [InlineData("minimal", "muster-files", 0)]
    public async Task DataVolume_OfAllPods_IsOneSharedClaim(string topology, string claim, int made)
    {
        var rendered = await RenderAsync(topology);
        var claims = rendered.OfType<V1PersistentVolumeClaim>().ToArray();

        Assert.Equal(made, claims.Length);
        Assert.All(claims, found => Assert.Equal(["ReadWriteMany"], found.Spec.AccessModes));
        Assert.All(rendered.OfType<V1Deployment>(), deployment => Assert.Equal(
            claim, deployment.Spec.Template.Spec.Volumes.Single(volume => volume.Name == "data").PersistentVolumeClaim.ClaimName));
    }

    [Theory]
    [InlineData("store", "pki")]
    [InlineData("pki", "store")]
    public async Task Template_WithoutASecret_IsRefusedWithASentence(string missing, string given)
    {
        var run = await helm.TemplateAsync("--set", $"{given}.existingSecret=given");

        Assert.NotEqual(0, run.ExitCode);
        Assert.Contains($"{missing}.existingSecret is required: name the secret", run.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("surprise=1", "surprise")]
    [InlineData("silo.replica=3", "replica")]
    [InlineData("store.password=open", "password")]
    [InlineData("silo.terminationGracePeriodSeconds=60", "terminationGracePeriodSeconds")]
    public async Task Template_WithAValueThatTheSchemaDoesNotAllow_IsRefused(string value, string named)
    {
        var run = await helm.TemplateAsync("--values", HelmTool.ValuesFile("default"), "--set", value);

        Assert.NotEqual(0, run.ExitCode);
        Assert.Contains("schema", run.Error, StringComparison.Ordinal);
        Assert.Contains(named, run.Error, StringComparison.Ordinal);
    }

    private static V1EnvVar Setting(V1Deployment deployment, string name) =>
        Assert.Single(deployment.Spec.Template.Spec.Containers[0].Env, setting => setting.Name == name);

    private static T Named<T>(IEnumerable<object> rendered, string name)
        where T : IKubernetesObject<V1ObjectMeta> => rendered.OfType<T>().Single(found => found.Name() == name);

    private async Task<List<object>> RenderAsync(string topology)
    {
        var run = await helm.TemplateAsync("--values", HelmTool.ValuesFile(topology));
        Assert.True(run.ExitCode == 0, run.Error);
        return KubernetesYaml.LoadAllFromString(run.Output, null, strict: true);
    }
}
