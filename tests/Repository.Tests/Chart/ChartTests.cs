using k8s;
using k8s.Models;

namespace Muster.Repository.Tests.Chart;

/// <summary>The chart as helm renders it, parsed strictly into the API's own types. Nothing here starts a pod.</summary>
public sealed class ChartTests(HelmTool helm) : IClassFixture<HelmTool>
{
    /// <summary>The host's own time for leaving (HostDefaultsExtensions.ShutdownTimeout).</summary>
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

        string[] expected = topology == "operators" ? ["fleet-gateway", "fleet-operators", "fleet-silo"] : ["fleet-gateway", "fleet-silo"];
        Assert.Equal(expected, deployments.Select(deployment => deployment.Name()).Order());
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
    public async Task Pods_OfATopology_HaveNoTokenAndMountWhatIsTheirs(string topology)
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
            var component = deployment.Spec.Template.Metadata.Labels[ComponentLabel];
            Assert.True(mounts["pki"].ReadOnlyProperty);
            var program = component == "silo" ? "silo" : "gateway";
            Assert.Equal($"muster-pki-{program}", pod.Volumes.Single(volume => volume.Name == "pki").Secret.SecretName);
            Assert.Equal(Setting(deployment, "Muster__Pki__Directory").Value, mounts["pki"].MountPath);
            var data = Setting(deployment, "Muster__Data__Directory").Value;
            Assert.Equal((true, $"{data}/trust/devices"), (mounts["device-roots"].ReadOnlyProperty, mounts["device-roots"].MountPath));
            Assert.Equal("muster-device-roots", pod.Volumes.Single(volume => volume.Name == "device-roots").ConfigMap.Name);
            Assert.Equal(
                component == "silo" ? (data, null) : ($"{data}/artifacts", "artifacts"),
                (mounts["data"].MountPath, mounts["data"].SubPath));
            Assert.Equal(component == "silo", mounts.ContainsKey("image-roots"));
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
            Assert.Equal("muster", Setting(deployment, "Muster__Cluster__ServiceId").Value);
        });
    }

    [Theory]
    [InlineData("default", "fleet-gateway")]
    [InlineData("ha", "muster.example.com")]
    [InlineData("operators", "fleet-operators")]
    public async Task Environment_OfSilos_SaysWhereTheyAreAndThatGatewaysAreTheEdge(string topology, string publicName)
    {
        var silo = Named<V1Deployment>(await RenderAsync(topology), "fleet-silo");

        Assert.Equal("false", Setting(silo, "Muster__Edge__Enabled").Value);
        Assert.Equal("$(POD_IP)", Setting(silo, "Muster__Cluster__AdvertisedAddress").Value);
        Assert.Equal("11111", Setting(silo, "Muster__Cluster__SiloPort").Value);
        Assert.Equal("30000", Setting(silo, "Muster__Cluster__GatewayPort").Value);
        Assert.Equal(publicName, Setting(silo, "Muster__Pki__ServerNames__0").Value);
        Assert.Equal("7443", Setting(silo, "Muster__Grpc__Port").Value);
    }

    [Theory]
    [InlineData("default", "fleet-gateway", "all", "mqtts:Mqtt https:DeviceHttps grpc:Grpc")]
    [InlineData("ha", "fleet-gateway", "all", "mqtts:Mqtt https:DeviceHttps grpc:Grpc")]
    [InlineData("minimal", "fleet-gateway", "all", "mqtts:Mqtt https:DeviceHttps grpc:Grpc")]
    [InlineData("operators", "fleet-gateway", "devices", "mqtts:Mqtt https:DeviceHttps")]
    [InlineData("operators", "fleet-operators", "operators", "grpc:Grpc")]
    public async Task Environment_OfGateways_OpensEveryListenerThatTheServiceNames(
        string topology, string name, string doors, string listeners)
    {
        var rendered = await RenderAsync(topology);
        var gateway = Named<V1Deployment>(rendered, name);
        var ports = gateway.Spec.Template.Spec.Containers[0].Ports.ToDictionary(port => port.Name, port => port.ContainerPort.ToString());
        var expected = listeners.Split(' ').Append("health:Health").Select(pair => pair.Split(':')).ToArray();

        Assert.Equal(doors, Setting(gateway, "Muster__Edge__Doors").Value);
        Assert.Equal(expected.Select(pair => pair[0]).Order(), ports.Keys.Order());
        Assert.All(expected, pair =>
        {
            Assert.Equal(ports[pair[0]], Setting(gateway, $"Muster__{pair[1]}__Port").Value);
            Assert.Equal("*", Setting(gateway, $"Muster__{pair[1]}__Address").Value);
        });
        var open = expected.Select(pair => pair[0]).Where(port => port != "health").Order().ToArray();
        Assert.Equal(open, Named<V1Service>(rendered, name).Spec.Ports.Select(port => port.TargetPort.Value).Order());
        var policy = Assert.Single(Named<V1NetworkPolicy>(rendered, name).Spec.Ingress);
        Assert.Equal(open.Select(port => ports[port]).Order(), policy.Ports.Select(port => port.Port.Value).Order());
    }

    [Theory]
    [InlineData("default", "silo", "11111", "silo")]
    [InlineData("default", "silo", "30000", "gateway silo")]
    [InlineData("default", "redis", "6379", "gateway silo")]
    [InlineData("operators", "silo", "11111", "silo")]
    [InlineData("operators", "silo", "30000", "gateway operators silo")]
    [InlineData("operators", "redis", "6379", "gateway operators silo")]
    public async Task NetworkPolicy_OfAClosedPort_LetsInOnlySilosAndGateways(string topology, string policy, string port, string expected)
    {
        var rendered = (await RenderAsync(topology)).OfType<V1NetworkPolicy>().Single(found => found.Name() == $"fleet-{policy}");

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

    [Fact]
    public async Task NetworkPolicy_OfAReplicatedStore_LetsItsServersReachEachOther()
    {
        var rendered = (await RenderAsync("ha")).OfType<V1NetworkPolicy>().Single(found => found.Name() == "fleet-redis");

        var own = Assert.Single(rendered.Spec.Ingress, ingress => ingress.Ports is null);
        Assert.Equal(rendered.Spec.PodSelector.MatchLabels, Assert.Single(own.FromProperty).PodSelector.MatchLabels);
        var hosts = Assert.Single(rendered.Spec.Ingress, ingress => ingress.Ports is not null);
        Assert.Equal(["6379", "26379"], hosts.Ports.Select(open => open.Port.Value));
        Assert.All(hosts.FromProperty, peer => Assert.Equal("fleet", peer.PodSelector.MatchLabels["app.kubernetes.io/instance"]));
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
    [InlineData("store.existingSecret")]
    [InlineData("pki.siloSecret")]
    [InlineData("pki.gatewaySecret")]
    [InlineData("trust.deviceRoots")]
    [InlineData("trust.imageRoots")]
    public async Task Template_WithoutWhatHasToExist_IsRefusedWithASentence(string missing)
    {
        var run = await helm.TemplateAsync("--values", HelmTool.ValuesFile("default"), "--set", $"{missing}=");

        Assert.NotEqual(0, run.ExitCode);
        Assert.Contains($"{missing} is required: name the", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Silos_WithRootsForTimestamps_HaveThemWhereTheyAreRead()
    {
        var rendered = await RenderAsync("default", "--set", "trust.timestampRoots=muster-timestamp-roots");
        var silo = Named<V1Deployment>(rendered, "fleet-silo");
        var mount = silo.Spec.Template.Spec.Containers[0].VolumeMounts.Single(mount => mount.Name == "timestamp-roots");

        Assert.Equal($"{Setting(silo, "Muster__Data__Directory").Value}/trust/timestamps", mount.MountPath);
        Assert.True(mount.ReadOnlyProperty);
        Assert.Equal(
            "muster-timestamp-roots",
            silo.Spec.Template.Spec.Volumes.Single(volume => volume.Name == "timestamp-roots").ConfigMap.Name);
        Assert.DoesNotContain(
            Named<V1Deployment>(rendered, "fleet-gateway").Spec.Template.Spec.Volumes, volume => volume.Name == "timestamp-roots");
    }

    [Fact]
    public async Task Silos_WithTheFleetCasKeyInAModule_GetLibraryPinAndUri()
    {
        const string Uri = "pkcs11:?module-path=/opt/pkcs11/lib.so&pin-source=/etc/muster/pin/pin";
        var rendered = await RenderAsync(
            "default", "--set", $"pki.pkcs11.uri={Uri},pki.pkcs11.pinSecret=muster-pin,pki.pkcs11.environment.VENDOR_CONF=/opt/pkcs11/conf",
            "--set", "pki.pkcs11.moduleVolume.persistentVolumeClaim.claimName=vendor-module");
        var silo = Named<V1Deployment>(rendered, "fleet-silo");
        var pod = silo.Spec.Template.Spec;
        var mounts = pod.Containers[0].VolumeMounts.ToDictionary(mount => mount.Name);

        Assert.Equal(Uri, Setting(silo, "Muster__Pki__Pkcs11").Value);
        Assert.Equal("/opt/pkcs11/conf", Setting(silo, "VENDOR_CONF").Value);
        Assert.Equal(("/opt/pkcs11", true), (mounts["pkcs11-module"].MountPath, mounts["pkcs11-module"].ReadOnlyProperty));
        Assert.Equal(("/etc/muster/pin", true), (mounts["pkcs11-pin"].MountPath, mounts["pkcs11-pin"].ReadOnlyProperty));
        Assert.Equal("muster-pin", pod.Volumes.Single(volume => volume.Name == "pkcs11-pin").Secret.SecretName);
        Assert.DoesNotContain(
            Named<V1Deployment>(rendered, "fleet-gateway").Spec.Template.Spec.Volumes,
            volume => volume.Name.StartsWith("pkcs11", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Hosts_WithABucketForImages_AllReadItsKeysFromTheSecret()
    {
        var rendered = await RenderAsync(
            "default", "--set", "artifacts.s3.bucket=images,artifacts.s3.endpoint=https://s3.example.com,artifacts.s3.existingSecret=keys");

        Assert.All(rendered.OfType<V1Deployment>(), deployment =>
        {
            Assert.Equal("images", Setting(deployment, "Muster__Artifacts__S3__Bucket").Value);
            Assert.Equal("https://s3.example.com", Setting(deployment, "Muster__Artifacts__S3__Endpoint").Value);
            var (access, secret) = (
                Setting(deployment, "Muster__Artifacts__S3__AccessKey").ValueFrom.SecretKeyRef,
                Setting(deployment, "Muster__Artifacts__S3__SecretKey").ValueFrom.SecretKeyRef);
            Assert.Equal(("keys", "access-key", "keys", "secret-key"), (access.Name, access.Key, secret.Name, secret.Key));
        });
    }

    [Theory]
    [InlineData("artifacts.s3.bucket=images,artifacts.s3.existingSecret=keys", "artifacts.s3.endpoint is required with a bucket")]
    [InlineData("artifacts.s3.bucket=images,artifacts.s3.endpoint=https://a", "artifacts.s3.existingSecret is required with a bucket")]
    public async Task Template_WithABucketAndNotAllThatItNeeds_IsRefusedWithASentence(string values, string sentence)
    {
        var run = await helm.TemplateAsync("--values", HelmTool.ValuesFile("default"), "--set", values);

        Assert.NotEqual(0, run.ExitCode);
        Assert.Contains(sentence, run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Silos_WithApprovalsAndGatewaysWithASite_AreToldOfThem()
    {
        var rendered = await RenderAsync(
            "default", "--set", "approvals.toPublish=1,approvals.toStart=2,approvals.toDowngrade=3",
            "--set", "gateway.downloads.sites[0].site=Lund,gateway.downloads.sites[0].bytesPerSecond=2000000");
        var (silo, gateway) = (Named<V1Deployment>(rendered, "fleet-silo"), Named<V1Deployment>(rendered, "fleet-gateway"));

        Assert.Equal("1", Setting(silo, "Muster__Images__ApprovalsToPublish").Value);
        Assert.Equal("2", Setting(silo, "Muster__Rollouts__ApprovalsToStart").Value);
        Assert.Equal("3", Setting(silo, "Muster__Rollouts__ApprovalsToDowngrade").Value);
        Assert.Equal("Lund", Setting(gateway, "Muster__Downloads__Sites__0__Site").Value);
        Assert.Equal("default", Setting(gateway, "Muster__Downloads__Sites__0__Tenant").Value);
        Assert.Equal("0", Setting(gateway, "Muster__Downloads__Sites__0__TransfersMax").Value);
        Assert.Equal("2000000", Setting(gateway, "Muster__Downloads__Sites__0__BytesPerSecond").Value);
    }

    [Theory]
    [InlineData("pki.pkcs11.uri=pkcs11:token=a?pin-value=1", "pki.pkcs11.uri")]
    [InlineData("surprise=1", "surprise")]
    [InlineData("silo.replica=3", "replica")]
    [InlineData("store.password=open", "password")]
    [InlineData("store.partitions=100", "partitions")]
    [InlineData("pki.existingSecret=one", "existingSecret")]
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

    private async Task<List<object>> RenderAsync(string topology, params string[] more)
    {
        var run = await helm.TemplateAsync(["--values", HelmTool.ValuesFile(topology), .. more]);
        Assert.True(run.ExitCode == 0, run.Error);
        return KubernetesYaml.LoadAllFromString(run.Output, null, strict: true);
    }
}
